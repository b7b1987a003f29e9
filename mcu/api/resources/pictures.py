"""Pictures of now: of a composed view, of what one participant sends."""

from typing import Final

from aiohttp import hdrs, web

from mcu.api.call import Call
from mcu.api.problem import Problem, not_found
from mcu.api.reach import participant_of
from mcu.api.resources.conferences import conference_of
from mcu.api.rights import Action
from mcu.api.route import BASE, Answer, Route
from mcu.sentences import sentence

TAG: Final = "pictures"
JPEG: Final = "image/jpeg"
PATH: Final = f"{BASE}/conferences/{{conference}}"


async def view_picture(call: Call) -> web.Response:
    """The composed picture."""
    state = await conference_of(call)
    call.reach.require_conference(Action.SEE_VIEW, state, "see views")
    view = call.path("view")
    if view not in state.views:
        raise not_found("view", view)
    return _jpeg(await call.services.pictures.view_picture(state.id, view), f"The view {view!r}")


async def participant_picture(call: Call) -> web.Response:
    """What a participant sends."""
    state = await conference_of(call)
    who = participant_of(state, call.path("participant"))
    call.reach.require_participant(Action.SEE_PARTICIPANT, state, who, "see")
    picture = await call.services.pictures.participant_picture(state.id, who.id)
    return _jpeg(picture, f"{who.label or who.name} ({who.id})")


def _jpeg(picture: bytes | None, what: str) -> web.Response:
    if picture is None:
        raise Problem("not-found", sentence("picture.none", what=what))
    return web.Response(body=picture, content_type=JPEG, headers={hdrs.CACHE_CONTROL: "no-store"})


ROUTES: Final = (
    Route(
        "GET", f"{PATH}/views/{{view}}.jpg", "view_picture", view_picture,
        "The composed picture now, with the presentation if there is one", TAG, Action.SEE_VIEW,
        (Answer(200, "the picture", media_type=JPEG),),
    ),
    Route(
        "GET", f"{PATH}/participants/{{participant}}/picture.jpg", "participant_picture",
        participant_picture,
        "What a participant sends now", TAG, Action.SEE_PARTICIPANT,
        (Answer(200, "the picture", media_type=JPEG),),
    ),
)  # fmt: skip
