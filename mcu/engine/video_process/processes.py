"""The video processes of a daemon: started, watched, started again, given conferences."""

import asyncio
import os
import socket
import sys
import time
from contextlib import suppress
from dataclasses import replace

import structlog

from mcu.engine.conference_video import ConferenceVideo
from mcu.engine.ticks import TickReading
from mcu.engine.video_process import messages
from mcu.engine.video_process.link import Link
from mcu.engine.video_process.memory import environment
from mcu.engine.video_process.proxy import VideoProxy
from mcu.engine.video_process.watchdog import CHECK_INTERVAL_S, Watchdog
from mcu.media.rendition import Outlet

ENTRY = "mcu.video_worker"
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 5.0
RESTART_S = 0.2
RESTART_MAX_S = 5.0
"""A process that ended is started again after this long; after twice as long each time it does
not last ``STEADY_S``."""
STEADY_S = 30.0

log = structlog.get_logger(__name__)


class VideoProcess:
    """One process and the conferences whose video it makes.

    Args:
        configure: what it is told first.
    """

    def __init__(self, configure: messages.Configure) -> None:
        self.conferences: dict[str, VideoProxy] = {}
        self.reading: TickReading | None = None
        self._faults_now = 0
        self.restarts = 0
        self.hangs = 0
        """Of these, those that had to be ended."""
        self._configure = configure
        self._link: Link | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._ready: asyncio.Future[None] | None = None
        self._restart: asyncio.Task[None] | None = None
        self._started_at = 0.0
        self._wait_s = RESTART_S
        self._closing = False
        self._faults_before = 0
        self._watchdog = Watchdog()
        self._check: asyncio.TimerHandle | None = None
        self._processor_now_s = self._processor_before_s = 0.0

    @property
    def faults(self) -> int:
        """Ticks that ended with an exception, in all processes that were."""
        return self._faults_before + self._faults_now

    @property
    def processor_s(self) -> float:
        """Processor time used, by all processes that were."""
        return self._processor_before_s + self._processor_now_s

    @property
    def pid(self) -> int | None:
        """Of the running process."""
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Start it and wait until it takes conferences.

        Raises:
            RuntimeError: it ended or said nothing in time.
        """
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        self._ready = loop.create_future()
        try:
            ours.setblocking(False)
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                ENTRY,
                str(theirs.fileno()),
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                env=environment(os.environ),
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        self._started_at = time.monotonic()
        link = Link(self._received, lambda: self._lost(link))
        self._link = link
        await loop.create_connection(lambda: link, sock=ours)
        link.send(self._configure)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await self._ready
        except TimeoutError as error:
            # Whoever starts it again waits for the end of this one first.
            self._link = None
            link.close()
            with suppress(ProcessLookupError):
                self._process.kill()
            raise RuntimeError("a video process did not start in time") from error
        self._watchdog = Watchdog()
        self._watch()

    def send(self, message: messages.ToVideo) -> None:
        """Send a message; it is dropped while there is no process."""
        if self._link is not None:
            self._link.send(message)

    def congested(self) -> bool:
        """Whether pictures should be left out because the process stands still."""
        return self._link is not None and self._link.congested

    async def close(self) -> None:
        """End the process. Idempotent."""
        self._closing = True
        if self._check is not None:
            self._check.cancel()
        if self._restart is not None:
            self._restart.cancel()
            with suppress(asyncio.CancelledError):
                await self._restart
        link, process = self._link, self._process
        self._link = self._process = None
        if link is not None:
            link.close()
        if process is None:
            return
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            log.warning("video_process_killed", pid=process.pid)
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def _received(self, message: messages.FromVideo) -> None:
        match message:
            case messages.Ready():
                if self._ready is not None and not self._ready.done():
                    self._ready.set_result(None)
            case messages.Ticked(reading, faults, busy_s, processor_s):
                self.reading, self._faults_now = reading, faults
                self._processor_now_s = processor_s
                self._watchdog.heard(busy_s, time.monotonic())
            case _:
                proxy = self.conferences.get(message.conference)
                if proxy is not None:
                    proxy.handle(message)

    def _watch(self) -> None:
        """End a process that hangs; what follows is the same as after a crash."""
        if self._closing or self._process is None:
            return
        why = self._watchdog.check(time.monotonic())
        if why is not None:
            self.hangs += 1
            log.error("video_process_hangs", pid=self._process.pid, reason=why)
            with suppress(ProcessLookupError):
                self._process.kill()
            return
        loop = asyncio.get_running_loop()
        self._check = loop.call_later(CHECK_INTERVAL_S, self._watch)

    def _lost(self, link: Link) -> None:
        if self._closing or link is not self._link:
            return
        self._link = None
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(RuntimeError("a video process ended while it started"))
            return
        self.restarts += 1
        self._faults_before += self._faults_now
        self._faults_now = 0
        self._processor_before_s += self._processor_now_s
        self._processor_now_s = 0.0
        if self._check is not None:
            self._check.cancel()
        for proxy in self.conferences.values():
            proxy.process_lost()
        if time.monotonic() - self._started_at >= STEADY_S:
            self._wait_s = RESTART_S
        self._restart = asyncio.get_running_loop().create_task(self._start_again())

    async def _start_again(self) -> None:
        """Sound goes on meanwhile; pictures stand."""
        while True:
            process, self._process = self._process, None
            code = None if process is None else await process.wait()
            log.error("video_process_ended", exit_code=code, restart_in_s=self._wait_s)
            await asyncio.sleep(self._wait_s)
            self._wait_s = min(2 * self._wait_s, RESTART_MAX_S)
            try:
                await self.start()
            except (RuntimeError, OSError) as error:
                log.error("video_process_failed", reason=str(error))
                continue
            for proxy in self.conferences.values():
                proxy.begin_again()
            return


class VideoProcesses:
    """See ``VideoFactory``: each conference's video runs in one of a few processes.

    Args:
        processes: how many. threads: codec threads of each.
        fan_out: sends what comes back to the legs.
        opened: sizes and rate of a conference's views; its name is filled in.
        configure: what each process is told first.
    """

    def __init__(
        self,
        processes: int,
        *,
        fan_out: Outlet,
        opened: messages.OpenConference,
        configure: messages.Configure,
    ) -> None:
        self.processes = tuple(VideoProcess(configure) for _ in range(processes))
        self._fan_out = fan_out
        self._opened = opened
        self._fps = configure.fps

    async def start(self) -> None:
        """Start all. Raises RuntimeError: one did not start."""
        await asyncio.gather(*(one.start() for one in self.processes))

    async def close(self) -> None:
        """End all."""
        await asyncio.gather(*(one.close() for one in self.processes))

    @property
    def restarts(self) -> int:
        """How often a process had to be started again."""
        return sum(one.restarts for one in self.processes)

    @property
    def hangs(self) -> int:
        """How often a process was ended because it said nothing any more, or its codecs hung."""
        return sum(one.hangs for one in self.processes)

    @property
    def processor_s(self) -> float:
        """See ``VideoFactory``."""
        return sum(one.processor_s for one in self.processes)

    @property
    def faults(self) -> int:
        """See ``VideoFactory``."""
        return sum(one.faults for one in self.processes)

    def open(self, conference: str) -> ConferenceVideo:
        """See ``VideoFactory``; the process with the fewest conferences takes it."""
        process = min(self.processes, key=lambda one: len(one.conferences))

        def closed(proxy: VideoProxy) -> None:
            del process.conferences[proxy.conference]

        proxy = process.conferences[conference] = VideoProxy(
            replace(self._opened, conference=conference),
            fan_out=self._fan_out,
            send=process.send,
            congested=process.congested,
            closed=closed,
            fps=self._fps,
        )
        return proxy

    def ticks(self) -> TickReading | None:
        """See ``VideoFactory``: all processes' ticks, the worst of their lateness."""
        readings = [one.reading for one in self.processes if one.reading is not None]
        if not readings:
            return None
        return TickReading(
            sum(one.ticks for one in readings),
            sum(one.late for one in readings),
            sum(one.missed for one in readings),
            {
                each: max(one.lateness_s[each] for one in readings)
                for each in readings[0].lateness_s
            },
        )


def default_processes(cores: int) -> int:
    """How many processes a machine gets: one interpreter feeds codec threads of some four cores."""
    return max(1, cores // 4)
