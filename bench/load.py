"""A load against a server: the real daemon and the generator as processes of their own.

Whoever measures something about a meeting of many rooms begins here::

    async with meeting(load) as held:
        figures = await held.measured(during=something_else_meanwhile)
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from bench.figures import VoidRunError
from tests.peers import child
from tests.peers.daemon import ADMIN_TOKEN, Daemon

LONGEST_LINE = 1 << 24
"""The generator's figures hold each mark of latency: 64 kB are full after ten minutes."""
JOIN_ALLOWANCE_S = 120.0
SETTLING_S = 30
Figures = dict[str, Any]
During = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Load:
    """What rooms join and what they send.

    Args:
        legs: rooms that join. seconds: length of the measurement.
        video: video both ways, not audio alone.
        speakers: rooms that speak; the others send the silence of a quiet room.
        video_senders: rooms that send pictures, 640×360 at 25 a second.
        viewers: of the legs, send no media at all; the last ones.
        sampled: rooms that decrypt and decode all they get.
        thumbnails: rooms that send no pictures can send one a second, 320×180, when told.
        reports: rooms report as browsers do, and number their pictures to be told of them; else
            they send no RTCP. A generator that reports for many rooms takes a third more.
        layout: of the view that all of them receive, 1280×720 at 25 pictures and 1.5 Mbit/s.
    """

    legs: int = 20
    seconds: float = 20.0
    video: bool = False
    speakers: int = 4
    video_senders: int = 16
    viewers: int = 0
    sampled: int = 2
    layout: str = "4x4"
    thumbnails: bool = False
    reports: bool = False

    def arguments(self) -> list[str]:
        """The generator's command line, without address and token."""
        arguments = [
            "--legs", str(self.legs), "--seconds", str(self.seconds),
            "--speakers", str(self.speakers), "--sampled", str(self.sampled),
            "--video-senders", str(self.video_senders), "--viewers", str(self.viewers),
        ]  # fmt: skip
        arguments += ["--video"] if self.video else []
        arguments += [] if self.reports else ["--no-reports"]
        return [*arguments, "--thumbnails"] if self.thumbnails else arguments


def cpu_seconds(pid: int) -> float:
    """CPU seconds of a process and its living children, user and system."""
    process = psutil.Process(pid)
    times = [process.cpu_times(), *(child.cpu_times() for child in process.children(True))]
    return float(sum(one.user + one.system for one in times))


def loop_seconds(pid: int) -> float:
    """CPU seconds of a process's first thread: ours handles packets, sound and requests in it."""
    threads = psutil.Process(pid).threads()
    return float(next(one.user_time + one.system_time for one in threads if one.id == pid))


def memory_bytes(pid: int) -> int:
    """Resident memory of a process and its children; shared libraries count in each."""
    process = psutil.Process(pid)
    return sum(one.memory_info().rss for one in (process, *process.children(True)))


async def measured(
    load: Load,
    url: str,
    token: str,
    pid: int,
    during: During | None = None,
    *,
    starved_is_void: bool = True,
) -> Figures:
    """One load against one server: the generator's figures and the server's cores.

    Args:
        url: where offers are POSTed; ``{leg}`` in it becomes the leg's number.
        pid: the server's. during: runs from the beginning of the measurement, beside it; it is
            awaited before the server's figures are read.
        starved_is_void: off for what a starved generator does not change, counts for instance;
            the figures say ``generator_starved`` then.
    Raises:
        VoidRunError: the generator could not join, or was starved of processor time.
    """
    generator = await child.start(
        sys.executable, "-m", "bench.generator", "--url", url, "--token", token,
        *load.arguments(), stdout=asyncio.subprocess.PIPE, limit=LONGEST_LINE,
    )  # fmt: skip
    assert generator.stdout is not None
    beside: asyncio.Future[None] | None = None
    try:
        async with asyncio.timeout(JOIN_ALLOWANCE_S + load.seconds):
            line = await generator.stdout.readline()
            if line.strip() != b"measuring":
                raise VoidRunError("the generator could not join; see its messages above")
            cpu, loop = cpu_seconds(pid), loop_seconds(pid)
            memory = memory_bytes(pid)
            if during is not None:
                beside = asyncio.ensure_future(during())
            figures: Figures = json.loads(await _line(generator.stdout, beside))
            figures["server_loop_cores"] = _per_second(loop_seconds(pid) - loop, figures)
            cores = (cpu_seconds(pid) - cpu) / figures["seconds"]
            if beside is not None:
                await beside
    except TimeoutError:
        raise VoidRunError("the generator did not end in time; take a calmer machine") from None
    finally:
        if beside is not None:
            beside.cancel()
        if generator.returncode is None:
            generator.terminate()
        await generator.wait()
    return _of_server(load, figures, cores, memory, starved_is_void=starved_is_void)


