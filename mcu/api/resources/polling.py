"""What the chair looks at without others seeing it: one room, or rooms in turn."""

from dataclasses import replace
from typing import Final

from aiohttp import web

from mcu.api.call import Call, json_response, no_content
from mcu.api.etag import content_tag
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
from mcu.api.schemas.conference import PollingRun
from mcu.api.schemas.polling import NewChairView, NewPolling, PollingChange, PollingSkip
from mcu.conference.chair_view_model import StartChairView, StopChairView
from mcu.conference.polling_model import (
    PausePolling,
    PollingCommand,
    ResumePolling,
    SkipPolling,
    StartPolling,
    StopPolling,
)
from mcu.conference.procedure_resources import polling_resource
from mcu.conference.state import ConferenceState

TAG: Final = "steering"
PATH: Final = f"{BASE}/conferences/{{conference}}"


async def start_chair_view(call: Call) -> web.Response:
    """Show one participant to the chair alone."""
    return await steer_whole(call, StartChairView(call.body(NewChairView).participant))


async def stop_chair_view(call: Call) -> web.Response:
    """Back to the chair's layout."""
    return await steer(call, StopChairView(), lambda _: no_content())


async def read_polling(call: Call) -> web.Response:
    """Who is shown now, and until when."""
    state = await conference_of(call)
    call.reach.require_conference(Action.SEE_VIEW, state, "see what is polled")
    return _answer(state)


async def start_polling(call: Call) -> web.Response:
    """Show rooms in turn."""
    new = call.body(NewPolling)
    scope = new.scope if isinstance(new.scope, str) else tuple(new.scope)
    return await _poll(call, StartPolling(new.interval_s, scope, tuple(new.except_), new.view))


async def change_polling(call: Call) -> web.Response:
    """Stay with who is shown, or go on."""
    paused = call.body(PollingChange).paused
    return await _poll(call, PausePolling() if paused else ResumePolling())


async def skip_polling(call: Call) -> web.Response:
    """Show the next one now."""
    return await _poll(call, SkipPolling(call.body(PollingSkip).participant))


async def stop_polling(call: Call) -> web.Response:
    """Back to the view's layout."""
    return await steer(call, StopPolling(), lambda _: no_content(), _tag)


async def _poll(call: Call, command: PollingCommand) -> web.Response:
    return await steer(call, command, _answer, _tag)


def _tag(state: ConferenceState) -> str:
    """Of what was asked for: whose turn it is changes by itself, and changes no tag."""
    polling = state.polling
    if polling is None:
        return content_tag(None)
    asked = replace(polling, participant=None, due=None, left_s=None)
    return content_tag(polling_resource(asked))


def _answer(state: ConferenceState) -> web.Response:
    if state.polling is None:
        raise not_found("polling of conference", state.id)
    document = PollingRun.model_validate(polling_resource(state.polling))
    return json_response(document, version=_tag(state))


_POLLING: Final = (Answer(200, "the polling now", PollingRun, headers=(ETAG_HEADER,)),)

ROUTES: Final = (
    Route(
        "PUT", f"{PATH}/chair-view", "start_chair_view", start_chair_view,
        "Show one participant to the chair alone", TAG, Action.CONTROL_CONFERENCES,
        CONFERENCE_NOW,
        body=Body(NewChairView), conditional=True, problems=("conflict",),
    ),
    Route(
        "DELETE", f"{PATH}/chair-view", "stop_chair_view", stop_chair_view,
        "Back to the chair's layout", TAG, Action.CONTROL_CONFERENCES,
        (Answer(204, "stopped"),), conditional=True, problems=("conflict",),
    ),
    Route(
        "GET", f"{PATH}/polling", "read_polling", read_polling,
        "Who is polled now, and until when", TAG, Action.SEE_VIEW, _POLLING,
    ),
    Route(
        "PUT", f"{PATH}/polling", "start_polling", start_polling,
        "Show rooms in turn by a timer", TAG, Action.CONTROL_CONFERENCES,
        _POLLING, body=Body(NewPolling), conditional=True, problems=("conflict",),
    ),
    Route(
        "PATCH", f"{PATH}/polling", "change_polling", change_polling,
        "Pause the polling, or go on", TAG, Action.CONTROL_CONFERENCES,
        _POLLING, body=Body(PollingChange), conditional=True, problems=("conflict",),
    ),
    Route(
        "POST", f"{PATH}/polling/skip", "skip_polling", skip_polling,
        "Show the next one now", TAG, Action.CONTROL_CONFERENCES,
        _POLLING, body=Body(PollingSkip, required=False), conditional=True,
    ),
    Route(
        "DELETE", f"{PATH}/polling", "stop_polling", stop_polling,
        "Back to the view's layout", TAG, Action.CONTROL_CONFERENCES,
        (Answer(204, "stopped"),), conditional=True, problems=("conflict",),
    ),
)  # fmt: skip
