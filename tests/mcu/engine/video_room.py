"""A conference's video in virtual time: legs that note what they are told, coloured pictures."""

from collections.abc import Mapping
from datetime import UTC, datetime

import av

from mcu.engine.plan import MediaPlan, ParticipantPlan, ParticipantSlot, Slot, ViewPlan
from mcu.engine.pool import InlinePool, Pool
from mcu.engine.video import VideoMixer
from mcu.legs.leg import LegKind, LegState, LegStatistics, StreamCodec, StreamName
from mcu.media.frames import EncodedFrame
from mcu.media.rendition import FanOut, Rendition
from mixer.codecs.video import VideoDecoder, VideoEncoder
from mixer.video.canvas import Planes, frame_planes
from mixer.video.layout import Fit
from tests.mixer.video.pictures import Yuv, frame

WALL = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
FPS = 25
SIZE = (640, 360)


class Leg:
    """Notes what the mixer asks of it; keeps the coded pictures it is sent."""

    def __init__(
        self,
        name: str,
        *,
        codec: StreamCodec | None = None,
        sources: tuple[StreamName, ...] = ("video",),
        outputs: tuple[StreamName, ...] = ("video",),
    ) -> None:
        codec = codec or StreamCodec("h264", 90_000)
        self.id = f"leg-{name}"
        self.conference = "c"
        self.participant: str | None = name
        self.kind: LegKind = "join"
        self.state: LegState = "connected"
        self.sources: Mapping[StreamName, StreamCodec] = dict.fromkeys(sources, codec)
        self.outputs: Mapping[StreamName, StreamCodec] = dict.fromkeys(outputs, codec)
        self.playing: dict[StreamName, Rendition | None] = {}
        self.wanted: dict[StreamName, bool] = {}
        self.key_frames_asked = 0
        self.limit: int | None = None

    def play(self, stream: StreamName, rendition: Rendition | None) -> None:
        self.playing[stream] = rendition

    def want_source(self, source: StreamName, wanted: bool) -> None:
        self.wanted[source] = wanted

    def request_key_frame(self, source: StreamName) -> None:
        self.key_frames_asked += 1

    def limit_bitrate(self, bps: int | None) -> None:
        self.limit = bps

    def statistics(self, now: float) -> LegStatistics:
        return LegStatistics()

    def close(self, reason: str, now: float) -> None:
        self.state = "left"


class Camera:
    """Codes pictures of one colour."""

    def __init__(
        self, colour: Yuv, size: tuple[int, int] = (320, 180), codec: str = "h264"
    ) -> None:
        self.colour = colour
        self.size = size
        self._encoder = VideoEncoder(codec, *size, FPS, 300_000)
        self._number = 0
        self._asked = 0

    def next(self, asked: int = 0) -> EncodedFrame:
        """The next picture; a key frame if ``asked`` (the requests so far) has grown."""
        key = self._number == 0 or asked != self._asked
        self._asked = asked
        coded = self._encoder.encode(frame(*self.size, self.colour), key)
        self._number += 1
        return EncodedFrame(coded.data, self._number * 3600, coded.key_frame, contiguous=True)


class VideoRoom:
    """A mixer with its clock; ``run`` lets time pass."""

    def __init__(self, pool: Pool | None = None) -> None:
        self.mixer = VideoMixer(
            fan_out=FanOut(lambda delay, call: None),
            pool=pool or InlinePool(),
            width=SIZE[0],
            height=SIZE[1],
            fps=FPS,
            bitrate_bps=600_000,
        )
        self.now = 100.0
        self.cameras: dict[str, Camera] = {}
        self.legs: dict[str, Leg] = {}
        self._participants: dict[str, ParticipantPlan] = {}
        self._views: dict[str, ViewPlan] = {}
        self._presenter: str | None = None

    def plan(
        self,
        layout: str = "2x2",
        *slots: Slot,
        view: str = "main",
        fit: Fit = "letterbox",
        with_presentation: ViewPlan | None = None,
    ) -> None:
        """Set a view's layout; empty slots are added."""
        from mcu.engine.plan import EmptySlot
        from mixer.video.layout import LAYOUTS

        missing = len(LAYOUTS[layout].slots) - len(slots)
        self._views[view] = ViewPlan(
            view,
            layout,
            (*slots, *(EmptySlot() for _ in range(missing))),
            show_clock=False,
            fit=fit,
            with_presentation=with_presentation,
        )
        self.apply()

    def seat(
        self, *names: str, layout: str = "2x2", view: str = "main", fit: Fit = "letterbox"
    ) -> None:
        """Fixed places, in this order."""
        self.plan(layout, *(ParticipantSlot(name) for name in names), view=view, fit=fit)

    def put(self, one: ParticipantPlan) -> None:
        """Put somebody on the roster, or change how they are."""
        self._participants[one.participant] = one
        self.apply()

    def apply(self) -> None:
        plan = MediaPlan(dict(self._participants), dict(self._views), self._presenter)
        self.mixer.apply_plan(plan, self.now)

    def present(self, name: str | None) -> None:
        """Give the presentation's token to somebody."""
        self._presenter = name
        self.apply()

    def join(self, name: str, colour: Yuv, leg: Leg | None = None) -> Leg:
        """A connected participant with a camera."""
        leg = leg or Leg(name)
        self.put(ParticipantPlan(name, name, "connected"))
        self.mixer.add_source(name, "video", leg)
        self.legs[name] = leg
        self.cameras[name] = Camera(colour, codec=leg.sources["video"].name)
        return leg

    def run(self, ticks: int = 1, *, send: bool = True) -> None:
        """Frame intervals in which every camera sends a picture."""
        for _ in range(ticks):
            self.now += 1 / FPS
            if send:
                for name, camera in self.cameras.items():
                    coded = camera.next(self.legs[name].key_frames_asked)
                    self.mixer.receive(name, "video", coded, self.now)
            self.mixer.tick(self.now, WALL)


def decoded(rendition: Rendition | None) -> Planes:
    """The newest picture of a rendition, from all that is in its ring."""
    assert rendition is not None
    ring = rendition.ring
    decoder = VideoDecoder(rendition.key.codec)
    pictures: list[av.VideoFrame] = []
    for data in access_units(rendition):
        pictures += decoder.decode(data)
    assert pictures, ring.end
    return frame_planes(pictures[-1])


def access_units(rendition: Rendition) -> list[bytes]:
    """Coded pictures put together again from RTP payloads."""
    from mcu.media.assembly import FrameAssembler

    ring = rendition.ring
    assembler = FrameAssembler(rendition.key.codec)
    units = []
    for index in range(ring.oldest, ring.end):
        at = index & ring.mask
        marker = bool(ring.markers[at] & 0x80)
        frames = assembler.insert(index, ring.timestamps[at], marker, ring.payloads[at])
        units += [one.data for one in frames]
    return units
