"""When the mixing clocks tick: a pure schedule that is late honestly and never drifts.

A tick belongs to a multiple of the interval since the start, not to the end of the tick before,
so a late tick does not shift those after it. After a stall the schedule catches up a few ticks
(their audio is still useful) and counts the rest as missed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

MAX_CATCH_UP_TICKS = 5
"""Ticks run at once after a stall; older ones are missed. 100 ms of audio, as much as a
receiver's jitter buffer usually takes."""

LATE_AFTER_S = 0.005
"""A tick later than this counts as late (the bar of the performance table)."""

PERCENTILES = (50.0, 99.0, 100.0)
"""Of the lateness, as readings give them."""

WINDOW_TICKS = 4096
"""Lateness is kept for this many ticks: 80 s of audio."""


@dataclass(frozen=True, slots=True)
class TickReading:
    """A reading of a clock's counters.

    Args:
        lateness_s: percentile → lateness of the recent ticks.
    """

    ticks: int
    late: int
    missed: int
    lateness_s: Mapping[float, float]


@dataclass(slots=True)
class TickStatistics:
    """Counters since the start."""

    ticks: int = 0
    late: int = 0
    missed: int = 0
    lateness_s: NDArray[np.float32] = field(
        default_factory=lambda: np.zeros(WINDOW_TICKS, np.float32)
    )

    def lateness_ms(self, percentile: float) -> float:
        """Percentile (0-100) of the lateness of the last ``WINDOW_TICKS`` ticks; 0 before any."""
        count = min(self.ticks, WINDOW_TICKS)
        if count == 0:
            return 0.0
        return float(np.percentile(self.lateness_s[:count], percentile)) * 1000.0

    def recent_lateness_s(self, ticks: int, percentile: float) -> float:
        """Percentile (0-100) of the lateness of the last so many ticks; 0 where there are none."""
        count = min(ticks, self.ticks, WINDOW_TICKS)
        if count <= 0:
            return 0.0
        at = np.arange(self.ticks - count, self.ticks) % WINDOW_TICKS
        return float(np.percentile(self.lateness_s[at], percentile))

    def reading(self) -> TickReading:
        """All of it. Cost: some 100 µs for the percentiles."""
        lateness = {each: self.lateness_ms(each) / 1000.0 for each in PERCENTILES}
        return TickReading(self.ticks, self.late, self.missed, lateness)


class TickSchedule:
    """Says which ticks are due.

    Args:
        interval_s: seconds between ticks.
        start: monotonic time of tick 0.
    """

    def __init__(self, interval_s: float, start: float) -> None:
        self.interval_s = interval_s
        self.start = start
        self.statistics = TickStatistics()
        self._next = 0

    @property
    def next_timer(self) -> float:
        """When the next tick is due."""
        return self.start + self._next * self.interval_s

    def due(self, now: float) -> range:
        """Take the ticks due at ``now``: their indices, oldest first; empty when early.

        Indices that fell out of the catch-up window are counted as missed and never returned.
        """
        if now < self.next_timer:
            return range(0)
        last = int((now - self.start) / self.interval_s + 1e-9)
        first = max(self._next, last - MAX_CATCH_UP_TICKS + 1)
        statistics = self.statistics
        statistics.missed += first - self._next
        for index in range(first, last + 1):
            lateness = max(0.0, now - (self.start + index * self.interval_s))
            statistics.lateness_s[statistics.ticks % WINDOW_TICKS] = lateness
            statistics.ticks += 1
            if lateness > LATE_AFTER_S:
                statistics.late += 1
        self._next = last + 1
        return range(first, last + 1)
