"""What is measured of one room, as plain values; what they mean is said by ``assessment``.

None stands for "could not be measured" everywhere: it is never taken for good.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, Self

CapacityProof = Literal["probed", "estimated", "carried"]
"""How a capacity is known: by bursts, by the peer's or our estimate of the line, or only as what
it carried, which is a lower bound."""


@dataclass(frozen=True, slots=True)
class LineMeasured:
    """The media path over the time of the measurement; up is from the room to here.

    Args:
        loss_up_percent, loss_down_percent: packets lost; down as the room reports it.
        jitter_up_ms, jitter_down_ms: RFC 3550 section 6.4.1, the greater of sound and picture.
        capacity_up_bps: what arrived in the best second. capacity_down_bps: see ``down_proof``.
        reports: receiver reports on the sound that we sent.
    """

    loss_up_percent: float | None = None
    loss_down_percent: float | None = None
    jitter_up_ms: float | None = None
    jitter_down_ms: float | None = None
    round_trip_ms: float | None = None
    capacity_up_bps: int | None = None
    capacity_down_bps: int | None = None
    down_proof: CapacityProof | None = None
    reports: int = 0
    audio_packets: int = 0


@dataclass(frozen=True, slots=True)
class SoundMeasured:
    """What came from the room's microphone.

    Args:
        seconds: of sound that was decoded.
        level_dbov: active speech level (ITU-T P.56); None: nobody spoke long enough.
        activity: share of the time in which somebody spoke, 0 to 1.
        clipped: share of the looks at its histogram that found a ceiling, 0 to 1; None: too
            short, or too little of it was loud.
        echo: what the return of the test tone is; None: too little of it could be compared.
        echo_delay_ms, echo_level_db: of the return, where there is one.
    """

    seconds: float = 0.0
    level_dbov: float | None = None
    activity: float = 0.0
    clipped: float | None = None
    echo: Literal["echo", "shared", "none"] | None = None
    echo_delay_ms: float | None = None
    echo_level_db: float | None = None


@dataclass(frozen=True, slots=True)
class PictureMeasured:
    """What came from the room's camera.

    Args:
        offered: the room sends a picture by its session description.
        black: share of the pictures looked at that were black or of one shade, 0 to 1.
        stillness: see ``mixer.detect.stillness``; None: too few pictures.
        later_ms: by how much pictures come later than sound of the same moment, as the sender's
            clocks say; see ``readiness.lipsync``.
    """

    offered: bool = False
    pictures: int = 0
    width: int = 0
    height: int = 0
    fps: float | None = None
    bitrate_bps: int | None = None
    black: float | None = None
    stillness: Literal["moving", "still", "frozen"] | None = None
    later_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Configuration:
    """How a room was connected: what should stay as it was recorded.

    Args:
        address: of its media, without the port. certificate: fingerprint, of hardware rooms only
            (browsers make a new certificate for each connection).
    """

    audio_codec: str | None = None
    video_codec: str | None = None
    resolution: str | None = None
    address: str | None = None
    user_agent: str | None = None
    certificate: str | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Of a stored document; members that are not known (any more) are left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})


@dataclass(frozen=True, slots=True)
class Measurements:
    """All of one room.

    Args:
        share: of the ticks that were due, those that this machine has kept: below
            ``assessment.LEAST_SHARE`` it was too busy to measure anybody.
    """

    line: LineMeasured = LineMeasured()
    sound: SoundMeasured = SoundMeasured()
    picture: PictureMeasured = PictureMeasured()
    configuration: Configuration = Configuration()
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Standard:
    """What a room must reach; of the bridge's record, and where that says nothing, the usual."""

    width: int = 1280
    height: int = 720
    fps: float = 25
    uplink_bps: int = 2_000_000
    downlink_bps: int = 2_000_000
    loss_percent: float = 1.0
    jitter_ms: float = 30
    round_trip_ms: float = 150

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Of a bridge's ``standard``, any JSON object: what is no positive number is left out."""
        found = {
            field.name: values[field.name]
            for field in fields(cls)
            if isinstance(values.get(field.name), int | float)
            and not isinstance(values[field.name], bool)
            and values[field.name] >= 0
        }
        return cls(**found)
