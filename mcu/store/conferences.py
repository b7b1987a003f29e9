# ruff: noqa: S608 - statements are put together from constants of this package only
"""The list of conferences, running and ended, and what a running one is restored from."""

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

import structlog

from mcu.store.database import Database, Row
from mcu.store.errors import DamagedRecord, UnknownRecord
from mcu.store.json_text import read_object
from mcu.store.paging import DEFAULT_LIMIT, page, read_cursor, read_limit
from mcu.store.records import ConferenceRecord, Page, Snapshot
from mcu.store.times import from_text, from_text_or_none, to_text
from mcu.store.units import SUBTREE

FOR_CHECKS = "check-*.*"
"""Ids of conferences in which rooms are met for a readiness check, as a pattern of SQLite."""
MINUTE = timedelta(seconds=60)
"""How long what is kept as a minute lasted, but for the last one before a stop."""

log = structlog.get_logger(__name__)


class ConferenceRows:
    """Reading the list; rows are written together with events (``Events.append``).

    A damaged row keeps nobody from reading the others: lists leave it out and log it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, conference: str) -> ConferenceRecord:
        """Read one row.

        Raises:
            UnknownRecord, DamagedRecord, StoreUnavailable.
        """
        row = await self._database.row("SELECT * FROM conferences WHERE id = ?", (conference,))
        if row is None:
            raise UnknownRecord("conference", conference)
        return _record(row)

    async def list(
        self,
        *,
        within: str | None = None,
        running: bool | None = None,
        checks: bool | None = None,
        limit: int = DEFAULT_LIMIT,
        cursor: str | None = None,
    ) -> Page[ConferenceRecord]:
        """List by id; ``within`` keeps to a unit's subtree, ``running`` to one state.

        Args:
            checks: keep to those that were made for readiness checks, or to the others.
        Raises:
            InvalidRecord: limit or cursor. StoreUnavailable.
        """
        limit, after = read_limit(limit), read_cursor(cursor)
        sql, parameters = "SELECT * FROM conferences WHERE id > ?", [after]
        if within is not None:
            sql = SUBTREE + sql + " AND unit IN (SELECT id FROM subtree)"
            parameters.insert(0, within)
        if running is not None:
            sql += " AND ended_at IS NULL" if running else " AND ended_at IS NOT NULL"
        if checks is not None:
            sql += f" AND id {'' if checks else 'NOT'} GLOB '{FOR_CHECKS}'"
        rows = await self._database.rows(f"{sql} ORDER BY id LIMIT {limit + 1}", parameters)
        # Cut before damaged rows are left out, else the last page would be taken for a full one.
        cut = page(rows, limit, lambda row: str(row["id"]))
        return Page(tuple(_readable(cut.items)), cut.next_cursor)

    async def between(self, begins: datetime, ends: datetime) -> Sequence[ConferenceRecord]:
        """Every conference that began at ``begins`` or later and before ``ends``, oldest first."""
        rows = await self._database.rows(
            "SELECT * FROM conferences WHERE started_at >= ? AND started_at < ?"
            " ORDER BY started_at, id",
            (to_text(begins), to_text(ends)),
        )
        return list(_readable(rows))

    async def drills(self, conferences: Collection[str]) -> frozenset[str]:
        """Which of these were drills.

        Raises:
            StoreUnavailable.
        """
        rows = await self._database.rows(
            "SELECT id FROM conferences WHERE drill AND id IN (SELECT value FROM json_each(?))",
            (json.dumps(sorted(conferences)),),
        )
        return frozenset(row["id"] for row in rows)

    async def running(self) -> Sequence[ConferenceRecord]:
        """Every conference that has not ended."""
        rows = await self._database.rows("SELECT * FROM conferences WHERE ended_at IS NULL")
        return list(_readable(rows))

    async def last_trace(self, conference: str) -> datetime | None:
        """When a conference is known to have run last: its newest event, or its newest minute.

        Minutes are written when they are over, so one that is there was lived through.
        """
        found = []
        event = await self._database.row(
            "SELECT time FROM events WHERE conference = ? ORDER BY seq DESC LIMIT 1", (conference,)
        )
        minute = await self._database.row(
            "SELECT max(at) AS at FROM conference_minutes WHERE conference = ?", (conference,)
        )
        try:
            if event is not None:
                found.append(from_text(event["time"]))
            if minute is not None and minute["at"] is not None:
                found.append(from_text(minute["at"]) + MINUTE)
        except ValueError as error:
            log.error("time_damaged", conference=conference, reason=str(error))
        return max(found, default=None)

    async def snapshot(self, conference: str) -> Snapshot | None:
        """The latest snapshot, or None when there is none yet.

        Raises:
            StoreUnavailable.
        """
        row = await self._database.row(
            "SELECT * FROM conferences WHERE id = ? AND snapshot IS NOT NULL", (conference,)
        )
        if row is None:
            return None
        return Snapshot(row["id"], row["snapshot_seq"], read_object(row["snapshot"]))


def _readable(rows: Iterable[Row]) -> Iterable[ConferenceRecord]:
    for row in rows:
        try:
            yield _record(row)
        except DamagedRecord as error:
            log.error("conference_damaged", conference=row["id"], reason=error.reason)


def _record(row: Row) -> ConferenceRecord:
    try:
        started_at = from_text(row["started_at"])
        ended_at = from_text_or_none(row["ended_at"])
    except ValueError as error:
        raise DamagedRecord("conference", row["id"]) from error
    drill = bool(row["drill"])
    return ConferenceRecord(row["id"], row["name"], row["unit"], started_at, ended_at, drill)
