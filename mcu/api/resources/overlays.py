"""Texts and countdowns that are pinned to the picture."""

from typing import Final

from aiohttp import web

from mcu.api.call import Call, json_response, no_content
from mcu.api.csv_table import CSV_TYPE, csv_response, wants_csv
from mcu.api.openapi import ETAG_HEADER
from mcu.api.problem import not_found
from mcu.api.resources.conferences import conference_of, controlled, steer
from mcu.api.rights import Action
from mcu.api.route import BASE, Answer, Body, Route
from mcu.api.schemas.base import Page
from mcu.api.schemas.conference import Overlay
from mcu.api.schemas.overlay import NewOverlay
from mcu.conference.overlay_model import PinOverlay, RemoveOverlay
from mcu.conference.procedure_resources import overlay_resource
from mcu.conference.state import ConferenceState

TAG: Final = "overlays"
PATH: Final = f"{BASE}/conferences/{{conference}}/overlays"
COLUMNS: Final = ("number", "kind", "text", "position", "view", "until", "pinned_at")


async def list_overlays(call: Call) -> web.Response:
    """What is pinned now; as JSON or CSV."""
    state = await conference_of(call)
    if not wants_csv(call):
        return _page(state)
    rows = [[overlay_resource(one)[name] for name in COLUMNS] for one in state.overlays]
    return csv_response(f"overlays-{state.id}", COLUMNS, rows)


async def pin_overlay(call: Call) -> web.Response:
    """Pin one; the same once more changes nothing."""
    new = call.body(NewOverlay)
    command = PinOverlay(new.kind, new.text or "", new.position, new.view, new.duration_s)
    return await steer(call, command, lambda now: _page(now, status=201))


async def remove_overlay(call: Call) -> web.Response:
    """Take one away; one that is over already is no error."""
    text = call.path("number")
    state = await controlled(call)
    if not text.isdecimal() or not 0 < int(text[:9]) <= state.overlays_pinned:
        raise not_found("overlay", text)
    return await steer(call, RemoveOverlay(int(text)), lambda _: no_content())


def _page(state: ConferenceState, status: int = 200) -> web.Response:
    items = [Overlay.model_validate(overlay_resource(one)) for one in state.overlays]
    return json_response(Page[Overlay](items=items), status, version=state.version)


_LIST: Final = Page[Overlay]

ROUTES: Final = (
    Route(
        "GET", PATH, "list_overlays", list_overlays,
        "Texts and countdowns that are pinned to the picture", TAG, Action.READ_CONFERENCES,
        (Answer(200, "the overlays", _LIST, headers=(ETAG_HEADER,), other_types=(CSV_TYPE,)),),
    ),
    Route(
        "GET", f"{PATH}.csv", "export_overlays", list_overlays,
        "Texts and countdowns that are pinned to the picture, as a table", TAG,
        Action.READ_CONFERENCES, (Answer(200, "a row for each", media_type=CSV_TYPE),),
    ),
    Route(
        "POST", PATH, "pin_overlay", pin_overlay,
        "Pin a text, or the time that is left of the floor", TAG, Action.CONTROL_CONFERENCES,
        (Answer(201, "all overlays now", _LIST, headers=(ETAG_HEADER,)),),
        body=Body(NewOverlay), conditional=True, problems=("conflict",),
    ),
    Route(
        "DELETE", f"{PATH}/{{number}}", "remove_overlay", remove_overlay,
        "Take an overlay away", TAG, Action.CONTROL_CONFERENCES,
        (Answer(204, "it is not shown any more"),), conditional=True, problems=("conflict",),
    ),
)  # fmt: skip
