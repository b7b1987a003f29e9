"""Owns SIP legs and their ports, and drives all of them with one timer; signalling opens them."""

import random
import string
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import structlog

from mcu.legs.acceptor import IDLE_S
from mcu.legs.context import LegIdentity
from mcu.legs.leg import LegKind, LegObserver
from mcu.legs.sip import SipLeg
from mcu.legs.sip_context import SipContext
from mcu.legs.turn import take_turn
from mcu.media.clock import NtpClock
from mcu.media.latch import Elsewhere
from mcu.media.port_pairs import PortPair, PortsExhausted
from mcu.media.ports import MediaPorts
from signalling.offer_answer.agreement import Agreed
from signalling.webrtc.dtls import DtlsCertificate

log = structlog.get_logger(__name__)

_CNAME_CHARACTERS = string.ascii_letters + string.digits


class ReservedPorts:
    """Pairs bound for a call whose description is being written.

    ``take`` gives them one by one, as ``LocalMedia.port`` wants it; what a leg was opened with is
    the leg's, the rest goes with ``close``.
    """

    def __init__(self, pairs: list[PortPair]) -> None:
        self._free = list(pairs)
        self._pairs = {pair.port: pair for pair in pairs}

    def take(self) -> int:
        """An RTP port that no section has yet.

        Raises:
            PortsExhausted: more are wanted than were reserved.
        """
        if not self._free:
            raise PortsExhausted("more media sections than ports were reserved for")
        return self._free.pop(0).port

    def take_pair(self) -> PortPair:
        """A pair that is the caller's, who closes it; for what is no media.

        Raises:
            PortsExhausted: see ``take``.
        """
        return self._pairs.pop(self.take())

    def hand_over(self, ports: set[int]) -> Mapping[int, PortPair]:
        """The pairs with these ports, which are somebody else's now; the rest is closed."""
        given = {port: self._pairs.pop(port) for port in ports & self._pairs.keys()}
        self.close()
        return given

    def close(self) -> None:
        """Free what was not handed over. Idempotent."""
        for pair in self._pairs.values():
            pair.close()
        self._pairs.clear()
        self._free.clear()


class SipAcceptor:
    """Opens SIP legs; owns them until they have left.

    Args:
        ports: their sockets.
        certificate: our DTLS identity.
        cname: one for everything that shares this clock; made up when None.
        ntp: mapping for sender reports; by the machine's clocks when None.
        clock: monotonic seconds, the one ``now`` comes from.
        lost_after_s: see ``Liveness``; a SIP leg never leaves by itself.
        latch_elsewhere: site policy: plain RTP may come from a host that was not announced, and
            which, if nothing comes from the announced one (rooms behind address translation).
        generator: source of first sequence numbers and timestamps; seeded in tests.
    """

    def __init__(
        self,
        *,
        ports: MediaPorts,
        certificate: DtlsCertificate,
        cname: str | None = None,
        ntp: NtpClock | None = None,
        clock: Callable[[], float] = time.monotonic,
        lost_after_s: float = 5.0,
        latch_elsewhere: Elsewhere = True,
        generator: random.Random | None = None,
    ) -> None:
        generator = generator or random.SystemRandom()
        self._ports = ports
        self._legs: dict[str, SipLeg] = {}
        self._left: list[SipLeg] = []
        self.cname = cname or "".join(generator.choices(_CNAME_CHARACTERS, k=16))
        """As descriptions and RTCP name us."""
        self._context = SipContext(
            ports=ports,
            certificate=certificate,
            ntp=ntp or NtpClock(time.time(), clock()),
            cname=self.cname,
            clock=clock,
            generator=generator,
            lost_after_s=lost_after_s,
            elsewhere=latch_elsewhere,
            closed=self._closed,
        )
        self.legs: Mapping[str, SipLeg] = MappingProxyType(self._legs)
        """Legs that have not left, by id."""
        self.faults = 0
        """Exceptions in legs' timers; each is a defect of this program, and logged."""
        self.dropped: Counter[str] = Counter()
        """What legs that have left had dropped, by reason; and ``timer_fault``."""

    def reserve(self, count: int) -> ReservedPorts:
        """Bind so many pairs of ports, before a description names them.

        Raises:
            PortsExhausted: there are not as many; none is kept.
        Cost: see ``PortPairs.take``; whoever does it for many lets the loop turn in between.
        """
        pairs: list[PortPair] = []
        try:
            for _ in range(count):
                pairs.append(self._ports.take())
        except OSError:
            for pair in pairs:
                pair.close()
            raise
        return ReservedPorts(pairs)

    def open(
        self,
        agreed: Agreed,
        ports: ReservedPorts,
        *,
        leg_id: str,
        conference: str,
        participant: str | None,
        observer: LegObserver,
        digits: Callable[[str], None],
        now: float,
        kind: LegKind = "join",
        elsewhere: Elsewhere | None = None,
    ) -> SipLeg:
        """Begin with the media of a call, whose offer and answer have met.

        The observer hears of it from the next ``handle_timer`` on.

        Args:
            ports: those that ``agreed`` names become the leg's, the others are freed.
            elsewhere: of this leg, in place of the policy for all.
        Raises:
            ValueError: a leg with this id is there already.
        """
        if leg_id in self._legs:
            raise ValueError(f"leg {leg_id} exists")
        pairs = ports.hand_over({flow.local_port for flow in agreed.flows})
        leg = SipLeg(
            LegIdentity(leg_id, conference, participant, kind),
            self._context if elsewhere is None else replace(self._context, elsewhere=elsewhere),
            agreed,
            pairs,
            observer,
            digits=digits,
            now=now,
        )
        self._legs[leg_id] = leg
        return leg

    def update(
        self, leg: SipLeg, agreed: Agreed, now: float, ports: ReservedPorts | None = None
    ) -> None:
        """Let a leg follow a new agreement; see ``SipLeg.update``.

        Args:
            ports: reserved for flows that the agreement adds; what it does not name is freed.
        """
        wanted = {flow.local_port for flow in agreed.flows}
        leg.update(agreed, now, None if ports is None else ports.hand_over(wanted))

    def handle_timer(self, now: float) -> None:
        """Let every leg that is due do its work; see ``WebRtcAcceptor.handle_timer``."""
        for leg in self._left:  # not before: it may have left in the midst of its own work
            leg.part()
        self._left.clear()

        def failed(leg: SipLeg) -> None:
            self.faults += 1
            self.dropped["timer_fault"] += 1
            leg.due_at = now + IDLE_S
            log.exception("leg_timer_failed", leg=leg.id)

        take_turn(self._legs.values(), now, self._context.clock, failed)

    def next_timer(self, now: float) -> float:
        """When ``handle_timer`` has something to do; at the latest in ``IDLE_S``."""
        return min((leg.due_at for leg in self._legs.values()), default=now + IDLE_S)

    def close(self, reason: str, now: float) -> None:
        """Close every leg."""
        for leg in list(self._legs.values()):
            leg.close(reason, now)

    def _closed(self, leg: SipLeg) -> None:
        self._legs.pop(leg.id, None)
        self._left.append(leg)
        self.dropped.update(leg.statistics(0.0).dropped)
