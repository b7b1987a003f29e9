"""Browser sessions: a cookie's value made out of a token, kept as a hash.

A session that cannot be written is kept in memory: rooms join a meeting by their link also while
the disk is full. It is written with the next one; a restart before that ends it, and the page signs
in again.
"""

import hashlib
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import aiosqlite
import structlog

from mcu.store.database import Database
from mcu.store.errors import StoreUnavailable, UnknownRecord
from mcu.store.known import Known
from mcu.store.records import Session
from mcu.store.times import from_text, to_text
from mcu.store.tokens import MAX_TEXT, Tokens, is_good, utcnow

DEFAULT_LIFE = timedelta(hours=12)
"""Longer than the longest session of a people's council."""

MAX_UNWRITTEN = 2_000
"""Sessions kept in memory at most, the oldest go first: more than all rooms of an installation."""

log = structlog.get_logger(__name__)


class Sessions:
    """Making, finding and ending sessions."""

    def __init__(
        self, database: Database, tokens: Tokens, clock: Callable[[], datetime] = utcnow
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._clock = clock
        self._unwritten: dict[bytes, Session] = {}
        self._known: Known[Session] = Known(database.access_changes)

    async def create(self, token: str, *, life: timedelta = DEFAULT_LIFE) -> tuple[Session, str]:
        """Begin a session for a token id; the second value goes into the cookie, only there.

        It ends with the token, if that is earlier. Sessions that are over are deleted by the way.

        Raises:
            UnknownRecord: no such token. StoreUnavailable: the token cannot be read.
        """
        now = self._clock()
        owner = await self._tokens.get(token)
        ends = now + life if owner.expires_at is None else min(now + life, owner.expires_at)
        secret = secrets.token_urlsafe(32)
        session = Session(owner, secrets.token_urlsafe(32), now, ends)
        self._unwritten[_hash(secret)] = session
        try:
            async with self._database.write() as connection:
                written = dict(self._unwritten)
                await _write(connection, written, now)
        except StoreUnavailable as error:
            log.warning("session_unwritten", token=owner.id, reason=error.reason)
            for id_ in list(self._unwritten)[:-MAX_UNWRITTEN]:
                del self._unwritten[id_]
        else:
            for id_ in written:
                self._unwritten.pop(id_, None)
        return session, secret

    async def get(self, secret: str) -> Session | None:
        """Find the session of a cookie; None when unknown, over, or its token is not good.

        What was found is believed as ``Tokens.authenticate`` does.

        Raises:
            StoreUnavailable.
        """
        if len(secret) > MAX_TEXT:
            return None
        id_ = _hash(secret)
        session = self._known.get(id_)
        if session is None:
            version = self._database.access_changes()
            session = await self._read(id_)
            if session is None:
                return None
            self._known.put(id_, session, version)
        now = self._clock()
        return session if now < session.expires_at and is_good(session.token, now) else None

    async def _read(self, id_: bytes) -> Session | None:
        """The session as it stands, and its token as it is now."""
        kept = self._unwritten.get(id_)
        if kept is not None:
            owner, csrf, begun, ends = (
                kept.token.id, kept.csrf_token, kept.created_at, kept.expires_at,
            )  # fmt: skip
        else:
            row = await self._database.row("SELECT * FROM sessions WHERE id_sha256 = ?", (id_,))
            if row is None:
                return None
            owner, csrf = row["token"], row["csrf_token"]
            begun, ends = from_text(row["created_at"]), from_text(row["expires_at"])
        try:
            return Session(await self._tokens.get(owner), csrf, begun, ends)
        except UnknownRecord:
            return None

    async def delete(self, secret: str) -> None:
        """End a session; ending an unknown one changes nothing.

        Raises:
            StoreUnavailable: it is in the store and cannot be deleted there.
        """
        unwritten = self._unwritten.pop(_hash(secret), None)
        self._known.forget(_hash(secret))  # what was never written no commit makes stale
        try:
            async with self._database.write() as connection:
                await connection.execute(
                    "DELETE FROM sessions WHERE id_sha256 = ?", (_hash(secret),)
                )
        except StoreUnavailable:
            if unwritten is None:
                raise


async def _write(
    connection: aiosqlite.Connection, sessions: Mapping[bytes, Session], now: datetime
) -> None:
    """Write sessions whose tokens still are there, and delete those that are over."""
    await connection.execute("DELETE FROM sessions WHERE expires_at <= ?", (to_text(now),))
    await connection.executemany(
        "INSERT INTO sessions (id_sha256, token, csrf_token, created_at, expires_at)"
        " SELECT ?, id, ?, ?, ? FROM tokens WHERE id = ? ON CONFLICT (id_sha256) DO NOTHING",
        [
            (
                id_,
                session.csrf_token,
                to_text(session.created_at),
                to_text(session.expires_at),
                session.token.id,
            )
            for id_, session in sessions.items()
        ],
    )


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
