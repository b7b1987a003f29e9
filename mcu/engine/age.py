"""How old media is when it is mixed or composed, smoothed for sender reports.

Receivers play sound and picture together by the times that sender reports give to timestamps
(RFC 3550 6.4.1). Sound waits in its playout buffer and a picture for the next one of the view, each
for another time; so timestamps are said to stand for when media came to us, not for when it left.
"""

from typing import Final

MAX_AGE_S: Final = 0.5
"""Older is a source that stands still, which says nothing about the way."""
_TAKEN: Final = 1 / 50
"""Share of each reading: a second or two at the rates of the clocks. A receiver that is told of a
step has to jump; of a slope it makes a small stretch."""


FASTEST_OF_S: Final = 5.0
"""What came fastest is forgotten after once to twice as long: the sender's clock drifts."""
JUMP_S: Final = 1.0
"""A transit that differs as much from the last one's is of a stream that began anew."""


class Fastest:
    """When media would have come by the fastest way, from timestamps and arrivals.

    What jitter, pacing and repeated packets held up came late, but was captured in time.
    """

    __slots__ = ("_before_s", "_ends", "_fastest_s", "_last_s")

    def __init__(self) -> None:
        self._fastest_s = self._before_s = float("inf")
        self._last_s = 0.0
        self._ends = float("-inf")

    def take(self, timestamp_s: float, now: float) -> None:
        """Take one arrival. Cost: O(1).

        Args:
            timestamp_s: the media's own time, seconds, not wrapped.
        """
        transit_s = now - timestamp_s
        if abs(transit_s - self._last_s) > JUMP_S:
            self._fastest_s = self._before_s = float("inf")
            self._ends = now + FASTEST_OF_S
        elif now >= self._ends:
            self._before_s, self._fastest_s = self._fastest_s, float("inf")
            self._ends = now + FASTEST_OF_S
        self._last_s = transit_s
        self._fastest_s = min(self._fastest_s, transit_s)

    def came_at(self, timestamp_s: float) -> float:
        """When media of this time would have come by the fastest way known, monotonic seconds."""
        return timestamp_s + min(self._fastest_s, self._before_s)


class Age:
    """The age of one stream of media."""

    __slots__ = ("_known", "seconds")

    def __init__(self) -> None:
        self.seconds = 0.0
        """As of now; 0.0 before the first reading."""
        self._known = False

    def take(self, seconds: float) -> None:
        """Take one reading; one out of 0 to MAX_AGE_S is left out."""
        if not 0.0 <= seconds <= MAX_AGE_S:
            return
        if not self._known:
            self._known = True
            self.seconds = seconds
        self.seconds += (seconds - self.seconds) * _TAKEN
