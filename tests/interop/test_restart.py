"""After ``kill -9`` and a start the conference is there as it was, and its rooms come back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mcu.bridge.client import Client
from mcu.bridge.room import RoomMedia, SoftwareRoom
from tests.peers.chromium_room import RED, ChromiumRoom
from tests.peers.daemon import Daemon

BRIDGES = {"trung-tam": "Trung tâm", "dien-khanh": "Xã Diên Khánh", "van-ninh": "Xã Vạn Ninh"}


@asynccontextmanager
async def software_room(daemon: Daemon, token: str, name: str) -> AsyncIterator[None]:
    """A software room that stays until the block ends."""
    async with Client(daemon.url, token) as client:
        running = asyncio.create_task(SoftwareRoom(client, name, RoomMedia()).run())
        try:
            yield
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def until(
    daemon: Daemon, path: str, reached: Callable[[Any], bool], timeout_s: float = 30.0
) -> Any:
    """Follow the event stream's cause by asking until a resource is as expected."""
    async with asyncio.timeout(timeout_s):
        while True:
            found = await daemon.call("GET", path)
            if reached(found):
                return found
            await asyncio.sleep(0.2)


def states(roster: Any) -> dict[str, str]:
    return {item["id"]: item["state"] for item in roster["items"]}


@pytest.mark.timeout(150)
async def test_a_killed_daemon_finds_its_conference_and_its_rooms_again(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        daemon = await stack.enter_async_context(Daemon(tmp_path / "data"))
        conference, tokens = await daemon.province(BRIDGES, chair="trung-tam")
        path = f"/conferences/{conference}"
        page = await stack.enter_async_context(ChromiumRoom(tmp_path, RED, 440.0))
        await page.page.goto(f"{daemon.url}/join#token={tokens['trung-tam']}&auto=1")
        for bridge in ("dien-khanh", "van-ninh"):
            await stack.enter_async_context(software_room(daemon, tokens[bridge], BRIDGES[bridge]))
        everybody_in = dict.fromkeys(BRIDGES, "connected")
        await until(daemon, f"{path}/participants", lambda r: states(r) == everybody_in)
        slots = [{"participant": "van-ninh"}, {"speaker": 1}, {"participant": "trung-tam"}, {}]
        await daemon.call(
            "PUT", f"{path}/layout", {"view": "main", "layout": "2x2", "slots": slots}
        )
        await daemon.call("PATCH", f"{path}/participants/dien-khanh", {"audio_muted": True})
        before = await daemon.call("GET", path)

        await daemon.kill()
        await daemon.start()

        after = await daemon.call("GET", path)
        for field in ("id", "name", "unit", "state", "chair", "views", "locked", "started_at"):
            assert after[field] == before[field], field
        roster = await until(
            daemon, f"{path}/participants", lambda r: states(r) == everybody_in, 60.0
        )
        muted = {item["id"]: item["audio_muted"] for item in roster["items"]}
        assert muted == {"trung-tam": False, "dien-khanh": True, "van-ninh": False}
        assert {item["role"] for item in roster["items"] if item["id"] == "trung-tam"} == {"chair"}
        # One leg each: nobody stands in the picture twice.
        assert all(len(item["legs"]) == 1 for item in roster["items"])
