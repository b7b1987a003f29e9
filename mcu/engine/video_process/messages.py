"""What the daemon and a video process say to each other; pickled, as both are one program.

A conference's messages arrive in the order they were sent. Times are of the monotonic clock,
which is one for all processes of a machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from config.sections import LoggingSettings
from mcu.engine.conference_video import VideoLeg
from mcu.engine.plan import MediaPlan
from mcu.engine.shedding import Shed
from mcu.engine.taps import Wish
from mcu.engine.thumbnail import Thumbnail
from mcu.engine.ticks import TickReading
from mcu.engine.video_requests import SourceRequest
from mcu.engine.video_statistics import VideoStatistics
from mcu.legs.leg import StreamCodec, StreamName
from mcu.media.frames import EncodedFrame
from mcu.media.rendition import RenditionKey

# To a video process


@dataclass(frozen=True, slots=True)
class Configure:
    """The first message.

    Args:
        threads: codec threads. fps: of all views. time_zone: of the clock in the picture.
    """

    threads: int
    fps: int
    time_zone: str
    logging: LoggingSettings


@dataclass(frozen=True, slots=True)
class OpenConference:
    """Begin with a conference; sizes and rate of its views."""

    conference: str
    width: int
    height: int
    bitrate_bps: int


@dataclass(frozen=True, slots=True)
class CloseConference:
    """Free all that a conference has."""

    conference: str


@dataclass(frozen=True, slots=True)
class LegFormat:
    """What the mixer needs to know of a leg."""

    id: str
    sources: Mapping[StreamName, StreamCodec]
    outputs: Mapping[StreamName, StreamCodec]

    @classmethod
    def of(cls, leg: VideoLeg) -> "LegFormat":
        """The video side of a leg; codec parameters of the SDP stay behind."""
        return cls(leg.id, _video(leg.sources), _video(leg.outputs))


def _video(streams: Mapping[StreamName, StreamCodec]) -> dict[StreamName, StreamCodec]:
    return {
        name: replace(codec, parameters={}) for name, codec in streams.items() if name != "audio"
    }


@dataclass(frozen=True, slots=True)
class AddSource:
    """See ``ConferenceVideo.add_source``."""

    conference: str
    participant: str
    stream: StreamName
    leg: LegFormat


@dataclass(frozen=True, slots=True)
class RemoveSource:
    """See ``ConferenceVideo.remove_source``."""

    conference: str
    participant: str
    stream: StreamName


class Frame(NamedTuple):
    """One coded picture of a source that is wanted: a tuple, as some 400 a second are pickled."""

    conference: str
    participant: str
    stream: StreamName
    frame: EncodedFrame
    now: float


@dataclass(frozen=True, slots=True)
class AddViewer:
    """See ``ConferenceVideo.add_viewer``."""

    conference: str
    leg: LegFormat
    view: str
    now: float


@dataclass(frozen=True, slots=True)
class RemoveViewer:
    """See ``ConferenceVideo.remove_viewer``."""

    conference: str
    leg: str


@dataclass(frozen=True, slots=True)
class LimitViewer:
    """See ``ConferenceVideo.limit_viewer``."""

    conference: str
    leg: str
    limit_bps: int | None


@dataclass(frozen=True, slots=True)
class ApplyPlan:
    """See ``ConferenceVideo.apply_plan``."""

    conference: str
    plan: MediaPlan
    now: float


@dataclass(frozen=True, slots=True)
class SetSpeakers:
    """See ``ConferenceVideo.set_speakers``."""

    conference: str
    speakers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApplyShed:
    """See ``ConferenceVideo.shed``."""

    conference: str
    shed: Shed


@dataclass(frozen=True, slots=True)
class WantKeyFrame:
    """A leg needs a key frame of a rendition."""

    conference: str
    key: RenditionKey
    now: float


@dataclass(frozen=True, slots=True)
class AskPicture:
    """A JPEG is wanted, of a view or of a participant; answered by ``Picture``."""

    conference: str
    number: int
    view: str | None = None
    participant: str | None = None


@dataclass(frozen=True, slots=True)
class ObservePicture:
    """A participant's pictures are wanted, whole or some rows; None: no more."""

    conference: str
    participant: str
    wish: Wish | None


@dataclass(frozen=True, slots=True)
class WatchWall:
    """See ``ConferenceVideo.watch_wall``."""

    conference: str
    participants: frozenset[str]


# From a video process


@dataclass(frozen=True, slots=True)
class Ready:
    """The process takes conferences."""


@dataclass(frozen=True, slots=True)
class Play:
    """A leg is to get a rendition on a stream; None: nothing."""

    conference: str
    leg: str
    stream: StreamName
    key: RenditionKey | None


@dataclass(frozen=True, slots=True)
class Packets:
    """RTP payloads of one coded picture of a rendition.

    Args:
        timestamp: RTP, 90 kHz, not wrapped; stands for the moment ``captured``.
    """

    conference: str
    key: RenditionKey
    payloads: list[bytes]
    timestamp: int
    key_frame: bool
    now: float
    captured: float


@dataclass(frozen=True, slots=True)
class WantSource:
    """See ``Leg.want_source``."""

    conference: str
    leg: str
    stream: StreamName
    wanted: bool


@dataclass(frozen=True, slots=True)
class RequestKeyFrame:
    """See ``Leg.request_key_frame``."""

    conference: str
    leg: str
    stream: StreamName


@dataclass(frozen=True, slots=True)
class LimitBitrate:
    """See ``Leg.limit_bitrate``."""

    conference: str
    leg: str
    bps: int | None


@dataclass(frozen=True, slots=True)
class Seen:
    """Who stands in the slots of the views, and what rooms should send; sent when it changed."""

    conference: str
    visible: Mapping[str, tuple[str | None, ...]]
    requests: Mapping[tuple[str, StreamName], SourceRequest]


@dataclass(frozen=True, slots=True)
class Counted:
    """A conference's statistics, sent at intervals."""

    conference: str
    statistics: VideoStatistics


@dataclass(frozen=True, slots=True)
class Ticked:
    """How the process keeps its clock, sent at intervals; also says that it lives.

    Args:
        busy_s: how long its oldest piece of codec work has been running.
        processor_s: processor time it has used, all threads.
    """

    reading: TickReading
    faults: int
    busy_s: float = 0.0
    processor_s: float = 0.0


class Luma(NamedTuple):
    """A picture of a participant that is observed; uint8, row by row. See ``ObservePicture``."""

    conference: str
    participant: str
    height: int
    width: int
    rows: bytes
    now: float


@dataclass(frozen=True, slots=True)
class Picture:
    """The answer to ``AskPicture``."""

    conference: str
    number: int
    jpeg: bytes | None


@dataclass(frozen=True, slots=True)
class Thumbnails:
    """Those that were drawn since the last message."""

    conference: str
    pictures: tuple[Thumbnail, ...]


ToVideo = (
    Configure
    | OpenConference
    | CloseConference
    | AddSource
    | RemoveSource
    | Frame
    | AddViewer
    | RemoveViewer
    | LimitViewer
    | ApplyPlan
    | SetSpeakers
    | ApplyShed
    | WantKeyFrame
    | AskPicture
    | ObservePicture
    | WatchWall
)

FromVideo = (
    Ready
    | Play
    | Packets
    | WantSource
    | RequestKeyFrame
    | LimitBitrate
    | Seen
    | Counted
    | Ticked
    | Picture
    | Luma
    | Thumbnails
)
