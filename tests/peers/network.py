"""Virtual time and a bad line: what a scenario needs instead of clocks and sockets.

Everything that is to happen stands in one queue; ``run`` takes it out in order of time. Faults
come from a seeded generator, so a failure repeats.
"""

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass

UDP_IP_BYTES = 28


class VirtualTime:
    """A queue of calls, each at its time.

    Args:
        start: first ``now``; not zero, so that a forgotten default shows.
    """

    def __init__(self, start: float = 1000.0) -> None:
        self.now = start
        self._queue: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()

    def clock(self) -> float:
        return self.now

    def schedule(self, delay: float, call: Callable[[float], None]) -> None:
        heapq.heappush(self._queue, (self.now + max(0.0, delay), next(self._order), call))

    def every(self, interval: float, call: Callable[[float], None]) -> None:
        """Call again and again, for as long as time goes on."""

        def again(now: float) -> None:
            self.schedule(interval, again)
            call(now)

        self.schedule(interval, again)

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self._queue and self._queue[0][0] <= end:
            at, _, call = heapq.heappop(self._queue)
            self.now = at
            call(at)
        self.now = end


@dataclass(frozen=True, slots=True)
class Faults:
    """What a line does to datagrams; shares are 0-1, times in seconds.

    A datagram's delay is ``delay + uniform(0, jitter)``, so jitter alone reorders. A line of
    limited rate (0: none) has a queue of so many seconds; what does not fit is lost.
    """

    loss: float = 0.0
    delay: float = 0.01
    jitter: float = 0.0
    duplicates: float = 0.0
    rate_bps: float = 0.0
    queue_s: float = 0.2


CLEAN = Faults()
BAD = Faults(loss=0.05, delay=0.02, jitter=0.04, duplicates=0.02)
"""The line every leg must bear: 5% loss, 40 ms jitter, reordering, duplicates."""


class Line:
    """One direction of a line."""

    def __init__(
        self,
        time: VirtualTime,
        generator: random.Random,
        faults: Faults,
        deliver: Callable[[bytes, float], None],
    ) -> None:
        self.faults = faults
        self.cut = False
        self.sent = self.lost = 0
        self._time = time
        self._generator = generator
        self._deliver = deliver
        self._free_at = float("-inf")

    def send(self, datagram: bytes) -> None:
        self.sent += 1
        if self.cut or self._generator.random() < self.faults.loss:
            self.lost += 1
            return
        waits = 0.0
        if self.faults.rate_bps:
            waits = max(0.0, self._free_at - self._time.now)
            if waits > self.faults.queue_s:
                self.lost += 1
                return
            waits += (len(datagram) + UDP_IP_BYTES) * 8 / self.faults.rate_bps
            self._free_at = self._time.now + waits
        self._arrive(datagram, waits)
        if self._generator.random() < self.faults.duplicates:
            self._arrive(datagram, waits)

    def _arrive(self, datagram: bytes, waits: float) -> None:
        faults = self.faults
        delay = waits + faults.delay + self._generator.random() * faults.jitter
        self._time.schedule(delay, lambda now: self._deliver(datagram, now))
