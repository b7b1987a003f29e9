"""Rooms from elsewhere in the tree: invited by one side, accepted or declined by the other."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiohttp import web

from mcu.api import orders
from mcu.api.call import Call, json_response, no_content
from mcu.api.csv_table import CSV_TYPE, csv_response, wants_csv
from mcu.api.problem import Problem, conflict, forbidden, invalid, not_found
from mcu.api.resources.alarms import operator_name
from mcu.api.resources.conferences import conference_of, controlled
from mcu.api.rights import Action
from mcu.api.route import BASE, Answer, Body, Route
from mcu.api.schemas.base import Page
from mcu.api.schemas.invitation import (
    Invitable,
    InvitableQuery,
    Invitation,
    InvitationAnswer,
    NewInvitation,
)
from mcu.conference import invitation_model as domain
from mcu.conference.conflict_model import find_conflict
from mcu.conference.invitation_model import (
    AnswerInvitation,
    InviteRoom,
    WithdrawInvitation,
    find_invitation,
)
from mcu.conference.invitation_resources import invitation_resource
from mcu.conference.state import ConferenceState
from mcu.sentences import sentence
from mcu.store.errors import UnknownRecord

TAG: Final = "invitations"
PATH: Final = f"{BASE}/conferences/{{conference}}/invitations"
COLUMNS: Final = (
    "bridge", "name", "unit", "unit_name", "conference", "conference_name", "conference_unit",
    "conference_unit_name", "conference_started_at", "status", "note", "at", "by", "answered_at",
    "answered_by", "presence", "conflict", "held_by", "held_by_name", "held_by_unit_name",
)  # fmt: skip
Found = Sequence[tuple[ConferenceState, domain.Invitation]]


async def list_invitations(call: Call) -> web.Response:
    """Whom this conference has invited."""
    state = await conference_of(call)
    call.reach.require_conference(Action.SEE_VIEW, state, "read invitations")
    return await _list(
        call, f"invitations-{state.id}", [(state, each) for each in state.invitations]
    )


async def list_received(call: Call) -> web.Response:
    """What running conferences ask of the rooms within reach."""
    found = [
        (state, each)
        for state in call.services.conferences.running()
        for each in state.invitations
        if each.stands and call.reach.bridge(Action.READ_INVITATIONS, each.bridge, each.unit)
    ]
    return await _list(call, "invitations", found)


async def _list(call: Call, name: str, found: Found) -> web.Response:
    names = await _unit_names(call, found)
    documents = [_document(call, names, state, each) for state, each in found]
    if wants_csv(call):
        rows = [[each[column] for column in COLUMNS] for each in documents]
        return csv_response(name, COLUMNS, rows)
    items = [Invitation.model_validate(each) for each in documents]
    return json_response(Page[Invitation](items=items))


async def _unit_names(call: Call, found: Found) -> Mapping[str, str]:
    """Names of the units that invitations speak of."""
    units = set()
    for state, each in found:
        _, _, holding = _holder(call, state, each)
        units |= {state.unit, each.unit} | ({holding} if holding is not None else set())
    return await call.services.store.units.names(units) if units else {}


def _document(
    call: Call, names: Mapping[str, str], state: ConferenceState, invitation: domain.Invitation
) -> dict[str, Any]:
    """An invitation in words: with the names of units and of the conference that has the room."""
    holder, name, unit = _holder(call, state, invitation)
    return invitation_resource(state, invitation) | {
        "unit_name": names.get(invitation.unit, invitation.unit),
        "conference_unit_name": names.get(state.unit, state.unit),
        "held_by": holder,
        "held_by_name": name,
        "held_by_unit_name": None if unit is None else names.get(unit, unit),
    }


def _holder(
    call: Call, state: ConferenceState, invitation: domain.Invitation
) -> tuple[str | None, str | None, str | None]:
    """Id, name and unit of the other conference that has the room; None: not to be told, or none.

    Where its own rooms are is the room's side to know. Who invited knows no more than what the
    conflict about the room says.
    """
    conferences = call.services.conferences
    if call.reach.bridge(Action.READ_INVITATIONS, invitation.bridge, invitation.unit):
        holder = conferences.conference_of(invitation.bridge)
        over = not invitation.stands or not state.running
        if holder is None or holder == state.id or over:
            return None, None, None
        has = conferences.get(holder)
        return has.id, has.name, has.unit
    asked = find_conflict(state.conflicts, invitation.bridge, "asking")
    if asked is None or not asked.is_open:
        return None, None, None
    return asked.other, asked.other_name, None


async def list_invitable(call: Call) -> web.Response:
    """Rooms of agencies outside of this token's reach, by id."""
    state = await controlled(call)
    query = call.query(InvitableQuery)
    page = await call.services.store.bridges.of_agencies(
        outside=call.who.token.unit, search=query.search, limit=query.limit, cursor=query.cursor
    )
    items = [
        Invitable(bridge=one.id, name=one.name, unit=one.unit, unit_name=one.unit_name)
        for one in page.items
        if one.id not in state.participants
    ]
    return json_response(Page[Invitable](items=items, next_cursor=page.next_cursor))


