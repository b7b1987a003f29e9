"""A conference's video with the process boundary in between, but no process: in virtual time."""

import pickle
from collections import deque
from typing import Any

from mcu.engine.pool import InlinePool
from mcu.engine.video_process.messages import FromVideo, OpenConference, ToVideo
from mcu.engine.video_process.proxy import VideoProxy
from mcu.engine.video_process.worker import VideoWorker
from mcu.media.rendition import FanOut
from tests.mcu.engine.video_room import FPS, SIZE, WALL, VideoRoom


class CoupledRoom(VideoRoom):
    """A ``VideoRoom`` whose mixer is a proxy; messages go through pickle, as between processes."""

    def __init__(self) -> None:
        super().__init__()
        self.congested = False
        self.closed: list[VideoProxy] = []
        self.to_video: list[ToVideo] = []
        self._arriving: deque[Any] = deque()
        self.worker: VideoWorker | None = None
        self.start_process()
        self.proxy = VideoProxy(
            OpenConference("c", *SIZE, 600_000),
            fan_out=FanOut(lambda delay, call: None),
            send=self._send,
            congested=lambda: self.congested,
            closed=self.closed.append,
        )
        self.mixer = self.proxy

    def start_process(self) -> None:
        """A new worker that knows nothing."""
        self.worker = VideoWorker(
            self._answer, InlinePool(), FPS, start=self.now, wall=lambda: WALL
        )

    def kill_process(self) -> None:
        """As when it crashes: what is under way is lost."""
        self.worker = None
        self._arriving.clear()
        self.proxy.process_lost()

    def run(self, ticks: int = 1, *, send: bool = True) -> None:
        """As ``VideoRoom.run``; the worker's clock ticks too, and its messages arrive."""
        for _ in range(ticks):
            super().run(1, send=send)
            if self.worker is not None:
                self.worker.handle_timer(self.now)
            self.deliver()

    def deliver(self) -> None:
        """Let messages of the process arrive."""
        while self._arriving:
            self.proxy.handle(pickle.loads(self._arriving.popleft()))

    def _send(self, message: ToVideo) -> None:
        self.to_video.append(message)
        if self.worker is not None:
            self.worker.handle(pickle.loads(pickle.dumps(message)))

    def _answer(self, message: FromVideo) -> None:
        if hasattr(message, "conference"):
            self._arriving.append(pickle.dumps(message))
