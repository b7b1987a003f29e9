"""Answers that are remembered, so that a repeated POST does its work once.

Use: ``reserve`` before the work; it gives None when the work is to be done now. Then the answer,
by ``answer`` in the transaction that does the work or by ``complete`` after it, unless there is
none worth repeating (5xx); and ``release`` in any case.
"""

import asyncio
import hmac
import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from mcu.store.commits import Write
from mcu.store.database import Database, Row
from mcu.store.records import IdempotencyRecord
from mcu.store.secret_box import CannotOpen, SecretBox
from mcu.store.times import from_text, to_text
from mcu.store.tokens import utcnow

LIFE = timedelta(hours=24)
_PURPOSE = "idempotency"

_ANSWER = (
    "INSERT INTO idempotency (token, key, request_hash, expires_at, status, headers, body)"
    " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (token, key) DO UPDATE SET"
    " request_hash = excluded.request_hash, expires_at = excluded.expires_at,"
    " status = excluded.status, headers = excluded.headers, body = excluded.body"
)
"""One that has expired, or was never answered by an older version, may still be there."""


class Idempotency:
    """The remembered answers; a key belongs to the token it came with.

    Keys whose request still runs are known to this process alone: with it the request ends, and
    the key is free again.

    Args:
        box: whose keys requests are hashed with. A request may hold a PIN or a password, and a
            plain hash in the file would let whoever has the file find it by trying.
    """

    def __init__(
        self, database: Database, box: SecretBox, clock: Callable[[], datetime] = utcnow
    ) -> None:
        self._database = database
        self._box = box
        self._clock = clock
        self._keys: dict[str, bytes] = {}
        self._current: tuple[str, bytes] | None = None
        self._running: dict[tuple[str, str], str] = {}

    async def hash_request(self, request: bytes) -> str:
        """What is kept of a request: its HMAC, and which key it was made with.

        Raises:
            StoreUnavailable: the key file cannot be used.
        """
        if self._current is None:
            # The file is read, or made, once in the life of the process.
            self._current = await asyncio.to_thread(self._box.derive, _PURPOSE)
            self._keys.update([self._current])
        return _hash(*self._current, request)

    async def is_hash_of(self, known: str, request: bytes) -> bool:
        """Whether a hash that was kept is of this request; one whose key is gone is of none.

        Raises:
            StoreUnavailable: the key file cannot be used.
        """
        id_ = known.partition(":")[0]
        if id_ not in self._keys:
            try:
                _, self._keys[id_] = await asyncio.to_thread(self._box.derive, _PURPOSE, id_)
            except CannotOpen:
                return False
        return hmac.compare_digest(known, _hash(id_, self._keys[id_], request))

    async def reserve(self, token: str, key: str, request_hash: str) -> IdempotencyRecord | None:
        """Take a key; who gets it owes a ``release``.

        Returns:
            None: it was free and is now taken, do the work. Otherwise the record that is there:
            its ``request_hash`` may differ (the key was used for another request), its
            ``status`` is None while the first request is still running.

        Raises:
            StoreUnavailable: it was not taken.
        """
        now, own = self._clock(), (token, key)
        running = self._running.get(own)
        if running is not None:
            return IdempotencyRecord(key, token, running, now + LIFE, None, {}, b"")
        self._running[own] = request_hash
        found: IdempotencyRecord | None = None
        taken = False
        try:
            row = await self._database.row(
                "SELECT * FROM idempotency WHERE token = ? AND key = ? AND status IS NOT NULL"
                " AND expires_at > ?",
                (token, key, to_text(now)),
            )
            if row is not None:
                found = _record(row)
            taken = found is None
        finally:
            if not taken:
                self.release(token, key)
        return found

    def answer(
        self, token: str, key: str, status: int, headers: Mapping[str, str], body: bytes
    ) -> Write:
        """Remember the answer to a key that was taken, within somebody's transaction."""
        values = (
            token,
            key,
            self._running[token, key],
            to_text(self._clock() + LIFE),
            status,
            json.dumps(dict(headers)),
            body,
        )

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(_ANSWER, values)

        return write

    async def complete(
        self, token: str, key: str, status: int, headers: Mapping[str, str], body: bytes
    ) -> None:
        """Remember the answer to a key that was taken, as a transaction.

        Raises:
            StoreUnavailable.
        """
        await self._database.commit(self.answer(token, key, status, headers, body), durable=False)

    def release(self, token: str, key: str) -> None:
        """Give back a key that was taken: without an answer the request may be sent again."""
        self._running.pop((token, key), None)


def _hash(key_id: str, key: bytes, request: bytes) -> str:
    return f"{key_id}:{hmac.digest(key, request, 'sha256').hex()}"


def _record(row: Row) -> IdempotencyRecord:
    return IdempotencyRecord(
        key=row["key"],
        token=row["token"],
        request_hash=row["request_hash"],
        expires_at=from_text(row["expires_at"]),
        status=row["status"],
        headers=json.loads(row["headers"]),
        body=row["body"],
    )
