"""Whether packets take longer and longer: the trendline filter of Google congestion control.

draft-ietf-rmcat-gcc-02 section 5 with a straight line fitted through the delays in place of the
Kalman filter, as implementations do: over-use is a slope above a threshold that adapts to the
line's jitter.
"""

from collections import deque

GROUP_S = 0.005
"""Packets that left within this time are one group."""
POINTS = 20
SMOOTHING = 0.9
GAIN = 4.0
MOST_DELTAS = 60
FIRST_THRESHOLD_MS = 12.5
LEAST_THRESHOLD_MS, MOST_THRESHOLD_MS = 6.0, 600.0
RISES, FALLS = 0.0087, 0.039
"""How fast the threshold follows, a millisecond (section 5.4)."""
TOO_FAR_MS = 15.0
"""A slope so far above the threshold does not move it."""
OVERUSE_MS = 10.0
LONGEST_STEP_MS = 100.0


class Trendline:
    """Takes groups of packets in the order they left; says whether the line is over-used."""

    __slots__ = (
        "_before",
        "_count",
        "_delay_ms",
        "_group",
        "_over_ms",
        "_overs",
        "_points",
        "_slope",
        "_smoothed_ms",
        "_threshold_ms",
        "overused",
        "underused",
    )

    def __init__(self) -> None:
        self.overused = self.underused = False
        self._group: tuple[float, float, float] | None = None  # first and last left, last came
        self._before: tuple[float, float] | None = None  # last left, last came
        self._points: deque[tuple[float, float]] = deque(maxlen=POINTS)
        self._count = 0
        self._delay_ms = self._smoothed_ms = 0.0
        self._threshold_ms = FIRST_THRESHOLD_MS
        self._over_ms = 0.0
        self._overs = 0
        self._slope = 0.0

    def take(self, left: float, came: float) -> None:
        """Packets that left together at ``left``, of which the last came at ``came`` (seconds)."""
        group = self._group
        if group is None:
            self._group = left, left, came
        elif left - group[0] <= GROUP_S:
            self._group = group[0], left, max(group[2], came)
        else:
            self._complete(group[1], group[2])
            self._group = left, left, came

    def _complete(self, left: float, came: float) -> None:
        before, self._before = self._before, (left, came)
        if before is None:
            return
        left_ms = (left - before[0]) * 1000
        self._delay_ms += (came - before[1]) * 1000 - left_ms
        self._smoothed_ms = SMOOTHING * self._smoothed_ms + (1 - SMOOTHING) * self._delay_ms
        self._points.append((came * 1000, self._smoothed_ms))
        self._count = min(MOST_DELTAS, self._count + 1)
        slope = _slope(self._points) if len(self._points) == POINTS else self._slope
        self._detect(slope, left_ms)

    def _detect(self, slope: float, left_ms: float) -> None:
        scaled = self._count * slope * GAIN
        self.underused = scaled < -self._threshold_ms
        if scaled > self._threshold_ms:
            # Half of the first step: when in it the over-use began is not known.
            self._over_ms += left_ms if self._overs else left_ms / 2
            self._overs += 1
            if self._over_ms > OVERUSE_MS and self._overs > 1 and slope >= self._slope:
                self._over_ms, self._overs = 0.0, 0
                self.overused = True
        else:
            self._over_ms, self._overs = 0.0, 0
            self.overused = False
        self._slope = slope
        distance = abs(scaled) - self._threshold_ms
        if distance <= TOO_FAR_MS:
            follow = FALLS if distance < 0 else RISES
            moved = self._threshold_ms + follow * distance * min(left_ms, LONGEST_STEP_MS)
            self._threshold_ms = min(MOST_THRESHOLD_MS, max(LEAST_THRESHOLD_MS, moved))


def _slope(points: deque[tuple[float, float]]) -> float:
    """Of the straight line with the least squares; 0.0 where all came at once."""
    count = len(points)
    mean_x = sum(x for x, _ in points) / count
    mean_y = sum(y for _, y in points) / count
    below = sum((x - mean_x) ** 2 for x, _ in points)
    above = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return above / below if below else 0.0
