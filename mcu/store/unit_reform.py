# ruff: noqa: S608 - statements are put together from constants of this package only
"""Units that are merged and split, with all they hold, in one transaction each.

Conferences that run are not touched: they keep the name of the unit that started them, and whoever
succeeded that unit reaches them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import aiosqlite

from mcu.sentences import sentence
from mcu.store.database import Database
from mcu.store.errors import (
    DuplicateRecord,
    InvalidRecord,
    UnitCycle,
    UnitInUse,
    UnknownParent,
    UnknownRecord,
    VersionConflict,
)
from mcu.store.records import Unit, UnitLevel
from mcu.store.tokens import utcnow
from mcu.store.unit_history import bury, close_period
from mcu.store.units import SUBTREE, checked, held_by, read_unit

_HELD = (("units", "parent"), ("bridges", "unit"), ("scenarios", "unit"))
"""What stands in a unit: table, and the column that says in which."""


@dataclass(frozen=True, slots=True)
class UnitPart:
    """A unit that is made out of another; what it takes along stood directly in that one."""

    id: str
    name: str
    level: UnitLevel
    units: tuple[str, ...] = ()
    bridges: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()


class UnitReform:
    """Merging and splitting units."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = utcnow) -> None:
        self._database = database
        self._clock = clock

    async def merge(
        self, unit: str, into: str, *, keep_tokens: bool = False, if_version: int | None = None
    ) -> Unit:
        """Let a unit go up in another: its units, bridges and scenarios become the other's.

        Args:
            keep_tokens: tokens scoped to it reach the other from now on; else they are deleted
                with it, as they were not given for so much.

        Returns: the unit it went up in.

        Raises:
            UnknownRecord, UnknownParent (``into``), UnitCycle, VersionConflict, StoreUnavailable.
        """
        now = self._clock()
        async with self._database.write() as connection:
            before = await _versioned(connection, unit, if_version)
            if into == unit:
                raise UnitCycle(sentence("unit.into-itself", unit=unit), "merged_into")
            after = await read_unit(connection, into)
            if after is None:
                raise UnknownParent(sentence("unit.unknown", unit=into), "merged_into")
            below = await connection.execute_fetchall(SUBTREE + "SELECT id FROM subtree", (unit,))
            if into in {row["id"] for row in below}:
                raise UnitCycle(sentence("unit.under", unit=into, above=unit), "merged_into")
            await _close_children(connection, unit, now)
            for table, column in _HELD:
                await connection.execute(
                    f"UPDATE {table} SET {column} = ?, version = version + 1 WHERE {column} = ?",
                    (into, unit),
                )
            if keep_tokens:
                await connection.execute("UPDATE tokens SET unit = ? WHERE unit = ?", (into, unit))
            await bury(connection, before, "merged", now, into)
        return after

    async def split(
        self,
        unit: str,
        parts: Sequence[UnitPart],
        *,
        dissolve: bool = False,
        if_version: int | None = None,
    ) -> Sequence[Unit]:
        """Make new units beside a unit, out of what stands in it.

        Args:
            dissolve: the unit itself ends; nothing may be left in it. What it held before
                belongs to the unit above from then on.

        Raises:
            UnknownRecord, InvalidRecord, DuplicateRecord, UnitInUse, VersionConflict,
            StoreUnavailable.
        """
        now = self._clock()
        async with self._database.write() as connection:
            before = await _versioned(connection, unit, if_version)
            made = []
            for index, part in enumerate(parts):
                new = checked(Unit(part.id, part.name, part.level, before.parent))
                if await read_unit(connection, new.id) or await was_buried(connection, new.id):
                    raise DuplicateRecord(sentence("unit.taken", id=new.id), f"into.{index}.id")
                await connection.execute(
                    "INSERT INTO units (id, name, level, parent) VALUES (?, ?, ?, ?)",
                    (new.id, new.name, new.level, new.parent),
                )
                await _take_along(connection, before, part, index, now)
                made.append(replace(new, version=1))
            if dissolve:
                reason, children, bridges = await held_by(connection, before)
                if reason is not None:
                    raise UnitInUse(reason, children, bridges)
                ids = [each.id for each in made]
                await bury(connection, before, "split", now, before.parent, ids)
        return made


async def was_buried(connection: aiosqlite.Connection, unit: str) -> bool:
    """Whether the id belongs to a unit that was merged or split, whose history it names."""
    rows = await connection.execute_fetchall(
        "SELECT 1 FROM former_units WHERE id = ? AND change <> 'deleted'", (unit,)
    )
    return bool(list(rows))


async def _take_along(
    connection: aiosqlite.Connection, whole: Unit, part: UnitPart, index: int, now: datetime
) -> None:
    for (table, column), ids in zip(_HELD, (part.units, part.bridges, part.scenarios), strict=True):
        for place, id_ in enumerate(ids):
            if table == "units":
                child = await read_unit(connection, id_)
                if child is not None and child.parent == whole.id:
                    await close_period(connection, child, "changed", now)
            moved = await connection.execute(
                f"UPDATE {table} SET {column} = ?, version = version + 1"
                f" WHERE id = ? AND {column} = ?",
                (part.id, id_, whole.id),
            )
            if moved.rowcount != 1:
                raise InvalidRecord(
                    sentence("unit.not-in", id=id_, unit=whole.id),
                    f"into.{index}.{table}.{place}",
                )


async def _close_children(connection: aiosqlite.Connection, unit: str, now: datetime) -> None:
    rows = await connection.execute_fetchall("SELECT id FROM units WHERE parent = ?", (unit,))
    for row in list(rows):
        child = await read_unit(connection, row["id"])
        if child is not None:
            await close_period(connection, child, "changed", now)


async def _versioned(connection: aiosqlite.Connection, unit: str, if_version: int | None) -> Unit:
    before = await read_unit(connection, unit)
    if before is None:
        raise UnknownRecord("unit", unit)
    if if_version is not None and if_version != before.version:
        raise VersionConflict("unit", unit, before.version)
    return before
