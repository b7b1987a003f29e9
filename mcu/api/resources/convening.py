"""Convening: rooms called together, the progress board, single rooms called again or no more."""

from typing import Any, Final

from aiohttp import web

from mcu.api import orders
from mcu.api.call import Call, json_response
from mcu.api.csv_table import CSV_TYPE, csv_response, wants_csv
from mcu.api.openapi import ETAG_HEADER
from mcu.api.problem import not_found
from mcu.api.resources.conferences import conference_of, controlled
from mcu.api.rights import Action
from mcu.api.route import BASE, Answer, Body, Route
from mcu.api.schemas.convening import ConvenedParticipant, Convening, NewConvening
from mcu.conference.commands import Command
from mcu.conference.convening_model import RetryConvening, StartConvening, StopConvening
from mcu.conference.convening_resources import convening_resource
from mcu.conference.scenario import on_duty
from mcu.conference.state import ConferenceState
from mcu.store.records import Bridge, Contact

TAG: Final = "convening"
PATH: Final = f"{BASE}/conferences/{{conference}}/convening"
COLUMNS: Final = (
    "place", "participant", "label", "unit", "kind", "state", "presence", "page_open", "attempts",
    "called_at", "joined_at", "after_s", "late", "cause", "next_at", "contact_name",
    "contact_phone",
)  # fmt: skip


async def read_convening(call: Call) -> web.Response:
    """The progress board; as JSON or CSV."""
    state = await conference_of(call)
    call.reach.require_conference(Action.SEE_VIEW, state, "read the convening")
    if state.convening is None:
        raise not_found("convening of conference", state.id)
    bridges = await _bridges(call, state)
    if not wants_csv(call):
        return _answer(call, state, bridges)
    rows = (
        {**row, "contact_name": row["contact"]["name"], "contact_phone": row["contact"]["phone"]}
        for row in _document(call, state, bridges)["rows"]
    )
    table = [[row[name] for name in COLUMNS] for row in rows]
    return csv_response(f"convening-{state.id}-{state.convening.number}", COLUMNS, table)


async def convene(call: Call) -> web.Response:
    """Call all who are expected."""
    new = call.body(NewConvening)
    services = call.services
    participants = None if new.participants is None else tuple(new.participants)
    command = StartConvening(
        new.order,
        services.calls_at_once if new.at_once is None else new.at_once,
        services.convene_within_s if new.target_s is None else new.target_s,
        participants,
        _name(call),
    )
    return await _order(call, command, 201)


async def stop_convening(call: Call) -> web.Response:
    """Call a room no more, or none."""
    return await _order(
        call, StopConvening(call.body(ConvenedParticipant).participant, _name(call))
    )


async def retry_convening(call: Call) -> web.Response:
    """Call a room again now, or all that have failed."""
    participant = call.body(ConvenedParticipant).participant
    return await _order(call, RetryConvening(participant, _name(call)))


async def _order(call: Call, command: Command, status: int = 200) -> web.Response:
    state = await controlled(call)
    bridges = await _bridges(call, state)
    return await orders.order(
        call,
        state.id,
        command,
        lambda now: _answer(call, now, bridges, status),
        lambda now: now.version,
    )


async def _bridges(call: Call, state: ConferenceState) -> dict[str, Bridge]:
    """What the registry says of the roster: one query per 500 rooms."""
    ids = [who.bridge for who in state.participants.values() if who.bridge is not None]
    return dict(await call.services.store.bridges.get_many(ids))


def _document(call: Call, state: ConferenceState, bridges: dict[str, Bridge]) -> dict[str, Any]:
    if state.convening is None:
        raise not_found("convening of conference", state.id)
    document = convening_resource(state, state.convening)
    duties = () if state.agenda is None else state.agenda.duties
    pages = call.api.pages()
    for row in document["rows"]:
        bridge = bridges.get(row.pop("bridge") or "")
        kind = "guest" if bridge is None else bridge.kind
        row["kind"] = kind
        row["page_open"] = row["participant"] in pages if kind == "webrtc" else None
        contact = Contact() if bridge is None else bridge.contact
        # Whom the scenario names is there today; the registry's contact is there as a rule.
        duty = on_duty(duties, row["participant"])
        row["contact"] = {
            "name": contact.name if duty is None else duty.name,
            "phone": (None if duty is None else duty.phone) or contact.phone,
        }
    return document


def _answer(
    call: Call, state: ConferenceState, bridges: dict[str, Bridge], status: int = 200
) -> web.Response:
    document = Convening.model_validate(_document(call, state, bridges))
    return json_response(document, status, version=state.version)


def _name(call: Call) -> str:
    """What the record says of who acts."""
    token = call.who.token
    return token.name or token.role


_NOW: Final = (Answer(200, "the convening now", Convening, headers=(ETAG_HEADER,)),)

ROUTES: Final = (
    Route(
        "GET", PATH, "read_convening", read_convening,
        "How far the rooms have come that were called together", TAG, Action.SEE_VIEW,
        (Answer(
            200, "the progress board", Convening, headers=(ETAG_HEADER,), other_types=(CSV_TYPE,)
        ),),
    ),
    Route(
        "GET", f"{PATH}.csv", "export_convening", read_convening,
        "The progress board as a table", TAG, Action.SEE_VIEW,
        (Answer(200, "a row for each room", media_type=CSV_TYPE),),
    ),
    Route(
        "POST", PATH, "convene", convene,
        "Call all expected rooms together", TAG, Action.CONTROL_CONFERENCES,
        (Answer(201, "they are being called", Convening, headers=(ETAG_HEADER,)),),
        body=Body(NewConvening, required=False), conditional=True, problems=("conflict",),
    ),
    Route(
        "POST", f"{PATH}/stop", "stop_convening", stop_convening,
        "Call a room no more, or with `all` none of them", TAG, Action.CONTROL_CONFERENCES,
        _NOW, body=Body(ConvenedParticipant), conditional=True,
        problems=("conflict",),
    ),
    Route(
        "POST", f"{PATH}/retry", "retry_convening", retry_convening,
        "Call a room again now, or with `all` those that have failed", TAG,
        Action.CONTROL_CONFERENCES,
        _NOW, body=Body(ConvenedParticipant), conditional=True,
        problems=("conflict",),
    ),
)  # fmt: skip
