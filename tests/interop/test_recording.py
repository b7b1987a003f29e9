"""A meeting is recorded: what players find in the files, what the disk and ``kill -9`` do to them.

A room marks its sound and its picture at the same moments, five times a second, as the bench of
lip-sync has it; the file is decoded and both are looked for.
"""

import asyncio
import hashlib
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import av
import numpy as np
import pytest

from bench.latency import BRIGHTNESS, PITCHES_HZ, picture_mark
from bench.lipsync import MarkingLeg, Onsets
from bench.media import coded_flashes, coded_marks
from mcu.media.srtp import PacketBuffer
from signalling.webrtc.dtls import DtlsCertificate
from tests.peers.daemon import ADMIN_TOKEN, Daemon
from tests.peers.waiting import until_read

BRIDGES = {"diem-cau": "Điểm cầu", "vang": "Vắng"}
SOUND_FIRST_S, PICTURE_FIRST_S = 0.045, 0.125
"""So much earlier one of them may come, unnoticed (ITU-R BT.1359)."""
RESERVE_MB = "1"


@asynccontextmanager
async def marking_room(daemon: Daemon, path: str, token: str) -> AsyncIterator[MarkingLeg]:
    """A room that sends marks until the block ends."""
    room = MarkingLeg(
        "marks", PacketBuffer(), DtlsCertificate.generate(),
        sound=coded_marks(PITCHES_HZ), pictures=coded_flashes(BRIGHTNESS), video=True,
        sampled=False,
    )  # fmt: skip

    async def send() -> None:
        room.begin(time.monotonic())
        while True:
            now = time.monotonic()
            room.send_due(now)
            room.handle_timer(now)
            await asyncio.sleep(0.005)

    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http:
        await room.join(http, f"{daemon.url}/api/v1{path}/legs")
    sending = asyncio.create_task(send())
    try:
        yield room
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        room.close()


async def until(daemon: Daemon, path: str, reached: Callable[[Any], bool]) -> Any:
    return await until_read(lambda: daemon.call("GET", path), reached, timeout_s=60)


async def download(daemon: Daemon, url: str, directory: Path) -> Path:
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.get(f"{daemon.url}{url}") as response,
    ):
        assert response.status == 200
        path = directory / url.replace("/", "_")
        path.write_bytes(await response.read())
    return path


def marks(path: Path) -> dict[str, list[tuple[int, float]]]:
    """(which, seconds from the file's beginning) of every mark in the sound and in the pictures."""
    found: dict[str, list[tuple[int, float]]] = {"audio": [], "video": []}
    onsets, brightness = Onsets(), None
    waiting, begin = np.zeros(0, np.int16), None
    resampler = av.AudioResampler("s16", "mono", 48_000)
    with av.open(str(path)) as file:
        for packet in file.demux():
            for each in packet.decode():
                if isinstance(each, av.VideoFrame):
                    which = picture_mark(each)
                    if which is not None and brightness is not None and which != brightness:
                        found["video"].append((which, float(each.time or 0)))
                    brightness = which if which is not None else brightness
                elif isinstance(each, av.AudioFrame):
                    begin = float(each.time or 0) if begin is None else begin
                    blocks = [one.to_ndarray().ravel() for one in resampler.resample(each)]
                    waiting = np.concatenate((waiting, *blocks))
                    while waiting.size >= 960:
                        for which, offset in onsets.find(waiting[:960]):
                            found["audio"].append((which, begin + offset / 48_000))
                        waiting, begin = waiting[960:], begin + 0.02
    return found


def skews(path: Path) -> list[float]:
    """Seconds by which each picture comes after its sound."""
    found = marks(path)
    return [
        picture - sound
        for which, sound in found["audio"]
        for other, picture in found["video"]
        if other == which and abs(picture - sound) < 0.1
    ]


async def begin(daemon: Daemon) -> tuple[str, dict[str, str]]:
    """A conference whose first slot shows the marking room, as the marks are looked for there."""
    conference, tokens = await daemon.province(BRIDGES)
    path = f"/conferences/{conference}"
    slots = [{"participant": "diem-cau"}, *[{}] * 15]
    layout = {"view": "main", "layout": "4x4", "slots": slots}
    await daemon.call("PUT", f"{path}/layout", layout)
    return path, tokens


