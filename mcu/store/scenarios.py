# ruff: noqa: S608 - statements are put together from constants of this package only
"""Scenarios: what sessions are prepared with. The document is opaque here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import aiosqlite

from mcu.sentences import sentence
from mcu.store.database import Database, Row
from mcu.store.errors import (
    DuplicateRecord,
    InvalidRecord,
    UnknownParent,
    UnknownRecord,
    VersionConflict,
)
from mcu.store.identifiers import read_id, read_name
from mcu.store.paging import DEFAULT_LIMIT, page, read_cursor, read_limit
from mcu.store.records import Page
from mcu.store.times import from_text, to_text
from mcu.store.tokens import utcnow
from mcu.store.units import SUBTREE

EXPORTS = (".yaml", ".csv")
"""Endings of addresses under a scenario's; its id ends in none of them."""


@dataclass(frozen=True, slots=True)
class ScenarioRecord:
    """A scenario; ``document`` is its JSON text, with name and unit as they stand here."""

    id: str
    name: str
    unit: str
    document: str
    changed_at: datetime
    version: int = 1


class Scenarios:
    """CRUD of scenarios. Every change is one transaction; ``version`` is the ETag."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = utcnow) -> None:
        self._database = database
        self._clock = clock

    async def create(self, scenarios: Sequence[ScenarioRecord]) -> Sequence[ScenarioRecord]:
        """Add some, all or none; ``changed_at`` and ``version`` are set here.

        Raises:
            InvalidRecord, DuplicateRecord, UnknownParent (unit), StoreUnavailable.
        """
        now = self._clock()
        made = [replace(checked(each), changed_at=now, version=1) for each in scenarios]
        async with self._database.write() as connection:
            for each in made:
                if await _read(connection, each.id):
                    raise DuplicateRecord(sentence("scenario.taken", id=each.id), "id")
                await _check_unit(connection, each.unit)
                await connection.execute(
                    "INSERT INTO scenarios (id, name, unit, document, changed_at)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (each.id, each.name, each.unit, each.document, to_text(now)),
                )
        return made

    async def get(self, scenario: str) -> ScenarioRecord:
        """Read one.

        Raises:
            UnknownRecord, StoreUnavailable.
        """
        row = await self._database.row("SELECT * FROM scenarios WHERE id = ?", (scenario,))
        if row is None:
            raise UnknownRecord("scenario", scenario)
        return _record(row)

    async def exists(self, scenario: str) -> bool:
        """Whether an id is taken; raises ``StoreUnavailable``."""
        sql = "SELECT 1 FROM scenarios WHERE id = ?"
        return await self._database.row(sql, (scenario,)) is not None

    async def list(
        self, *, within: str | None = None, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[ScenarioRecord]:
        """List by id; ``within`` keeps to a unit and everything under it.

        Raises:
            InvalidRecord: limit or cursor. StoreUnavailable.
        """
        limit, after = read_limit(limit), read_cursor(cursor)
        sql, parameters = "SELECT * FROM scenarios WHERE id > ?", [after]
        if within is not None:
            sql = SUBTREE + sql + " AND unit IN (SELECT id FROM subtree)"
            parameters.insert(0, within)
        rows = await self._database.rows(f"{sql} ORDER BY id LIMIT {limit + 1}", parameters)
        return page([_record(row) for row in rows], limit, lambda each: each.id)

    async def update(
        self, scenario: ScenarioRecord, *, if_version: int | None = None
    ) -> ScenarioRecord:
        """Write name, unit and document.

        Raises:
            UnknownRecord, InvalidRecord, UnknownParent, VersionConflict, StoreUnavailable.
        """
        scenario = checked(scenario)
        async with self._database.write() as connection:
            before = await _check_version(connection, scenario.id, if_version)
            await _check_unit(connection, scenario.unit)
            after = replace(scenario, changed_at=self._clock(), version=before.version + 1)
            same = (before.name, before.unit, before.document)
            if same == (after.name, after.unit, after.document):
                return before
            await connection.execute(
                "UPDATE scenarios SET name = ?, unit = ?, document = ?, changed_at = ?,"
                " version = ? WHERE id = ?",
                (after.name, after.unit, after.document, to_text(after.changed_at), after.version,
                 after.id),
            )  # fmt: skip
        return after

    async def delete(self, scenario: str, *, if_version: int | None = None) -> None:
        """Delete one; conferences that were started from it keep their copy.

        Raises:
            UnknownRecord, VersionConflict, StoreUnavailable.
        """
        async with self._database.write() as connection:
            await _check_version(connection, scenario, if_version)
            await connection.execute("DELETE FROM scenarios WHERE id = ?", (scenario,))


def checked(scenario: ScenarioRecord) -> ScenarioRecord:
    """Check and normalise id and name.

    Raises:
        InvalidRecord: with the field at fault.
    """
    id_ = read_id(scenario.id)
    if id_.endswith(EXPORTS):
        raise InvalidRecord(sentence("scenario.id-ending", endings=" or ".join(EXPORTS)), "id")
    return replace(scenario, id=id_, name=read_name(scenario.name))


def _record(row: Row) -> ScenarioRecord:
    return ScenarioRecord(
        row["id"], row["name"], row["unit"], row["document"], from_text(row["changed_at"]),
        row["version"],
    )  # fmt: skip


async def _read(connection: aiosqlite.Connection, scenario: str) -> ScenarioRecord | None:
    rows = await connection.execute_fetchall("SELECT * FROM scenarios WHERE id = ?", (scenario,))
    return next((_record(row) for row in rows), None)


async def _check_version(
    connection: aiosqlite.Connection, scenario: str, if_version: int | None
) -> ScenarioRecord:
    before = await _read(connection, scenario)
    if before is None:
        raise UnknownRecord("scenario", scenario)
    if if_version is not None and if_version != before.version:
        raise VersionConflict("scenario", scenario, before.version)
    return before


async def _check_unit(connection: aiosqlite.Connection, unit: str) -> None:
    if not await connection.execute_fetchall("SELECT id FROM units WHERE id = ?", (unit,)):
        raise UnknownParent(sentence("unit.unknown", unit=unit), "unit")
