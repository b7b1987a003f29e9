# ruff: noqa: S608 - statements are put together from constants of this package only
"""The administrative tree. Units are merged and moved while meetings go on."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import aiosqlite

from mcu.sentences import sentence
from mcu.store.database import Database, Row
from mcu.store.errors import (
    DuplicateRecord,
    InvalidRecord,
    UnitCycle,
    UnitInUse,
    UnknownParent,
    UnknownRecord,
    VersionConflict,
)
from mcu.store.identifiers import read_id, read_name
from mcu.store.paging import DEFAULT_LIMIT, page, read_cursor, read_limit
from mcu.store.records import UNIT_LEVELS, Page, Unit
from mcu.store.times import to_text
from mcu.store.unit_history import (
    UnitHistory,
    bury,
    close_period,
    history_of,
    living_successors,
    read_former,
)

SUBTREE = """
    WITH RECURSIVE subtree (id) AS (
        SELECT id FROM units WHERE id = ?
        UNION SELECT units.id FROM units JOIN subtree ON units.parent = subtree.id
        UNION SELECT former_units.id FROM former_units
            JOIN subtree ON former_units.successor = subtree.id
    )
"""
"""Binds one unit's id; ``subtree`` is then it and every unit under it, with those that went up in
them: what a dissolved unit held is its successor's."""

PATH = """
    WITH RECURSIVE path (id, parent, depth) AS (
        SELECT id, parent, 0 FROM units WHERE id = ?
        UNION SELECT units.id, units.parent, depth + 1
        FROM units JOIN path ON units.id = path.parent
    )
    SELECT id FROM path ORDER BY depth DESC
"""
"""Binds one unit's id; gives the ids from its root down to itself."""

PATHS = """
    WITH RECURSIVE path (start, id, parent, depth) AS (
        SELECT id, id, parent, 0 FROM units WHERE id IN (SELECT value FROM json_each(?))
        UNION SELECT start, units.id, units.parent, depth + 1
        FROM units JOIN path ON units.id = path.parent
    )
    SELECT start, id FROM path ORDER BY start, depth DESC
"""
"""Binds a JSON array of ids; ``PATH`` for each of them."""

NAMED_IN_REFUSAL = 10


