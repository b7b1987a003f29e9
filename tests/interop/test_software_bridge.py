"""``mcu bridge`` as a process against the real daemon."""

import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import pytest_asyncio
from PIL import Image

from mcu.bridge.picture import background_rgb
from mcu.bridge.sound import tone_of
from tests.peers.daemon import ADMIN_TOKEN, Daemon
from tests.peers.generator_rooms import GeneratorRooms
from tests.peers.meeting import Meeting, mean_rgb, meeting
from tests.peers.software_bridge import SoftwareBridge
from tests.peers.waiting import until, until_read

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

QUICK_S = 8.0
"""A bridge that takes longer to stop waits for something that never comes."""
FILE_YUV = (150, 60, 170)
FILE_TONE_HZ = 700.0


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def daemon(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Daemon]:
    # Alarms look at hidden rooms in turn, and would ask them for pictures of their own.
    quiet = {"MCU_ALARMS__ENABLED": "false"}
    async with Daemon(tmp_path_factory.mktemp("bridge") / "data", environment=quiet) as daemon:
        yield daemon


def near(found: tuple[int, int, int], wanted: tuple[int, int, int], tolerance: int = 12) -> bool:
    return all(abs(one - two) <= tolerance for one, two in zip(found, wanted, strict=True))


async def until_paused(held: Meeting, leg: str) -> None:
    """Until no more than a picture now and then comes from a room."""
    counts = [0]

    async def frames() -> int:
        counts.append((await held.leg(leg))["received"]["video"]["frames"])
        return counts[-1] - counts[-2]

    await until_read(frames, lambda more: more <= 2, every_s=1.5)


async def test_it_is_seen_and_heard_and_sends_what_its_place_shows(daemon: Daemon) -> None:
    name = "Phường Nha Trang"
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(
            meeting(daemon, {"nha-trang": name, "nghe": "Xã Diên Khánh"})
        )
        rooms = await stack.enter_async_context(GeneratorRooms(daemon.url))
        await held.arrange("2x2", "nha-trang")
        listener = await rooms.join(held.id, held.tokens["nghe"], decodes=True)
        bridge = await stack.enter_async_context(
            SoftwareBridge(daemon.url, held.tokens["nha-trang"])
        )
        await bridge.until_said(f"{name}: connected")

        colour = background_rgb(name)
        picture = await until_read(
            held.picture, lambda picture: near(mean_rgb(picture, 0.05, 0.06), colour)
        )
        assert near(mean_rgb(picture, 0.45, 0.2), colour)
        assert not near(mean_rgb(picture, 0.75, 0.2), colour)
        await until(lambda: listener.heard_db(tone_of(name)) > 60, 0.05)
        roster = await held.until_roster(
            lambda found: (found["nha-trang"]["level_db"] or -127) > -30
        )
        assert roster["nha-trang"]["speaking"] is True
        assert roster["nha-trang"]["visible"] is True

        leg = roster["nha-trang"]["legs"][0]
        # Nobody sees it: a picture now and then.
        await held.arrange("1x1", "nghe")
        await until_paused(held, leg)

        # What it sends has the size of its place: 640x360 in 2x2, 320x180 in 4x4, 720p alone.
        for layout, size in (("2x2", (640, 360)), ("4x4", (320, 180)), ("1x1", (1280, 720))):
            await held.arrange(layout, "nha-trang")
            picture = await until_read(
                lambda: held.picture_of("nha-trang"),
                lambda picture, size=size: picture.size == size,  # type: ignore[misc]
            )
            assert near(mean_rgb(picture, 0.05, 0.06), colour)

        # Disconnected by the operator it stays out, and comes when it is put on the roster anew.
        await daemon.call("DELETE", f"/legs/{leg}")
        at = await bridge.until_said("out (disconnected by the operator)")
        assert (await held.roster())["nha-trang"]["state"] == "left"
        await daemon.call("DELETE", f"{held.path}/participants/nha-trang")
        await daemon.call("POST", f"{held.path}/participants", {"bridge": "nha-trang"})
        await bridge.until_said(f"{name}: connected", after=at)
        await held.until_states(nha_trang="connected")
        code, seconds = await bridge.stop(signal.SIGINT)
        assert (code, seconds < QUICK_S) == (0, True)
        assert (await held.roster())["nha-trang"]["state"] == "left"


