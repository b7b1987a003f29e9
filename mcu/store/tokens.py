# ruff: noqa: S608 - statements are put together from constants of this package only
"""Access tokens: ``mcu_<id>_<secret>``, of which only the SHA-256 of the secret is kept.

The secret is 256 random bits, so there is nothing to guess and a slow hash would protect
nothing; see ``docs/decisions/0003-token-hashing.md``.
"""

import hashlib
import hmac
import json
import secrets
import sqlite3
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from mcu.sentences import sentence
from mcu.store.commits import Write
from mcu.store.database import Database, Row
from mcu.store.errors import InvalidRecord, StoreUnavailable, UnknownParent, UnknownRecord
from mcu.store.identifiers import read_text
from mcu.store.known import MAX_KNOWN, Known
from mcu.store.paging import DEFAULT_LIMIT, page, read_cursor, read_limit
from mcu.store.records import TOKEN_ROLES, Page, Token, TokenRole
from mcu.store.times import from_text, from_text_or_none, to_text, to_text_or_none
from mcu.store.units import SUBTREE

PREFIX = "mcu_"
BOOTSTRAP_ID = "bootstrap"
MIN_BOOTSTRAP = 16
"""Characters of a bootstrap token that comes from the configuration."""
MAX_TEXT = 512
"""A longer bearer token is not looked at."""
LAST_USED_STEP = timedelta(minutes=1)
"""``last_used_at`` is written at most this often for each token."""


def utcnow() -> datetime:
    """The wall clock, timezone-aware."""
    return datetime.now(UTC)


def split(text: str) -> tuple[str, str] | None:
    """Take a token's text apart into id and secret; None when it has another form."""
    if not text.startswith(PREFIX) or not text.isascii() or len(text) > MAX_TEXT:
        return None
    id_, separator, secret = text.removeprefix(PREFIX).partition("_")
    return (id_, secret) if separator and id_ and secret else None


