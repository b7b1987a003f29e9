"""Answers that are remembered, so that a repeated POST does its work once.

Use: ``reserve`` before the work; it gives None when the work is to be done now. Then
``complete`` with the answer, or ``release`` when there is none worth repeating (5xx).
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from mcu.store.database import Database, Row
from mcu.store.records import IdempotencyRecord
from mcu.store.times import from_text, to_text
from mcu.store.tokens import utcnow

LIFE = timedelta(hours=24)


class Idempotency:
    """The remembered answers; a key belongs to the token it came with."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = utcnow) -> None:
        self._database = database
        self._clock = clock

    async def reserve(self, token: str, key: str, request_hash: str) -> IdempotencyRecord | None:
        """Take a key.

        Returns:
            None: it was free and is now taken, do the work. Otherwise the record that is there:
            its ``request_hash`` may differ (the key was used for another request), its
            ``status`` is None while the first request is still running.

        Raises:
            StoreUnavailable.
        """
        now = self._clock()
        async with self._database.write() as connection:
            await connection.execute(
                "DELETE FROM idempotency WHERE expires_at <= ?", (to_text(now),)
            )
            rows = await connection.execute_fetchall(
                "SELECT * FROM idempotency WHERE token = ? AND key = ?", (token, key)
            )
            for row in rows:
                return _record(row)
            await connection.execute(
                "INSERT INTO idempotency (token, key, request_hash, expires_at, headers, body)"
                " VALUES (?, ?, ?, ?, '{}', x'')",
                (token, key, request_hash, to_text(now + LIFE)),
            )
        return None

    async def complete(
        self, token: str, key: str, status: int, headers: Mapping[str, str], body: bytes
    ) -> None:
        """Remember the answer to a reserved key.

        Raises:
            StoreUnavailable.
        """
        async with self._database.write() as connection:
            await connection.execute(
                "UPDATE idempotency SET status = ?, headers = ?, body = ?"
                " WHERE token = ? AND key = ?",
                (status, json.dumps(dict(headers)), body, token, key),
            )

    async def release(self, token: str, key: str) -> None:
        """Give a reserved key back, so that the request may be sent again.

        Raises:
            StoreUnavailable.
        """
        async with self._database.write() as connection:
            await connection.execute(
                "DELETE FROM idempotency WHERE token = ? AND key = ? AND status IS NULL",
                (token, key),
            )

    async def release_all(self) -> None:
        """Give back what a process that died had reserved; called once, when the store opens."""
        async with self._database.write() as connection:
            await connection.execute("DELETE FROM idempotency WHERE status IS NULL")


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
