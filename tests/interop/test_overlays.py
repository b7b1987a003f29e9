"""Overlays with real media: they are in the picture that rooms get, and go again."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.peers.coded_media import BLUE
from tests.peers.daemon import Daemon
from tests.peers.generator_rooms import GeneratorRooms
from tests.peers.meeting import EventLog, meeting
from tests.peers.waiting import until_read

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(180)]


def top_left(picture: Image.Image) -> np.ndarray:
    """Where an overlay at the top left stands."""
    part = picture.convert("L").crop((0, 0, picture.width // 2, picture.height // 10))
    return np.asarray(part).astype(int)


def bright(picture: Image.Image) -> int:
    """Pixels of letters there: the picture itself is dark blue."""
    return int((top_left(picture) > 190).sum())


async def test_a_text_and_the_floors_countdown_are_seen_and_go_again(tmp_path: Path) -> None:
    names = {"nui": "Xã Núi", "bien": "Phường Biển"}
    async with (
        Daemon(tmp_path / "data") as daemon,
        meeting(daemon, names) as held,
        GeneratorRooms(daemon.url) as rooms,
        EventLog(held) as log,
    ):
        await held.arrange("1x1", "nui")
        await rooms.join(held.id, held.tokens["nui"], colour=BLUE)
        await rooms.join(held.id, held.tokens["bien"])
        await until_read(held.picture, lambda picture: top_left(picture).mean() < 110)
        assert bright(await held.picture()) == 0
        path = f"{held.path}/overlays"
        body = {"text": "Kỳ họp thứ nhất", "position": "top-left"}
        await daemon.call("POST", path, body)
        await until_read(held.picture, lambda picture: bright(picture) > 300)
        assert bright(await held.picture("chair")) > 300, "on every view"
        await daemon.call("DELETE", f"{path}/1")
        await until_read(held.picture, lambda picture: bright(picture) == 0)

        await daemon.call("POST", path, {"kind": "floor", "position": "top-left", "view": "main"})
        assert bright(await held.picture()) == 0, "nobody has the floor"
        floor = {"participant": "nui", "time_limit_s": 600, "picture": "none"}
        await daemon.call("PUT", f"{held.path}/floor", floor)
        first = await until_read(held.picture, lambda picture: bright(picture) > 200)
        shown = top_left(first)
        # It counts: the digits change, what stands before them does not.
        later = await until_read(
            held.picture, lambda one: bool((np.abs(top_left(one) - shown) > 90).sum() > 20)
        )
        columns = np.nonzero((np.abs(top_left(later) - shown) > 90).any(axis=0))[0]
        assert np.ptp(columns) < later.width // 8
        await daemon.call("DELETE", f"{held.path}/floor")
        await until_read(held.picture, lambda picture: bright(picture) == 0)
        pinned = await log.wait_for(
            "overlay.pinned", lambda data: data["overlay"]["kind"] == "floor"
        )
        assert pinned["data"]["overlay"]["number"] == 2
        await log.wait_for("overlay.removed", lambda data: data["number"] == 1)
