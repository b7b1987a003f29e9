"""A conference in a daemon that several tests share, and what is said of it on the event stream."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from types import TracebackType
from typing import Any, Self

import aiohttp
import numpy as np
from PIL import Image

from mcu.bridge.event_source import EventParser
from mixer.video.composer import Composer, Scene
from mixer.video.layout import LAYOUTS
from mixer.video.tile import EMPTY_TILE, Tile
from tests.peers.daemon import ADMIN_TOKEN, Daemon
from tests.peers.waiting import TIMEOUT_S, until_read

_numbers = itertools.count(1)

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Meeting:
    """A running conference.

    Args:
        id: of the conference. unit: its own, made for it. tokens: of its bridges, by id.
    """

    daemon: Daemon
    id: str
    unit: str
    tokens: Mapping[str, str]

    @property
    def path(self) -> str:
        """Below ``/api/v1``."""
        return f"/conferences/{self.id}"

    async def roster(self) -> dict[str, Any]:
        """The participants by id."""
        found = await self.daemon.call("GET", f"{self.path}/participants")
        return {participant["id"]: participant for participant in found["items"]}

    async def until_roster(
        self, reached: Callable[[dict[str, Any]], bool], timeout_s: float = TIMEOUT_S
    ) -> dict[str, Any]:
        """The roster as soon as it is as expected."""
        return await until_read(self.roster, reached, timeout_s=timeout_s)

    async def until_states(self, timeout_s: float = TIMEOUT_S, **states: str) -> dict[str, Any]:
        """The roster as soon as those rooms have those states (``_`` in names stands for ``-``)."""
        wanted = {name.replace("_", "-"): state for name, state in states.items()}
        return await self.until_roster(
            lambda roster: all(roster[who]["state"] == wanted[who] for who in wanted), timeout_s
        )

    async def leg(self, leg: str) -> dict[str, Any]:
        """Statistics of a leg."""
        found: dict[str, Any] = await self.daemon.call("GET", f"/legs/{leg}")
        return found

    async def arrange(self, layout: str, *bridges: str, views: tuple[str, ...] = ("main",)) -> None:
        """A layout with these bridges in its first slots and nobody in the others."""
        slots: list[dict[str, Any]] = [{"participant": bridge} for bridge in bridges]
        slots += [{}] * (len(LAYOUTS[layout].slots) - len(slots))
        for view in views:
            body = {"view": view, "layout": layout, "slots": slots}
            await self.daemon.call("PUT", f"{self.path}/layout", body)

    async def picture(self, view: str = "main") -> Image.Image:
        """The composed picture as REST gives it."""
        return await read_picture(self.daemon, f"{self.path}/views/{view}.jpg")

    async def picture_of(self, participant: str) -> Image.Image:
        """What a participant sends, as REST gives it."""
        return await read_picture(
            self.daemon, f"{self.path}/participants/{participant}/picture.jpg"
        )


@asynccontextmanager
async def meeting(
    daemon: Daemon, bridges: Mapping[str, str], **conference: Any
) -> AsyncIterator[Meeting]:
    """A conference of bridges (id -> name), ended at the end; ids must be new to the daemon."""
    unit = f"tinh-{next(_numbers)}"
    await daemon.call("POST", "/units", {"id": unit, "name": "Tỉnh", "level": "province"})
    tokens = {}
    for bridge, name in bridges.items():
        body = {"id": bridge, "name": name, "unit": unit, "kind": "webrtc"}
        await daemon.call("POST", "/bridges", body)
        tokens[bridge] = (await daemon.call("POST", f"/bridges/{bridge}/token"))["token"]
    body = {"name": "Họp", "unit": unit, "bridges": list(bridges), **conference}
    found = await daemon.call("POST", "/conferences", body)
    try:
        yield Meeting(daemon, found["id"], unit, tokens)
    finally:
        await daemon.call("DELETE", f"/conferences/{found['id']}")


async def read_picture(daemon: Daemon, path: str) -> Image.Image:
    """A JPEG of the API, decoded."""
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.get(f"{daemon.url}/api/v1{path}") as response,
    ):
        body = await response.read()
        assert response.status == 200, body
        assert response.content_type == "image/jpeg"
    return decode(body)


def decode(jpeg: bytes) -> Image.Image:
    """RGB."""
    return Image.open(BytesIO(jpeg)).convert("RGB")


def mean_rgb(picture: Image.Image, x: float, y: float, size: int = 16) -> tuple[int, int, int]:
    """Mean colour around a point given in 0-1 coordinates."""
    left = round(x * picture.width) - size // 2
    top = round(y * picture.height) - size // 2
    part = picture.crop((left, top, left + size, top + size)).resize((1, 1), Image.Resampling.BOX)
    red, green, blue = part.getpixel((0, 0))  # type: ignore[misc]
    return int(red), int(green), int(blue)


def difference(picture: Image.Image, slot: int, tile: Tile) -> float:
    """Mean difference of a slot of 2x2 from a tile as the composer draws it, 0-255."""
    composer = Composer(picture.width, picture.height)
    tiles = [EMPTY_TILE] * 4
    tiles[slot] = tile
    composer.compose(Scene("2x2", tuple(tiles)), 0)
    drawn = composer.canvases[0].frame().to_ndarray(format="rgb24").astype(np.int16)
    place = composer.rects("2x2")[slot]
    part = (slice(place.y, place.bottom), slice(place.x, place.right))
    return float(np.abs(np.asarray(picture, np.int16)[part] - drawn[part]).mean())


@dataclass(slots=True)
class EventLog:
    """Everything said of a conference while it is open; an async context manager."""

    meeting: Meeting
    seen: list[Event] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _reading: asyncio.Task[None] | None = None
    _open: asyncio.Event = field(default_factory=asyncio.Event)

    async def __aenter__(self) -> Self:
        self._reading = asyncio.create_task(self._read())
        opened = asyncio.create_task(self._open.wait())
        await asyncio.wait({opened, self._reading}, return_when=asyncio.FIRST_COMPLETED)
        opened.cancel()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._reading is not None
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def wait_for(
        self,
        type_: str,
        matches: Callable[[Any], bool] = lambda data: True,
        *,
        after: int = 0,
        timeout_s: float = TIMEOUT_S,
    ) -> Event:
        """The first event of this type whose data matches, from number ``after`` of ``seen`` on."""
        async with asyncio.timeout(timeout_s):
            while True:
                for event in self.seen[after:]:
                    if event["type"] == type_ and matches(event["data"]):
                        return event
                assert self._reading is not None
                if self._reading.done():
                    raise AssertionError("the event stream has ended") from (
                        self._reading.exception()
                    )
                self._news.clear()
                await self._news.wait()

    async def _read(self) -> None:
        parser = EventParser()
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.get(
                f"{self.meeting.daemon.url}/api/v1/events",
                params={"conference": self.meeting.id},
                timeout=aiohttp.ClientTimeout(total=None),
            ) as response,
        ):
            assert response.status == 200
            self._open.set()
            async for chunk in response.content.iter_any():
                for data in parser.feed(chunk):
                    self.seen.append(json.loads(data))
                self._news.set()
        self._news.set()
