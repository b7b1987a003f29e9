"""The software bridge's camera and microphone as aiortc tracks, paced by one clock.

Both tracks time-stamp from the same start, so a receiver can sync lips.
"""

import asyncio
import fractions
import time
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import av
import numpy as np
from aiortc import MediaStreamTrack

from mcu.bridge.picture import TestPicture
from mcu.bridge.sound import BLOCK_SAMPLES, SAMPLE_RATE_HZ, Block

VIDEO_CLOCK_HZ = 90_000
CATCH_UP_LIMIT_S = 0.5


@dataclass(slots=True)
class PictureRequest:
    """What the conference asks this room to send.

    Args:
        width, height: pixels. fps: pictures a second. bitrate_bps: 0 for the encoder's own.
        paused: nobody sees the room; pictures stop but for one every few seconds.
    """

    width: int = 640
    height: int = 360
    fps: int = 15
    bitrate_bps: int = 0
    paused: bool = False


PAUSED_FPS = 0.5
"""A paused room still sends a picture now and then, so that its slot has one when shown."""


class _Paced(MediaStreamTrack):
    """Waits until a time on the shared clock; after a stall it goes on from now."""

    def __init__(self, start: float) -> None:
        super().__init__()
        self._start = start
        self._at = 0.0

    async def _wait(self, duration_s: float) -> float:
        """Sleep until the next unit is due; gives its time since the start, seconds."""
        now = time.monotonic() - self._start
        if now - self._at > CATCH_UP_LIMIT_S:
            self._at = now
        due = self._at
        if due > now:
            await asyncio.sleep(due - now)
        self._at = due + duration_s
        return due


class MicrophoneTrack(_Paced):
    """Mono 48 kHz sound from an endless iterator of blocks."""

    kind = "audio"

    def __init__(self, blocks: Iterator[Block], start: float) -> None:
        super().__init__(start)
        self._blocks = blocks
        self.muted = False

    async def recv(self) -> av.AudioFrame:
        """The next 20 ms."""
        due = await self._wait(BLOCK_SAMPLES / SAMPLE_RATE_HZ)
        block = next(self._blocks)
        if self.muted:
            block = np.zeros_like(block)
        frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        frame.pts = round(due * SAMPLE_RATE_HZ)
        frame.time_base = fractions.Fraction(1, SAMPLE_RATE_HZ)
        return frame


class _Camera(_Paced):
    """A picture track that follows what the conference asks for."""

    kind = "video"

    def __init__(self, start: float) -> None:
        super().__init__(start)
        self.request = PictureRequest()

    @abstractmethod
    def _draw(self, due: float) -> av.VideoFrame:
        """One picture of the size asked for."""

    async def recv(self) -> av.VideoFrame:
        """The next picture."""
        fps = PAUSED_FPS if self.request.paused else max(1, self.request.fps)
        due = await self._wait(1.0 / fps)
        frame = self._draw(due)
        frame.pts = round(due * VIDEO_CLOCK_HZ)
        frame.time_base = fractions.Fraction(1, VIDEO_CLOCK_HZ)
        return frame


class TestCamera(_Camera):
    """The test picture with the bridge's name and a clock."""

    __test__ = False

    def __init__(self, name: str, start: float) -> None:
        super().__init__(start)
        self._picture = TestPicture(name)

    def _draw(self, due: float) -> av.VideoFrame:
        clock = datetime.now().astimezone().strftime("%H:%M:%S.%f")[:10]
        request = self.request
        return self._picture.draw(request.width & ~1, request.height & ~1, due, clock)


class FileCamera(_Camera):
    """The pictures of a media file, over and over, at the rate and size asked for."""

    def __init__(self, path: Path, start: float) -> None:
        """Raises OSError when the file cannot be read, ValueError when it has no picture."""
        super().__init__(start)
        self._pictures = self._read(path)
        self._current = next(self._pictures)

    @staticmethod
    def _read(path: Path) -> Iterator[tuple[float, av.VideoFrame]]:
        """(seconds since the start of the first pass, picture), endless."""
        passed = 0.0
        while True:
            last = -1.0
            with av.open(str(path)) as container:
                if not container.streams.video:
                    raise ValueError(f"{path} has no picture")
                for frame in container.decode(video=0):
                    last = frame.time if frame.time is not None else last + 0.04
                    yield passed + last, frame
            if last < 0:
                raise ValueError(f"{path} has no picture that can be decoded")
            passed += last + 0.04

    def _draw(self, due: float) -> av.VideoFrame:
        while self._current[0] < due:
            self._current = next(self._pictures)
        request = self.request
        return self._current[1].reformat(
            width=request.width & ~1, height=request.height & ~1, format="yuv420p"
        )
