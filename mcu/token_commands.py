"""``mcu token``: access tokens made, listed and ended beside a daemon that may be running.

The commands write to the store's file; a running daemon sees the change with its next look.
"""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from config.problems import Problem, SettingsError
from config.settings import Settings
from mcu.store.records import Token, TokenRole
from mcu.store.store import FILE_NAME, Store

COLUMNS = ("id", "role", "scope", "name", "created", "expires", "last used", "state")


def store_path(settings: Settings, *, make: bool = False) -> Path:
    """Find the store's file.

    Args:
        make: make the directory where there is none yet (before the daemon's first start).
    Raises:
        SettingsError: there is no store, most likely as ``data_dir`` is another, or its directory
            cannot be made.
    """
    path = settings.data_dir / FILE_NAME
    if make:
        try:
            settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            reason = f"{settings.data_dir.absolute()} cannot be used ({error.strerror})"
            raise SettingsError([Problem("data_dir", reason)]) from error
    elif not path.exists():
        reason = f"{path.absolute()} does not exist; start the daemon first, or set data_dir"
        raise SettingsError([Problem("data_dir", reason)])
    return path


@asynccontextmanager
async def _opened(path: Path) -> AsyncIterator[Store]:
    store = await Store.open(path)
    try:
        yield store
    finally:
        await store.close()


async def create(
    path: Path,
    role: TokenRole,
    *,
    name: str,
    unit: str | None,
    bridge: str | None,
    days: int | None,
) -> None:
    """Make a token; its text alone goes to standard output, so that a script can take it.

    Raises:
        StoreError: as ``Tokens.create``.
    """
    expires_at = datetime.now(UTC) + timedelta(days=days) if days is not None else None
    async with _opened(path) as store:
        token, text = await store.tokens.create(
            role, name=name, unit=unit, bridge=bridge, expires_at=expires_at
        )
    until = f", until {token.expires_at:%Y-%m-%d %H:%M} UTC" if token.expires_at else ""
    print(f"token {token.id} ({role}{until}) in {path}; shown only now:", file=sys.stderr)
    print(text)


async def show(path: Path, *, as_json: bool) -> None:
    """List all tokens, without their secrets.

    Raises:
        StoreError: as ``Tokens.list``.
    """
    tokens: list[Token] = []
    async with _opened(path) as store:
        cursor: str | None = None
        while True:
            page = await store.tokens.list(cursor=cursor)
            tokens += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
    now = datetime.now(UTC)
    if as_json:
        print(json.dumps([_resource(token, now) for token in tokens], indent=2))
        return
    for line in _table([COLUMNS, *(_row(token, now) for token in tokens)]):
        print(line)


async def revoke(path: Path, token: str) -> None:
    """End a token and every session begun with it; a daemon closes its connections by itself.

    Raises:
        StoreError: as ``Tokens.revoke``.
    """
    async with _opened(path) as store:
        await store.tokens.revoke(token)
    print(f"token {token} is revoked", file=sys.stderr)


def _row(token: Token, now: datetime) -> tuple[str, ...]:
    return (
        token.id,
        token.role,
        token.bridge or token.unit or "all",
        token.name,
        *(
            moment.strftime("%Y-%m-%d %H:%M") if moment is not None else "-"
            for moment in (token.created_at, token.expires_at, token.last_used_at)
        ),
        _state(token, now),
    )


def _resource(token: Token, now: datetime) -> dict[str, str | None]:
    return {
        "id": token.id,
        "role": token.role,
        "unit": token.unit,
        "bridge": token.bridge,
        "name": token.name,
        "created_at": _rfc3339(token.created_at),
        "expires_at": _rfc3339(token.expires_at),
        "last_used_at": _rfc3339(token.last_used_at),
        "state": _state(token, now),
    }


def _state(token: Token, now: datetime) -> str:
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expires_at is not None and token.expires_at <= now else "good"


def _rfc3339(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment is not None else None


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
