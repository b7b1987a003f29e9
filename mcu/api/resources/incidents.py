"""Incidents: opened by an alarm or by hand, assigned, commented, closed; followed up by room."""

from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web

from mcu.api.call import Call, json_response
from mcu.api.csv_table import CSV_TYPE, csv_response, wants_csv
from mcu.api.openapi import ETAG_HEADER, LOCATION_HEADER
from mcu.api.problem import invalid, not_found
from mcu.api.resources.alarms import operator_name
from mcu.api.rights import Action
from mcu.api.route import BASE, Answer, Body, Route
from mcu.api.schemas.alarm import Incident, IncidentChange, IncidentQuery, NewIncident
from mcu.api.schemas.base import Page
from mcu.conference.actor import new_id
from mcu.conference.alarm_model import ConferenceAlarm
from mcu.operations.finding_words import incident_in_words
from mcu.operations.terms import Language
from mcu.sentences import sentence
from mcu.watch import incident as domain
from mcu.watch.incident import (
    AssignIncident,
    CloseIncident,
    CommentIncident,
    IncidentCommand,
    IncidentEntry,
    ReopenIncident,
    decide_incident,
    entry_to_json,
    evolve_incident,
)
from mcu.watch.incident_records import incident_of, record_of

TAG: Final = "incidents"
PATH: Final = f"{BASE}/incidents"
ONE: Final = f"{PATH}/{{incident}}"
COLUMNS: Final = (
    "id", "title", "severity", "state", "unit", "bridge", "bridge_name", "conference", "drill",
    "kind", "assignee", "opened_at", "opened_by", "closed_at", "entries",
)  # fmt: skip
READINGS: Final = frozenset({"bridge_name", "drill"})
"""Of an incident: what is said of its room and its conference besides."""
CSV_ROWS: Final = 5_000


async def list_incidents(call: Call) -> web.Response:
    """One page of those within reach, the newest first; as CSV all of them."""
    query = call.query(IncidentQuery)
    within = call.who.token.unit
    if query.unit is not None:
        call.reach.require_unit(Action.READ_INCIDENTS, query.unit, "read incidents")
        within = query.unit
    units = None if within is None else call.reach.tree.subtree(within)
    incidents = call.services.store.incidents
    table = wants_csv(call)
    found: list[domain.Incident] = []
    cursor = query.cursor
    while True:
        page = await incidents.list(
            units=units,
            bridge=query.bridge,
            conference=query.conference,
            state=query.state,
            limit=query.limit,
            cursor=cursor,
        )
        found += [incident_of(record) for record in page.items]
        cursor = page.next_cursor
        if not table or cursor is None or len(found) >= CSV_ROWS:
            break
    documents = await _documents(call, found)
    if table:
        rows = [_row(each, query.lang) for each in documents]
        return csv_response("incidents", COLUMNS, rows)
    items = [Incident.model_validate(each) for each in documents]
    return json_response(Page[Incident](items=items, next_cursor=cursor))


async def open_incident(call: Call) -> web.Response:
    """Open one: of an alarm, of a room, or of a meeting."""
    made = await _made(call, call.body(NewIncident))
    call.reach.require_unit(Action.WRITE_INCIDENTS, made.unit, "open an incident")
    await call.services.store.incidents.create(record_of(made))
    call.target = f"{PATH}/{made.id}"
    _tell(call, "incident.opened", made)
    _in_hand(call, made, "incident-opened", acts=False)
    return await _answer(call, made, 201)


async def read_incident(call: Call) -> web.Response:
    """One with all that happened to it."""
    return await _answer(call, await _found(call, Action.READ_INCIDENTS, "read incidents"))


async def change_incident(call: Call) -> web.Response:
    """Assign it, say something about it, close it or open it again."""
    before = await _found(call, Action.WRITE_INCIDENTS, "change incidents")
    version = call.if_version(before.version)
    (now,) = await _documents(call, [before])
    call.refuse_other_echo(Incident.model_validate(now))
    change = call.body(IncidentChange)
    after = before
    entries: list[IncidentEntry] = []
    for command in _commands(change, before):
        new = decide_incident(after, command, operator_name(call), call.services.now())
        after = evolve_incident(after, new)
        entries += new
    if not entries:
        return await _answer(call, before)
    store = call.services.store.incidents
    written = await store.update(
        record_of(domain.replaced_version(after, before.version)), if_version=version
    )
    after = domain.replaced_version(after, written.version)
    _tell(call, "incident.changed", after)
    _in_hand(call, after, f"incident-{entries[-1].kind}", acts=True)
    return await _answer(call, after)


def _commands(change: IncidentChange, incident: domain.Incident) -> list[IncidentCommand]:
    commands: list[IncidentCommand] = []
    comment = change.comment
    if change.state == "open" and incident.state == "closed":
        commands.append(ReopenIncident(comment or ""))
        comment = None
    if change.assignee is not None and change.assignee.strip() != (incident.assignee or ""):
        commands.append(AssignIncident(change.assignee.strip()))
    if change.state == "closed" and incident.state == "open":
        commands.append(CloseIncident(comment or ""))
        comment = None
    if comment is not None:
        commands.append(CommentIncident(comment))
    return commands


