"""The software bridge's camera and microphone as aiortc tracks, paced by one clock.

Both tracks time-stamp from the same start, so a receiver can sync lips. The clock is the event
loop's.
"""

import asyncio
import fractions
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import av
from aiortc import MediaStreamTrack

from mcu.bridge.picture import TestPicture
from mcu.bridge.sound import BLOCK_SAMPLES, SAMPLE_RATE_HZ, Block

VIDEO_CLOCK_HZ = 90_000
SOUND_CATCH_UP_S = 0.5
PICTURE_CATCH_UP_S = 0.1
"""Late sound is still sent, as a gap would be heard; late pictures are left out."""
FILE_STEP_S = 0.04
"""Length of a file's last picture, and of pictures without a time."""
FILE_EARLY_S = 0.001
"""Times of pictures are rounded; one that is that close is due."""
FILE_SKIP_S = 5.0
"""A file that is further behind goes on where it is: decoding hours to catch up helps nobody."""


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """What the conference asks this room to send; the bit rate comes by REMB.

    Args:
        width, height: pixels. fps: pictures a second.
        paused: nobody sees the room; pictures stop but for one every few seconds.
    """

    width: int = 640
    height: int = 360
    fps: int = 15
    paused: bool = False


PAUSED_FPS = 0.5
"""A paused room still sends a picture now and then, so that its slot has one when shown."""


class _Paced(MediaStreamTrack):
    """Waits until a time on the shared clock; after a stall it goes on from now.

    Args:
        start: when the clock showed zero, in the loop's time.
        catch_up_s: how late a unit may be and still be sent at its own time.
    """

    def __init__(self, start: float, catch_up_s: float) -> None:
        super().__init__()
        self._start = start
        self._catch_up_s = catch_up_s
        self._before: float | None = None
        self._changed = asyncio.Event()

    @abstractmethod
    def _interval_s(self) -> float:
        """From the unit before to the next; asked again when ``_changed`` is set."""

    async def _wait(self) -> float:
        """Sleep until the next unit is due; gives its time since the start, seconds."""
        clock = asyncio.get_running_loop().time
        while True:
            now = clock() - self._start
            due = 0.0 if self._before is None else self._before + self._interval_s()
            if now - due > self._catch_up_s:
                due = now
            if due <= now:
                self._before = due
                return due
            self._changed.clear()
            try:
                async with asyncio.timeout(due - now):
                    await self._changed.wait()
            except TimeoutError:
                continue  # it is due


class MicrophoneTrack(_Paced):
    """Mono 48 kHz sound from an endless iterator of blocks."""

    kind = "audio"

    def __init__(self, blocks: Iterator[Block], start: float) -> None:
        super().__init__(start, SOUND_CATCH_UP_S)
        self._blocks = blocks

    def _interval_s(self) -> float:
        return BLOCK_SAMPLES / SAMPLE_RATE_HZ

    async def recv(self) -> av.AudioFrame:
        """The next 20 ms."""
        due = await self._wait()
        block = next(self._blocks)
        frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        frame.pts = round(due * SAMPLE_RATE_HZ)
        frame.time_base = fractions.Fraction(1, SAMPLE_RATE_HZ)
        return frame


class Camera(_Paced):
    """A picture track that follows what the conference asks for, at once."""

    kind = "video"

    def __init__(self, start: float) -> None:
        super().__init__(start, PICTURE_CATCH_UP_S)
        self._request = PictureRequest()

    @property
    def request(self) -> PictureRequest:
        """What is asked for now."""
        return self._request

    @request.setter
    def request(self, request: PictureRequest) -> None:
        self._request = request
        self._changed.set()

    def _interval_s(self) -> float:
        return 1.0 / (PAUSED_FPS if self._request.paused else max(1, self._request.fps))

    @abstractmethod
    def _draw(self, due: float) -> av.VideoFrame:
        """One picture of the size asked for."""

    async def recv(self) -> av.VideoFrame:
        """The next picture."""
        due = await self._wait()
        frame = self._draw(due)
        frame.pts = round(due * VIDEO_CLOCK_HZ)
        frame.time_base = fractions.Fraction(1, VIDEO_CLOCK_HZ)
        return frame


class TestCamera(Camera):
    """The test picture with the bridge's name and a clock."""

    __test__ = False

    def __init__(self, name: str, start: float) -> None:
        super().__init__(start)
        self._picture = TestPicture(name)

    def _draw(self, due: float) -> av.VideoFrame:
        clock = datetime.now().astimezone().strftime("%H:%M:%S.%f")[:10]
        request = self._request
        return self._picture.draw(request.width & ~1, request.height & ~1, due, clock)


def file_pictures(path: Path) -> Iterator[tuple[float, av.VideoFrame]]:
    """(seconds since the start of the first pass, picture), endless.

    Raises:
        OSError: it cannot be read. ValueError: it has no picture.
    """
    passed = 0.0
    while True:
        last = -1.0
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise ValueError(f"{path} has no picture")
            for frame in container.decode(video=0):
                last = frame.time if frame.time is not None else last + FILE_STEP_S
                yield passed + last, frame
        if last < 0:
            raise ValueError(f"{path} has no picture that can be decoded")
        passed += last + FILE_STEP_S


class FileCamera(Camera):
    """The pictures of a media file, over and over, at the rate and size asked for."""

    def __init__(self, path: Path, start: float) -> None:
        """Raises OSError when the file cannot be read, ValueError when it has no picture."""
        super().__init__(start)
        self._pictures = file_pictures(path)
        _, self._current = next(self._pictures)
        self._next_at, self._next = next(self._pictures)
        self._shift = 0.0

    def _draw(self, due: float) -> av.VideoFrame:
        if due - self._shift - self._next_at > FILE_SKIP_S:
            self._shift = due - self._next_at
        while self._next_at + self._shift <= due + FILE_EARLY_S:
            self._current = self._next
            self._next_at, self._next = next(self._pictures)
        request = self._request
        return self._current.reformat(
            width=request.width & ~1, height=request.height & ~1, format="yuv420p"
        )
