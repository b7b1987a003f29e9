"""Pictures of rooms as they were marked in a roll call: JPEG, one for an entry of the record."""

import sqlite3
from datetime import datetime

from mcu.store.commits import Write
from mcu.store.database import Database
from mcu.store.times import to_text

MAX_PICTURE_BYTES = 1 << 20


class RollCallPictures:
    """Written once, never changed; deleted with the log (see ``Leftovers``)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @staticmethod
    def row(conference: str, number: int, entry: int, time: datetime, jpeg: bytes) -> Write:
        """Keep one picture, within somebody's transaction.

        Raises:
            ValueError: it is larger than ``MAX_PICTURE_BYTES``.
        """
        if len(jpeg) > MAX_PICTURE_BYTES:
            raise ValueError(f"a picture of {len(jpeg)} bytes is no reference")
        values = (conference, number, entry, to_text(time), jpeg)

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT OR IGNORE INTO roll_call_pictures"
                " (conference, number, entry, taken_at, jpeg) VALUES (?, ?, ?, ?, ?)",
                values,
            )

        return write

    async def keep(
        self, conference: str, number: int, entry: int, time: datetime, jpeg: bytes
    ) -> None:
        """Keep one picture, as a transaction.

        Raises:
            ValueError: it is too large. StoreUnavailable.
        """
        write = self.row(conference, number, entry, time, jpeg)
        await self._database.commit(write, durable=False)

    async def get(self, conference: str, number: int, entry: int) -> bytes | None:
        """The picture of one entry; None: none was taken, or it is kept no more.

        Raises:
            StoreUnavailable.
        """
        rows = await self._database.rows(
            "SELECT jpeg FROM roll_call_pictures WHERE conference = ? AND number = ? AND entry = ?",
            (conference, number, entry),
        )
        return bytes(rows[0]["jpeg"]) if rows else None

    async def entries(self, conference: str, number: int) -> frozenset[int]:
        """Which entries of a roll call have a picture.

        Raises:
            StoreUnavailable.
        """
        rows = await self._database.rows(
            "SELECT entry FROM roll_call_pictures WHERE conference = ? AND number = ?",
            (conference, number),
        )
        return frozenset(row["entry"] for row in rows)
