"""When something is due: the timers of RFC 3261, and a queue of whatever waits."""

import heapq
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

TimerName = Literal["A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M"]
"""Timer C is a proxy's; here it bounds how long a call may ring (RFC 3261 section 16.6)."""

WAIT_FOR_REPETITIONS_S = 32.0
"""Timer D over UDP (RFC 3261 section 17.1.1.2)."""


@dataclass(frozen=True, slots=True)
class TimerValues:
    """The times all timers follow from (RFC 3261 table 4, RFC 6026 section 7.1).

    Args:
        t1_s: an estimate of the round trip. t2_s: the longest pause between repetitions.
        t4_s: how long a message may stay in the network. ringing_s: Timer C, above 3 minutes.
    """

    t1_s: float = 0.5
    t2_s: float = 4.0
    t4_s: float = 5.0
    ringing_s: float = 181.0

    @property
    def give_up_s(self) -> float:
        """64 * T1, after which an answer is not waited for any longer."""
        return 64 * self.t1_s

    def duration_s(self, timer: TimerName, reliable: bool) -> float | None:
        """How long a timer runs at first; None where the transport needs none (A, E, G).

        Args:
            reliable: the transport delivers and keeps order (TCP, TLS).
        """
        if timer in ("A", "E", "G"):
            return None if reliable else self.t1_s
        if timer in ("B", "F", "H", "L", "M"):
            return self.give_up_s
        if timer == "C":
            return self.ringing_s
        if reliable:
            return 0.0  # D, I, J, K: nothing comes twice
        if timer == "D":
            return max(WAIT_FOR_REPETITIONS_S, self.give_up_s)
        return self.give_up_s if timer == "J" else self.t4_s

    def next_interval_s(self, timer: TimerName, last_s: float) -> float:
        """The pause after the next repetition: doubled, for E and G up to T2."""
        return 2 * last_s if timer == "A" else min(2 * last_s, self.t2_s)


K = TypeVar("K", bound=Hashable)


class TimerQueue(Generic[K]):
    """Timers by key. Setting one again moves it; what is taken away is gone at once.

    Cost: O(log n) each.
    """

    def __init__(self) -> None:
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._due)

    def __contains__(self, key: K) -> bool:
        return key in self._due

    def set(self, key: K, at: float) -> None:
        """Make ``key`` due at ``at``."""
        self._due[key] = at
        self._count += 1
        heapq.heappush(self._heap, (at, self._count, key))
        if len(self._heap) > 64 and len(self._heap) > 4 * len(self._due):
            self._heap = [entry for entry in self._heap if self._due.get(entry[2]) == entry[0]]
            heapq.heapify(self._heap)

    def cancel(self, key: K) -> None:
        """Forget ``key``; nothing happens where it is not set."""
        self._due.pop(key, None)

    def next(self) -> float | None:
        """The earliest time; None when nothing waits."""
        while self._heap:
            at, _, key = self._heap[0]
            if self._due.get(key) == at:
                return at
            heapq.heappop(self._heap)
        return None

    def due(self, now: float) -> Iterator[K]:
        """Take what is due, the earliest first; what is set meanwhile for ``now`` too."""
        while (at := self.next()) is not None and at <= now:
            _, _, key = heapq.heappop(self._heap)
            del self._due[key]
            yield key
