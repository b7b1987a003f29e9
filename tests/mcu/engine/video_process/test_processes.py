"""Real video processes: they start, compose, come back after a crash, and leave nothing."""

import asyncio
import os
import signal
import time

import pytest

from config.sections import LoggingSettings
from mcu.engine.plan import MediaPlan, ParticipantPlan, ParticipantSlot, ViewPlan
from mcu.engine.video_process import processes, watchdog
from mcu.engine.video_process.messages import Configure, OpenConference
from mcu.engine.video_process.processes import VideoProcesses, default_processes
from mcu.media.rendition import FanOut
from tests.mcu.engine.video_room import FPS, SIZE, Camera, Leg, decoded
from tests.mixer.video.pictures import RED, colour_at, near
from tests.peers.waiting import until


def video(count: int = 1) -> VideoProcesses:
    return VideoProcesses(
        count,
        fan_out=FanOut(lambda delay, call: None),
        opened=OpenConference("", *SIZE, 600_000),
        configure=Configure(1, FPS, "Asia/Ho_Chi_Minh", LoggingSettings()),
    )


PLAN = MediaPlan(
    {"a": ParticipantPlan("a", "a", "connected")},
    {"main": ViewPlan("main", "1x1", (ParticipantSlot("a"),), show_clock=False)},
)


class Sender:
    """A room that sends a red picture 25 times a second, as its leg is asked."""

    def __init__(self, started: VideoProcesses) -> None:
        self.leg = Leg("a")
        self.mixer = started.open("c")
        self.mixer.apply_plan(PLAN, time.monotonic())
        self.mixer.add_source("a", "video", self.leg)
        self.mixer.add_viewer(self.leg, "main", time.monotonic())
        self._camera = Camera(RED)
        self._task = asyncio.get_running_loop().create_task(self._send())

    async def _send(self) -> None:
        while True:
            frame = self._camera.next(self.leg.key_frames_asked)
            self.mixer.receive("a", "video", frame, time.monotonic())
            await asyncio.sleep(1 / FPS)

    async def is_seen(self) -> None:
        """Wait until its colour stands in the middle of what comes back now."""
        await asyncio.wait_for(until(self._is_red, 0.05), 60)

    def _is_red(self) -> bool:
        rendition = self.leg.playing.get("video")
        if rendition is None or rendition.frames <= 3:
            return False
        return near(colour_at(decoded(rendition), SIZE[0] // 2, SIZE[1] // 2), RED)

    def stop(self) -> None:
        self._task.cancel()


async def test_a_process_composes_and_ends_with_the_daemon() -> None:
    started = video()
    await started.start()
    pid = started.processes[0].pid
    assert pid is not None
    assert os.getpriority(os.PRIO_PROCESS, pid) > os.getpriority(os.PRIO_PROCESS, 0)
    room = Sender(started)
    await room.is_seen()
    jpeg = await asyncio.wait_for(room.mixer.picture("main"), 20)
    assert jpeg is not None
    counted = room.mixer.statistics
    await asyncio.wait_for(until(lambda: counted().counters.frames_decoded > 0, 0.05), 20)
    assert started.ticks() is not None
    room.stop()
    room.mixer.close()
    assert not started.processes[0].conferences
    await started.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    await started.close()


async def test_a_process_that_dies_is_replaced_and_pictures_go_on() -> None:
    started = video()
    await started.start()
    room = Sender(started)
    await room.is_seen()
    before, pid = room.leg.playing["video"], started.processes[0].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await asyncio.wait_for(until(lambda: started.restarts == 1, 0.05), 60)
    await asyncio.wait_for(until(lambda: started.processes[0].pid not in (pid, None), 0.05), 60)
    await asyncio.wait_for(until(lambda: room.leg.playing["video"] is not before, 0.05), 60)
    await room.is_seen()
    assert started.restarts == 1
    assert started.faults == 0
    assert started.processes[0].pid != pid
    room.stop()
    await started.close()


async def test_a_process_that_hangs_is_ended_and_pictures_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watchdog, "SILENT_S", 1.5)
    started = video()
    await started.start()
    room = Sender(started)
    await room.is_seen()
    process = started.processes[0]
    before, pid = room.leg.playing["video"], process.pid
    assert pid is not None
    await asyncio.wait_for(until(lambda: started.processor_s > 0, 0.05), 20)
    used = started.processor_s
    os.kill(pid, signal.SIGSTOP)
    await asyncio.wait_for(until(lambda: process.pid not in (pid, None), 0.05), 60)
    await asyncio.wait_for(until(lambda: room.leg.playing["video"] is not before, 0.05), 60)
    await room.is_seen()
    assert (started.restarts, started.hangs) == (1, 1)
    assert started.processor_s >= used
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    room.stop()
    await started.close()


async def test_a_process_that_says_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "START_TIMEOUT_S", 0.05)
    started = video()
    with pytest.raises(RuntimeError, match="in time"):
        await started.start()
    process = started.processes[0]._process
    assert process is not None
    assert await asyncio.wait_for(process.wait(), 20) == -signal.SIGKILL
    await started.close()


async def test_conferences_are_spread() -> None:
    started = video(2)
    await started.start()
    for name in ("a", "b", "c"):
        started.open(name)
    assert sorted(len(one.conferences) for one in started.processes) == [1, 2]
    await started.close()


async def test_a_process_that_does_not_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "ENTRY", "no_such_module")
    started = video()
    with pytest.raises(RuntimeError, match="ended while it started"):
        await started.start()
    await started.close()


def test_a_machine_of_any_size_gets_processes() -> None:
    assert [default_processes(cores) for cores in (1, 2, 4, 8, 64)] == [1, 1, 1, 2, 16]
