"""The wall with real media: the colour of a room in its thumbnail; who stops is marked."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from PIL import Image

from mcu.bridge.picture import background_rgb
from tests.peers.coded_media import BLUE, RED
from tests.peers.daemon import ADMIN_TOKEN, Daemon
from tests.peers.generator_rooms import GeneratorRooms
from tests.peers.meeting import Meeting, decode, mean_rgb, meeting, read_picture
from tests.peers.software_bridge import SoftwareBridge
from tests.peers.waiting import until_read

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

Rgb = tuple[int, int, int]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def daemon(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Daemon]:
    # Alarms look at hidden rooms in turn, and would ask them for pictures of their own.
    quiet = {"MCU_ALARMS__ENABLED": "false"}
    async with Daemon(tmp_path_factory.mktemp("wall") / "data", environment=quiet) as daemon:
        yield daemon


class Wall:
    """One who looks: the newest picture of each room, and which are stale."""

    def __init__(self) -> None:
        self.pictures: dict[str, Image.Image] = {}
        self.counts: dict[str, int] = {}
        self.stale: list[str] = []
        self._news = asyncio.Event()

    def take(self, event: str, data: dict[str, Any]) -> None:
        if event == "stale":
            self.stale = data["participants"]
        else:
            who = data["participant"]
            self.pictures[who] = decode(base64.b64decode(data["jpeg"]))
            self.counts[who] = self.counts.get(who, 0) + 1
        self._news.set()

    async def until(self, reached: Callable[[], bool], timeout_s: float = 60.0) -> None:
        async with asyncio.timeout(timeout_s):
            while not reached():
                self._news.clear()
                await self._news.wait()

    def looks(self, who: str, colour: Rgb) -> bool:
        if who not in self.pictures:
            return False
        found = mean_rgb(self.pictures[who], 0.08, 0.1, 8)
        return all(abs(one - two) <= 16 for one, two in zip(found, colour, strict=True))

    def strongest(self, who: str, channel: int) -> bool:
        if who not in self.pictures:
            return False
        found = mean_rgb(self.pictures[who], 0.5, 0.5)
        return all(found[channel] > found[one] + 40 for one in range(3) if one != channel)


@asynccontextmanager
async def looking(held: Meeting, query: str = "") -> AsyncIterator[Wall]:
    wall = Wall()
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    url = f"{held.daemon.url}/api/v1{held.path}/wall/pictures{query}"

    async def read(response: aiohttp.ClientResponse) -> None:
        event = ""
        async for raw in response.content:
            line = raw.decode().rstrip("\n")
            if line.startswith("event: "):
                event = line[7:]
            elif line.startswith("data: "):
                wall.take(event, json.loads(line[6:]))

    timeout = aiohttp.ClientTimeout(total=None)
    async with (
        aiohttp.ClientSession(headers=headers, read_bufsize=1 << 20) as http,
        http.get(url, timeout=timeout) as response,
    ):
        assert response.status == 200
        reading = asyncio.create_task(read(response))
        try:
            yield wall
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def test_every_room_is_seen_and_who_stops_is_marked(daemon: Daemon) -> None:
    names = {"hien": "Xã Hiện", "an": "Phường Ẩn", "khac": "Xã Khác", "xem": "Xã Xem"}
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(meeting(daemon, names))
        rooms = await stack.enter_async_context(GeneratorRooms(daemon.url))
        await held.arrange("1x1", "hien")
        seen = await rooms.join(held.id, held.tokens["hien"], colour=RED)
        await rooms.join(held.id, held.tokens["xem"])
        await rooms.join(held.id, held.tokens["khac"], colour=BLUE)
        bridge = await stack.enter_async_context(SoftwareBridge(daemon.url, held.tokens["an"]))
        await bridge.until_said(f"{names['an']}: connected")
        tiles = (await daemon.call("GET", f"{held.path}/wall"))["items"]
        assert all(tile["picture"] is None for tile in tiles), "nobody has looked"

        async with looking(held) as wall:
            # In the view; hidden and sending what it is asked to; hidden and deaf to that.
            await wall.until(lambda: wall.strongest("hien", 0))
            await wall.until(lambda: wall.looks("an", background_rgb(names["an"])))
            await wall.until(lambda: wall.strongest("khac", 2))
            before = dict(wall.counts)
            await wall.until(lambda: wall.counts["an"] >= before["an"] + 5)
            await wall.until(lambda: wall.counts["hien"] >= before["hien"] + 5)
            assert wall.counts["khac"] <= before["khac"] + 2, "key frames now and then"
            one = await read_picture(daemon, f"{held.path}/wall/khac.jpg")
            assert one.size == (192, 108)

            seen.leg.pictures = None
            await wall.until(lambda: "hien" in wall.stale)
            tiles = (await daemon.call("GET", f"{held.path}/wall"))["items"]
            assert tiles[0]["participant"] == "hien", "trouble first"
            assert tiles[0]["troubles"] == ["stale"]
            assert tiles[0]["picture"]["stale"] is True

        # Nobody looks: rooms are paused again, nothing is decoded any more.
        async def picture_of_hidden() -> Any:
            found = (await daemon.call("GET", f"{held.path}/wall?participants=an"))["items"]
            return found[0]["picture"]

        await until_read(picture_of_hidden, lambda picture: picture is None)


async def test_one_page_of_rooms_is_all_that_is_made(daemon: Daemon) -> None:
    names = {"mot": "Xã Một", "hai": "Xã Hai"}
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(meeting(daemon, names))
        rooms = await stack.enter_async_context(GeneratorRooms(daemon.url))
        for who, colour in (("mot", RED), ("hai", BLUE)):
            await rooms.join(held.id, held.tokens[who], colour=colour)
        async with looking(held, "?participants=mot") as wall:
            await wall.until(lambda: wall.strongest("mot", 0))
            tiles = (await daemon.call("GET", f"{held.path}/wall"))["items"]
            pictures = {tile["participant"]: tile["picture"] for tile in tiles}
            assert pictures["mot"] is not None
            assert pictures["hai"] is None
        assert set(wall.pictures) == {"mot"}
