"""Instants of the agent's clock in UTC, the same each time that one is asked for.

Two clocks that are read one after the other are never quite the same distance apart, and wall time
is set now and then: what has happened keeps the time that it was written down with.
"""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

MAX_INSTANTS: Final = 20_000
"""Those that were asked for longest ago are reckoned anew; it is some for each of 5,000 rooms."""


class WallTimes:
    """Remembers what was said of each instant. Cost: O(1) each.

    Args:
        monotonic: seconds, the agent's clock. utcnow: wall time.
    """

    def __init__(self, monotonic: Callable[[], float], utcnow: Callable[[], datetime]) -> None:
        self._monotonic = monotonic
        self._utcnow = utcnow
        self._known: OrderedDict[float, datetime] = OrderedDict()

    def of(self, at: float) -> datetime:
        """UTC of an instant, as it was when this was first asked."""
        found = self._known.get(at)
        if found is None:
            found = self._utcnow() + timedelta(seconds=at - self._monotonic())
        self.know(at, found)
        return found

    def know(self, at: float, wall: datetime) -> None:
        """It is written down elsewhere when this instant was."""
        self._known[at] = wall
        self._known.move_to_end(at)
        if len(self._known) > MAX_INSTANTS:
            self._known.popitem(last=False)
