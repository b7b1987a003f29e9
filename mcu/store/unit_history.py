"""What units were called and where they stood before, and who came after them.

A unit that ends leaves a row behind, so that what it held stays attributable: a conference of a
dissolved district belongs to whoever succeeded it. Each change closes a period; the open one is the
unit itself.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import aiosqlite

from mcu.store.database import Row
from mcu.store.records import Unit, UnitLevel
from mcu.store.times import from_text, from_text_or_none, to_text

UnitChange = Literal["changed", "merged", "split", "deleted"]


@dataclass(frozen=True, slots=True)
class UnitPeriod:
    """What a unit was until ``until``; ``since`` None: from before this was written down."""

    name: str
    level: UnitLevel
    parent: str | None
    since: datetime | None
    until: datetime
    change: UnitChange


@dataclass(frozen=True, slots=True)
class FormerUnit:
    """A unit that is no more.

    Args:
        successor: to whom belongs what it held; None: to nobody, it was a root.
        parts: what it was split into.
    """

    id: str
    name: str
    level: UnitLevel
    successor: str | None
    ended_at: datetime
    change: UnitChange
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnitHistory:
    """A unit, living or not, over time.

    Args:
        periods: the oldest first, without the present one.
        former: None while it lives. predecessors: ids of those it succeeded.
    """

    unit: str
    periods: tuple[UnitPeriod, ...]
    former: FormerUnit | None
    predecessors: tuple[str, ...]


async def close_period(
    connection: aiosqlite.Connection, unit: Unit, change: UnitChange, now: datetime
) -> None:
    """Write down what a unit was until now."""
    await connection.execute(
        "INSERT INTO unit_periods (unit, name, level, parent, until, change)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (unit.id, unit.name, unit.level, unit.parent, to_text(now), change),
    )


async def bury(
    connection: aiosqlite.Connection,
    unit: Unit,
    change: UnitChange,
    now: datetime,
    successor: str | None,
    parts: Sequence[str] = (),
) -> None:
    """Delete a unit that holds nothing, and write down who comes after it."""
    await close_period(connection, unit, change, now)
    await connection.execute("DELETE FROM units WHERE id = ?", (unit.id,))
    await connection.execute(
        "INSERT INTO former_units (id, name, level, successor, ended_at, change, parts)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (unit.id, unit.name, unit.level, successor, to_text(now), change, json.dumps(list(parts))),
    )


def living_successors(unit: str, former: Mapping[str, FormerUnit]) -> tuple[str, ...]:
    """The units that came after one that is no more, and live; none for one that was deleted.

    One that was merged has that which it went up in, one that was split its parts, and what has
    become of these since. Cost: O(changes that led there).
    """
    found: dict[str, None] = {}
    seen: set[str] = set()
    waiting = [unit]
    while waiting:
        each = waiting.pop(0)
        if each in seen:
            continue
        seen.add(each)
        ended = former.get(each)
        if ended is None:
            found[each] = None
        elif ended.parts:
            waiting += ended.parts
        elif ended.successor is not None and ended.change != "deleted":
            waiting.append(ended.successor)
    return tuple(found)


def history_of(unit: str, periods: Sequence[Row], former: Sequence[Row]) -> UnitHistory:
    """Put together what was read."""
    buried = next((read_former(row) for row in former if row["id"] == unit), None)
    since: datetime | None = None
    read: list[UnitPeriod] = []
    for row in periods:
        until = from_text(row["until"])
        read.append(
            UnitPeriod(row["name"], row["level"], row["parent"], since, until, row["change"])
        )
        since = until
    before = tuple(row["id"] for row in former if row["id"] != unit)
    return UnitHistory(unit, tuple(read), buried, before)


def read_former(row: Row) -> FormerUnit:
    """A row of ``former_units``."""
    ended = from_text_or_none(row["ended_at"])
    assert ended is not None  # noqa: S101 - the column is NOT NULL
    return FormerUnit(
        row["id"], row["name"], row["level"], row["successor"], ended, row["change"],
        tuple(json.loads(row["parts"])),
    )  # fmt: skip
