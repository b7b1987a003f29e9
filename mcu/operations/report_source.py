"""Reads what a report is made of. What is damaged or kept no more is left out, and named."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from mcu.conference.codec import UnreadableRecord, event_from_json
from mcu.conference.events import ConferenceStarted
from mcu.conference.state import ConferenceState
from mcu.operations.attendance import Happened
from mcu.operations.report import Deed, Readiness, Report, make_report
from mcu.store.errors import DamagedRecord, UnknownRecord
from mcu.store.json_text import read_object
from mcu.store.readiness import ResultRow
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
        units=await store.units.names(),
        address=target,
        pictures={
            each.number: await store.roll_call_pictures.entries(state.id, each.number)
            for each in state.roll_calls
        },
        readiness={bridge: _readiness(row) for bridge, row in checked.items()},
        incidents=await _incidents(store, state.id),
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


async def _incidents(store: Store, conference: str) -> list[Incident]:
    page = await store.incidents.list(conference=conference)
    found = [incident_of(each) for each in page.items]
    while page.next_cursor is not None:
        page = await store.incidents.list(conference=conference, cursor=page.next_cursor)
        found += [incident_of(each) for each in page.items]
    return found[::-1]


def _readiness(row: ResultRow) -> Readiness:
    document = read_object(row.document) or {}
    return Readiness(row.verdict, row.judged_at, str(document.get("reason", "")))


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
