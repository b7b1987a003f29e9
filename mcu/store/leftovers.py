"""What is of no use any more: deleted after a while, so that the file does not grow for ever."""

from collections.abc import Callable
from datetime import datetime

from mcu.store.database import Database
from mcu.store.times import to_text
from mcu.store.tokens import utcnow

OVER = (
    "DELETE FROM sessions WHERE expires_at <= ?",
    "DELETE FROM idempotency WHERE expires_at <= ?",
)
"""Good for nothing from the moment at which they end."""

LONG_PAST = (
    "DELETE FROM tokens WHERE revoked_at < ?",
    "DELETE FROM tokens WHERE expires_at < ?",
    "DELETE FROM roll_call_pictures WHERE taken_at < ?",
    "DELETE FROM readiness_checks WHERE ended_at < ?",
    "DELETE FROM conference_minutes WHERE at < ?",
    # A conference's row stays, for reports. While events are left they need their snapshot.
    "UPDATE conferences SET snapshot = NULL, snapshot_seq = NULL"
    " WHERE ended_at < ? AND snapshot IS NOT NULL"
    " AND NOT EXISTS (SELECT 1 FROM events WHERE conference = conferences.id)",
)
"""Kept for a while after their end, because the log and the audit name them."""


class Leftovers:
    """Sessions, remembered answers, tokens and snapshots whose time is over."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = utcnow) -> None:
        self._database = database
        self._clock = clock

    async def prune(self, before: datetime) -> int:
        """Delete what is over, and of tokens and snapshots what ended before ``before``.

        Returns: how many rows were touched; the sessions of a deleted token go uncounted.

        Raises:
            StoreUnavailable: nothing was deleted.
        """
        now, touched = self._clock(), 0
        async with self._database.write() as connection:
            for statements, time in ((OVER, now), (LONG_PAST, before)):
                for statement in statements:
                    cursor = await connection.execute(statement, (to_text(time),))
                    touched += cursor.rowcount
        return touched