class Units:
    """CRUD of units. Every change is one transaction; ``version`` is the ETag."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def create(self, unit: Unit) -> Unit:
        """Add a unit.

        Raises:
            InvalidRecord, DuplicateRecord, UnknownParent, StoreUnavailable.
        """
        unit = replace(checked(unit), version=1)
        async with self._database.write() as connection:
            if await read_unit(connection, unit.id):
                raise DuplicateRecord(sentence("unit.taken", id=unit.id), "id")
            await _free_id(connection, unit.id)
            await _check_parent(connection, unit.parent)
            await connection.execute(
                "INSERT INTO units (id, name, level, parent) VALUES (?, ?, ?, ?)",
                (unit.id, unit.name, unit.level, unit.parent),
            )
        return unit

    async def get(self, unit: str) -> Unit:
        """Read one unit.

        Raises:
            UnknownRecord, StoreUnavailable.
        """
        row = await self._database.row("SELECT * FROM units WHERE id = ?", (unit,))
        if row is None:
            raise UnknownRecord("unit", unit)
        return _unit(row)

    async def list(
        self, *, within: str | None = None, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[Unit]:
        """List units by id; ``within`` keeps to one unit and everything under it.

        Raises:
            InvalidRecord: limit or cursor. StoreUnavailable.
        """
        limit, after = read_limit(limit), read_cursor(cursor)
        if within is None:
            rows = await self._database.rows(
                "SELECT * FROM units WHERE id > ? ORDER BY id LIMIT ?", (after, limit + 1)
            )
        else:
            rows = await self._database.rows(
                SUBTREE + "SELECT units.* FROM units JOIN subtree USING (id)"
                " WHERE units.id > ? ORDER BY units.id LIMIT ?",
                (within, after, limit + 1),
            )
        return page([_unit(row) for row in rows], limit, lambda unit: unit.id)

    async def update(self, unit: Unit, *, if_version: int | None = None) -> Unit:
        """Write a unit's name, level and parent; a new parent moves it with all under it.

        Args:
            if_version: refuse when the stored version is another one (If-Match).

        Raises:
            UnknownRecord, InvalidRecord, UnknownParent, UnitCycle, VersionConflict,
            StoreUnavailable.
        """
        unit = checked(unit)
        async with self._database.write() as connection:
            before = await read_unit(connection, unit.id)
            if before is None:
                raise UnknownRecord("unit", unit.id)
            if if_version is not None and if_version != before.version:
                raise VersionConflict("unit", unit.id, before.version)
            if unit.parent != before.parent:
                await _check_parent(connection, unit.parent)
                await _check_cycle(connection, unit)
            after = replace(unit, version=before.version + 1)
            if replace(before, version=after.version) == after:
                return before
            await close_period(connection, before, "changed", self._clock())
            await connection.execute(
                "UPDATE units SET name = ?, level = ?, parent = ?, version = ? WHERE id = ?",
                (after.name, after.level, after.parent, after.version, after.id),
            )
        return after

    async def delete(self, unit: str, *, if_version: int | None = None) -> None:
        """Delete a unit that holds nothing; tokens scoped to it are deleted with it.

        Raises:
            UnknownRecord, UnitInUse, VersionConflict, StoreUnavailable.
        """
        async with self._database.write() as connection:
            before = await read_unit(connection, unit)
            if before is None:
                raise UnknownRecord("unit", unit)
            if if_version is not None and if_version != before.version:
                raise VersionConflict("unit", unit, before.version)
            reason, children, bridges = await held_by(connection, before)
            if reason is not None:
                raise UnitInUse(reason, children, bridges)
            await bury(connection, before, "deleted", self._clock(), before.parent)

    async def former(self) -> Mapping[str, str | None]:
        """Units that are no more: id → who succeeded them.

        Raises:
            StoreUnavailable.
        """
        rows = await self._database.rows("SELECT id, successor FROM former_units")
        return {row["id"]: row["successor"] for row in rows}

    async def successors(self, units: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
        """Of those of ``units`` that are no more: the living ones that came after them.

        Raises:
            StoreUnavailable. Cost: one query, over all units that ever ended.
        """
        rows = await self._database.rows("SELECT * FROM former_units")
        former = {row["id"]: read_former(row) for row in rows}
        return {each: living_successors(each, former) for each in units if each in former}

    async def names(self, of: Iterable[str] | None = None) -> Mapping[str, str]:
        """Names of all units, or of those in ``of``; those that are no more included.

        Raises:
            StoreUnavailable.
        """
        sql = "SELECT id, name FROM former_units UNION ALL SELECT id, name FROM units"
        if of is None:
            rows = await self._database.rows(sql)
        else:
            sql = f"SELECT id, name FROM ({sql}) WHERE id IN (SELECT value FROM json_each(?))"
            rows = await self._database.rows(sql, (json.dumps(sorted(set(of))),))
        return {row["id"]: row["name"] for row in rows}

    async def names_at(self, time: datetime) -> Mapping[str, str]:
        """Names of all units as they were then; of those that came later, their first one.

        Raises:
            StoreUnavailable.
        """
        periods = await self._database.rows(
            "SELECT unit, name FROM unit_periods WHERE until > ? ORDER BY until DESC, rowid DESC",
            (to_text(time),),
        )
        return {**await self.names(), **{row["unit"]: row["name"] for row in periods}}

    async def history(self, unit: str) -> UnitHistory:
        """What a unit, living or not, was before, and whom it succeeded.

        Raises:
            UnknownRecord: there was never one. StoreUnavailable.
        """
        periods = await self._database.rows(
            "SELECT * FROM unit_periods WHERE unit = ? ORDER BY until, rowid", (unit,)
        )
        former = await self._database.rows(
            "SELECT * FROM former_units WHERE id = ? OR successor = ? ORDER BY id", (unit, unit)
        )
        history = history_of(unit, periods, former)
        if history.former is None:
            await self.get(unit)
        return history

    async def path(self, unit: str) -> tuple[str, ...]:
        """Ids from the root of the tree down to the unit itself.

        Raises:
            UnknownRecord, StoreUnavailable. Cost: one indexed look-up per level.
        """
        rows = await self._database.rows(PATH, (unit,))
        if not rows:
            raise UnknownRecord("unit", unit)
        return tuple(row["id"] for row in rows)

    async def paths(self, units: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
        """``path`` of many units in one query; unknown ones are left out.

        Raises:
            StoreUnavailable.
        """
        rows = await self._database.rows(PATHS, (json.dumps(list(units)),))
        paths: dict[str, tuple[str, ...]] = {}
        for row in rows:
            paths[row["start"]] = (*paths.get(row["start"], ()), row["id"])
        return paths

    async def subtree(self, unit: str) -> frozenset[str]:
        """Ids of the unit and everything under it; empty when the unit is unknown."""
        rows = await self._database.rows(SUBTREE + "SELECT id FROM subtree", (unit,))
        return frozenset(row["id"] for row in rows)

    async def contains(self, ancestor: str, unit: str) -> bool:
        """Whether ``unit`` is ``ancestor`` or stands under it (the question rights ask)."""
        rows = await self._database.rows(PATH, (unit,))
        return any(row["id"] == ancestor for row in rows)


async def held_by(
    connection: aiosqlite.Connection, unit: Unit
) -> tuple[str | None, tuple[str, ...], tuple[str, ...]]:
    """Why a unit cannot end (None: it holds nothing), and which units and bridges it holds."""
    children = await _ids(connection, "SELECT id FROM units WHERE parent = ?", unit.id)
    bridges = await _ids(connection, "SELECT id FROM bridges WHERE unit = ?", unit.id)
    scenarios = await _ids(connection, "SELECT id FROM scenarios WHERE unit = ?", unit.id)
    if not (children or bridges or scenarios):
        return None, (), ()
    return _in_use(unit, children, bridges, scenarios), children, bridges


def checked(unit: Unit) -> Unit:
    """Check and normalise a unit's own fields (not whether its parent exists).

    Raises:
        InvalidRecord: with the first field at fault.
    """
    if unit.level not in UNIT_LEVELS:
        raise InvalidRecord(sentence("unit.level", levels=", ".join(UNIT_LEVELS)), "level")
    return replace(unit, id=read_id(unit.id), name=read_name(unit.name))


def _unit(row: Row) -> Unit:
    return Unit(row["id"], row["name"], row["level"], row["parent"], row["version"])


async def read_unit(connection: aiosqlite.Connection, unit: str) -> Unit | None:
    """A unit inside a transaction; None: there is none."""
    rows = await connection.execute_fetchall("SELECT * FROM units WHERE id = ?", (unit,))
    return next((_unit(row) for row in rows), None)


async def _free_id(connection: aiosqlite.Connection, unit: str) -> None:
    """See to it that an id names one unit in all of history.

    Raises:
        DuplicateRecord: it is that of a unit that was merged or split. One that was merely deleted
            held nothing, and may come again.
    """
    await connection.execute(
        "DELETE FROM former_units WHERE id = ? AND change = 'deleted'", (unit,)
    )
    if list(await connection.execute_fetchall("SELECT 1 FROM former_units WHERE id = ?", (unit,))):
        raise DuplicateRecord(
            sentence("unit.dissolved-id", unit=unit),
            "id",
        )


async def _check_parent(connection: aiosqlite.Connection, parent: str | None) -> None:
    if parent is not None and await read_unit(connection, parent) is None:
        raise UnknownParent(sentence("unit.unknown", unit=parent), "parent")


async def _check_cycle(connection: aiosqlite.Connection, unit: Unit) -> None:
    below = await connection.execute_fetchall(SUBTREE + "SELECT id FROM subtree", (unit.id,))
    if unit.parent in {row["id"] for row in below}:
        raise UnitCycle(sentence("unit.under", unit=unit.parent, above=unit.id), "parent")


async def _ids(connection: aiosqlite.Connection, sql: str, unit: str) -> tuple[str, ...]:
    rows = await connection.execute_fetchall(f"{sql} ORDER BY id LIMIT {NAMED_IN_REFUSAL}", (unit,))
    return tuple(row["id"] for row in rows)


def _in_use(
    unit: Unit, children: Sequence[str], bridges: Sequence[str], scenarios: Sequence[str]
) -> str:
    holds = [
        f"{what} {', '.join(ids)}{' and more' if len(ids) == NAMED_IN_REFUSAL else ''}"
        for what, ids in (
            ("the units", children),
            ("the bridges", bridges),
            ("the scenarios", scenarios),
        )
        if ids
    ]
    return sentence(
        "unit.in-use",
        unit=unit.name,
        holds=" and ".join(holds),
        ids=", ".join([*children, *bridges, *scenarios]),
    )