async def test_it_waits_for_the_daemon_and_comes_back_after_kill_9(tmp_path: Path) -> None:
    name = "Xã Vạn Ninh"
    async with AsyncExitStack() as stack:
        daemon = await stack.enter_async_context(Daemon(tmp_path / "data"))
        held = await stack.enter_async_context(meeting(daemon, {"van-ninh": name}))
        await daemon.stop()
        bridge = await stack.enter_async_context(
            SoftwareBridge(daemon.url, held.tokens["van-ninh"])
        )
        await bridge.until_said("waiting for the daemon")
        await daemon.start()
        at = await bridge.until_said(f"{name}: connected")
        first = (await held.until_states(van_ninh="connected"))["van-ninh"]["legs"]

        await daemon.kill()
        await daemon.start()
        at = await bridge.until_said(f"{name}: retrying", after=at)
        await bridge.until_said(f"{name}: connected", after=at)
        roster = await held.until_states(van_ninh="connected")
        assert len(roster["van-ninh"]["legs"]) == 1
        assert roster["van-ninh"]["legs"] != first
        await until_read(
            held.picture, lambda picture: near(mean_rgb(picture, 0.05, 0.06), background_rgb(name))
        )

        code, seconds = await bridge.stop(signal.SIGTERM)
        assert (code, seconds < QUICK_S) == (0, True)
        assert (await held.roster())["van-ninh"]["state"] == "left"
        assert (await daemon.metrics()).get('mcu_legs{kind="join",state="connected"}', 0) == 0


async def test_a_wrong_token_ends_it_with_a_sentence(daemon: Daemon) -> None:
    async with SoftwareBridge(daemon.url, "mcu_wrong_0123456789") as bridge:
        assert await bridge.ended() == 1
    (line,) = bridge.said
    assert line.startswith("mcu bridge: ")
    assert "token" in line


def write_film(path: Path) -> None:
    """Half a second of one colour and one tone."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
        sound = container.add_stream("aac", rate=48_000, layout="mono")
        planes = np.empty((270, 320), np.uint8)
        planes[:180] = FILE_YUV[0]
        planes[180:225], planes[225:] = FILE_YUV[1], FILE_YUV[2]
        for _ in range(5):
            container.mux(video.encode(av.VideoFrame.from_ndarray(planes, "yuv420p")))
        container.mux(video.encode(None))
        t = np.arange(24_000) / 48_000
        wave = (np.sin(2 * np.pi * FILE_TONE_HZ * t) * 8000).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(wave.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))


def film_rgb() -> tuple[int, int, int]:
    planes = np.empty((24, 16), np.uint8)
    planes[:16] = FILE_YUV[0]
    planes[16:20], planes[20:] = FILE_YUV[1], FILE_YUV[2]
    frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
    return mean_rgb(Image.fromarray(frame.to_ndarray(format="rgb24")), 0.5, 0.5, 8)


async def test_several_rooms_of_one_process_play_files(daemon: Daemon, tmp_path: Path) -> None:
    film = tmp_path / "phim.mkv"
    write_film(film)
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(
            meeting(daemon, {"van-gia": "Thị trấn Vạn Giã", "nghe-2": "Xã Diên Khánh"})
        )
        rooms = await stack.enter_async_context(GeneratorRooms(daemon.url))
        listener = await rooms.join(held.id, held.tokens["nghe-2"], decodes=True)
        bridge = await stack.enter_async_context(
            SoftwareBridge(
                daemon.url,
                ADMIN_TOKEN,
                *("--video", str(film), "--audio", str(film), "--count", "2"),
            )
        )
        await bridge.until_said("[2/2 in]")
        roster = await held.until_roster(lambda found: len(found) == 3)
        (guest,) = [one for one in roster.values() if one["bridge"] is None]
        assert guest["name"] == "guest 1"
        assert {one["state"] for one in roster.values()} == {"connected"}
        await held.arrange("2x2", "van-gia", guest["id"])
        for x in (0.25, 0.75):
            await until_read(
                held.picture,
                lambda picture, x=x: near(mean_rgb(picture, x, 0.2), film_rgb()),  # type: ignore[misc]
            )
        await until(lambda: listener.heard_db(FILE_TONE_HZ) > 60, 0.05)
        # A guest is told the size of its place as rooms are.
        await held.arrange("4x4", guest["id"])
        await until_read(
            lambda: held.picture_of(guest["id"]), lambda picture: picture.size == (320, 180)
        )
        code, seconds = await bridge.stop()
        assert (code, seconds < QUICK_S) == (0, True)
        roster = await held.roster()
        assert [roster[who]["state"] for who in ("van-gia", guest["id"])] == ["left", "left"]
