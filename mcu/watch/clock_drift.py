"""How fast a sender's clock goes against ours, from the delay of its fastest packets. Pure."""

from collections import deque
from typing import Final

import numpy as np

WINDOW_S: Final = 120.0
LEAST_S: Final = 40.0
"""The clocks of two sound cards differ by 50 millionths: 2 ms in this time."""
AGREE: Final = 0.5
"""Both halves must drift the same way, so much of the whole: a line that has become slower by a
step does not drift."""


class ClockDrift:
    """One sender while it is listened to."""

    def __init__(self) -> None:
        self._lags: deque[tuple[float, float]] = deque()

    def take(self, lag_s: float, now: float) -> None:
        """Take a reading of how late the fastest packets come, about once a second."""
        if self._lags and abs(lag_s - self._lags[-1][1]) > 0.1:
            self._lags.clear()  # the sender began anew, or another way was taken
        self._lags.append((now, lag_s))
        while now - self._lags[0][0] > WINDOW_S:
            self._lags.popleft()

    @property
    def ppm(self) -> float | None:
        """Drift in millionths, positive: it is slower than ours; None: not listened to for long."""
        if not self._lags or self._lags[-1][0] - self._lags[0][0] < LEAST_S:
            return None
        times, lags = np.array(self._lags).T
        middle = len(times) // 2
        whole = _slope(times, lags)
        halves = _slope(times[:middle], lags[:middle]), _slope(times[middle:], lags[middle:])
        if any(half * whole <= 0 or abs(half) < AGREE * abs(whole) for half in halves):
            return 0.0
        return whole * 1e6


def _slope(times: np.ndarray, lags: np.ndarray) -> float:
    return float(np.polyfit(times - times[0], lags, 1)[0])
