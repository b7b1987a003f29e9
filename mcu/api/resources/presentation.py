"""Who presents: an operator gives the token and takes it back; a room takes it while it is free."""

from typing import Final

from aiohttp import web

from mcu.api import orders
from mcu.api.call import Call, no_content
from mcu.api.problem import forbidden
from mcu.api.resources.conferences import (
    CONFERENCE_NOW,
    conference_answer,
    of_participants,
)
from mcu.api.rights import Action
from mcu.api.route import BASE, Answer, Body, Route
from mcu.api.schemas.conference import NewPresentation
from mcu.conference.commands import StartPresentation, StopPresentation
from mcu.sentences import sentence

TAG: Final = "steering"
PATH: Final = f"{BASE}/conferences/{{conference}}/presentation"


async def start(call: Call) -> web.Response:
    """Let a participant present; a room may only itself, and not in another's place."""
    state = await of_participants(call, "present anything")
    wanted = call.body(NewPresentation).participant
    who = state.participants.get(wanted)
    if who is not None:
        call.reach.require_participant(Action.PRESENT, state, who, "present for")
    is_operator = call.reach.conference(Action.CONTROL_CONFERENCES, state)
    if who is None and not is_operator:
        raise forbidden(sentence("presentation.not-yours", participant=wanted))
    return await orders.order(
        call,
        state.id,
        StartPresentation(wanted, take_over=is_operator),
        lambda now: conference_answer(call, now),
        lambda now: now.version,
    )


async def stop(call: Call) -> web.Response:
    """Take the token back; a room may only give its own."""
    state = await of_participants(call, "present anything")
    mine: str | None = None
    if not call.reach.conference(Action.CONTROL_CONFERENCES, state):
        mine = state.presenter
        who = None if mine is None else state.participants[mine]
        if who is None or not call.reach.participant(Action.PRESENT, state, who):
            return no_content()
    return await orders.order(
        call,
        state.id,
        StopPresentation(mine),
        lambda _: no_content(),
        lambda now: now.version,
    )


ROUTES: Final = (
    Route(
        "PUT", PATH, "start_presentation", start,
        "Let a participant present; an operator also in another's place", TAG, Action.PRESENT,
        CONFERENCE_NOW,
        body=Body(NewPresentation), conditional=True, problems=("conflict",),
    ),
    Route(
        "DELETE", PATH, "stop_presentation", stop,
        "Take the presentation back, or give the own back", TAG, Action.PRESENT,
        (Answer(204, "nobody presents, or somebody else does"),),
        conditional=True, problems=("conflict",),
    ),
)  # fmt: skip
