"""Alarms of a conference: read as JSON or as a table, and taken note of."""

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from mcu.api import orders
from mcu.api.call import Call, json_response
from mcu.api.csv_table import CSV_TYPE, csv_response, wants_csv
from mcu.api.problem import not_found
from mcu.api.resources.conferences import conference_of, controlled
from mcu.api.rights import Action
from mcu.api.route import BASE, Answer, Route
from mcu.api.schemas.alarm import Alarm, AlarmQuery, Alarms
from mcu.conference.alarm_model import AcknowledgeAlarm, ConferenceAlarm, open_alarms
from mcu.conference.procedure_resources import alarm_resource
from mcu.conference.scenario import on_duty
from mcu.conference.state import ConferenceState
from mcu.store.incidents import IncidentRecord
from mcu.store.records import Bridge, Contact

TAG: Final = "alarms"
PATH: Final = f"{BASE}/conferences/{{conference}}/alarms"
COLUMNS: Final = (
    "number", "participant", "label", "kind", "severity", "state", "since", "raised_at",
    "cleared_at", "ending", "detail", "acknowledged_by", "acknowledged_at", "contact", "phone",
    "incident", "incident_state",
)  # fmt: skip
SOUND: Final = frozenset({"echo", "howl", "clipping"})
LINE: Final = frozenset({"lost", "loss", "black", "frozen", "drift", "silent"})


async def list_alarms(call: Call) -> web.Response:
    """Those that last, those that are over, or both; as JSON or CSV."""
    state = await conference_of(call)
    call.reach.require_conference(Action.SEE_VIEW, state, "read alarms")
    wanted = call.query(AlarmQuery).state
    found: list[ConferenceAlarm] = []
    if wanted != "cleared":
        found += open_alarms(state.alarms)
    if wanted != "raised":
        found += sorted((one for one in state.alarms if not one.open), key=lambda one: -one.number)
    bridges = await _bridges(call, state, found)
    incidents = await _incidents(call, state)
    documents = [alarm_document(state, one, bridges, incidents) for one in found]
    if wants_csv(call):
        return csv_response(f"alarms-{state.id}", COLUMNS, [_row(each) for each in documents])
    return json_response(Alarms(items=[Alarm.model_validate(each) for each in documents]))


async def acknowledge_alarm(call: Call) -> web.Response:
    """Take note of one, under the operator's name."""
    state = await controlled(call)
    text = call.path("number")
    number = int(text) if text.isdecimal() and len(text) < 10 else 0
    found = [one for one in state.alarms if one.number == number]
    if not found:
        raise not_found("alarm", text)
    bridges = await _bridges(call, state, found)
    incidents = await _incidents(call, state)

    def answer(now: ConferenceState) -> web.Response:
        one = next(each for each in now.alarms if each.number == number)
        return json_response(Alarm.model_validate(alarm_document(now, one, bridges, incidents)))

    command = AcknowledgeAlarm(number, operator_name(call))
    return await orders.order(call, state.id, command, answer, lambda now: now.version)


def operator_name(call: Call) -> str:
    """What a record says of who acts."""
    token = call.who.token
    return token.name or token.bridge or token.role


def alarm_document(
    state: ConferenceState,
    alarm: ConferenceAlarm,
    bridges: Mapping[str, Bridge],
    incidents: Mapping[int, IncidentRecord],
) -> dict[str, Any]:
    """``Alarm`` of the API.

    Args:
        incidents: by the alarm that each was opened of.
    """
    who = state.participants.get(alarm.participant)
    document = alarm_resource(alarm)
    document["label"] = alarm.participant if who is None else who.label
    bridge = None if who is None or who.bridge is None else bridges.get(who.bridge)
    document["contact"] = contact = _contact(state, alarm.participant, bridge)
    actions: list[str] = []
    if alarm.open and who is not None:
        if alarm.kind in SOUND and not who.audio_muted:
            actions.append("mute")
        called = who.address is not None or (bridge is not None and bridge.kind == "sip")
        if alarm.kind in LINE and called:
            actions.append("redial")
    if contact is not None and contact["phone"]:
        actions.append("call")
    document["actions"] = actions
    incident = incidents.get(alarm.number)
    document["incident"] = None if incident is None else incident.id
    document["incident_state"] = None if incident is None else incident.state
    return document


async def _incidents(call: Call, state: ConferenceState) -> dict[int, IncidentRecord]:
    """Those of the conference's alarms that the token may read."""
    found = await call.services.store.incidents.of_alarms(state.id)
    return {
        number: each
        for number, each in found.items()
        if call.reach.unit(Action.READ_INCIDENTS, each.unit)
    }


def _contact(
    state: ConferenceState, participant: str, bridge: Bridge | None
) -> dict[str, str] | None:
    registered = Contact() if bridge is None else bridge.contact
    duty = on_duty(() if state.agenda is None else state.agenda.duties, participant)
    if duty is not None:
        return {"name": duty.name, "phone": duty.phone or registered.phone, "role": duty.role}
    if not (registered.name or registered.phone):
        return None
    return {"name": registered.name, "phone": registered.phone, "role": ""}


async def _bridges(
    call: Call, state: ConferenceState, alarms: list[ConferenceAlarm]
) -> dict[str, Bridge]:
    named = {
        who.bridge
        for alarm in alarms
        if (who := state.participants.get(alarm.participant)) is not None and who.bridge is not None
    }
    return dict(await call.services.store.bridges.get_many(named)) if named else {}


def _row(document: dict[str, Any]) -> list[object]:
    contact = document["contact"] or {"name": None, "phone": None}
    detail = "; ".join(f"{name}={value}" for name, value in document["detail"].items())
    flat = document | {"detail": detail, "contact": contact["name"], "phone": contact["phone"]}
    return [flat[name] for name in COLUMNS]


ROUTES: Final = (
    Route(
        "GET", PATH, "list_alarms", list_alarms,
        "What troubles rooms, the worst first", TAG, Action.SEE_VIEW,
        (Answer(200, "the alarms", Alarms, other_types=(CSV_TYPE,)),), query=AlarmQuery,
    ),
    Route(
        "GET", f"{PATH}.csv", "export_alarms", list_alarms,
        "Alarms as a table", TAG, Action.SEE_VIEW,
        (Answer(200, "CSV", media_type=CSV_TYPE),), query=AlarmQuery,
    ),
    Route(
        "POST", f"{PATH}/{{number}}/acknowledge", "acknowledge_alarm", acknowledge_alarm,
        "Take note of an alarm, under the operator's name", TAG, Action.CONTROL_CONFERENCES,
        (Answer(200, "the alarm", Alarm),), problems=("conflict",),
    ),
)  # fmt: skip
