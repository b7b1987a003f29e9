# ruff: noqa: S608 - statements are put together from constants of this package only
"""Readiness checks: their events, the result of each room, and what rooms were accepted with.

Events and documents are opaque here. A check's row and each room's result say again what its
events say, so that lists and a room's history need not read them all.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mcu.store.database import Database, Row
from mcu.store.json_text import read_object
from mcu.store.paging import DEFAULT_LIMIT, page, read_cursor, read_limit, read_number_cursor
from mcu.store.records import Page
from mcu.store.times import from_text, from_text_or_none, to_text, to_text_or_none
from mcu.store.units import SUBTREE

LAST = "~"
"""Sorts after every time."""
MAX_ROWID = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A check as lists show it; ``counts`` is JSON text."""

    id: str
    name: str
    unit: str
    began_at: datetime
    ended_at: datetime | None
    counts: str
    scenario: str | None = None
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class CheckEventRow:
    """One event; ``number`` counts from 1 within the check."""

    number: int
    time: datetime
    type: str
    data: str


@dataclass(frozen=True, slots=True)
class ResultRow:
    """What came of one room in one check; ``document`` is JSON text."""

    check: str
    bridge: str
    judged_at: datetime
    verdict: str
    document: str


@dataclass(frozen=True, slots=True)
class RecordedRow:
    """The configuration a room was accepted with; ``document`` is JSON text."""

    bridge: str
    document: str
    accepted_at: datetime
    accepted_by: str


