"""Browser sessions: a cookie's value made out of a token, kept as a hash."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from mcu.store.database import Database
from mcu.store.records import Session
from mcu.store.times import from_text, to_text
from mcu.store.tokens import MAX_TEXT, Tokens, is_good, utcnow

DEFAULT_LIFE = timedelta(hours=12)
"""Longer than the longest session of a people's council."""


class Sessions:
    """Making, finding and ending sessions."""

    def __init__(
        self, database: Database, tokens: Tokens, clock: Callable[[], datetime] = utcnow
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._clock = clock

    async def create(self, token: str, *, life: timedelta = DEFAULT_LIFE) -> tuple[Session, str]:
        """Begin a session for a token id; the second value goes into the cookie, only there.

        It ends with the token, if that is earlier. Sessions that are over are deleted by the way.

        Raises:
            UnknownRecord: no such token. StoreUnavailable.
        """
        now = self._clock()
        owner = await self._tokens.get(token)
        ends = now + life if owner.expires_at is None else min(now + life, owner.expires_at)
        secret = secrets.token_urlsafe(32)
        session = Session(owner, secrets.token_urlsafe(32), now, ends)
        async with self._database.write() as connection:
            await connection.execute("DELETE FROM sessions WHERE expires_at <= ?", (to_text(now),))
            await connection.execute(
                "INSERT INTO sessions (id_sha256, token, csrf_token, created_at, expires_at)"
                " VALUES (?, ?, ?, ?, ?)",
                (_hash(secret), owner.id, session.csrf_token, to_text(now), to_text(ends)),
            )
        return session, secret

    async def get(self, secret: str) -> Session | None:
        """Find the session of a cookie; None when unknown, over, or its token is not good.

        Raises:
            StoreUnavailable.
        """
        if len(secret) > MAX_TEXT:
            return None
        row = await self._database.row(
            "SELECT * FROM sessions WHERE id_sha256 = ?", (_hash(secret),)
        )
        now = self._clock()
        if row is None or from_text(row["expires_at"]) <= now:
            return None
        token = await self._tokens.get(row["token"])
        if not is_good(token, now):
            return None
        return Session(
            token, row["csrf_token"], from_text(row["created_at"]), from_text(row["expires_at"])
        )

    async def delete(self, secret: str) -> None:
        """End a session; ending an unknown one changes nothing.

        Raises:
            StoreUnavailable.
        """
        async with self._database.write() as connection:
            await connection.execute("DELETE FROM sessions WHERE id_sha256 = ?", (_hash(secret),))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
