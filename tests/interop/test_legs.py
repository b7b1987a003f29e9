"""Legs that are replaced, lost, and come and go, with the real daemon."""

import asyncio
import gc
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

import mcu.daemon
from config.settings import load
from mcu.engine.audio_source import AudioSource
from mcu.engine.video_source import VideoSource
from mcu.engine.view_rendition import ViewRendition
from mcu.legs.webrtc import WebRtcLeg
from mcu.media.srtp import SrtpSession
from mixer.video.tile import Tile
from signalling.webrtc.dtls import DtlsEndpoint
from tests.peers import coded_media
from tests.peers.chromium_room import GREEN, RED, ChromiumRoom, Colour
from tests.peers.daemon import Daemon
from tests.peers.generator_rooms import GeneratorRooms
from tests.peers.meeting import EventLog, Meeting, difference, mean_rgb, meeting
from tests.peers.waiting import until, until_read

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

LOST_AFTER_S = 5.0
LEFT_AFTER_S = 5.0
"""The shortest that the settings allow beside the usual time until a leg is lost."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def daemon(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Daemon]:
    environment = {"MCU_MEDIA__LEFT_AFTER_S": str(LEFT_AFTER_S)}
    data_dir = tmp_path_factory.mktemp("legs") / "data"
    async with Daemon(data_dir, environment=environment) as daemon:
        yield daemon


def tile_centre(slot: int) -> tuple[float, float]:
    """A point of a slot of 2x2, above its label."""
    row, column = divmod(slot, 2)
    return (column + 0.5) / 2, (row + 0.4) / 2


def is_like(found: tuple[int, int, int], colour: Colour, tolerance: int = 40) -> bool:
    return all(abs(one - two) <= tolerance for one, two in zip(found, colour.rgb(), strict=True))


async def test_a_room_that_joins_again_takes_its_own_place(daemon: Daemon, tmp_path: Path) -> None:
    bridges = {"thay-a": "Xã Diên Khánh", "thay-b": "Phường Vĩnh Nguyên"}
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(meeting(daemon, bridges))
        events = await stack.enter_async_context(EventLog(held))
        rooms = await stack.enter_async_context(GeneratorRooms(daemon.url))
        await held.arrange("2x2", *bridges)
        other = await rooms.join(
            held.id, held.tokens["thay-b"], colour=coded_media.BLUE, tone_hz=440, decodes=True
        )
        first = await stack.enter_async_context(ChromiumRoom(tmp_path, RED, 1010.0))
        await first.join(daemon.url, held.id, held.tokens["thay-a"])
        old = (await held.until_states(thay_a="connected", thay_b="connected"))["thay-a"]["legs"]
        red = coded_media.Colour(RED.y, RED.cb, RED.cr)
        await other.until_seen(*tile_centre(0), red)
        await until(lambda: other.heard_db(1010.0) > 60, 0.05)

        second = await stack.enter_async_context(ChromiumRoom(tmp_path, GREEN, 2130.0))
        await second.join(daemon.url, held.id, held.tokens["thay-a"])
        joined = await events.wait_for("participant.joined", lambda data: data["replaced"] == old)
        new = joined["data"]["participant"]["legs"]
        assert len(new) == 1
        assert new != old
        await first.page.wait_for_function(
            "() => room.pc.getReceivers()[0].transport.state === 'closed'"
        )

        # One tile and one voice: the new one's.
        green = coded_media.Colour(GREEN.y, GREEN.cb, GREEN.cr)
        await other.until_seen(*tile_centre(0), green)
        await until(lambda: other.heard_db(2130.0) > 60 > other.heard_db(1010.0) + 20, 0.05)
        picture = await held.picture()
        assert is_like(mean_rgb(picture, *tile_centre(0)), GREEN)
        assert not any(
            is_like(mean_rgb(picture, *tile_centre(slot)), colour)
            for slot in (1, 2, 3)
            for colour in (RED, GREEN)
        )
        roster = await held.roster()
        assert roster["thay-a"]["legs"] == new
        assert roster["thay-a"]["state"] == "connected"
        gone = [
            e["data"] for e in events.seen if e["type"] in ("participant.lost", "participant.left")
        ]
        assert gone == []

        # The other room has noticed nothing.
        assert roster["thay-b"]["legs"] == [other.id]
        reading = await held.leg(other.id)
        assert reading["state"] == "connected"
        assert reading["dropped"] == {}
        assert all(one["packets_lost"] == 0 for one in reading["received"].values())
        assert other.leg.counters.undecryptable == other.leg.counters.decode_errors == 0
        assert (await daemon.metrics())['mcu_legs{kind="join",state="connected"}'] == 2


async def browser_pid(room: ChromiumRoom) -> int:
    """Of the browser process itself, which takes its children with it."""
    assert room.page.context.browser is not None
    session = await room.page.context.browser.new_browser_cdp_session()
    found = await session.send("SystemInfo.getProcessInfo")
    return next(int(one["id"]) for one in found["processInfo"] if one["type"] == "browser")


async def test_a_room_whose_browser_dies_is_lost_and_then_left(
    daemon: Daemon, tmp_path: Path
) -> None:
    bridges = {"mat-a": "Đặc khu Trường Sa", "mat-b": "Phường Vĩnh Nguyên"}
    name = bridges["mat-a"]
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(meeting(daemon, bridges))
        events = await stack.enter_async_context(EventLog(held))
        rooms = await stack.enter_async_context(GeneratorRooms(daemon.url))
        await held.arrange("2x2", *bridges)
        other = await rooms.join(held.id, held.tokens["mat-b"], colour=coded_media.BLUE)
        room = await stack.enter_async_context(ChromiumRoom(tmp_path, RED, 1010.0))
        await room.join(daemon.url, held.id, held.tokens["mat-a"])
        await held.until_states(mat_a="connected", mat_b="connected")
        await until_read(
            held.picture, lambda picture: is_like(mean_rgb(picture, *tile_centre(0)), RED)
        )

        os.kill(await browser_pid(room), signal.SIGKILL)
        killed_at = datetime.now(UTC)
        lost = await events.wait_for("participant.lost")
        assert lost["data"]["participant"]["id"] == "mat-a"
        silent_s = (datetime.fromisoformat(lost["time"]) - killed_at).total_seconds()
        assert LOST_AFTER_S - 1.0 <= silent_s <= LOST_AFTER_S + 2.0
        assert (await held.roster())["mat-a"]["state"] == "lost"
        says_lost = Tile("lost", name)
        picture = await until_read(
            held.picture, lambda picture: difference(picture, 0, says_lost) < 3.0
        )
        assert difference(picture, 0, Tile("no_video", name)) > 6.0
        assert is_like(mean_rgb(picture, *tile_centre(1)), Colour("blue", 70, 200, 100))
        picture.save(tmp_path / "lost.png")

        left = await events.wait_for("participant.left")
        assert left["data"]["reason"] == "timeout"
        gone_s = (
            datetime.fromisoformat(left["time"]) - datetime.fromisoformat(lost["time"])
        ).total_seconds()
        assert LEFT_AFTER_S - 1.0 <= gone_s <= LEFT_AFTER_S + 2.0
        roster = await held.roster()
        assert (roster["mat-a"]["state"], roster["mat-a"]["legs"]) == ("left", [])
        assert roster["mat-b"]["legs"] == [other.id]
        told = Counter(e["type"] for e in events.seen if e["type"].startswith("participant."))
        assert told == {"participant.joined": 2, "participant.lost": 1, "participant.left": 1}


JOINS = 30
WARM_UP = 6


async def belongings(daemon: Daemon) -> dict[str, float]:
    """What the daemon's process holds, by its own account and by the kernel's."""
    metrics = await daemon.metrics()
    process = Path(f"/proc/{daemon.pid}")
    files = [os.readlink(one) for one in (process / "fd").iterdir() if one.is_symlink()]
    held = Counter(name.partition(":")[0] for name in files)
    kinds = ("mcu_legs", "mcu_encoders", "mcu_decoders", "mcu_renditions", "mcu_participants")
    return {
        **{f"file {kind}": count for kind, count in held.items()},
        "threads": len(list((process / "task").iterdir())),
        **{key: value for key, value in metrics.items() if key.startswith(kinds) and value},
    }


async def test_thirty_joins_and_leaves_leave_nothing_behind(daemon: Daemon) -> None:
    bridges = {"vao-ra": "Xã Vạn Ninh", "o-lai": "Xã Diên Khánh"}
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(meeting(daemon, bridges))
        rooms = await stack.enter_async_context(GeneratorRooms(daemon.url))
        stays = await rooms.join(
            held.id, held.tokens["o-lai"], colour=coded_media.BLUE, tone_hz=440, decodes=True
        )
        await held.until_states(o_lai="connected")
        baseline: dict[str, float] = {}
        for number in range(JOINS):
            room = await rooms.join(
                held.id, held.tokens["vao-ra"], colour=coded_media.RED, tone_hz=1010
            )
            if number % 3 == 0:
                # Also legs that were seen and heard before they go.
                frames = room.leg.counters.video_frames
                await until(lambda: room.leg.counters.video_frames > frames + 2, 0.02)  # noqa: B023
            await room.leave()
            if number == WARM_UP - 1:
                baseline = await at_rest(daemon)
        assert baseline['mcu_legs{kind="join",state="connected"}'] == 1
        assert await at_rest(daemon) == baseline
        assert stays.leg.counters.undecryptable == stays.leg.counters.decode_errors == 0
        roster = await held.roster()
        assert roster["vao-ra"]["state"] == "left"


async def at_rest(daemon: Daemon) -> dict[str, float]:
    """Its belongings once they have been the same for a while."""
    before: dict[str, float] = {}

    async def settled() -> bool:
        nonlocal before
        last, before = before, await belongings(daemon)
        return last == before

    await until_read(settled, bool, every_s=0.6)
    return before


async def test_twenty_viewers_of_one_layout_share_one_video_encoder(daemon: Daemon) -> None:
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(meeting(daemon, {"nguon": "Xã Vạn Ninh"}))
        rooms = await stack.enter_async_context(GeneratorRooms(daemon.url))
        observer = await daemon.call(
            "POST", "/tokens", {"name": "xem", "role": "observer", "unit": held.unit}
        )
        await held.arrange("1x1", "nguon")
        await rooms.join(held.id, held.tokens["nguon"], colour=coded_media.RED, tone_hz=440)
        viewers = await asyncio.gather(
            *(rooms.watch(held.id, observer["token"], decodes=n == 0) for n in range(20))
        )
        await viewers[0].until_seen(0.5, 0.5, coded_media.RED)
        await until(lambda: all(one.leg.counters.video_frames > 10 for one in viewers), 0.05)
        metrics = await daemon.metrics()
        assert metrics['mcu_legs{kind="view",state="connected"}'] == 20
        assert metrics['mcu_encoders{kind="video"}'] == 1
        assert metrics['mcu_renditions{kind="video"}'] == 1
        assert metrics['mcu_decoders{kind="video"}'] == 1
        # Sound: one for all viewers, one for the room that must not hear itself.
        assert metrics['mcu_encoders{kind="audio"}'] == 2
        assert all(one.leg.counters.audio_packets > 0 for one in viewers)
        assert viewers[0].leg.counters.decode_errors == 0
        for viewer in viewers:
            await viewer.leave()
        metrics = await daemon.metrics()
        assert metrics['mcu_encoders{kind="video"}'] == 1  # the room itself watches, too


class DaemonInside(Daemon):
    """The daemon in this very process, so that its objects can be counted."""

    async def start(self) -> None:
        self._inside = mcu.daemon.Daemon(load(None, self._environment, None))
        await self._inside.__aenter__()

    async def __aexit__(self, *_: object) -> None:
        await self._inside.__aexit__()
        gc.unfreeze()
        await super().__aexit__(None, None, None)


KINDS = (WebRtcLeg, DtlsEndpoint, SrtpSession, VideoSource, AudioSource, ViewRendition)


async def living() -> Counter[str]:
    """How many objects of a leg's making there are, and tasks by what they do."""
    gc.collect()
    objects = Counter(type(one).__name__ for one in gc.get_objects() if isinstance(one, KINDS))
    tasks = Counter(str(task.get_coro()).partition(" at ")[0] for task in asyncio.all_tasks())
    return objects + tasks


