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

SAME = 1e-3
"""Less, as the sum of squares of distances times their count, is rounding: arrivals are told in
quarters of milliseconds."""


class Trendline:
    """Takes groups of packets in the order they left; says whether the line is over-used.

    Cost: about 2 us a group: reports of all rooms together tell of some 4,000 groups a second.
    """

    __slots__ = (
        "_before",
        "_count",
        "_delay_ms",
        "_group",
        "_line",
        "_over_ms",
        "_overs",
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
        self._line = FittedLine(POINTS)
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
        self._line.add(came * 1000, self._smoothed_ms)
        if self._count < MOST_DELTAS:
            self._count += 1
        self._detect(self._line.slope if self._line.full else self._slope, left_ms)

    def _detect(self, slope: float, left_ms: float) -> None:
        scaled = self._count * slope * GAIN
        threshold = self._threshold_ms
        self.underused = scaled < -threshold
        if scaled > threshold:
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
        distance = abs(scaled) - threshold
        if distance <= TOO_FAR_MS:
            follow = FALLS if distance < 0 else RISES
            threshold += follow * distance * min(left_ms, LONGEST_STEP_MS)
            self._threshold_ms = min(MOST_THRESHOLD_MS, max(LEAST_THRESHOLD_MS, threshold))


class FittedLine:
    """The straight line with the least squares through the last points.

    Sums go on from point to point. They are of what points differ from an origin near them, which
    moves on with them, so that rounding neither grows nor gathers.

    Args:
        count: of points.
    """

    __slots__ = ("_added", "_count", "_points", "_x", "_x0", "_xx", "_xy", "_y", "_y0", "full")

    def __init__(self, count: int) -> None:
        self.full = False
        """There have been as many points."""
        self._count = count
        self._points: deque[tuple[float, float]] = deque(maxlen=count)
        self._added = 0  # since the origin moved
        self._x0 = self._y0 = self._x = self._y = self._xx = self._xy = 0.0

    def add(self, x: float, y: float) -> None:
        """One more point; the oldest goes. Cost: the same for any count, on the whole."""
        points = self._points
        if self._added >= self._count or not points:
            points.append((x, y))
            self.full = len(points) == self._count
            self._move_origin()
            return
        if self.full:
            old_x, old_y = points[0]
            old_x -= self._x0
            old_y -= self._y0
            self._x -= old_x
            self._y -= old_y
            self._xx -= old_x * old_x
            self._xy -= old_x * old_y
        points.append((x, y))
        self.full = len(points) == self._count
        self._added += 1
        self._sum(x, y)

    @property
    def slope(self) -> float:
        """Of the points there are; 0.0 where their x are the same."""
        count = len(self._points)
        below = count * self._xx - self._x * self._x
        if below <= SAME:
            return 0.0
        return (count * self._xy - self._x * self._y) / below

    def _move_origin(self) -> None:
        self._added = 0
        self._x0, self._y0 = self._points[-1]
        self._x = self._y = self._xx = self._xy = 0.0
        for x, y in self._points:
            self._sum(x, y)

    def _sum(self, x: float, y: float) -> None:
        x -= self._x0
        y -= self._y0
        self._x += x
        self._y += y
        self._xx += x * x
        self._xy += x * y
