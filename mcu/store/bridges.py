# ruff: noqa: S608 - statements are put together from constants of this package only
"""The registered meeting rooms."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import aiosqlite

from mcu.sentences import sentence
from mcu.store.database import Database, Row
from mcu.store.errors import (
    DuplicateRecord,
    InvalidRecord,
    StoreError,
    UnknownParent,
    UnknownRecord,
    VersionConflict,
)
from mcu.store.identifiers import read_id, read_name, read_text
from mcu.store.paging import DEFAULT_LIMIT, page, read_cursor, read_limit
from mcu.store.records import BRIDGE_KINDS, Bridge, Contact, Page
from mcu.store.units import SUBTREE

IMPORTANCE = range(0, 101)
MAX_ADDRESS = 300
MAX_STANDARD_BYTES = 16_384

_COLUMNS = (
    "id, name, unit, kind, address, contact_name, contact_phone, importance, standard, version"
)


@dataclass(frozen=True, slots=True)
class ImportRow:
    """A bridge and the line of the file it stands on (from 1)."""

    line: int
    bridge: Bridge


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong on one line; ``field`` None: with the line as a whole."""

    line: int
    field: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class AgencyBridge:
    """What others elsewhere in the tree may know of an agency's bridge."""

    id: str
    name: str
    unit: str
    unit_name: str


class ImportRefused(StoreError):  # noqa: N818
    """Nothing was imported: HTTP 422. ``errors`` are in the order of the lines."""

    def __init__(self, errors: Sequence[RowError]) -> None:
        super().__init__(sentence("import.refused", count=len(errors)))
        self.errors = tuple(errors)


