# ruff: noqa: S608 - statements are put together from constants of this package only
"""The administrative tree. Units are merged and moved while meetings go on."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import aiosqlite

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

SUBTREE = """
    WITH RECURSIVE subtree (id) AS (
        SELECT id FROM units WHERE id = ?
        UNION SELECT units.id FROM units JOIN subtree ON units.parent = subtree.id
    )
"""
"""Binds one unit's id; ``subtree`` is then it and every unit under it."""

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

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, unit: Unit) -> Unit:
        """Add a unit.

        Raises:
            InvalidRecord, DuplicateRecord, UnknownParent, StoreUnavailable.
        """
        unit = replace(checked(unit), version=1)
        async with self._database.write() as connection:
            if await _read(connection, unit.id):
                raise DuplicateRecord(f"A unit {unit.id!r} exists already.", "id")
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
            before = await _read(connection, unit.id)
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
            before = await _read(connection, unit)
            if before is None:
                raise UnknownRecord("unit", unit)
            if if_version is not None and if_version != before.version:
                raise VersionConflict("unit", unit, before.version)
            children = await _ids(connection, "SELECT id FROM units WHERE parent = ?", unit)
            bridges = await _ids(connection, "SELECT id FROM bridges WHERE unit = ?", unit)
            scenarios = await _ids(connection, "SELECT id FROM scenarios WHERE unit = ?", unit)
            if children or bridges or scenarios:
                reason = _in_use(before, children, bridges, scenarios)
                raise UnitInUse(reason, children, bridges)
            await connection.execute("DELETE FROM units WHERE id = ?", (unit,))

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


def checked(unit: Unit) -> Unit:
    """Check and normalise a unit's own fields (not whether its parent exists).

    Raises:
        InvalidRecord: with the first field at fault.
    """
    if unit.level not in UNIT_LEVELS:
        raise InvalidRecord(f"The level is one of {', '.join(UNIT_LEVELS)}.", "level")
    return replace(unit, id=read_id(unit.id), name=read_name(unit.name))


def _unit(row: Row) -> Unit:
    return Unit(row["id"], row["name"], row["level"], row["parent"], row["version"])


async def _read(connection: aiosqlite.Connection, unit: str) -> Unit | None:
    rows = await connection.execute_fetchall("SELECT * FROM units WHERE id = ?", (unit,))
    return next((_unit(row) for row in rows), None)


async def _check_parent(connection: aiosqlite.Connection, parent: str | None) -> None:
    if parent is not None and await _read(connection, parent) is None:
        raise UnknownParent(
            f"No unit {parent!r} is known: create it first, or name another one.", "parent"
        )


async def _check_cycle(connection: aiosqlite.Connection, unit: Unit) -> None:
    below = await connection.execute_fetchall(SUBTREE + "SELECT id FROM subtree", (unit.id,))
    if unit.parent in {row["id"] for row in below}:
        raise UnitCycle(
            f"{unit.parent!r} stands under {unit.id!r} itself: move it out first.", "parent"
        )


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
    return f"{unit.name} still holds {' and '.join(holds)}: move or delete them first."
