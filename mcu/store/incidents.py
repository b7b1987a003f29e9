"""Incidents: what troubled rooms, who deals with it, until it is closed. Entries are opaque."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import aiosqlite

from mcu.sentences import sentence
from mcu.store.database import Database, Row
from mcu.store.errors import DuplicateRecord, UnknownRecord, VersionConflict
from mcu.store.paging import DEFAULT_LIMIT, page, read_limit, read_number_cursor
from mcu.store.records import Page
from mcu.store.times import from_text, to_text

IncidentState = Literal["open", "closed"]


@dataclass(frozen=True, slots=True)
class IncidentRecord:
    """An incident; ``document`` is its JSON text: all that the columns beside it do not say.

    Args:
        number: its place in the order in which they were opened; given by the store.
        unit: whose it is; it stays the unit's id of that time.
    """

    id: str
    unit: str
    bridge: str | None
    conference: str | None
    alarm: int | None
    state: IncidentState
    opened_at: datetime
    document: str
    version: int = 1
    number: int = 0


class Incidents:
    """Reads and writes incidents. Every change is one transaction; ``version`` is the ETag."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, incident: IncidentRecord) -> IncidentRecord:
        """Keep a new one.

        Raises:
            DuplicateRecord: the id exists, or the alarm has one already. StoreUnavailable.
        """
        async with self._database.write() as connection:
            if await _read(connection, incident.id):
                raise DuplicateRecord(sentence("incident.taken", id=incident.id), "id")
            if incident.alarm is not None:
                before = await connection.execute_fetchall(
                    "SELECT id FROM incidents WHERE conference = ? AND alarm = ?",
                    (incident.conference, incident.alarm),
                )
                for row in before:
                    raise DuplicateRecord(
                        sentence("incident.of-alarm", incident=row["id"]), "alarm"
                    )
            cursor = await connection.execute(
                "INSERT INTO incidents (id, unit, bridge, conference, alarm, state, opened_at,"
                " document, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (incident.id, incident.unit, incident.bridge, incident.conference, incident.alarm,
                 incident.state, to_text(incident.opened_at), incident.document, incident.version),
            )  # fmt: skip
            return replace(incident, number=cursor.lastrowid or 0)

    async def get(self, incident: str) -> IncidentRecord:
        """Read one.

        Raises:
            UnknownRecord, StoreUnavailable.
        """
        row = await self._database.row("SELECT * FROM incidents WHERE id = ?", (incident,))
        if row is None:
            raise UnknownRecord("incident", incident)
        return _record(row)

    async def list(
        self,
        *,
        units: Collection[str] | None = None,
        bridge: str | None = None,
        conference: str | None = None,
        state: IncidentState | None = None,
        limit: int = DEFAULT_LIMIT,
        cursor: str | None = None,
    ) -> Page[IncidentRecord]:
        """List, the newest first.

        Args:
            units: keep to these; None: all.
        Raises:
            InvalidRecord: limit or cursor. StoreUnavailable.
        """
        limit, before = read_limit(limit), read_number_cursor(cursor)
        where, parameters = ["1"], list[str | int]()
        if units is not None:
            where.append("unit IN (SELECT value FROM json_each(?))")
            parameters.append(json.dumps(sorted(units)))
        for column, value in (("bridge", bridge), ("conference", conference), ("state", state)):
            if value is not None:
                where.append(f"{column} = ?")
                parameters.append(value)
        if before is not None:
            where.append("number < ?")
            parameters.append(before)
        sql = f"SELECT * FROM incidents WHERE {' AND '.join(where)}"  # noqa: S608 - constants
        rows = await self._database.rows(
            f"{sql} ORDER BY number DESC LIMIT {limit + 1}", parameters
        )
        return page([_record(row) for row in rows], limit, lambda each: str(each.number))

    async def of_alarms(self, conference: str) -> Mapping[int, IncidentRecord]:
        """Those that were opened of a conference's alarms, by the alarm's number.

        Raises:
            StoreUnavailable.
        """
        rows = await self._database.rows(
            "SELECT * FROM incidents WHERE conference = ? AND alarm IS NOT NULL", (conference,)
        )
        return {row["alarm"]: _record(row) for row in rows}

    async def open_of(self, bridge: str) -> Sequence[IncidentRecord]:
        """Those of a room that must still be dealt with, the oldest first: for the next check.

        Raises:
            StoreUnavailable.
        """
        rows = await self._database.rows(
            "SELECT * FROM incidents WHERE bridge = ? AND state = 'open' ORDER BY number", (bridge,)
        )
        return [_record(row) for row in rows]

    async def update(
        self, incident: IncidentRecord, *, if_version: int | None = None
    ) -> IncidentRecord:
        """Write state and document, and the next version.

        Args:
            incident: with the version that it was read with, or if_version.
        Raises:
            UnknownRecord, VersionConflict: it was changed in between. StoreUnavailable.
        """
        async with self._database.write() as connection:
            before = await _read(connection, incident.id)
            if before is None:
                raise UnknownRecord("incident", incident.id)
            expected = incident.version if if_version is None else if_version
            if before.version != expected:
                raise VersionConflict("incident", incident.id, before.version)
            after = replace(incident, version=before.version + 1)
            await connection.execute(
                "UPDATE incidents SET state = ?, document = ?, version = ? WHERE id = ?",
                (after.state, after.document, after.version, after.id),
            )
        return after


def _record(row: Row) -> IncidentRecord:
    return IncidentRecord(
        id=row["id"],
        unit=row["unit"],
        bridge=row["bridge"],
        conference=row["conference"],
        alarm=row["alarm"],
        state=row["state"],
        opened_at=from_text(row["opened_at"]),
        document=row["document"],
        version=row["version"],
        number=row["number"],
    )


async def _read(connection: aiosqlite.Connection, incident: str) -> IncidentRecord | None:
    rows = await connection.execute_fetchall("SELECT * FROM incidents WHERE id = ?", (incident,))
    return next((_record(row) for row in rows), None)