class Bridges:
    """CRUD of bridges. Every change is one transaction; ``version`` is the ETag."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, bridge: Bridge) -> Bridge:
        """Add a bridge.

        Raises:
            InvalidRecord, DuplicateRecord, UnknownParent (unit), StoreUnavailable.
        """
        bridge = replace(checked(bridge), version=1)
        async with self._database.write() as connection:
            if await _read(connection, bridge.id):
                raise DuplicateRecord(sentence("room.taken", id=bridge.id), "id")
            await _check_unit(connection, bridge.unit)
            await connection.execute(INSERT, values_of(bridge))
        return bridge

    async def get(self, bridge: str) -> Bridge:
        """Read one bridge.

        Raises:
            UnknownRecord, StoreUnavailable.
        """
        row = await self._database.row("SELECT * FROM bridges WHERE id = ?", (bridge,))
        if row is None:
            raise UnknownRecord("bridge", bridge)
        return _bridge(row)

    async def get_many(self, bridges: Iterable[str]) -> Mapping[str, Bridge]:
        """Read those that exist, in one query."""
        wanted = json.dumps(list(bridges))
        rows = await self._database.rows(
            "SELECT * FROM bridges WHERE id IN (SELECT value FROM json_each(?))", (wanted,)
        )
        return {row["id"]: _bridge(row) for row in rows}

    async def list(
        self,
        *,
        within: str | None = None,
        unit: str | None = None,
        limit: int = DEFAULT_LIMIT,
        cursor: str | None = None,
    ) -> Page[Bridge]:
        """List bridges by id.

        Args:
            within: only those of this unit and everything under it (what a token may see).
            unit: of these only those of this very unit.

        Raises:
            InvalidRecord: limit or cursor. StoreUnavailable.
        """
        limit, after = read_limit(limit), read_cursor(cursor)
        sql, parameters = "SELECT * FROM bridges WHERE id > ?", [after]
        if within is not None:
            sql = SUBTREE + sql + " AND unit IN (SELECT id FROM subtree)"
            parameters.insert(0, within)
        if unit is not None:
            sql += " AND unit = ?"
            parameters.append(unit)
        rows = await self._database.rows(f"{sql} ORDER BY id LIMIT {limit + 1}", parameters)
        return page([_bridge(row) for row in rows], limit, lambda bridge: bridge.id)

    async def of_agencies(
        self,
        *,
        outside: str | None,
        search: str | None = None,
        limit: int = DEFAULT_LIMIT,
        cursor: str | None = None,
    ) -> Page[AgencyBridge]:
        """List bridges of units of the level ``agency`` by id.

        Args:
            outside: not those of this unit and everything under it; None is the whole tree, with
                nothing outside of it.
            search: part of the bridge's or the unit's name, case ignored for ASCII letters.

        Raises:
            InvalidRecord: limit or cursor. StoreUnavailable.
        """
        limit, after = read_limit(limit), read_cursor(cursor)
        if outside is None:
            return Page((), None)
        sql = (
            "SELECT bridges.id, bridges.name, bridges.unit, units.name AS unit_name"
            " FROM bridges JOIN units ON units.id = bridges.unit"
            " WHERE units.level = 'agency' AND bridges.id > ?"
            " AND bridges.unit NOT IN (SELECT id FROM subtree)"
        )
        parameters = [outside, after]
        if search is not None:
            sql += (
                " AND (instr(lower(bridges.name), lower(?)) OR instr(lower(units.name), lower(?)))"
            )
            parameters += [search, search]
        rows = await self._database.rows(
            f"{SUBTREE}{sql} ORDER BY bridges.id LIMIT {limit + 1}", parameters
        )
        found = [AgencyBridge(*(row[name] for name in row.keys())) for row in rows]  # noqa: SIM118
        return page(found, limit, lambda bridge: bridge.id)

    async def of_subtree(self, unit: str) -> Sequence[Bridge]:
        """Every bridge of a unit and all under it: the most important first, then by id."""
        rows = await self._database.rows(
            SUBTREE + "SELECT * FROM bridges WHERE unit IN (SELECT id FROM subtree)"
            " ORDER BY importance DESC, id",
            (unit,),
        )
        return [_bridge(row) for row in rows]

    async def update(self, bridge: Bridge, *, if_version: int | None = None) -> Bridge:
        """Write everything of a bridge but its id.

        Raises:
            UnknownRecord, InvalidRecord, UnknownParent, VersionConflict, StoreUnavailable.
        """
        bridge = checked(bridge)
        async with self._database.write() as connection:
            before = await _read(connection, bridge.id)
            if before is None:
                raise UnknownRecord("bridge", bridge.id)
            if if_version is not None and if_version != before.version:
                raise VersionConflict("bridge", bridge.id, before.version)
            await _check_unit(connection, bridge.unit)
            after = replace(bridge, version=before.version + 1)
            if replace(before, version=after.version) == after:
                return before
            await connection.execute(_REPLACE, values_of(after))
        return after

    async def delete(self, bridge: str, *, if_version: int | None = None) -> None:
        """Delete a bridge and its tokens.

        Raises:
            UnknownRecord, VersionConflict, StoreUnavailable.
        """
        async with self._database.write() as connection:
            before = await _read(connection, bridge)
            if before is None:
                raise UnknownRecord("bridge", bridge)
            if if_version is not None and if_version != before.version:
                raise VersionConflict("bridge", bridge, before.version)
            await connection.execute("DELETE FROM bridges WHERE id = ?", (bridge,))

    async def import_all(
        self, rows: Sequence[ImportRow], *, within: str | None = None, update: bool = False
    ) -> Sequence[Bridge]:
        """Add all bridges or none.

        Args:
            within: every bridge must stand in this unit's subtree (the right of who asks).
            update: overwrite bridges that exist; otherwise each of them is an error.

        Raises:
            ImportRefused: with every error of every line. StoreUnavailable.
        Cost: three queries and one batch, whatever the number of rows.
        """
        errors, bridges = _check_rows(rows)
        async with self._database.write() as connection:
            known = await _known_units(connection, within)
            stored = await _stored(connection, [bridge.id for bridge in bridges.values()])
            for line, bridge in bridges.items():
                if bridge.unit not in known:
                    errors.append(RowError(line, "unit", _unknown_unit(bridge.unit, within)))
                before = stored.get(bridge.id)
                if before is not None and not update:
                    errors.append(RowError(line, "id", sentence("room.taken", id=bridge.id)))
                elif before is not None and within is not None and before.unit not in known:
                    # Else an import could pull a room out of somebody else's unit.
                    errors.append(
                        RowError(
                            line, "id", sentence("room.not-of-unit", room=bridge.id, unit=within)
                        )
                    )
            if errors:
                raise ImportRefused(sorted(errors, key=lambda error: error.line))
            imported = [
                replace(bridge, version=stored[bridge.id].version + 1 if bridge.id in stored else 1)
                for bridge in bridges.values()
            ]
            await connection.executemany(_REPLACE, [values_of(bridge) for bridge in imported])
        return imported


INSERT = f"INSERT INTO bridges ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_REPLACE = (
    INSERT
    + """
    ON CONFLICT (id) DO UPDATE SET
        name = excluded.name, unit = excluded.unit, kind = excluded.kind,
        address = excluded.address, contact_name = excluded.contact_name,
        contact_phone = excluded.contact_phone, importance = excluded.importance,
        standard = excluded.standard, version = excluded.version
