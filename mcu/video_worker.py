"""Composition root of a video process; the daemon starts it: ``python -m mcu.video_worker FD``.

It lives as long as the socket ``FD`` to the daemon is open, so it ends with the daemon however
that ends. It runs at a lower priority: when the machine is full, pictures suffer before sound.
"""

import asyncio
import gc
import math
import os
import signal
import socket
import sys
import time
from zoneinfo import ZoneInfo

import structlog
import uvloop

from mcu import logs
from mcu.conference.clock import MeetingClock
from mcu.engine.pool import CodecPool
from mcu.engine.video_process import messages
from mcu.engine.video_process.link import Link
from mcu.engine.video_process.worker import VideoWorker
from mcu.precedence import VIDEO_BEHIND

log = structlog.get_logger(__name__)


class VideoProcessMain:
    """Drives a worker from the event loop."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.link = Link(self._received, self.ended.set)
        self._worker: VideoWorker | None = None
        self._pool: CodecPool | None = None
        self._timer: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """Stop the clock and the threads."""
        if self._timer is not None:
            self._timer.cancel()
        if self._worker is not None:
            self._worker.close()
        if self._pool is not None:
            self._pool.close()

    def _received(self, message: messages.ToVideo) -> None:
        try:
            if isinstance(message, messages.Configure):
                self._configure(message)
            elif self._worker is not None:
                self._worker.handle(message)
        except Exception:
            # A defect that one message meets must not cost the others.
            log.exception("video_message_failed", message=type(message).__name__)

    def _configure(self, wanted: messages.Configure) -> None:
        logs.configure(wanted.logging)
        loop = asyncio.get_running_loop()
        zone, clock = ZoneInfo(wanted.time_zone), MeetingClock()
        self._pool = CodecPool(wanted.threads, loop.call_soon_threadsafe)
        self._worker = worker = VideoWorker(
            self.link.send,
            self._pool,
            wanted.fps,
            time.monotonic(),
            lambda: clock.utcnow().astimezone(zone),
        )
        clock.meeting = lambda: worker.meets
        gc.collect()
        gc.freeze()
        self.link.send(messages.Ready())
        self._drive(worker)

    def _drive(self, worker: VideoWorker) -> None:
        worker.handle_timer(time.monotonic())
        wait = worker.clock.next_timer - time.monotonic()
        # Rounded up to the loop's resolution: an early timer would be set once more.
        self._timer = asyncio.get_running_loop().call_later(
            max(1.0, math.ceil(wait * 1000.0)) / 1000.0, self._drive, worker
        )


async def run(sock: socket.socket) -> None:
    """Serve until the daemon closes the socket."""
    main_ = VideoProcessMain()
    try:
        await asyncio.get_running_loop().create_connection(lambda: main_.link, sock=sock)
        await main_.ended.wait()
    finally:
        main_.close()


def main() -> None:
    """Take the socket by its number and run."""
    # A Ctrl-C or the service manager's SIGTERM reaches the whole group: the daemon decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.nice(VIDEO_BEHIND)
    sock = socket.socket(fileno=int(sys.argv[1]))
    sock.setblocking(False)
    uvloop.run(run(sock))


if __name__ == "__main__":
    main()
