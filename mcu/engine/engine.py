"""The tick loop: drives the media of all conferences from two schedules.

Sans-IO: ``handle_timer(now)`` does what is due and ``next_timer()`` says when to come again. The
video clock stands half an audio tick off, so that a picture is never composed in the same loop
turn that mixes sound.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial

import structlog

from mcu.engine.conference_media import ConferenceMedia
from mcu.engine.conference_video import VideoFactory
from mcu.engine.shedding import NOTHING, Shed
from mcu.engine.ticks import TickReading, TickSchedule
from mcu.media.rendition import FanOut

AUDIO_TICK_S = 0.02
VIDEO_OFFSET_S = AUDIO_TICK_S / 2

log = structlog.get_logger(__name__)


class Engine:
    """Owns the media of every running conference.

    Args:
        fan_out: sends renditions to legs.
        video: where conferences get their video from.
        start: monotonic time of the first tick.
        wall: local time, for the clock in the picture.
        fps: of all views. max_speakers: how many are mixed at once in a conference.
    """

    def __init__(
        self,
        *,
        fan_out: FanOut,
        video: VideoFactory,
        start: float,
        wall: Callable[[], datetime],
        fps: int = 25,
        max_speakers: int = 8,
    ) -> None:
        self.conferences: dict[str, ConferenceMedia] = {}
        self.audio_clock = TickSchedule(AUDIO_TICK_S, start)
        self.video_clock = TickSchedule(1.0 / fps, start + VIDEO_OFFSET_S)
        self.fps = fps
        """Of all views, when nothing is given up."""
        self._faults = 0
        self._fan_out = fan_out
        self._video = video
        self._max_speakers = max_speakers
        self._wall = wall
        self._shed = NOTHING

    def start_conference(self, conference: str) -> ConferenceMedia:
        """Make the media of a conference; the one that runs already is returned as it is."""
        media = self.conferences.get(conference)
        if media is None:
            media = self.conferences[conference] = ConferenceMedia(
                conference,
                fan_out=self._fan_out,
                video=self._video.open(conference),
                max_speakers=self._max_speakers,
            )
            media.video.shed(self._shed)
        return media

    def remove_conference(self, conference: str) -> ConferenceMedia | None:
        """Forget a conference; its media no longer ticks. The caller closes it."""
        return self.conferences.pop(conference, None)

    def shed(self, shed: Shed) -> None:
        """Let all conferences, and those that begin, do without some of their video."""
        self._shed = shed
        for media in self.conferences.values():
            media.video.shed(shed)

    @property
    def faults(self) -> int:
        """Ticks that ended with an exception, each logged."""
        return self._faults + self._video.faults

    @property
    def video_restarts(self) -> int:
        """How often a video process had to be started again."""
        return self._video.restarts

    @property
    def video_hangs(self) -> int:
        """How often, of these, one was ended because it hung."""
        return self._video.hangs

    @property
    def video_processor_s(self) -> float:
        """Processor seconds that video processes have used."""
        return self._video.processor_s

    def ticks(self) -> dict[str, TickReading]:
        """How the clocks are kept: ``audio`` and ``video``."""
        own = self.video_clock.statistics
        return {
            "audio": self.audio_clock.statistics.reading(),
            "video": self._video.ticks() or own.reading(),
        }

    def next_timer(self) -> float:
        """When ``handle_timer`` has something to do."""
        return min(self.audio_clock.next_timer, self.video_clock.next_timer)

    def handle_timer(self, now: float) -> None:
        """Run the ticks that are due: all sound first, then pictures (the last due one only)."""
        for _ in self.audio_clock.due(now):
            for media in list(self.conferences.values()):
                self._guard(media, partial(media.audio_tick, now))
        if self.video_clock.due(now):
            wall = self._wall()
            for media in list(self.conferences.values()):
                self._guard(media, partial(media.video_tick, now, wall))

    def _guard(self, media: ConferenceMedia, tick: Callable[[], None]) -> None:
        """One conference's defect must not stop the clock of the others."""
        try:
            tick()
        except Exception:
            self._faults += 1
            log.exception("tick_failed", conference=media.conference)