def _per_second(cpu_s: float, figures: Figures) -> float:
    return round(cpu_s / float(figures["seconds"]), 3)


def _of_server(
    load: Load, figures: Figures, cores: float, memory: int, *, starved_is_void: bool
) -> Figures:
    """What the generator found, with the server's own."""
    if figures["generator_starved"] and starved_is_void:
        raise VoidRunError(
            f"the generator began {figures['generator_late_phases']:.0%} of its work late: "
            "it was starved of processor time; take fewer legs or a calmer machine"
        )
    return {
        "legs": load.legs,
        "server_cores": round(cores, 3),
        "server_cores_per_leg": round(cores / load.legs, 5),
        "server_memory_mb": round(memory / 1e6, 1),
    } | figures


async def _line(stream: asyncio.StreamReader, beside: "asyncio.Future[None] | None") -> bytes:
    """The next line; what goes wrong beside it is not waited for until it comes."""
    reading = asyncio.ensure_future(stream.readline())
    try:
        if beside is not None:
            await asyncio.wait((reading, beside), return_when=asyncio.FIRST_COMPLETED)
            if beside.done():
                beside.result()
        return await reading
    finally:
        reading.cancel()


@dataclass(frozen=True, slots=True)
class Meeting:
    """A daemon with a running conference, its rooms registered as ``b0``, ``b1``, …"""

    daemon: Daemon
    conference: str
    load: Load

    def legs_url(self) -> str:
        """Where a room's offer is POSTed; ``{leg}`` stands for its number."""
        return f"{self.daemon.url}/api/v1/conferences/{self.conference}/legs?bridge=b{{leg}}"

    async def measured(
        self,
        *,
        load: Load | None = None,
        during: During | None = None,
        starved_is_void: bool = True,
    ) -> Figures:
        """Join the load's rooms, measure, let them leave; what the daemon tells is added.

        Args:
            load: another one than the meeting was prepared for, with no more legs.
            starved_is_void: see ``measured``.
        """
        load = load or self.load
        before = await self.daemon.metrics()
        url, pid = self.legs_url(), self.daemon.pid
        figures = await measured(
            load, url, ADMIN_TOKEN, pid, during, starved_is_void=starved_is_void
        )
        return figures | daemon_figures(before, await self.daemon.metrics())

    @asynccontextmanager
    async def loaded(self) -> AsyncIterator["Loaded"]:
        """The load's rooms, who stay while one measurement follows the other.

        Raises:
            VoidRunError: they could not join.
        """
        generator = await child.start(
            sys.executable, "-m", "bench.generator", "--url", self.legs_url(),
            "--token", ADMIN_TOKEN, "--on-demand", *self.load.arguments(),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LONGEST_LINE,
        )  # fmt: skip
        assert generator.stdout is not None
        try:
            async with asyncio.timeout(JOIN_ALLOWANCE_S):
                line = await generator.stdout.readline()
            if line.strip() != b"measuring":
                raise VoidRunError("the generator could not join; see its messages above")
            yield Loaded(self, generator)
        except TimeoutError:
            raise VoidRunError("the generator did not join or answer in time") from None
        finally:
            if generator.returncode is None:
                generator.terminate()
            await generator.wait()


class Loaded:
    """Rooms that are in: see ``Meeting.loaded``.

    What differs from one measurement to the next is not how their sound lies to the ticks, which
    is chance each time rooms join.
    """

    def __init__(self, held: Meeting, generator: asyncio.subprocess.Process) -> None:
        self._held = held
        self._generator = generator

    async def settled(self) -> None:
        """Wait until what was given up while all joined at once is given back, half a minute."""
        for _ in range(SETTLING_S):
            if not given_up(await self._held.daemon.metrics()):
                return
            await asyncio.sleep(1.0)

    async def measured(
        self,
        *,
        seconds: float | None = None,
        during: During | None = None,
        starved_is_void: bool = True,
        thumbnails: bool = False,
    ) -> Figures:
        """As ``Meeting.measured``, of the next seconds; not two at once.

        Args:
            seconds: as long as the load says where not given.
            thumbnails: the rooms that can send theirs from now on; else they do not.
            during, starved_is_void: see ``measured``.
        Raises:
            VoidRunError: the generator ended, or was starved of processor time.
        """
        load, pid = self._held.load, self._held.daemon.pid
        generator = self._generator
        assert generator.stdin is not None
        assert generator.stdout is not None
        before = await self._held.daemon.metrics()
        cpu, memory, loop = cpu_seconds(pid), memory_bytes(pid), loop_seconds(pid)
        seconds = seconds or load.seconds
        order = f"{seconds} thumbnails" if thumbnails else f"{seconds}"
        generator.stdin.write(f"{order}\n".encode())
        beside = None if during is None else asyncio.ensure_future(during())
        try:
            async with asyncio.timeout(JOIN_ALLOWANCE_S + seconds):
                line = await _line(generator.stdout, beside)
                if not line:
                    raise VoidRunError("the generator ended; see its messages above")
                found: Figures = json.loads(line)
                found["server_loop_cores"] = _per_second(loop_seconds(pid) - loop, found)
                cores = (cpu_seconds(pid) - cpu) / found["seconds"]
                if beside is not None:
                    await beside
        finally:
            if beside is not None:
                beside.cancel()
        figures = _of_server(load, found, cores, memory, starved_is_void=starved_is_void)
        return figures | daemon_figures(before, await self._held.daemon.metrics())