class ReadinessRows:
    """Reads and writes them; what belongs together is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(
        self,
        check: CheckRow,
        events: Sequence[CheckEventRow],
        results: Iterable[ResultRow] = (),
        recorded: Iterable[RecordedRow] = (),
        *,
        durable: bool = False,
    ) -> None:
        """Write what has happened in a check.

        Raises:
            StoreUnavailable: nothing was written.
        """
        results, recorded = list(results), list(recorded)

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO readiness_checks"
                " (id, name, unit, began_at, ended_at, counts, scenario, due)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
                " ended_at = excluded.ended_at, counts = excluded.counts",
                (
                    check.id, check.name, check.unit, to_text(check.began_at),
                    to_text_or_none(check.ended_at), check.counts, check.scenario,
                    to_text_or_none(check.due),
                ),
            )  # fmt: skip
            connection.executemany(
                "INSERT INTO readiness_events (check_id, number, time, type, data)"
                " VALUES (?, ?, ?, ?, ?)",
                [(check.id, one.number, to_text(one.time), one.type, one.data) for one in events],
            )
            connection.executemany(
                "INSERT INTO readiness_results (check_id, bridge, judged_at, verdict, document)"
                " VALUES (?, ?, ?, ?, ?)",
                [
                    (one.check, one.bridge, to_text(one.judged_at), one.verdict, one.document)
                    for one in results
                ],
            )
            # A room that has left the registry meanwhile has nothing to be recorded for.
            connection.executemany(
                "INSERT INTO recorded_configurations (bridge, document, accepted_at, accepted_by)"
                " SELECT ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM bridges WHERE id = ?)"
                " ON CONFLICT (bridge) DO UPDATE SET document = excluded.document,"
                " accepted_at = excluded.accepted_at, accepted_by = excluded.accepted_by",
                [
                    (
                        one.bridge,
                        one.document,
                        to_text(one.accepted_at),
                        one.accepted_by,
                        one.bridge,
                    )
                    for one in recorded
                ],
            )

        await self._database.commit(write, durable=durable)

    async def events(self, check: str) -> Sequence[CheckEventRow]:
        """All events of a check, in order; none: it is not known, or kept no more."""
        rows = await self._database.rows(
            "SELECT * FROM readiness_events WHERE check_id = ? ORDER BY number", (check,)
        )
        return [
            CheckEventRow(row["number"], from_text(row["time"]), row["type"], row["data"])
            for row in rows
        ]

    async def unfinished(self) -> Sequence[str]:
        """Ids of the checks that have not ended."""
        rows = await self._database.rows("SELECT id FROM readiness_checks WHERE ended_at IS NULL")
        return [row["id"] for row in rows]

    async def is_scheduled(self, scenario: str, due: datetime) -> bool:
        """Whether a check was begun for this beginning of a scenario's session."""
        row = await self._database.row(
            "SELECT 1 FROM readiness_checks WHERE scenario = ? AND due = ?",
            (scenario, to_text(due)),
        )
        return row is not None

    async def list(
        self, *, within: str | None = None, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[CheckRow]:
        """Checks, the newest first; ``within`` keeps to a unit and everything under it.

        Raises:
            InvalidRecord: limit or cursor. StoreUnavailable.
        """
        limit, after = read_limit(limit), read_cursor(cursor) or LAST
        sql = "SELECT * FROM readiness_checks WHERE began_at || id < ?"
        parameters: list[Any] = [after]
        if within is not None:
            sql = SUBTREE + sql + " AND unit IN (SELECT id FROM subtree)"
            parameters.insert(0, within)
        rows = await self._database.rows(
            f"{sql} ORDER BY began_at || id DESC LIMIT {limit + 1}",
            parameters,
        )
        return page(
            [_check(row) for row in rows], limit, lambda one: to_text(one.began_at) + one.id
        )

    async def history(
        self, bridge: str, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[ResultRow]:
        """Results of one room, the newest first.

        Raises:
            InvalidRecord: limit or cursor. StoreUnavailable.
        """
        limit, after = read_limit(limit), read_number_cursor(cursor)
        rows = await self._database.rows(
            "SELECT rowid, * FROM readiness_results WHERE bridge = ? AND rowid < ?"
            f" ORDER BY rowid DESC LIMIT {limit + 1}",
            (bridge, MAX_ROWID if after is None else after),
        )
        found = page(rows, limit, lambda row: str(row["rowid"]))
        return Page(tuple(_result(row) for row in found.items), found.next_cursor)

    async def last_before(
        self, bridges: Iterable[str], after: datetime, before: datetime
    ) -> Mapping[str, ResultRow]:
        """The last result of each bridge that was judged between two times, of those that were.

        Cost: one query for each.
        """
        found = {}
        for bridge in bridges:
            row = await self._database.row(
                "SELECT * FROM readiness_results WHERE bridge = ? AND judged_at > ?"
                " AND judged_at <= ? ORDER BY judged_at DESC LIMIT 1",
                (bridge, to_text(after), to_text(before)),
            )
            if row is not None:
                found[bridge] = _result(row)
        return found

    async def recorded(self, bridges: Iterable[str]) -> Mapping[str, Mapping[str, Any]]:
        """What rooms were accepted with, of those that were. Cost: one query for each."""
        found = {}
        for bridge in bridges:
            row = await self._database.row(
                "SELECT document FROM recorded_configurations WHERE bridge = ?", (bridge,)
            )
            document = None if row is None else read_object(row["document"])
            if document is not None:
                found[bridge] = document
        return found

    async def recorded_row(self, bridge: str) -> RecordedRow | None:
        """What one room was accepted with, when and by whom."""
        row = await self._database.row(
            "SELECT * FROM recorded_configurations WHERE bridge = ?", (bridge,)
        )
        if row is None:
            return None
        return RecordedRow(
            row["bridge"], row["document"], from_text(row["accepted_at"]), row["accepted_by"]
        )


def _check(row: Row) -> CheckRow:
    return CheckRow(
        row["id"], row["name"], row["unit"], from_text(row["began_at"]),
        from_text_or_none(row["ended_at"]), row["counts"], row["scenario"],
        from_text_or_none(row["due"]),
    )  # fmt: skip


def _result(row: Row) -> ResultRow:
    return ResultRow(
        row["check_id"], row["bridge"], from_text(row["judged_at"]), row["verdict"],
        row["document"],
    )  # fmt: skip