"""
)


def checked(bridge: Bridge) -> Bridge:
    """Check and normalise a bridge's own fields (not whether its unit exists).

    Raises:
        InvalidRecord: with the first field at fault.
    """
    if bridge.kind not in BRIDGE_KINDS:
        raise InvalidRecord(sentence("room.kind", kinds=", ".join(BRIDGE_KINDS)), "kind")
    if bridge.importance not in IMPORTANCE:
        raise InvalidRecord(sentence("room.importance"), "importance")
    address = read_text(bridge.address, "address", MAX_ADDRESS)
    if bridge.kind == "sip" and address and not address.startswith(("sip:", "sips:")):
        raise InvalidRecord(sentence("room.sip-address"), "address")
    try:
        standard = json.dumps(dict(bridge.standard), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidRecord(sentence("room.standard-object"), "standard") from error
    if len(standard.encode()) > MAX_STANDARD_BYTES:
        raise InvalidRecord(sentence("room.standard-size", most=MAX_STANDARD_BYTES), "standard")
    return replace(
        bridge,
        id=read_id(bridge.id),
        name=read_name(bridge.name),
        address=address,
        contact=Contact(
            read_text(bridge.contact.name, "contact.name", 200),
            read_text(bridge.contact.phone, "contact.phone", 50),
        ),
    )


def _check_rows(rows: Sequence[ImportRow]) -> tuple[list[RowError], dict[int, Bridge]]:
    """Check every row by itself and against the rows before it."""
    errors: list[RowError] = []
    good: dict[int, Bridge] = {}
    seen: dict[str, int] = {}
    for row in rows:
        try:
            bridge = checked(row.bridge)
        except InvalidRecord as error:
            errors.append(RowError(row.line, error.field, error.reason))
            continue
        if bridge.id in seen:
            reason = sentence("import.twice", room=bridge.id, line=seen[bridge.id])
            errors.append(RowError(row.line, "id", reason))
            continue
        seen[bridge.id] = row.line
        good[row.line] = bridge
    return errors, good


def _unknown_unit(unit: str, within: str | None) -> str:
    if within is None:
        return sentence("unit.unknown", unit=unit)
    return sentence("unit.unknown-within", unit=unit, within=within)


def values_of(bridge: Bridge) -> tuple[Any, ...]:
    """What ``INSERT`` binds."""
    return (
        bridge.id,
        bridge.name,
        bridge.unit,
        bridge.kind,
        bridge.address,
        bridge.contact.name,
        bridge.contact.phone,
        bridge.importance,
        json.dumps(dict(bridge.standard), ensure_ascii=False),
        bridge.version,
    )


def _bridge(row: Row) -> Bridge:
    return Bridge(
        row["id"],
        row["name"],
        row["unit"],
        row["kind"],
        row["address"],
        Contact(row["contact_name"], row["contact_phone"]),
        row["importance"],
        json.loads(row["standard"]),
        row["version"],
    )


async def _read(connection: aiosqlite.Connection, bridge: str) -> Bridge | None:
    rows = await connection.execute_fetchall("SELECT * FROM bridges WHERE id = ?", (bridge,))
    return next((_bridge(row) for row in rows), None)


async def _stored(connection: aiosqlite.Connection, ids: Sequence[str]) -> dict[str, Bridge]:
    rows = await connection.execute_fetchall(
        "SELECT * FROM bridges WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(ids),)
    )
    return {row["id"]: _bridge(row) for row in rows}


async def _known_units(connection: aiosqlite.Connection, within: str | None) -> set[str]:
    if within is None:
        rows = await connection.execute_fetchall("SELECT id FROM units")
    else:
        rows = await connection.execute_fetchall(SUBTREE + "SELECT id FROM subtree", (within,))
    return {row["id"] for row in rows}


async def _check_unit(connection: aiosqlite.Connection, unit: str) -> None:
    rows = await connection.execute_fetchall("SELECT 1 FROM units WHERE id = ?", (unit,))
    if not list(rows):
        raise UnknownParent(sentence("unit.unknown", unit=unit), "unit")
