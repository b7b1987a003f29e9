"""The floor: rooms ask for it and give it back, operators give it and take it back."""

from typing import Final

from aiohttp import web

from mcu.api import orders
from mcu.api.call import Call, json_response, no_content
from mcu.api.csv_table import CSV_TYPE, csv_response, wants_csv
from mcu.api.etag import content_tag
from mcu.api.openapi import ETAG_HEADER
from mcu.api.problem import forbidden, invalid
from mcu.api.resources.conferences import conference_of, of_participants, steer
from mcu.api.rights import Action
from mcu.api.route import BASE, Answer, Body, Route
from mcu.api.schemas.base import Page
from mcu.api.schemas.conference import FloorRequest
from mcu.api.schemas.floor import Floor, FloorRequestQuery, NewFloor, NewFloorRequest
from mcu.conference.floor_model import (
    EndFloor,
    GrantFloor,
    InterruptFloor,
    RequestFloor,
    ResumeFloor,
    WithdrawFloorRequest,
)
from mcu.conference.procedure_resources import floor_resource
from mcu.conference.state import ConferenceState
from mcu.sentences import sentence

TAG: Final = "floor"
PATH: Final = f"{BASE}/conferences/{{conference}}/floor"
COLUMNS: Final = ("place", "participant", "label", "unit", "at")


async def read_floor(call: Call) -> web.Response:
    """Who has the floor and who waits for it."""
    return _answer(call, await conference_of(call))


async def grant_floor(call: Call) -> web.Response:
    """Give the floor to a participant."""
    new = call.body(NewFloor)
    command = GrantFloor(new.participant, new.time_limit_s, new.picture)
    return await steer(call, command, lambda now: _answer(call, now), _tag)


async def end_floor(call: Call) -> web.Response:
    """Take the floor back; a room gives only its own back."""
    state = await of_participants(call, "ask for the floor")
    command = EndFloor()
    if not call.reach.conference(Action.CONTROL_CONFERENCES, state):
        holder = state.floor.holder
        who = None if holder is None else state.participants.get(holder.participant)
        if who is None or not call.reach.participant(Action.ASK_FLOOR, state, who):
            return no_content()
        command = EndFloor(who.id, "released")
    return await orders.order(call, state.id, command, lambda _: no_content(), _tag)


async def interrupt_floor(call: Call) -> web.Response:
    """Let the chair speak in between."""
    state = await _presiding(call)
    return await orders.order(
        call, state.id, InterruptFloor(), lambda now: _answer(call, now), _tag
    )


async def resume_floor(call: Call) -> web.Response:
    """The chair has spoken."""
    state = await _presiding(call)
    return await orders.order(call, state.id, ResumeFloor(), lambda _: no_content(), _tag)


async def list_requests(call: Call) -> web.Response:
    """Who waits, in order; as JSON or CSV."""
    state = await conference_of(call)
    requests = floor_resource(state.floor)["requests"]
    if not wants_csv(call):
        items = [FloorRequest.model_validate(each) for each in requests]
        return json_response(Page[FloorRequest](items=items))
    whole = call.reach.whole(state)
    rows = []
    for each in requests:
        who = state.participants[each["participant"]]
        unit = who.unit if whole or call.reach.own_room(who) else None
        rows.append((each["place"], who.id, who.label, unit, each["at"]))
    return csv_response(f"floor-requests-{state.id}", COLUMNS, rows)


async def request_floor(call: Call) -> web.Response:
    """Ask for the floor; a room for itself only."""
    state = await of_participants(call, "ask for the floor")
    wanted = call.body(NewFloorRequest).participant or call.who.token.bridge
    if wanted is None:
        raise invalid("$.participant", sentence("floor.asker-missing"))
    _require_own(call, state, wanted)
    return await orders.order(
        call,
        state.id,
        RequestFloor(wanted),
        lambda now: _answer(call, now),
        _tag,
    )


async def withdraw_request(call: Call) -> web.Response:
    """Ask no more; a room for itself only."""
    state = await of_participants(call, "ask for the floor")
    wanted = call.query(FloorRequestQuery).participant or call.who.token.bridge
    if wanted is None:
        raise invalid("query.participant", sentence("floor.withdrawer-missing"))
    _require_own(call, state, wanted)
    return await orders.order(
        call,
        state.id,
        WithdrawFloorRequest(wanted),
        lambda _: no_content(),
        _tag,
    )