class Tokens:
    """Making, checking, listing and revoking tokens."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = utcnow) -> None:
        self._database = database
        self._clock = clock
        self._known: Known[Token] = Known(database.access_changes)
        self._used: dict[bytes, datetime] = {}

    async def create(
        self,
        role: TokenRole,
        *,
        name: str = "",
        unit: str | None = None,
        bridge: str | None = None,
        conference: str | None = None,
        expires_at: datetime | None = None,
    ) -> tuple[Token, str]:
        """Make a token; its text is the second value and can never be read again.

        Args:
            unit: the subtree it is good for; None: the whole installation.

        Raises:
            InvalidRecord: role ``bridge`` without its bridge (or another role with one), or an
                expiry that has passed.
            UnknownParent: no such unit or bridge. StoreUnavailable.
        """
        now = self._clock()
        if role not in TOKEN_ROLES:
            raise InvalidRecord(sentence("token.role", roles=", ".join(TOKEN_ROLES)), "role")
        if role == "bridge" and bridge is None:
            raise InvalidRecord(sentence("token.needs-room"), "bridge")
        if role != "bridge" and bridge is not None:
            raise InvalidRecord(sentence("token.no-room"), "bridge")
        if expires_at is not None and expires_at <= now:
            raise InvalidRecord(sentence("token.expired"), "expires_at")
        token = Token(
            id=secrets.token_hex(6),
            role=role,
            name=read_text(name, "name", 200),
            created_at=now,
            unit=unit,
            bridge=bridge,
            conference=conference,
            expires_at=expires_at,
        )
        secret = secrets.token_urlsafe(32)
        await self._insert(token, secret)
        return token, f"{PREFIX}{token.id}_{secret}"

    async def authenticate(self, text: str) -> Token | None:
        """Find the token whose text this is; None when unknown, expired or revoked.

        The comparison takes the same time wherever the secrets differ. What was found is believed
        until anybody has changed a token or a session, so one that was revoked, here or by
        another process, is refused from that commit on.

        Raises:
            StoreUnavailable: the store cannot be read (writing ``last_used_at`` may fail).
        """
        if len(text) > MAX_TEXT:
            return None
        digest = _hash(text)
        known = self._known.get(digest)
        if known is None:
            version = self._database.access_changes()
            known = await self._find(text)
            if known is not None:
                self._known.put(digest, known, version)
        return None if known is None else await self._use(known, digest)

    async def _find(self, text: str) -> Token | None:
        """Whose text this is, whether or not it is good still."""
        id_, secret = split(text) or (BOOTSTRAP_ID, text)
        row = await self._database.row("SELECT * FROM tokens WHERE id = ?", (id_,))
        known = row["secret_sha256"] if row is not None else bytes(32)
        if not hmac.compare_digest(known, _hash(secret)) or row is None:
            if id_ == BOOTSTRAP_ID:
                return None
            return await self._bootstrap_of_token_form(text)
        return _token(row)

    async def get(self, token: str) -> Token:
        """Read one token.

        Raises:
            UnknownRecord, StoreUnavailable.
        """
        row = await self._database.row("SELECT * FROM tokens WHERE id = ?", (token,))
        if row is None:
            raise UnknownRecord("token", token)
        return _token(row)

    async def list(
        self, *, within: str | None = None, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[Token]:
        """List tokens by id; ``within``: those of a unit's subtree and of its bridges.

        Raises:
            InvalidRecord: limit or cursor. StoreUnavailable.
        """
        limit, after = read_limit(limit), read_cursor(cursor)
        if within is None:
            rows = await self._database.rows(
                "SELECT * FROM tokens WHERE id > ? ORDER BY id LIMIT ?", (after, limit + 1)
            )
        else:
            rows = await self._database.rows(
                SUBTREE + "SELECT * FROM tokens WHERE id > ? AND (unit IN (SELECT id FROM subtree)"
                " OR bridge IN (SELECT id FROM bridges WHERE unit IN (SELECT id FROM subtree)))"
                " ORDER BY id LIMIT ?",
                (within, after, limit + 1),
            )
        return page([_token(row) for row in rows], limit, lambda token: token.id)

    async def revoke(self, token: str) -> Token:
        """End a token and its sessions for good; revoking twice changes nothing.

        Raises:
            UnknownRecord, StoreUnavailable.
        """
        async with self._database.write() as connection:
            await connection.execute(
                "UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL",
                (to_text(self._clock()), token),
            )
            await connection.execute("DELETE FROM sessions WHERE token = ?", (token,))
        return await self.get(token)

    async def withdrawn(self, tokens: Iterable[str]) -> frozenset[str]:
        """Find those that were revoked or are not there any more; not those that have expired.

        Raises:
            StoreUnavailable.
        """
        asked = frozenset(tokens)
        rows = await self._database.rows(
            "SELECT id FROM tokens WHERE revoked_at IS NULL"
            " AND id IN (SELECT value FROM json_each(?))",
            (json.dumps(sorted(asked)),),
        )
        return asked - {row["id"] for row in rows}

    async def ensure_bootstrap(self, configured: str | None = None) -> str | None:
        """See to it that an administrator's token exists for first use.

        Args:
            configured: ``auth.bootstrap_token``; it replaces an earlier bootstrap token.

        Returns:
            The text of a newly generated token, to be printed once; None when it was
            configured, or when an administrator's token that works exists already.

        Raises:
            InvalidRecord: the configured text is shorter than 16 characters.
            StoreUnavailable.
        """
        now = self._clock()
        if configured is not None:
            if not MIN_BOOTSTRAP <= len(configured) <= MAX_TEXT:
                raise InvalidRecord(
                    f"The bootstrap token needs {MIN_BOOTSTRAP} to {MAX_TEXT} characters; "
                    "make one with: openssl rand -hex 32",
                    "auth.bootstrap_token",
                )
            row = await self._database.row(
                "SELECT secret_sha256 FROM tokens WHERE id = ? AND revoked_at IS NULL",
                (BOOTSTRAP_ID,),
            )
            if row is None or row["secret_sha256"] != _hash(configured):
                await self._insert(_bootstrap_token(now), configured)
            return None
        row = await self._database.row(
            "SELECT 1 FROM tokens WHERE role = 'admin' AND revoked_at IS NULL"
            " AND (expires_at IS NULL OR expires_at > ?)",
            (to_text(now),),
        )
        if row is not None:
            return None
        secret = secrets.token_urlsafe(32)
        await self._insert(_bootstrap_token(now), secret)
        return f"{PREFIX}{BOOTSTRAP_ID}_{secret}"

    async def _bootstrap_of_token_form(self, text: str) -> Token | None:
        """A configured bootstrap token may itself look like ``mcu_x_y``."""
        row = await self._database.row("SELECT * FROM tokens WHERE id = ?", (BOOTSTRAP_ID,))
        if row is None or not hmac.compare_digest(row["secret_sha256"], _hash(text)):
            return None
        return _token(row)

    async def _use(self, token: Token, digest: bytes) -> Token | None:
        """Check the time, and note that the token was used."""
        now = self._clock()
        if not is_good(token, now):
            return None
        before = max(filter(None, (token.last_used_at, self._used.get(digest))), default=None)
        if before is None or now - before >= LAST_USED_STEP:
            if len(self._used) >= MAX_KNOWN:
                self._used.clear()
            self._used[digest] = now  # at once: of many requests one writes
            try:
                await self._database.commit(_used_at(token.id, now), durable=False)
            except StoreUnavailable:
                # Knowing when a token was last used is not worth locking everybody out while
                # the disk is full: who only reads may go on.
                return token
        return token

    async def _insert(self, token: Token, secret: str) -> None:
        async with self._database.write() as connection:
            for table, id_, field in (
                ("units", token.unit, "unit"),
                ("bridges", token.bridge, "bridge"),
            ):
                if id_ is None:
                    continue
                found = await connection.execute_fetchall(
                    f"SELECT 1 FROM {table} WHERE id = ?",
                    (id_,),
                )
                if not list(found):
                    raise UnknownParent(sentence("unknown-parent", field=field, id=id_), field)
            if token.id == BOOTSTRAP_ID:
                # Deleting takes the sessions of the earlier secret along.
                await connection.execute("DELETE FROM tokens WHERE id = ?", (BOOTSTRAP_ID,))
            await connection.execute(
                "INSERT INTO tokens (id, secret_sha256, role, name, unit, bridge, conference,"
                " created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    token.id,
                    _hash(secret),
                    token.role,
                    token.name,
                    token.unit,
                    token.bridge,
                    token.conference,
                    to_text(token.created_at),
                    to_text_or_none(token.expires_at),
                ),
            )


def _used_at(token: str, now: datetime) -> Write:
    def write(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE tokens SET last_used_at = ? WHERE id = ?", (to_text(now), token))

    return write


def is_good(token: Token, now: datetime) -> bool:
    """Whether a token is neither revoked nor expired."""
    return token.revoked_at is None and (token.expires_at is None or now < token.expires_at)


def _bootstrap_token(now: datetime) -> Token:
    return Token(id=BOOTSTRAP_ID, role="admin", name="bootstrap", created_at=now)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _token(row: Row) -> Token:
    return Token(
        id=row["id"],
        role=row["role"],
        name=row["name"],
        created_at=from_text(row["created_at"]),
        unit=row["unit"],
        bridge=row["bridge"],
        conference=row["conference"],
        expires_at=from_text_or_none(row["expires_at"]),
        revoked_at=from_text_or_none(row["revoked_at"]),
        last_used_at=from_text_or_none(row["last_used_at"]),
    )
