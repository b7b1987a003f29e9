"""What went on in conferences, a row for each minute: for reports, long after the meeting."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mcu.store.database import Database
from mcu.store.json_text import read_object
from mcu.store.times import from_text, to_text


@dataclass(frozen=True, slots=True)
class StoredMinute:
    """One conference in one minute.

    Args:
        rooms: participant → its readings; None only where what was stored cannot be read.
    """

    conference: str
    at: datetime
    rooms: Mapping[str, Any] | None


class ConferenceMinutes:
    """Written once, never changed; deleted with the log (see ``Leftovers``)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, minutes: Sequence[StoredMinute]) -> None:
        """Keep some minutes as one transaction; one that is there already stays as it is.

        Raises:
            StoreUnavailable: nothing was written.
        """
        rows = [
            (each.conference, to_text(each.at), json.dumps(dict(each.rooms or {})))
            for each in minutes
        ]

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "INSERT OR IGNORE INTO conference_minutes (conference, at, rooms) VALUES (?, ?, ?)",
                rows,
            )

        await self._database.commit(write, durable=False)

    async def of(self, conference: str) -> Sequence[StoredMinute]:
        """All of one conference, the oldest first.

        Raises:
            StoreUnavailable.
        """
        rows = await self._database.rows(
            "SELECT * FROM conference_minutes WHERE conference = ? ORDER BY at", (conference,)
        )
        return [
            StoredMinute(row["conference"], from_text(row["at"]), read_object(row["rooms"]))
            for row in rows
        ]