async def invite(call: Call) -> web.Response:
    """Ask a room's unit to let it take part."""
    state = await controlled(call)
    wanted = call.body(NewInvitation)
    try:
        bridge = await call.services.store.bridges.get(wanted.bridge)
    except UnknownRecord:
        raise invalid(
            "$.bridge",
            sentence(
                "invitation.unknown-room",
                room=wanted.bridge,
                value=PATH.format(conference=state.id).removesuffix("invitations"),
            ),
        ) from None
    if call.reach.bridge(Action.CONTROL_CONFERENCES, bridge.id, bridge.unit):
        raise invalid("$.bridge", sentence("invitation.not-needed"))
    command = InviteRoom(
        bridge.id, bridge.name, bridge.unit, wanted.note or "", operator_name(call)
    )
    return await _ordered(call, state, command, bridge.id, bridge.unit, 201)


async def withdraw(call: Call) -> web.Response:
    """Take an invitation back; a room that has come is taken out."""
    state = await controlled(call)
    command = WithdrawInvitation(call.path("bridge"), operator_name(call))
    return await orders.order(
        call, state.id, command, lambda _: no_content(), lambda now: now.version
    )


async def answer(call: Call) -> web.Response:
    """Accept or decline for a room within reach; an accepted room is called at once."""
    conferences = call.services.conferences
    state = await conferences.read(call.path("conference"))
    bridge = call.path("bridge")
    found = find_invitation(state.invitations, bridge)
    if found is None or not call.reach.bridge(Action.READ_INVITATIONS, bridge, found.unit):
        # Who may not know of it is not told that there is one, nor of the conference.
        raise Problem(
            "not-found",
            sentence("invitation.not-yours", room=bridge, base=BASE),
        )
    record = await call.services.store.bridges.get(bridge)
    if not call.reach.bridge(Action.ANSWER_INVITATION, bridge, record.unit):
        raise forbidden(sentence("invitation.role", role=call.who.token.role, name=found.name))
    if not state.running:
        raise conflict(
            sentence("invitation.conference-over", conference=state.name, name=found.name)
        )
    accepts = call.body(InvitationAnswer).answer == "accept"
    command = AnswerInvitation(bridge, accepts, operator_name(call))
    response = await _ordered(call, state, command, bridge, found.unit)
    if accepts:
        await _call_in(call, state.id, bridge, record.name)
    return response


async def _ordered(
    call: Call,
    state: ConferenceState,
    command: InviteRoom | AnswerInvitation,
    bridge: str,
    unit: str,
    status: int = 200,
) -> web.Response:
    """Carry out a command about one invitation, answered with the invitation as it is then."""
    names = await call.services.store.units.names((state.unit, unit))

    def as_it_is(now: ConferenceState) -> web.Response:
        found = find_invitation(now.invitations, bridge)
        if found is None:
            raise not_found("invitation of bridge", bridge)
        document = Invitation.model_validate(_document(call, names, now, found))
        return json_response(document, status)

    return await orders.order(call, state.id, command, as_it_is, lambda now: now.version)


async def _call_in(call: Call, conference: str, bridge: str, name: str) -> None:
    """Put an accepted room on the roster; where another conference has it, ask for it."""
    conferences = call.services.conferences
    if conferences.conference_of(bridge) not in (None, conference):
        await conferences.conflicts.ask(conference, bridge, name, call.actor)
        return
    await conferences.add_bridge(conference, bridge, call.actor)
    call.services.call_again(conference, bridge)


ROUTES: Final = (
    Route(
        "GET", PATH, "list_invitations", list_invitations,
        "Rooms from elsewhere in the tree that were invited", TAG, Action.SEE_VIEW,
        (Answer(200, "one for each room", Page[Invitation], other_types=(CSV_TYPE,)),),
    ),
    Route(
        "GET", f"{PATH}.csv", "export_invitations", list_invitations,
        "The same as a table", TAG, Action.SEE_VIEW,
        (Answer(200, "a row for each", media_type=CSV_TYPE),),
    ),
    Route(
        "POST", PATH, "invite_room", invite,
        "Invite a room from elsewhere in the tree", TAG, Action.CONTROL_CONFERENCES,
        (Answer(201, "its unit is asked", Invitation),),
        body=Body(NewInvitation), problems=("not-found", "conflict"),
    ),
    Route(
        "DELETE", f"{PATH}/{{bridge}}", "withdraw_invitation", withdraw,
        "Take an invitation back, and the room out", TAG, Action.CONTROL_CONFERENCES,
        (Answer(204, "withdrawn"),), problems=("conflict",),
    ),
    Route(
        "POST", f"{PATH}/{{bridge}}/answer", "answer_invitation", answer,
        "Accept or decline for a room of one's own unit", TAG, Action.ANSWER_INVITATION,
        (Answer(200, "answered", Invitation),),
        body=Body(InvitationAnswer), problems=("conflict",),
    ),
    Route(
        "GET", f"{BASE}/conferences/{{conference}}/invitable", "list_invitable", list_invitable,
        "Rooms of agencies that can be invited", TAG, Action.CONTROL_CONFERENCES,
        (Answer(200, "one page", Page[Invitable]),), query=InvitableQuery, problems=("conflict",),
    ),
    Route(
        "GET", f"{BASE}/invitations", "list_received_invitations", list_received,
        "What conferences elsewhere ask of the rooms within reach", TAG, Action.READ_INVITATIONS,
        (Answer(200, "one for each room", Page[Invitation], other_types=(CSV_TYPE,)),),
    ),
    Route(
        "GET", f"{BASE}/invitations.csv", "export_received_invitations", list_received,
        "The same as a table", TAG, Action.READ_INVITATIONS,
        (Answer(200, "a row for each", media_type=CSV_TYPE),),
    ),
)  # fmt: skip
