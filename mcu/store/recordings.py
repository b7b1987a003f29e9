"""Recordings and their files: what they are, how long they lasted, their checksums."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from mcu.store.commits import Write
from mcu.store.database import Database, Row
from mcu.store.times import from_text, from_text_or_none, to_text

PartState = Literal["writing", "complete", "interrupted"]
"""``interrupted``: the process was killed; it can be played up to the last fragment."""


@dataclass(frozen=True, slots=True)
class PartRecord:
    """One file of a recording.

    Args:
        number: from 1. size: bytes. sha256: of the whole file, hexadecimal; None while it grows.
    """

    number: int
    state: PartState
    started_at: datetime
    size: int = 0
    duration_s: float = 0.0
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class RecordingRecord:
    """One recording.

    Args:
        by: who started it. ended_at: None while it runs. reason: why it ended.
        interruptions: how often the server was restarted meanwhile.
    """

    id: str
    conference: str
    name: str
    view: str
    by: str
    started_at: datetime
    ended_at: datetime | None = None
    reason: str | None = None
    interruptions: int = 0
    parts: tuple[PartRecord, ...] = ()


def file_name(recording: str, part: int) -> str:
    """What a downloaded file is called, and what lists of checksums and reports call it."""
    return f"{recording}-{part:04d}.mp4"


class Recordings:
    """What is known of the files under ``data_dir/recordings``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @staticmethod
    def row(record: RecordingRecord) -> Write:
        """Keep a recording that begins, within somebody's transaction; again without effect."""
        values = (
            record.id,
            record.conference,
            record.name,
            record.view,
            record.by,
            to_text(record.started_at),
            record.interruptions,
        )

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO recordings (id, conference, name, view, started_by, started_at,"
                " interruptions) VALUES (?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET interruptions = excluded.interruptions,"
                " ended_at = NULL, reason = NULL",
                values,
            )

        return write

    @staticmethod
    def ended(recording: str, at: datetime, reason: str) -> Write:
        """It is over; what was said first stays."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE recordings SET ended_at = ?, reason = ? WHERE id = ? AND ended_at IS NULL",
                (to_text(at), reason, recording),
            )

        return write

    @staticmethod
    def part(recording: str, part: PartRecord) -> Write:
        """What is known of a file now; when it began stays as it was said first."""
        values = (
            recording,
            part.number,
            part.state,
            to_text(part.started_at),
            part.size,
            part.duration_s,
            part.sha256,
        )

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO recording_parts"
                " (recording, number, state, started_at, size, duration_s, sha256)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (recording, number) DO UPDATE SET"
                " state = excluded.state, size = excluded.size,"
                " duration_s = excluded.duration_s, sha256 = excluded.sha256",
                values,
            )

        return write

    @staticmethod
    def without(recording: str) -> Write:
        """Forget a recording, whose files are gone."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM recordings WHERE id = ?", (recording,))

        return write

    async def commit(self, write: Write) -> None:
        """Do one of the above as a transaction of its own. Raises StoreUnavailable."""
        await self._database.commit(write)

    async def of(self, conference: str) -> Sequence[RecordingRecord]:
        """All of a conference, the oldest first. Raises StoreUnavailable."""
        return await self._read("conference = ?", (conference,))

    async def unfinished(self) -> Sequence[RecordingRecord]:
        """Those that run, or ran when the process ended, and those with a file that grew."""
        return await self._read(
            "ended_at IS NULL OR id IN"
            " (SELECT recording FROM recording_parts WHERE sha256 IS NULL)",
            (),
        )

    async def over(self, before: datetime) -> Sequence[RecordingRecord]:
        """Those that ended before a time."""
        return await self._read("ended_at < ?", (to_text(before),))

    async def _read(self, where: str, values: Iterable[str]) -> Sequence[RecordingRecord]:
        values = tuple(values)
        parts: dict[str, list[PartRecord]] = {}
        for row in await self._database.rows(
            f"SELECT * FROM recording_parts WHERE recording IN"  # noqa: S608 - our own constants
            f" (SELECT id FROM recordings WHERE {where}) ORDER BY recording, number",
            values,
        ):
            parts.setdefault(row["recording"], []).append(_part(row))
        rows = await self._database.rows(
            f"SELECT * FROM recordings WHERE {where} ORDER BY started_at, id",  # noqa: S608
            values,
        )
        return [_record(row, tuple(parts.get(row["id"], ()))) for row in rows]


def _record(row: Row, parts: tuple[PartRecord, ...]) -> RecordingRecord:
    return RecordingRecord(
        id=row["id"],
        conference=row["conference"],
        name=row["name"],
        view=row["view"],
        by=row["started_by"],
        started_at=from_text(row["started_at"]),
        ended_at=from_text_or_none(row["ended_at"]),
        reason=row["reason"],
        interruptions=row["interruptions"],
        parts=parts,
    )


def _part(row: Row) -> PartRecord:
    return PartRecord(
        number=row["number"],
        state=cast(PartState, row["state"]),
        started_at=from_text(row["started_at"]),
        size=row["size"],
        duration_s=row["duration_s"],
        sha256=row["sha256"],
    )
