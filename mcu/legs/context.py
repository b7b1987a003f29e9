"""What a WebRTC leg is made with: whose it is, what all legs share, what was negotiated."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcu.legs.leg import LegKind, StreamCodec
from mcu.media.clock import Moments, NtpClock
from mcu.media.port import MediaPort
from signalling.webrtc.ice import IceCandidate
from signalling.webrtc.negotiation import NegotiatedMedia

if TYPE_CHECKING:
    from mcu.legs.webrtc import WebRtcLeg


@dataclass(frozen=True, slots=True)
class LegIdentity:
    """Whose leg it is."""

    id: str
    conference: str
    participant: str | None
    kind: LegKind


@dataclass(frozen=True, slots=True)
class LegContext:
    """What all legs of an acceptor share.

    Args:
        clock: monotonic seconds, for calls that carry no ``now``.
        new_credentials: gives an unused ICE user fragment and a password.
        candidates: our addresses, as answers name them.
        closed: called once when a leg has left.
        moments: at which legs report.
    """

    port: MediaPort
    ntp: NtpClock
    cname: str
    clock: Callable[[], float]
    generator: random.Random
    new_credentials: Callable[[], tuple[str, str]]
    candidates: Callable[[], Sequence[IceCandidate]]
    closed: Callable[[WebRtcLeg], None]
    moments: Moments


def stream_codec(media: NegotiatedMedia) -> StreamCodec:
    """The negotiated codec as the engine sees it."""
    codec = media.codec
    return StreamCodec(
        name=codec.name,
        clock_rate=codec.clock_rate,
        channels=codec.channels,
        parameters=codec.parameters,
        max_width=codec.max_width,
        max_height=codec.max_height,
        max_fps=codec.max_fps,
        max_bitrate_bps=media.max_bitrate_bps,
    )
