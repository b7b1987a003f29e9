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
