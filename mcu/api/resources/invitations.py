"""Rooms from elsewhere in the tree: invited by one side, accepted or declined by the other."""

from collections.abc import Iterable
from typing import Any, Final

from aiohttp import web

from mcu.api import orders
from mcu.api.call import Call, json_response, no_content
from mcu.api.csv_table import CSV_TYPE, csv_response, wants_csv
from mcu.api.problem import forbidden, invalid, not_found
from mcu.api.reach import require_running
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
from mcu.conference.invitation_model import (
    AnswerInvitation,
    InviteRoom,
    WithdrawInvitation,
    find_invitation,
)
from mcu.conference.invitation_resources import invitation_resource
from mcu.conference.state import ConferenceState

TAG: Final = "invitations"
PATH: Final = f"{BASE}/conferences/{{conference}}/invitations"
COLUMNS: Final = (
    "bridge", "name", "unit", "conference", "conference_name", "conference_unit", "status", "note",
    "at", "by", "answered_at", "answered_by",
)  # fmt: skip


async def list_invitations(call: Call) -> web.Response:
    """Whom this conference has invited."""
    state = await conference_of(call)
    call.reach.require_conference(Action.SEE_VIEW, state, "read invitations")
    found = [invitation_resource(state, each) for each in state.invitations]
    return _list(call, f"invitations-{state.id}", found)


async def list_received(call: Call) -> web.Response:
    """What running conferences ask of the rooms within reach."""
    found = [
        invitation_resource(state, each)
        for state in call.services.conferences.running()
        for each in state.invitations
        if each.stands and call.reach.bridge(Action.READ_INVITATIONS, each.bridge, each.unit)
    ]
    return _list(call, "invitations", found)


def _list(call: Call, name: str, found: Iterable[dict[str, Any]]) -> web.Response:
    if wants_csv(call):
        return csv_response(name, COLUMNS, [[each[column] for column in COLUMNS] for each in found])
    items = [Invitation.model_validate(each) for each in found]
    return json_response(Page[Invitation](items=items))


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
    bridge = await call.services.store.bridges.get(wanted.bridge)
    if call.reach.bridge(Action.CONTROL_CONFERENCES, bridge.id, bridge.unit):
        raise invalid("$.bridge", "is within reach of this token: call it, no invitation is needed")
    command = InviteRoom(
        bridge.id, bridge.name, bridge.unit, wanted.note or "", operator_name(call)
    )
    return await orders.order(
        call, state.id, command, lambda now: _answer(now, bridge.id, 201), lambda now: now.version
    )


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
        raise not_found("invitation of bridge", bridge)
    record = await call.services.store.bridges.get(bridge)
    if not call.reach.bridge(Action.ANSWER_INVITATION, bridge, record.unit):
        raise forbidden(f"The role {call.who.token.role} may not answer for {bridge!r}.")
    require_running(state)
    accepts = call.body(InvitationAnswer).answer == "accept"
    command = AnswerInvitation(bridge, accepts, operator_name(call))
    response = await orders.order(
        call, state.id, command, lambda now: _answer(now, bridge), lambda now: now.version
    )
    if accepts:
        await _call_in(call, state.id, bridge, record.name)
    return response


async def _call_in(call: Call, conference: str, bridge: str, name: str) -> None:
    """Put an accepted room on the roster; where another conference has it, ask for it."""
    conferences = call.services.conferences
    if conferences.conference_of(bridge) not in (None, conference):
        await conferences.conflicts.ask(conference, bridge, name, call.actor)
        return
    await conferences.add_bridge(conference, bridge, call.actor)
    call.services.call_again(conference, bridge)


def _answer(state: ConferenceState, bridge: str, status: int = 200) -> web.Response:
    found = find_invitation(state.invitations, bridge)
    if found is None:
        raise not_found("invitation of bridge", bridge)
    document = Invitation.model_validate(invitation_resource(state, found))
    return json_response(document, status)


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
