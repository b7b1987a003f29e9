"""Conferences' video in this process: for virtual time, and for measuring the mixer alone."""

from mcu.engine.conference_video import ConferenceVideo
from mcu.engine.pool import Pool
from mcu.engine.ticks import TickReading
from mcu.engine.video import VideoMixer
from mcu.media.rendition import Outlet


class LocalVideo:
    """See ``VideoFactory``; frames are counted by the engine's own clock.

    Args:
        fan_out: sends what is encoded. pool: runs codecs.
        width, height, fps, bitrate_bps: of views and their best rendition.
    """

    def __init__(
        self,
        fan_out: Outlet,
        pool: Pool,
        *,
        width: int = 1280,
        height: int = 720,
        fps: int = 25,
        bitrate_bps: int = 1_500_000,
    ) -> None:
        self._fan_out = fan_out
        self._pool = pool
        self._width, self._height = width, height
        self._fps, self._bitrate_bps = fps, bitrate_bps

    def open(self, conference: str) -> ConferenceVideo:
        """See ``VideoFactory``."""
        return VideoMixer(
            fan_out=self._fan_out,
            pool=self._pool,
            width=self._width,
            height=self._height,
            fps=self._fps,
            bitrate_bps=self._bitrate_bps,
        )

    def ticks(self) -> TickReading | None:
        """See ``VideoFactory``."""
        return None

    @property
    def restarts(self) -> int:
        """There is no process."""
        return 0

    @property
    def hangs(self) -> int:
        """There is no process."""
        return 0

    @property
    def processor_s(self) -> float:
        """There is no process."""
        return 0.0

    @property
    def faults(self) -> int:
        """The engine counts them."""
        return 0
