"""The timers of many legs: those that are due, a few in each turn of the loop.

A district's line that breaks is a hundred rooms lost in one moment, a province that is called a
hundred that come in; each takes a millisecond or two of telling everybody, and the tick of sound
goes between.
"""

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Final, Protocol, TypeVar

LEGS_PER_TURN: Final = 8
"""At most."""
TURN_S: Final = 0.003
"""What they may take of a turn; the one that is at work is let finish."""


class TimedLeg(Protocol):
    """A leg, as far as its timer goes."""

    @property
    def due_at(self) -> float:
        """When ``handle_timer`` is to be called."""

    def handle_timer(self, now: float) -> None:
        """Do what is due; afterwards ``due_at`` is later."""


L = TypeVar("L", bound=TimedLeg)


def take_turn(
    legs: Iterable[L], now: float, clock: Callable[[], float], failed: Callable[[L], None]
) -> None:
    """Let legs that are due do their work, those that have waited longest first.

    Args:
        clock: monotonic seconds.
        failed: told, within the handling of the exception, of a leg that met a defect.
    Cost: one comparison for each leg that is not due.
    """
    due = [leg for leg in legs if leg.due_at <= now]
    if not due:
        return
    due.sort(key=attrgetter("due_at"))
    ends = clock() + TURN_S
    for leg in due[:LEGS_PER_TURN]:
        try:
            leg.handle_timer(now)
        except Exception:
            # A defect that one leg meets must not keep the others from their timers.
            failed(leg)
        if clock() >= ends:
            return
