"""Reads what a report is made of. What is damaged or kept no more is left out, and named."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from mcu.conference.codec import UnreadableRecord, event_from_json
from mcu.conference.events import ConferenceStarted
from mcu.conference.state import ConferenceState
from mcu.operations.attendance import Happened
from mcu.operations.bridge_month import Month
from mcu.operations.finding_words import read_refusing
from mcu.operations.report import Deed, Readiness, RecordedFile, Report, make_report
from mcu.store.errors import DamagedRecord, UnknownRecord
from mcu.store.json_text import read_object
from mcu.store.readiness import ResultRow
from mcu.store.recordings import RecordingRecord, file_name
from mcu.store.records import AuditRow
from mcu.store.store import Store
from mcu.watch.incident import Incident
from mcu.watch.incident_records import incident_of

CHECKED = timedelta(hours=24)
"""A check so long before the beginning counts for the conference."""
MAX_DEEDS = 5_000
"""The newest ones; a conference that was steered more often says so."""


async def read_report(store: Store, state: ConferenceState, target: str, now: datetime) -> Report:
    """The report of a conference as it is now. Cost: reads all its events.

    Args:
        target: its address, under which the audit holds what was done to it.

    Raises:
        StoreUnavailable.
    """
    incomplete = []
    happened, whole = await _events(store, state.id)
    if not whole:
        incomplete.append("events")
    minutes = []
    for stored in await store.minutes.of(state.id):
        if stored.rooms is None:
            incomplete.append("minutes")
        else:
            minutes.append((stored.at, stored.rooms))
    rows = await store.audit.under(target, MAX_DEEDS + 1)
    if len(rows) > MAX_DEEDS:
        incomplete.append("actions")
    names = await _names(store, rows)
    deeds = [_deed(row, names) for row in rows[-MAX_DEEDS:]]
    bridges = {who.bridge for who in state.participants.values() if who.bridge is not None}
    until = state.ended_at or now
    checked = await store.readiness.last_before(bridges, state.started_at - CHECKED, until)
    return make_report(
        state,
        happened,
        minutes,
        deeds,
        now,
        incomplete=tuple(dict.fromkeys(incomplete)),
        units=await store.units.names_at(state.started_at),
        address=target,
        pictures={
            each.number: await store.roll_call_pictures.entries(state.id, each.number)
            for each in state.roll_calls
        },
        readiness={bridge: _readiness(row) for bridge, row in checked.items()},
        incidents=await _incidents(store, conference=state.id),
        recordings=[
            file for record in await store.recordings.of(state.id) for file in _files(record)
        ],
    )


async def _events(store: Store, conference: str) -> tuple[list[Happened], bool]:
    """All events that can be read, and whether these are all there were."""
    happened: list[Happened] = []
    seq, whole = 0, True
    while rows := await store.events.after(seq, conference=conference):
        seq = rows[-1].seq
        for row in rows:
            try:
                event = event_from_json(row.type, row.data)
            except UnreadableRecord:
                whole = False
            else:
                happened.append(Happened(row.time, event, row.actor))
    begins = bool(happened) and isinstance(happened[0].event, ConferenceStarted)
    return happened, whole and begins


async def read_incidents_of(store: Store, bridge: str, month: Month) -> list[Incident]:
    """Incidents of a room that were open at some time of a month, the oldest first.

    Raises:
        StoreUnavailable.
    """
    return [
        each
        for each in await _incidents(store, bridge=bridge)
        if each.opened_at < month.ends
        and (each.closed_at is None or each.closed_at >= month.begins)
    ]


async def _incidents(
    store: Store, *, conference: str | None = None, bridge: str | None = None
) -> list[Incident]:
    found: list[Incident] = []
    cursor: str | None = None
    while True:
        page = await store.incidents.list(conference=conference, bridge=bridge, cursor=cursor)
        found += [incident_of(each) for each in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found[::-1]


def _files(record: RecordingRecord) -> list[RecordedFile]:
    whole = RecordedFile(
        record.id, record.name, record.view, record.by, record.started_at, record.ended_at,
        record.reason,
    )  # fmt: skip
    return [
        replace(
            whole,
            part=part.number,
            part_state=part.state,
            part_started_at=part.started_at,
            size=part.size,
            duration_s=round(part.duration_s, 3),
            sha256=part.sha256,
            file=file_name(record.id, part.number),
        )
        for part in record.parts
    ] or [whole]


def _readiness(row: ResultRow) -> Readiness:
    document = read_object(row.document) or {}
    findings = read_refusing(document.get("findings"))
    return Readiness(row.verdict, row.judged_at, str(document.get("reason", "")), findings)


async def _names(store: Store, rows: Sequence[AuditRow]) -> Mapping[str, str]:
    names = {}
    for actor in {row.actor for row in rows if row.actor is not None}:
        try:
            token = await store.tokens.get(actor)
        except (UnknownRecord, DamagedRecord):
            continue
        names[actor] = token.name or token.bridge or token.role
    return names


def _deed(row: AuditRow, names: Mapping[str, str]) -> Deed:
    by = "" if row.actor is None else names.get(row.actor, row.actor)
    return Deed(row.time, by, row.role, row.address, row.action, row.target, row.outcome)
