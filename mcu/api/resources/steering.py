"""Steering a running conference as a whole: mute, layout, broadcast, message, lock."""

from typing import Final

from aiohttp import web

from mcu.api.call import Call, json_response, no_content
from mcu.api.documents import layout_document
from mcu.api.openapi import ETAG_HEADER
from mcu.api.problem import not_found
from mcu.api.resources.conferences import (
    CONFERENCE_NOW,
    conference_of,
    steer,
    steer_whole,
)
from mcu.api.rights import Action
from mcu.api.route import BASE, Answer, Body, Route
from mcu.api.schemas.conference import (
    Broadcast,
    Layout,
    LayoutQuery,
    Mute,
    NewLayout,
    NewMessage,
    WaitingParticipant,
)
from mcu.conference.codec import slot_from_json
from mcu.conference.commands import (
    AdmitWaiting,
    ClearMessage,
    Lock,
    MuteAll,
    RefuseWaiting,
    SetLayout,
    ShowMessage,
    StartBroadcast,
    StopBroadcast,
    Unlock,
    UnmuteAll,
)

TAG: Final = "steering"
PATH: Final = f"{BASE}/conferences/{{conference}}"


async def mute(call: Call) -> web.Response:
    """Mute everybody, a unit, or some."""
    wanted = call.body(Mute)
    return await steer_whole(call, MuteAll(_scope(wanted), tuple(wanted.except_)))


async def unmute(call: Call) -> web.Response:
    """Undo a mute."""
    wanted = call.body(Mute)
    return await steer_whole(call, UnmuteAll(_scope(wanted), tuple(wanted.except_)))


async def read_layout(call: Call) -> web.Response:
    """How a view is divided."""
    state = await conference_of(call)
    view = call.query(LayoutQuery).view
    if view not in state.views:
        raise not_found("view", view)
    return json_response(layout_document(state, view), version=state.version)


async def set_layout(call: Call) -> web.Response:
    """Divide a view anew."""
    new = call.body(NewLayout)
    slots = None
    if new.slots is not None:
        slots = tuple(slot_from_json(slot.model_dump()) for slot in new.slots)
    return await steer(
        call,
        SetLayout(new.view, new.layout, slots, new.fit),
        lambda now: json_response(layout_document(now, new.view), version=now.version),
    )


async def start_broadcast(call: Call) -> web.Response:
    """Show one participant to everybody."""
    return await steer_whole(call, StartBroadcast(call.body(Broadcast).participant))


async def stop_broadcast(call: Call) -> web.Response:
    """Back to the layout there was."""
    return await steer(call, StopBroadcast(), lambda _: no_content())


async def show_message(call: Call) -> web.Response:
    """Lay a text over the picture."""
    new = call.body(NewMessage)
    return await steer_whole(call, ShowMessage(new.text, new.duration_s))


async def clear_message(call: Call) -> web.Response:
    """Take the text away."""
    return await steer(call, ClearMessage(), lambda _: no_content())


async def lock(call: Call) -> web.Response:
    """Close the roster."""
    return await steer_whole(call, Lock())


async def unlock(call: Call) -> web.Response:
    """Open the roster."""
    return await steer(call, Unlock(), lambda _: no_content())


async def admit_waiting(call: Call) -> web.Response:
    """Let somebody in who waits, or all."""
    who = call.body(WaitingParticipant).participant
    return await steer_whole(call, AdmitWaiting(who, _name(call)))


async def refuse_waiting(call: Call) -> web.Response:
    """Send somebody away who waits, or all."""
    who = call.body(WaitingParticipant).participant
    return await steer_whole(call, RefuseWaiting(who, _name(call)))


def _name(call: Call) -> str:
    """What the record says of who acts."""
    token = call.who.token
    return token.name or token.role


def _scope(wanted: Mute) -> str | tuple[str, ...]:
    return wanted.scope if isinstance(wanted.scope, str) else tuple(wanted.scope)


_LAYOUT: Final = (Answer(200, "the layout", Layout, headers=(ETAG_HEADER,)),)

ROUTES: Final = (
    Route(
        "POST", f"{PATH}/mute", "mute", mute,
        "Mute whom `scope` names: everybody, a unit, or some", TAG, Action.CONTROL_CONFERENCES,
        CONFERENCE_NOW, body=Body(Mute),
    ),
    Route(
        "POST", f"{PATH}/unmute", "unmute", unmute,
        "Undo a mute, of whom `scope` names", TAG, Action.CONTROL_CONFERENCES,
        CONFERENCE_NOW, body=Body(Mute),
    ),
    Route(
        "GET", f"{PATH}/layout", "read_layout", read_layout,
        "How a view is divided", TAG, Action.READ_CONFERENCES, _LAYOUT, query=LayoutQuery,
    ),
    Route(
        "PUT", f"{PATH}/layout", "set_layout", set_layout,
        "Divide a view anew", TAG, Action.CONTROL_CONFERENCES,
        _LAYOUT, body=Body(NewLayout), conditional=True, problems=("conflict",),
    ),
    Route(
        "PUT", f"{PATH}/broadcast", "start_broadcast", start_broadcast,
        "Show one participant to everybody", TAG, Action.CONTROL_CONFERENCES,
        CONFERENCE_NOW, body=Body(Broadcast), conditional=True, problems=("conflict",),
    ),
    Route(
        "DELETE", f"{PATH}/broadcast", "stop_broadcast", stop_broadcast,
        "Back to the layout there was", TAG, Action.CONTROL_CONFERENCES,
        (Answer(204, "stopped"),), conditional=True, problems=("conflict",),
    ),
    Route(
        "PUT", f"{PATH}/message", "show_message", show_message,
        "Lay a text over the picture", TAG, Action.CONTROL_CONFERENCES,
        CONFERENCE_NOW, body=Body(NewMessage), conditional=True, problems=("conflict",),
    ),
    Route(
        "DELETE", f"{PATH}/message", "clear_message", clear_message,
        "Take the text away", TAG, Action.CONTROL_CONFERENCES,
        (Answer(204, "cleared"),), conditional=True, problems=("conflict",),
    ),
    Route(
        "PUT", f"{PATH}/lock", "lock", lock,
        "Close the roster: nobody new may be added, who comes late waits", TAG,
        Action.CONTROL_CONFERENCES,
        CONFERENCE_NOW, conditional=True, problems=("conflict",),
    ),
    Route(
        "POST", f"{PATH}/waiting/admit", "admit_waiting", admit_waiting,
        "Let one in who came late to a locked conference, or with `all` everybody", TAG,
        Action.CONTROL_CONFERENCES,
        CONFERENCE_NOW, body=Body(WaitingParticipant), conditional=True,
        problems=("conflict",),
    ),
    Route(
        "POST", f"{PATH}/waiting/refuse", "refuse_waiting", refuse_waiting,
        "Take one off the roster who waits to be let in, or with `all` everybody", TAG,
        Action.CONTROL_CONFERENCES,
        CONFERENCE_NOW, body=Body(WaitingParticipant), conditional=True,
        problems=("conflict",),
    ),
    Route(
        "DELETE", f"{PATH}/lock", "unlock", unlock,
        "Open the roster", TAG, Action.CONTROL_CONFERENCES,
        (Answer(204, "open"),), conditional=True, problems=("conflict",),
    ),
)  # fmt: skip