async def settled_living() -> Counter[str]:
    """``living`` once two readings are equal: nothing that passes is in it."""
    last: list[Counter[str]] = []

    async def again() -> Counter[str]:
        last[:] = [*last[-1:], await living()]
        return last[-1]

    return await until_read(again, lambda _: last[0] == last[-1] and len(last) == 2, every_s=0.6)


async def stay(held: Meeting, bridge: str, *, leaves: bool) -> None:
    """One room that is seen and heard, and then leaves or just vanishes.

    A room of the generator is made of some of the same classes: gone when this returns.
    """
    async with GeneratorRooms(held.daemon.url) as rooms:
        token = held.tokens[bridge]
        room = await rooms.join(held.id, token, colour=coded_media.RED, tone_hz=1010)
        await until(lambda: room.leg.counters.video_frames > 2, 0.02)
        # Whoever left before may be held for a second yet, by the round of readings.
        await until_read(living, lambda found: found["WebRtcLeg"] == 1)
        if leaves:
            await room.leave()


async def test_no_task_and_no_object_outlives_its_leg(tmp_path: Path) -> None:
    environment = {"MCU_MEDIA__LOST_AFTER_S": "1", "MCU_MEDIA__LEFT_AFTER_S": "1"}
    async with AsyncExitStack() as stack:
        daemon = DaemonInside(tmp_path / "data", environment=environment)
        await stack.enter_async_context(daemon)
        held = await stack.enter_async_context(meeting(daemon, {"vao-ra": "Xã Vạn Ninh"}))
        before = await settled_living()
        assert not before["WebRtcLeg"]
        for leaves in (True, False, True):
            await stay(held, "vao-ra", leaves=leaves)
            await held.until_states(vao_ra="left")
        await until_read(living, lambda now: now == before)
