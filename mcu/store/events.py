"""The log of what happened, and each conference's latest snapshot.

``seq`` counts over the whole installation and is given by the caller, who is the only writer;
it never goes back, even when the retention bound has deleted the newest rows.
"""

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from mcu.store.commits import Write
from mcu.store.database import Database, Row
from mcu.store.json_text import read_object
from mcu.store.records import ConferenceRecord, Snapshot, StoredEvent
from mcu.store.times import from_text, to_text, to_text_or_none

MAX_EVENTS_READ = 1_000
"""Rows that one call reads at most, so that no reader holds much."""

_LIST = (
    "INSERT INTO conferences (id, name, unit, started_at, ended_at, drill)"
    " VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET"
    " name = excluded.name, unit = excluded.unit, ended_at = excluded.ended_at"
)
_HAPPENED = (
    "INSERT INTO events (seq, time, type, conference, actor, data) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (seq) DO UPDATE SET time = excluded.time, type = excluded.type,"
    " conference = excluded.conference, actor = excluded.actor, data = excluded.data"
)
_SNAPSHOT = "UPDATE conferences SET snapshot_seq = ?, snapshot = ? WHERE id = ?"


class Events:
    """Appending and reading the log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(
        self,
        events: Sequence[StoredEvent],
        *,
        conferences: Sequence[ConferenceRecord] = (),
        snapshots: Sequence[Snapshot] = (),
        also: Sequence[Write] = (),
    ) -> None:
        """Append events, and write what they change of the list, as one transaction.

        What changes the list survives a power cut, the rest soon does (``Database.commit``).

        Args:
            events: in order of ``seq``, beyond ``last_seq``; a ``seq`` that is there already
                is overwritten (so a batch whose outcome is unknown may be repeated).
            conferences: rows to insert or overwrite.
            snapshots: of conferences that have a row; an older one is overwritten.
            also: what else belongs to it.

        Raises:
            StoreUnavailable: nothing was written.
        """
        listed = [
            (row.id, row.name, row.unit, to_text(row.started_at), to_text_or_none(row.ended_at),
             row.drill)
            for row in conferences
        ]  # fmt: skip
        happened = [
            (event.seq, to_text(event.time), event.type, event.conference, event.actor,
             json.dumps(dict(event.data or {}), ensure_ascii=False))
            for event in events
        ]  # fmt: skip
        states = [
            (snapshot.seq, json.dumps(dict(snapshot.state or {}), ensure_ascii=False),
             snapshot.conference)
            for snapshot in snapshots
        ]  # fmt: skip

        def write(connection: sqlite3.Connection) -> None:
            for sql, rows in ((_LIST, listed), (_HAPPENED, happened), (_SNAPSHOT, states)):
                if rows:
                    connection.executemany(sql, rows)
            if happened:
                connection.execute("UPDATE event_counter SET seq = max(seq, ?)", happened[-1][:1])
            for each in also:
                each(connection)

        await self._database.commit(write, durable=bool(listed))

    async def last_seq(self) -> int:
        """The highest ``seq`` that was ever appended; 0 for none."""
        row = await self._database.row("SELECT seq FROM event_counter")
        return 0 if row is None else int(row["seq"])

    async def pruned_seq(self) -> int:
        """Events up to this ``seq`` may have been deleted; 0 when none was."""
        row = await self._database.row("SELECT pruned FROM event_counter")
        return 0 if row is None else int(row["pruned"])

    async def after(
        self, seq: int, *, conference: str | None = None, limit: int = MAX_EVENTS_READ
    ) -> Sequence[StoredEvent]:
        """Read up to ``limit`` events that follow ``seq``, oldest first.

        Raises:
            StoreUnavailable.
        """
        limit = min(limit, MAX_EVENTS_READ)
        if conference is None:
            rows = await self._database.rows(
                "SELECT * FROM events WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit)
            )
        else:
            rows = await self._database.rows(
                "SELECT * FROM events WHERE conference = ? AND seq > ? ORDER BY seq LIMIT ?",
                (conference, seq, limit),
            )
        return [_event(row) for row in rows]

    async def prune(self, before: datetime, keep: int) -> int:
        """Delete what is older than ``before``, or not among the ``keep`` newest; gives how many.

        What a running conference needs to be restored (its events after its snapshot) stays.

        Raises:
            StoreUnavailable.
        """
        async with self._database.write() as connection:
            rows = await connection.execute_fetchall(
                "DELETE FROM events WHERE (time < ? OR seq <= (SELECT seq FROM event_counter) - ?)"
                " AND NOT EXISTS (SELECT 1 FROM conferences WHERE id = events.conference"
                " AND ended_at IS NULL AND events.seq > coalesce(snapshot_seq, 0))"
                " RETURNING seq",
                (to_text(before), keep),
            )
            deleted = [int(row["seq"]) for row in rows]
            await connection.execute(
                "UPDATE event_counter SET pruned = max(pruned, ?)", (max(deleted, default=0),)
            )
        return len(deleted)


def _event(row: Row) -> StoredEvent:
    return StoredEvent(
        row["seq"],
        from_text(row["time"]),
        row["type"],
        row["conference"],
        read_object(row["data"]),
        row["actor"],
    )
