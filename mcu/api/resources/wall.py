"""The wall of live thumbnails: all rooms at a glance, trouble first."""

import asyncio
from typing import Final

import structlog
from aiohttp import hdrs, web

from mcu.api.call import Call, json_response
from mcu.api.csv_table import CSV_TYPE, csv_response, wants_csv
from mcu.api.event_stream import counted, require_room
from mcu.api.openapi import ETAG_HEADER
from mcu.api.problem import Problem
from mcu.api.reach import participant_of, require_running
from mcu.api.resources.conferences import conference_of
from mcu.api.resources.events import EVENT_STREAM, RETRY_MS
from mcu.api.rights import Action
from mcu.api.route import BASE, Answer, Route
from mcu.api.schemas.base import Page
from mcu.api.schemas.wall import WallQuery, WallTile
from mcu.api.slices import in_slices
from mcu.api.wall_stream import PictureTexts, WallStream, seen_of
from mcu.api.wall_tiles import alarms_of, ordered, tile_of
from mcu.sentences import sentence

log = structlog.get_logger(__name__)

TAG: Final = "wall"
JPEG: Final = "image/jpeg"
PATH: Final = f"{BASE}/conferences/{{conference}}/wall"
PATIENCE_S: Final = 4.0
"""A room that has just begun to be looked at needs a moment for its first picture."""
LOOK_AGAIN_S: Final = 0.1

COLUMNS: Final = (
    "participant", "label", "unit", "state", "troubles", "audio_muted", "video_muted", "level_db",
    "speaking", "visible", "grade", "alarms", "picture_taken_at", "picture_stale",
)  # fmt: skip

_TEXTS: Final[web.AppKey[PictureTexts]] = web.AppKey("wall_texts", PictureTexts)


async def read_wall(call: Call) -> web.Response:
    """Every room with how it stands; as JSON or CSV."""
    state = await conference_of(call)
    seen = seen_of(call.reach, state, call.query(WallQuery).chosen())
    services = call.services
    pictures = services.wall.known(state.id)
    now, wall = services.monotonic(), services.now()
    alarms = alarms_of(state)
    chosen = [who for who in state.participants.values() if who.id in seen]
    tiles = ordered(
        await in_slices(
            chosen,
            lambda who: tile_of(
                who,
                services.live.live(state.id, who.id),
                pictures.get(who.id),
                now,
                wall,
                alarms.get(who.id, ()),
            ),
        )
    )
    if not wants_csv(call):
        return json_response(Page[WallTile](items=tiles))
    rows = []
    for tile in tiles:
        picture = tile.picture
        taken = (None, None) if picture is None else (picture.taken_at, picture.stale)
        rows.append(
            (
                tile.participant, tile.label, tile.unit, tile.state, " ".join(tile.troubles),
                tile.audio_muted, tile.video_muted, tile.level_db, tile.speaking, tile.visible,
                tile.grade, " ".join(tile.alarms), *taken,
            )
        )  # fmt: skip
    return csv_response(f"wall-{state.id}", COLUMNS, rows)


async def read_thumbnail(call: Call) -> web.Response:
    """One room's newest thumbnail; asking for it is looking at it for some seconds."""
    state = await conference_of(call)
    who = participant_of(state, call.path("participant"))
    call.reach.require_participant(Action.SEE_PARTICIPANT, state, who, "see")
    services = call.services
    ends = asyncio.get_running_loop().time() + PATIENCE_S
    while True:
        picture = services.wall.look(state.id, (who.id,), services.monotonic()).get(who.id)
        if picture is not None or not who.legs:
            break
        if asyncio.get_running_loop().time() >= ends:
            break
        await asyncio.sleep(LOOK_AGAIN_S)
    if picture is None:
        raise Problem(
            "not-found", sentence("picture.not-sent", name=who.label or who.name, id=who.id)
        )
    headers = {hdrs.ETAG: f'"{picture.digest}"', hdrs.CACHE_CONTROL: "private, no-cache"}
    known = call.request.if_none_match
    if known is not None and any(tag.value in (picture.digest, "*") for tag in known):
        return web.Response(status=304, headers=headers)
    return web.Response(body=picture.jpeg, content_type=JPEG, headers=headers)


async def wall_pictures(call: Call) -> web.StreamResponse:
    """New thumbnails as server-sent events until somebody hangs up."""
    state = await conference_of(call)
    call.reach.require_conference(Action.SEE_PARTICIPANT, state, "see the rooms")
    require_running(state)
    require_room(call)
    texts = call.request.app[_TEXTS]
    stream = WallStream(call, state.id, call.query(WallQuery).chosen(), texts)
    response = web.StreamResponse(
        headers={
            hdrs.CONTENT_TYPE: EVENT_STREAM,
            hdrs.CACHE_CONTROL: "no-store",
            "X-Accel-Buffering": "no",
        }
    )
    with counted(call, "wall", stream):
        await response.prepare(call.request)
        try:
            await response.write(f"retry: {RETRY_MS}\n: wall\n\n".encode())
            await stream.run(response)
        except (ConnectionError, TimeoutError):
            # The client is gone, or takes nothing: it opens the wall again where it lives.
            response.force_close()
        except Exception:
            # The head is out: a problem cannot be answered any more.
            log.exception("wall stream failed")
            response.force_close()
    if not any(isinstance(one, WallStream) for one in call.api.streams):
        texts.clear()
    return response


def keep_texts(app: web.Application) -> None:
    """Where texts of pictures are shared by all who look."""
    app[_TEXTS] = PictureTexts()


ROUTES: Final = (
    Route(
        "GET", PATH, "read_wall", read_wall,
        "Every room with how it stands, trouble first", TAG, Action.SEE_PARTICIPANT,
        (Answer(200, "the rooms", Page[WallTile], other_types=(CSV_TYPE,)),),
        query=WallQuery,
    ),
    Route(
        "GET", f"{PATH}.csv", "export_wall", read_wall,
        "Every room with how it stands, trouble first, as a table", TAG, Action.SEE_PARTICIPANT,
        (Answer(200, "a row for each room", media_type=CSV_TYPE),), query=WallQuery,
    ),
    Route(
        "GET", f"{PATH}/pictures", "wall_pictures", wall_pictures,
        "Thumbnails of the rooms as they come (server-sent events)", TAG, Action.SEE_PARTICIPANT,
        (Answer(200, "a stream without an end", media_type=EVENT_STREAM),),
        query=WallQuery, problems=("conflict", "unavailable"), stream=True,
    ),
    Route(
        "GET", f"{PATH}/{{participant}}.jpg", "read_thumbnail", read_thumbnail,
        "One room's newest thumbnail", TAG, Action.SEE_PARTICIPANT,
        (
            Answer(200, "the picture", media_type=JPEG, headers=(ETAG_HEADER,)),
            Answer(304, "the picture of If-None-Match is the newest"),
        ),
    ),
)  # fmt: skip
