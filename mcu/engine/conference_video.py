"""The video of one conference as everything around it sees it.

``mcu.engine.video.VideoMixer`` is it in the same process; in production the mixer runs in a
process of its own (``mcu.engine.video_process``) behind the same calls.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from mcu.engine.plan import MediaPlan
from mcu.engine.shedding import Shed
from mcu.engine.taps import End, PictureObserver, Wish
from mcu.engine.thumbnail import Thumbnail
from mcu.engine.ticks import TickReading
from mcu.engine.video_ladder import Rung
from mcu.engine.video_requests import SourceRequest
from mcu.engine.video_statistics import VideoStatistics
from mcu.legs.leg import StreamCodec, StreamName
from mcu.media.frames import EncodedFrame
from mcu.media.rendition import Rendition, RenditionKey


class VideoLeg(Protocol):
    """What video needs of a ``Leg``; see there."""

    @property
    def id(self) -> str:
        """Unique among all legs."""

    @property
    def sources(self) -> Mapping[StreamName, StreamCodec]:
        """What it sends."""

    @property
    def outputs(self) -> Mapping[StreamName, StreamCodec]:
        """What it receives."""

    def play(self, stream: StreamName, rendition: Rendition | None) -> None:
        """Send a rendition on a stream; None pauses it."""

    def want_source(self, source: StreamName, wanted: bool) -> None:
        """Whether pictures of a source are put together."""

    def request_key_frame(self, source: StreamName) -> None:
        """Ask the peer for a key frame."""

    def limit_bitrate(self, bps: int | None) -> None:
        """Limit what the peer sends in total."""


class ConferenceVideo(Protocol):
    """Sources are decoded once, views composed once, renditions encoded once."""

    def add_source(self, participant: str, source: StreamName, leg: VideoLeg) -> None:
        """Let a participant be seen; a source it had before goes over to the new leg."""

    def remove_source(self, participant: str, source: StreamName) -> None:
        """Forget a source; its slot shows a card."""

    def receive(
        self, participant: str, source: StreamName, frame: EncodedFrame, now: float
    ) -> None:
        """Take one coded picture; without effect when the participant has no such source."""

    def add_viewer(self, leg: VideoLeg, view: str, now: float) -> None:
        """Let a leg receive a view (``leg.outputs["video"]``), and presentation where it can."""

    def remove_viewer(self, leg: VideoLeg) -> None:
        """Send no more video to a leg; an encoder that nobody else needs is freed."""

    def ladder(self, codec: StreamCodec) -> tuple[Rung, ...]:
        """The rungs that views are offered in to a codec, best first."""

    def limit_viewer(self, leg_id: str, limit_bps: int | None) -> None:
        """Let a leg's pictures have at most this rate, now and whenever it is a viewer.

        ``AUDIO_ONLY_BPS`` (0): none at all. None lifts the limit; call it when the leg is gone.
        """

    def receives(self, leg_id: str) -> RenditionKey | None:
        """The rendition that a leg's ``video`` gets now."""

    def apply_plan(self, plan: MediaPlan, now: float) -> None:
        """Take over layouts, slots, labels and mutes from the next tick on."""

    def set_speakers(self, speakers: Sequence[str]) -> None:
        """Who speaks, the most prominent first."""

    def shed(self, shed: Shed) -> None:
        """Do without some of it from now on, or with all of it again."""

    def tick(self, now: float, wall: datetime) -> None:
        """One frame interval."""

    def visible(self, view: str) -> Sequence[str | None]:
        """Who stands in each slot of a view now; nobody in one that is not composed."""

    def source_requests(self) -> Mapping[tuple[str, StreamName], SourceRequest]:
        """What each room should send: as much as the largest slot it stands in shows."""

    def observe(self, participant: str, observer: PictureObserver, wish: Wish) -> End:
        """See ``ConferenceMedia.observe_picture``."""

    async def picture(self, view: str) -> bytes | None:
        """JPEG of a view; None when there is no such view."""

    async def participant_picture(self, participant: str) -> bytes | None:
        """JPEG of what a participant sends; None when it sends no picture within some seconds."""

    def watch_wall(self, participants: Collection[str]) -> None:
        """Draw thumbnails of these participants from now on, and of no others."""

    def thumbnails(self) -> Mapping[str, Thumbnail]:
        """The newest thumbnail of each that is watched; replaced, never changed."""

    def statistics(self) -> VideoStatistics:
        """A reading."""

    def close(self) -> None:
        """Free everything."""


class VideoFactory(Protocol):
    """Where conferences get their video from."""

    def open(self, conference: str) -> ConferenceVideo:
        """The video of a conference that begins."""

    def ticks(self) -> TickReading | None:
        """How the frame clock is kept, where that is not the engine's own."""

    @property
    def restarts(self) -> int:
        """How often a process had to be started again."""

    @property
    def hangs(self) -> int:
        """How often, of these, one was ended because it hung."""

    @property
    def processor_s(self) -> float:
        """Processor seconds that other processes have used."""

    @property
    def faults(self) -> int:
        """Frame intervals that ended with an exception elsewhere than in the engine."""
