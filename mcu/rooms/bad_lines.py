"""Puts what a drill has legs suffer into them: lines that are bad, formats nobody agreed on."""

from collections.abc import Callable, Iterable

from mcu.engine.plan import LegFaults, LineFault, MediaPlan
from mcu.legs.leg import Leg
from mcu.legs.sip import SipLeg
from mcu.legs.webrtc import WebRtcLeg
from mcu.media.bad_line import BadLine, LineBatch
from mcu.media.impairment import Conditions

HEALTHY = LegFaults()


class BadLines:
    """Of all legs of this process; who is in no drill costs a look at an empty mapping.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._batch: LineBatch | None = None
        self._suffered: dict[str, LegFaults] = {}
        """Leg → what is done to it."""
        self._made = 0

    def follow(self, plan: MediaPlan, legs: Iterable[Leg], now: float) -> None:
        """Let the legs of one conference suffer what its plan says, and no more than that."""
        if not plan.faults and not self._suffered:
            return
        for leg in legs:
            self.put_into(leg, plan, now)

    def put_into(self, leg: Leg, plan: MediaPlan, now: float) -> None:
        """The same for one leg; also before it is connected, so that nobody evades a fault."""
        before = self._suffered.get(leg.id, HEALTHY)
        after = plan.faults.get(leg.participant or "", HEALTHY)
        if leg.state == "left" or not isinstance(leg, WebRtcLeg | SipLeg):
            return
        if after.line != before.line:
            leg.go_by(None if after.line is None else self._line(after.line, leg.id), now)
        if after.codec != before.codec:
            leg.understand(not after.codec)
        if after == HEALTHY:
            self._suffered.pop(leg.id, None)
        else:
            self._suffered[leg.id] = after

    def forget(self, leg: Leg) -> None:
        """It has left."""
        self._suffered.pop(leg.id, None)

    def _line(self, fault: LineFault, leg: str) -> BadLine:
        if self._batch is None:
            self._batch = LineBatch(self._clock)
        self._made += 1
        conditions = Conditions(
            loss=fault.loss_percent / 100.0,
            delay=0.0,
            jitter=fault.jitter_ms / 1000.0,
            rate_bps=fault.rate_bps,
        )
        return BadLine(conditions, self._batch, seed=(leg, self._made), cut=fault.cut)
