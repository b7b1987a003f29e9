"""What a bad line does to datagrams, by a seed and without a clock: when copies arrive, if at all.

A datagram meets, in this order: the blackout; the burst state (Gilbert-Elliott: good and bad
periods of geometric length, a loss in each); the queue of a line of limited rate, which drops what
does not fit (drop-tail, as access routers do); delay with jitter. Jitter alone reorders only
where ``reorders`` says so: most lines delay in order.
"""

import random
from dataclasses import dataclass

UDP_IP_BYTES = 28
"""What a line of limited rate carries besides each datagram."""

IN_ORDER_S = 1e-6


@dataclass(frozen=True, slots=True)
class Conditions:
    """One direction of a line; shares are 0-1, times in seconds.

    Args:
        loss: of each datagram, in the good state.
        burst_loss, burst_begins, burst_packets: loss in the bad state, how likely each datagram
            begins one, and how many datagrams it lasts on average.
        delay, jitter: each takes ``delay + uniform(0, jitter)``.
        reorders: a datagram may overtake another; late: this share takes ``late_s`` longer, and
            is overtaken.
        duplicates: this share comes twice.
        rate_bps: 0: no limit. queue_s: how long a datagram waits at most for the line.
    """

    loss: float = 0.0
    burst_loss: float = 0.0
    burst_begins: float = 0.0
    burst_packets: float = 10.0
    delay: float = 0.01
    jitter: float = 0.0
    reorders: bool = False
    late: float = 0.0
    late_s: float = 0.03
    duplicates: float = 0.0
    rate_bps: float = 0.0
    queue_s: float = 0.2


class Impairment:
    """One direction of one line. Sans-IO.

    Args:
        seed: equal seeds and datagrams give equal fates.
    """

    def __init__(self, conditions: Conditions, seed: object) -> None:
        self.conditions = conditions
        self.cut = False
        """Nothing comes through while this is set."""
        self.sent = self.lost = self.overflowed = 0
        self._dice = random.Random(str(seed))  # noqa: S311 nothing secret
        self._bad = False
        self._line_free_at = float("-inf")
        self._last_arrival = float("-inf")

    def arrivals(self, size: int, now: float) -> list[float]:
        """When a datagram of ``size`` bytes that is sent now arrives; empty: it is lost."""
        one = self.conditions
        self.sent += 1
        if self.cut or self._is_lost():
            self.lost += 1
            return []
        sent_at = now
        if one.rate_bps:
            begins = max(now, self._line_free_at)
            if begins - now > one.queue_s:
                self.lost += 1
                self.overflowed += 1
                return []
            sent_at = self._line_free_at = begins + (size + UDP_IP_BYTES) * 8 / one.rate_bps
        copies = 2 if one.duplicates and self._dice.random() < one.duplicates else 1
        return [self._arrival(sent_at) for _ in range(copies)]

    def _is_lost(self) -> bool:
        one, dice = self.conditions, self._dice
        if one.burst_begins:
            change = 1.0 / max(1.0, one.burst_packets) if self._bad else one.burst_begins
            if dice.random() < change:
                self._bad = not self._bad
        return dice.random() < (one.burst_loss if self._bad else one.loss)

    def _arrival(self, sent_at: float) -> float:
        one, dice = self.conditions, self._dice
        at = sent_at + one.delay + dice.random() * one.jitter
        if one.late and dice.random() < one.late:
            return at + one.late_s
        if not one.reorders:
            # Later by a hair: timers of one moment fire in no certain order.
            at = self._last_arrival = max(at, self._last_arrival + IN_ORDER_S)
        return at
