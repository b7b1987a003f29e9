"""Turns offers into WebRTC legs and drives all of them with one timer."""

import random
import string
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import structlog

from mcu.legs.context import LegContext, LegIdentity
from mcu.legs.leg import LegKind, LegObserver
from mcu.legs.liveness import Liveness
from mcu.legs.turn import take_turn
from mcu.legs.webrtc import WebRtcLeg
from mcu.media.clock import Moments, NtpClock
from mcu.media.port import MediaPort
from signalling.sdp import SessionDescription
from signalling.webrtc.dtls import DtlsCertificate, DtlsEndpoint
from signalling.webrtc.ice import IceCandidate, IceLite
from signalling.webrtc.negotiation import LocalSide, answer_offer

log = structlog.get_logger(__name__)

IDLE_S = 1.0
_ICE_CHARACTERS = string.ascii_letters + string.digits
_UFRAG_CHARACTERS = 8
_PWD_CHARACTERS = 24


class WebRtcAcceptor:
    """Answers offers; owns the legs until they have left.

    Args:
        port: the media port all legs share.
        certificate: our DTLS identity.
        candidates: our addresses as answers name them, asked for with each offer.
        cname: one for everything that shares this clock; made up when None.
        ntp: mapping for sender reports; by the machine's clocks when None.
        clock: monotonic seconds, the one ``now`` comes from.
        lost_after_s, left_after_s: see ``Liveness``.
        moments: at which legs report; those of the tick of sound, whose turn comes before.
        generator: source of ICE credentials, SSRCs and first sequence numbers; seeded in tests.
    """

    def __init__(
        self,
        *,
        port: MediaPort,
        certificate: DtlsCertificate,
        candidates: Callable[[], Sequence[IceCandidate]],
        cname: str | None = None,
        ntp: NtpClock | None = None,
        clock: Callable[[], float] = time.monotonic,
        lost_after_s: float = 5.0,
        left_after_s: float = 30.0,
        generator: random.Random | None = None,
        moments: Moments | None = None,
    ) -> None:
        self._generator = generator or random.SystemRandom()
        self._certificate = certificate
        self._lost_after_s = lost_after_s
        self._left_after_s = left_after_s
        self._port = port
        self._cname = cname or self._text(16)
        self._legs: dict[str, WebRtcLeg] = {}
        self._context = LegContext(
            port=port,
            ntp=ntp or NtpClock(time.time(), clock()),
            cname=self._cname,
            clock=clock,
            generator=self._generator,
            new_credentials=self._new_credentials,
            candidates=candidates,
            closed=self._closed,
            moments=moments or Moments(),
        )
        self.legs: Mapping[str, WebRtcLeg] = MappingProxyType(self._legs)
        """Legs that have not left, by id."""
        self.faults = 0
        """Exceptions in legs' timers; each is a defect of this program, and logged."""
        self.dropped: Counter[str] = Counter()
        """What legs that have left had dropped, by reason; and ``timer_fault``."""

    def accept(
        self,
        offer_sdp: str,
        *,
        leg_id: str,
        conference: str,
        participant: str | None,
        kind: LegKind,
        observer: LegObserver,
        now: float,
    ) -> WebRtcLeg:
        """Answer an offer; the answer is the leg's ``answer_sdp``.

        Raises:
            SdpError: the offer is no SDP. OfferRefused: nothing in it can be used.
            ValueError: a leg with this id is there already.
        Cost: about a millisecond (DTLS state, negotiation).
        """
        if leg_id in self._legs:
            raise ValueError(f"leg {leg_id} exists")
        offer = SessionDescription.parse(offer_sdp)
        ufrag, pwd = self._new_credentials()
        local = LocalSide(
            ice_ufrag=ufrag,
            ice_pwd=pwd,
            fingerprints=(self._certificate.fingerprint,),
            candidates=tuple(self._context.candidates()),
            cname=self._cname,
            session_id=self._generator.getrandbits(62),
            new_ssrc=self._new_ssrc,
        )
        negotiated = answer_offer(offer, local, kind=kind)
        leg = WebRtcLeg(
            LegIdentity(leg_id, conference, participant, kind),
            self._context,
            negotiated,
            observer,
            ice=IceLite(ufrag, pwd, negotiated.remote_ufrag, negotiated.remote_pwd),
            dtls=DtlsEndpoint(
                negotiated.dtls_role, self._certificate, negotiated.remote_fingerprints
            ),
            liveness=Liveness(now, self._lost_after_s, self._left_after_s),
            rtcp_ssrc=self._new_ssrc(),
            now=now,
        )
        self._legs[leg_id] = leg
        self._port.register(leg, ufrag)
        return leg

    def handle_timer(self, now: float) -> None:
        """Let every leg that is due do its work: reports, repetitions, handshakes, silence.

        A few (see ``take_turn``); where others wait, ``next_timer`` is past.
        Cost: one comparison per leg that is not due.
        """

        def failed(leg: WebRtcLeg) -> None:
            self.faults += 1
            self.dropped["timer_fault"] += 1
            leg.due_at = now + IDLE_S
            log.exception("leg_timer_failed", leg=leg.id)

        take_turn(self._legs.values(), now, self._context.clock, failed)

    def next_timer(self, now: float) -> float:
        """When ``handle_timer`` has something to do; at the latest in ``IDLE_S``.

        A gap in a stream may bring it forward, so drive it at least every 20 ms or so while
        media flows, or ask again after each batch of datagrams.
        """
        return min((leg.due_at for leg in self._legs.values()), default=now + IDLE_S)

    def close(self, reason: str, now: float) -> None:
        """Close every leg."""
        for leg in list(self._legs.values()):
            leg.close(reason, now)

    def _closed(self, leg: WebRtcLeg) -> None:
        self._legs.pop(leg.id, None)
        self.dropped.update(leg.statistics(0.0).dropped)

    def _new_credentials(self) -> tuple[str, str]:
        return self._text(_UFRAG_CHARACTERS), self._text(_PWD_CHARACTERS)

    def _new_ssrc(self) -> int:
        return self._generator.randrange(1, 1 << 32)

    def _text(self, characters: int) -> str:
        return "".join(self._generator.choices(_ICE_CHARACTERS, k=characters))