async def _presiding(call: Call) -> ConferenceState:
    """The conference, whose chair's room (or an operator for it) asks."""
    state = await of_participants(call, "ask for the floor")
    if call.reach.conference(Action.CONTROL_CONFERENCES, state):
        return state
    chair = None if state.chair is None else state.participants.get(state.chair)
    if chair is None or not call.reach.participant(Action.ASK_FLOOR, state, chair):
        raise forbidden(sentence("floor.chair-interrupts"))
    return state


def _require_own(call: Call, state: ConferenceState, wanted: str) -> None:
    who = state.participants.get(wanted)
    if who is not None:
        call.reach.require_participant(Action.ASK_FLOOR, state, who, "ask for the floor for")
    elif not call.reach.conference(Action.CONTROL_CONFERENCES, state):
        raise forbidden(sentence("floor.not-yours", participant=wanted))


def _tag(state: ConferenceState) -> str:
    """Of the floor alone: nothing else that happens in the conference changes it."""
    return content_tag(floor_resource(state.floor))


def _answer(call: Call, state: ConferenceState) -> web.Response:
    now = call.services.conferences.utcnow()
    holder = state.floor.holder
    left = None
    if holder is not None:
        left = holder.left_s
        if holder.until is not None:
            left = max(0.0, (holder.until - now).total_seconds())
    document = floor_resource(state.floor) | {"remaining_s": left, "now": now}
    return json_response(Floor.model_validate(document), version=_tag(state))


_FLOOR: Final = (Answer(200, "the floor now", Floor, headers=(ETAG_HEADER,)),)
_TABLE: Final = Answer(200, "who waits", Page[FloorRequest], other_types=(CSV_TYPE,))

ROUTES: Final = (
    Route(
        "GET", PATH, "read_floor", read_floor,
        "Who has the floor and who waits for it", TAG, Action.READ_CONFERENCES, _FLOOR,
    ),
    Route(
        "PUT", PATH, "grant_floor", grant_floor,
        "Give the floor to a participant", TAG, Action.CONTROL_CONFERENCES,
        _FLOOR, body=Body(NewFloor), conditional=True, problems=("conflict",),
    ),
    Route(
        "DELETE", PATH, "end_floor", end_floor,
        "Take the floor back, or give the own back", TAG, Action.ASK_FLOOR,
        (Answer(204, "nobody has it, or somebody else does"),),
        conditional=True, problems=("conflict",),
    ),
    Route(
        "PUT", f"{PATH}/interruption", "interrupt_floor", interrupt_floor,
        "Let the chair speak in between", TAG, Action.ASK_FLOOR,
        _FLOOR, conditional=True, problems=("conflict",),
    ),
    Route(
        "DELETE", f"{PATH}/interruption", "resume_floor", resume_floor,
        "Let who has the floor go on", TAG, Action.ASK_FLOOR,
        (Answer(204, "it goes on"),), conditional=True, problems=("conflict",),
    ),
    Route(
        "GET", f"{PATH}/requests", "list_floor_requests", list_requests,
        "Who waits for the floor, in order", TAG, Action.READ_CONFERENCES, (_TABLE,),
    ),
    Route(
        "GET", f"{PATH}/requests.csv", "export_floor_requests", list_requests,
        "Who waits for the floor, as a table", TAG, Action.READ_CONFERENCES,
        (Answer(200, "who waits", media_type=CSV_TYPE),),
    ),
    Route(
        "POST", f"{PATH}/requests", "request_floor", request_floor,
        "Ask for the floor", TAG, Action.ASK_FLOOR,
        _FLOOR, body=Body(NewFloorRequest, required=False), conditional=True,
    ),
    Route(
        "DELETE", f"{PATH}/requests", "withdraw_floor_request", withdraw_request,
        "Ask for the floor no more", TAG, Action.ASK_FLOOR,
        (Answer(204, "it does not wait"),), query=FloorRequestQuery,
        conditional=True, problems=("conflict",),
    ),
)  # fmt: skip
