"""What all SIP legs of an acceptor share, and what a leg is to its flows."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mcu.legs.leg import StreamName
from mcu.media.clock import NtpClock
from mcu.media.frames import EncodedFrame
from mcu.media.latch import Elsewhere
from mcu.media.ports import MediaPorts
from signalling.webrtc.dtls import DtlsCertificate

if TYPE_CHECKING:
    from mcu.legs.sip import SipLeg
    from mcu.legs.sip_flow import SipFlow


@dataclass(frozen=True, slots=True)
class SipContext:
    """See ``SipAcceptor``.

    Args:
        clock: monotonic seconds, for calls that carry no ``now``.
        elsewhere: plain RTP may come from a host that was not announced, and which.
        closed: called once when a leg has left.
    """

    ports: MediaPorts
    certificate: DtlsCertificate
    ntp: NtpClock
    cname: str
    clock: Callable[[], float]
    generator: random.Random
    lost_after_s: float
    elsewhere: Elsewhere
    closed: Callable[[SipLeg], None]


class FlowOwner(Protocol):
    """The leg."""

    def flow_ready(self, flow: SipFlow, now: float) -> None:
        """Packets can be sent."""

    def flow_failed(self, flow: SipFlow, reason: str, now: float) -> None:
        """They never will."""

    def flow_heard(self, now: float) -> None:
        """Something of the peer came."""

    def flow_switched(self, flow: SipFlow, now: float) -> None:
        """The peer sends another of the codecs agreed on."""

    def frame_received(self, source: StreamName, frame: EncodedFrame, now: float) -> None:
        """One picture is complete."""

    def key_pressed(self, key: str) -> None:
        """A telephone event."""

    def picture_needed(self) -> None:
        """Ask for a key frame by signalling."""

    def wake(self, at: float) -> None:
        """Call ``handle_timer`` then."""
