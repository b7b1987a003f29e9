"""What all SIP legs of an acceptor share."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcu.media.clock import NtpClock
from mcu.media.ports import MediaPorts
from signalling.webrtc.dtls import DtlsCertificate

if TYPE_CHECKING:
    from mcu.legs.sip import SipLeg


@dataclass(frozen=True, slots=True)
class SipContext:
    """See ``SipAcceptor``.

    Args:
        clock: monotonic seconds, for calls that carry no ``now``.
        elsewhere: plain RTP may come from a host that was not announced.
        closed: called once when a leg has left.
    """

    ports: MediaPorts
    certificate: DtlsCertificate
    ntp: NtpClock
    cname: str
    clock: Callable[[], float]
    generator: random.Random
    lost_after_s: float
    elsewhere: bool
    closed: Callable[[SipLeg], None]