async def _made(call: Call, new: NewIncident) -> domain.Incident:
    """What is to be opened.

    Raises:
        Problem: out of reach, or nothing is known by these names. UnknownRecord.
    """
    store, now, by = call.services.store, call.services.now(), operator_name(call)
    unit, bridge, participant = new.unit, new.bridge, None
    alarm: ConferenceAlarm | None = None
    title = new.title
    if new.conference is not None:
        state = await call.services.conferences.read(new.conference)
        call.reach.require_conference(Action.CONTROL_CONFERENCES, state, "open an incident")
        if new.alarm is not None:
            alarm = next((one for one in state.alarms if one.number == new.alarm), None)
            if alarm is None:
                raise not_found("alarm", str(new.alarm))
            participant = alarm.participant
            who = state.participants.get(participant)
            if bridge is None and who is not None:
                bridge = who.bridge
            if title is None:
                title = f"{alarm.kind}: {participant if who is None else who.label}"[:200]
        unit = unit or state.unit
    if bridge is not None:
        record = await store.bridges.get(bridge)
        if alarm is None:
            call.reach.require_unit(Action.WRITE_INCIDENTS, record.unit, "open an incident")
        if new.unit is None and alarm is None and new.conference is None:
            unit = record.unit
    if unit is None:
        raise invalid("$.unit", sentence("incident.unit-missing"))
    await store.units.get(unit)
    severity = new.severity or (alarm.severity if alarm is not None else "major")
    entries = [IncidentEntry(now, by, "opened", new.comment or "")]
    if new.assignee is not None:
        entries.append(IncidentEntry(now, by, "assigned", new.assignee))
    return domain.Incident(
        id=new_id("i-"),
        unit=unit,
        title=title or "",
        severity=severity,
        entries=tuple(entries),
        bridge=bridge,
        conference=new.conference,
        participant=participant,
        alarm=new.alarm,
        kind=None if alarm is None else alarm.kind,
    )


async def _found(call: Call, action: Action, what: str) -> domain.Incident:
    found = incident_of(await call.services.store.incidents.get(call.path("incident")))
    call.reach.require_unit(action, found.unit, what)
    return found


def _tell(call: Call, type_: str, incident: domain.Incident) -> None:
    """Whoever looks at the conference learns of it; the store has it in any case."""
    if incident.conference is not None:
        data = {"incident": incident.id, "state": incident.state, "alarm": incident.alarm}
        call.services.conferences.publish_ephemeral(type_, incident.conference, data)


def _in_hand(call: Call, incident: domain.Incident, what: str, *, acts: bool) -> None:
    """In a drill it counts when somebody deals with a room."""
    if incident.conference is not None and incident.participant is not None:
        call.services.conferences.hand_on(
            incident.conference, incident.participant, call.actor, what, acts=acts
        )


async def _documents(call: Call, incidents: Sequence[domain.Incident]) -> list[dict[str, Any]]:
    """``Incident`` of the API, with names of rooms and which of the conferences were drills."""
    store = call.services.store
    bridges = await store.bridges.get_many(
        {each.bridge for each in incidents if each.bridge is not None}
    )
    names = {bridge.id: bridge.name for bridge in bridges.values()}
    drills = await store.conferences.drills(
        {each.conference for each in incidents if each.conference is not None}
    )
    return [
        _document(each)
        | {"bridge_name": names.get(each.bridge or ""), "drill": each.conference in drills}
        for each in incidents
    ]


def _document(incident: domain.Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "title": incident.title,
        "severity": incident.severity,
        "state": incident.state,
        "unit": incident.unit,
        "bridge": incident.bridge,
        "conference": incident.conference,
        "participant": incident.participant,
        "alarm": incident.alarm,
        "kind": incident.kind,
        "assignee": incident.assignee,
        "opened_at": incident.opened_at,
        "opened_by": incident.opened_by,
        "closed_at": incident.closed_at,
        "entries": [entry_to_json(each) for each in incident.entries],
        "version": incident.version,
    }


def _row(document: dict[str, Any], language: Language) -> list[object]:
    said = " | ".join(
        f"{each['at']} {each['by']} {each['kind']} {each['text']}".strip()
        for each in document["entries"]
    )
    title = document["title"]
    if document["kind"] is not None:
        title = incident_in_words(title, language)
    written = document | {"entries": said, "title": title}
    return [written[name] for name in COLUMNS]


async def _answer(call: Call, incident: domain.Incident, status: int = 200) -> web.Response:
    (document,) = await _documents(call, [incident])
    return json_response(
        Incident.model_validate(document),
        status,
        version=incident.version,
        location=f"{PATH}/{incident.id}" if status == 201 else None,
    )


_INCIDENT: Final = (Answer(200, "the incident", Incident, headers=(ETAG_HEADER,)),)

ROUTES: Final = (
    Route(
        "GET", PATH, "list_incidents", list_incidents,
        "Incidents within reach, the newest first", TAG, Action.READ_INCIDENTS,
        (Answer(200, "one page", Page[Incident], other_types=(CSV_TYPE,)),), query=IncidentQuery,
    ),
    Route(
        "GET", f"{PATH}.csv", "export_incidents", list_incidents,
        "Incidents within reach as a table", TAG, Action.READ_INCIDENTS,
        (Answer(200, "CSV", media_type=CSV_TYPE),), query=IncidentQuery,
    ),
    Route(
        "POST", PATH, "open_incident", open_incident,
        "Open an incident, of an alarm or by hand", TAG, Action.WRITE_INCIDENTS,
        (Answer(201, "opened", Incident, headers=(LOCATION_HEADER, ETAG_HEADER)),),
        body=Body(NewIncident), problems=("not-found", "conflict"),
    ),
    Route(
        "GET", ONE, "read_incident", read_incident,
        "One incident with all that happened to it", TAG, Action.READ_INCIDENTS, _INCIDENT,
    ),
    Route(
        "PATCH", ONE, "change_incident", change_incident,
        "Assign an incident, comment it, close it or open it again", TAG, Action.WRITE_INCIDENTS,
        _INCIDENT, body=Body(IncidentChange, echo=Incident, readings=READINGS), conditional=True,
        problems=("conflict",),
    ),
)  # fmt: skip
