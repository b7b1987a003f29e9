"""Bridges that two conferences want: shown on both sides, asked for, decided."""

from functools import partial
from typing import Any, Final

from aiohttp import web

from mcu.api.call import Call, json_response
from mcu.api.csv_table import CSV_TYPE, csv_response, wants_csv
from mcu.api.problem import Problem, forbidden, not_found
from mcu.api.reach import require_running
from mcu.api.resources.conferences import conference_of, controlled
from mcu.api.rights import Action
from mcu.api.route import BASE, Answer, Body, Route
from mcu.api.schemas.base import Page
from mcu.api.schemas.conflict import Conflict, ConflictDecision, NewConflict
from mcu.conference import conflict_model as domain
from mcu.conference.conflict_resources import conflict_resource
from mcu.conference.move import move
from mcu.conference.state import ConferenceState, UnknownConference
from mcu.sentences import sentence

TAG: Final = "conflicts"
PATH: Final = f"{BASE}/conferences/{{conference}}/conflicts"
COLUMNS: Final = (
    "bridge", "name", "side", "conference", "conference_name", "status", "at", "by", "decided_at",
    "decided_by",
)  # fmt: skip


async def list_conflicts(call: Call) -> web.Response:
    """What this conference asks for, and what is asked of it."""
    state = await conference_of(call)
    call.reach.require_conference(Action.SEE_VIEW, state, "read conflicts")
    items = [_document(call, state, each) for each in state.conflicts]
    if wants_csv(call):
        rows = [[each[name] for name in COLUMNS] for each in items]
        return csv_response(f"conflicts-{state.id}", COLUMNS, rows)
    return json_response(Page[Conflict](items=[Conflict.model_validate(each) for each in items]))


async def raise_conflict(call: Call) -> web.Response:
    """Ask for a bridge that another conference has."""
    state = await controlled(call)
    bridge = await call.services.store.bridges.get(call.body(NewConflict).bridge)
    if not call.reach.may_call(state, bridge.id, bridge.unit):
        raise forbidden(sentence("room.invite-instead", room=bridge.id, unit=bridge.unit))
    conferences = call.services.conferences
    await conferences.conflicts.ask(state.id, bridge.id, bridge.name, call.actor)
    return _answer(call, conferences.get(state.id), bridge.id, "asking", None, 201)


async def decide_conflict(call: Call) -> web.Response:
    """Wait, move over, or decline."""
    conferences = call.services.conferences
    state = await conferences.read(call.path("conference"))
    call.reach.require_conference(Action.CONTROL_CONFERENCES, state, "decide anything")
    require_running(state)
    wanted = call.body(ConflictDecision)
    bridge = call.path("bridge")
    found = domain.find_conflict(state.conflicts, bridge, "asking")
    asking = state
    if found is None or not found.is_open:
        found = _held(state, bridge, wanted.conference)
        asking = conferences.get(found.other)
    if wanted.decision == "move":
        holder = conferences.conference_of(bridge)
        if holder is not None:
            has = conferences.get(holder)
            call.reach.require_conference(Action.CONTROL_CONFERENCES, has, "move anybody", "out of")
        call.reach.require_conference(Action.CONTROL_CONFERENCES, asking, "move anybody", "to")
    command = domain.DecideConflict(bridge, wanted.decision, _name(call))
    transfer = call.services.transfer or partial(move, conferences)
    await conferences.conflicts.decide(asking.id, command, call.actor, transfer)
    return _answer(call, conferences.get(state.id), bridge, found.side, found.other)


def _held(state: ConferenceState, bridge: str, asking: str | None) -> domain.Conflict:
    held = [
        each
        for each in state.conflicts
        if each.bridge == bridge and each.side == "holding" and each.is_open
    ]
    if asking is not None:
        held = [each for each in held if each.other == asking]
    if not held:
        raise not_found("open conflict about bridge", bridge)
    if len(held) > 1:
        raise Problem("conflict", sentence("conflict.name-one"))
    return held[0]


def _document(call: Call, state: ConferenceState, found: domain.Conflict) -> dict[str, Any]:
    may_move = False
    if found.is_open and state.running:
        try:
            other = call.services.conferences.get(found.other)
        except UnknownConference:
            other = None
        may_move = other is not None and all(
            call.reach.conference(Action.CONTROL_CONFERENCES, each) for each in (state, other)
        )
    return conflict_resource(found) | {"may_move": may_move}


def _answer(
    call: Call,
    state: ConferenceState,
    bridge: str,
    side: domain.Side,
    other: str | None,
    status: int = 200,
) -> web.Response:
    found = domain.find_conflict(state.conflicts, bridge, side, other)
    if found is None:
        raise not_found("conflict about bridge", bridge)
    document = Conflict.model_validate(_document(call, state, found))
    return json_response(document, status, version=state.version)


def _name(call: Call) -> str:
    """What the record says of who acts."""
    token = call.who.token
    return token.name or token.role


ROUTES: Final = (
    Route(
        "GET", PATH, "list_conflicts", list_conflicts,
        "Bridges that another conference wants too", TAG, Action.SEE_VIEW,
        (Answer(200, "of both sides", Page[Conflict], other_types=(CSV_TYPE,)),),
    ),
    Route(
        "GET", f"{PATH}.csv", "export_conflicts", list_conflicts,
        "The same as a table", TAG, Action.SEE_VIEW,
        (Answer(200, "a row for each", media_type=CSV_TYPE),),
    ),
    Route(
        "POST", PATH, "raise_conflict", raise_conflict,
        "Ask for a bridge that another conference has", TAG, Action.CONTROL_CONFERENCES,
        (Answer(201, "asked", Conflict),), body=Body(NewConflict), problems=("conflict",),
    ),
    Route(
        "POST", f"{PATH}/{{bridge}}/decision", "decide_conflict", decide_conflict,
        "Wait for the bridge, move it over, or decline", TAG, Action.CONTROL_CONFERENCES,
        (Answer(200, "as it is now", Conflict),),
        body=Body(ConflictDecision), problems=("conflict",),
    ),
)  # fmt: skip