@pytest.mark.timeout(200)
async def test_the_file_holds_the_meeting_and_lips_and_voices_are_together(tmp_path: Path) -> None:
    settings = {"MCU_RECORDING__RESERVE_MB": RESERVE_MB}
    async with Daemon(tmp_path / "data", environment=settings) as daemon:
        path, tokens = await begin(daemon)
        async with marking_room(daemon, path, tokens["diem-cau"]):
            started = await daemon.call("POST", f"{path}/recordings", {"name": "Phiên họp"})
            assert (await daemon.call("GET", path))["recordings"][0]["id"] == started["id"]
            one = f"{path}/recordings/{started['id']}"
            await until(daemon, one, lambda now: now["duration_s"] >= 12)
            await daemon.call("POST", f"{one}/stop")
        found = await until(daemon, one, lambda now: bool(now["parts"][0]["sha256"]))
        [part] = found["parts"]
        assert (found["state"], found["reason"], part["state"]) == (
            "stopped",
            "stopped",
            "complete",
        )
        file = await download(daemon, part["url"], tmp_path)
        assert hashlib.sha256(file.read_bytes()).hexdigest() == part["sha256"]
        assert file.stat().st_size == part["size"]
        stored = list((tmp_path / "data" / "recordings").iterdir())
        assert [one.stat().st_mode & 0o777 for one in stored] == [0o600]
        assert stored[0].parent.stat().st_mode & 0o777 == 0o700
    probed = await asyncio.to_thread(
        subprocess.run,
        ["ffprobe", "-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0", file],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert probed.stdout.split() == ["h264", "opus"]
    assert not probed.stderr
    with av.open(str(file)) as opened:
        assert opened.duration == pytest.approx(part["duration_s"] * 1e6, abs=1e5)
    found_marks = marks(file)
    assert len(found_marks["audio"]) >= 3
    assert len(found_marks["video"]) >= 3
    found_skews = skews(file)
    assert found_skews
    # A mark is seen in the next picture, which comes each 40 ms. What is exact is shown in virtual
    # time (tests/mcu/recording/test_lipsync.py); beside real time, what people do not notice.
    assert -PICTURE_FIRST_S <= float(np.median(found_skews)) <= SOUND_FIRST_S


@pytest.mark.timeout(250)
async def test_kill_9_leaves_a_file_that_plays_and_the_recording_goes_on(tmp_path: Path) -> None:
    settings = {"MCU_RECORDING__RESERVE_MB": RESERVE_MB}
    async with Daemon(tmp_path / "data", environment=settings) as daemon:
        path, _ = await begin(daemon)
        # Nobody is there: the recorder alone keeps the encoders of the view running.
        started = await daemon.call("POST", f"{path}/recordings", {})
        one = f"{path}/recordings/{started['id']}"
        await until(daemon, one, lambda now: now["duration_s"] >= 4)
        await daemon.kill()
        await daemon.start()
        found = await until(
            daemon,
            one,
            lambda now: (
                len(now["parts"]) == 2
                and now["parts"][0]["sha256"] is not None
                and now["parts"][1]["duration_s"] >= 2
            ),
        )
        assert (found["state"], found["interruptions"]) == ("recording", 1)
        assert found["parts"][0]["state"] == "interrupted"
        await daemon.call("DELETE", path)
        found = await until(daemon, one, lambda now: now["parts"][1]["sha256"] is not None)
        assert (found["state"], found["reason"]) == ("stopped", "ended")
        files = [await download(daemon, part["url"], tmp_path) for part in found["parts"]]
    for part, file in zip(found["parts"], files, strict=True):
        assert hashlib.sha256(file.read_bytes()).hexdigest() == part["sha256"]
        with av.open(str(file)) as opened:
            pictures = sum(1 for _ in opened.decode(video=0))
        with av.open(str(file)) as opened:
            sound_s = sum(each.samples for each in opened.decode(audio=0)) / 48_000
        assert pictures > 10
        assert sound_s == pytest.approx(part["duration_s"], abs=0.2)
    assert found["parts"][0]["duration_s"] >= 2


@pytest.mark.timeout(200)
async def test_a_disk_that_fills_ends_the_recording_alone(tmp_path: Path) -> None:
    """On a disk of its own of few MiB, where this may be mounted."""
    disk = tmp_path / "data" / "recordings"
    disk.mkdir(parents=True)
    mounted = await asyncio.to_thread(
        subprocess.run,
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr!r}")
    try:
        settings = {"MCU_RECORDING__RESERVE_MB": "1"}
        async with Daemon(tmp_path / "data", environment=settings) as daemon:
            path, _ = await begin(daemon)
            started = await daemon.call("POST", f"{path}/recordings", {})
            one = f"{path}/recordings/{started['id']}"
            await until(daemon, one, lambda now: now["duration_s"] >= 3)
            (disk / "somebody-elses").write_bytes(bytes(3_300_000))
            found = await until(
                daemon, one, lambda now: now["ended_at"] and now["parts"][0]["sha256"]
            )
            assert (found["state"], found["reason"]) == ("stopped", "disk_full")
            conference = await daemon.call("GET", path)
            assert (conference["state"], conference["recordings"]) == ("running", [])
            with pytest.raises(AssertionError, match="503"):
                await daemon.call("POST", f"{path}/recordings", {})
            with av.open(str(disk / f"{started['id']}-0001.mp4")) as opened:
                assert sum(1 for _ in opened.decode(video=0)) > 0
    finally:
        await asyncio.to_thread(subprocess.run, ["umount", disk], check=True)