@asynccontextmanager
async def meeting(
    load: Load, *, spare_legs: int = 10, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Meeting]:
    """A daemon of its own with the load's rooms registered and their conference started.

    Args:
        spare_legs: how many more rooms the daemon lets in, registered too.
        environment: further ``MCU_…`` settings.
    """
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "MCU_LIMITS__MAX_LEGS": str(load.legs + spare_legs),
            "MCU_LIMITS__REQUESTS_PER_SECOND": "10000",
            "MCU_LIMITS__OVERLOAD_PROTECTION": "true",
            **(environment or {}),
        }
        async with Daemon(Path(folder), environment=settings) as daemon:
            conference = await _prepare(daemon, replace(load, legs=load.legs + spare_legs))
            yield Meeting(daemon, conference, load)


async def _prepare(daemon: Daemon, load: Load) -> str:
    """Register the rooms and start their conference; gives its id."""
    await daemon.call("POST", "/units", {"id": "tinh", "name": "Tỉnh", "level": "province"})
    for number in range(load.legs):
        await daemon.call(
            "POST",
            "/bridges",
            {"id": f"b{number}", "name": f"Xã {number}", "unit": "tinh", "kind": "webrtc"},
        )
    bridges = [f"b{number}" for number in range(load.legs)]
    conference = await daemon.call(
        "POST", "/conferences", {"name": "Bench", "unit": "tinh", "bridges": bridges}
    )
    columns = int(load.layout.split("x")[0])
    slots = [{"participant": bridge} for bridge in bridges[: columns * columns]]
    slots += [{} for _ in range(columns * columns - len(slots))]
    await daemon.call(
        "PUT",
        f"/conferences/{conference['id']}/layout",
        {"view": "main", "layout": load.layout, "slots": slots},
    )
    return str(conference["id"])


def given_up(metrics: Mapping[str, float]) -> list[str]:
    """What the daemon does without, for the machine is full."""
    return [
        key.partition('"')[2].rstrip('"}')
        for key, value in metrics.items()
        if key.startswith("mcu_given_up{") and value
    ]


def daemon_figures(before: Mapping[str, float], after: Mapping[str, float]) -> Figures:
    """What the daemon's metrics say of the time between two readings of them."""

    def grown(name: str) -> int:
        return int(after[name] - before[name])

    late = grown('mcu_ticks_late_total{clock="audio"}')
    figures: Figures = {
        "ticks_missed": grown('mcu_ticks_missed_total{clock="audio"}'),
        "ticks_late_percent": round(
            100 * late / max(1, grown('mcu_ticks_total{clock="audio"}')), 2
        ),
        "frames_skipped": grown("mcu_frames_skipped_total"),
        "line_steps": sum(
            grown(name) for name in after if name.startswith("mcu_line_steps_total{")
        ),
        "given_up_at_end": given_up(after),
    }
    for clock, key in (("audio", "tick_lateness_ms_p99"), ("video", "video_tick_lateness_ms_p99")):
        seconds = after[f'mcu_tick_lateness_seconds{{clock="{clock}",quantile="0.99"}}']
        figures[key] = round(seconds * 1000, 2)
    for name in ("encoders", "decoders", "renditions"):
        for kind in ("audio", "video"):
            figures[f"{kind}_{name}"] = int(after.get(f'mcu_{name}{{kind="{kind}"}}', 0))
    figures["stage_seconds"] = {
        key.partition("{")[2].rstrip("}"): round(value - before.get(key, 0.0), 2)
        for key, value in after.items()
        if key.startswith("mcu_stage_seconds_total")
    }
    return figures


@asynccontextmanager
async def baseline_server(name: str) -> AsyncIterator[tuple[str, int]]:
    """A baseline's process (``bench/baselines``); gives its offer URL and pid."""
    process = await child.start(
        sys.executable,
        "-m",
        f"bench.baselines.{name}_mcu",
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        port = json.loads(await process.stdout.readline())["port"]
        yield f"http://127.0.0.1:{port}/offer", process.pid
    finally:
        process.terminate()
        await process.wait()
