"""Going round many things once in an interval, a few at a time, so that no tick waits for all."""

import math
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """Whose turn it is.

    Args:
        interval_s: everything has its turn once in this time.
        step_s: how often ``take`` is to be called.
    """

    def __init__(self, interval_s: float, step_s: float) -> None:
        self._interval_s = interval_s
        self._step_s = step_s
        self._waiting: deque[T] = deque()
        self._count = 0
        self._began = float("-inf")
        self._next = float("-inf")

    def forget(self, gone: Callable[[T], bool]) -> None:
        """Those that are gone have no turn in this round any more, and are not held."""
        self._waiting = deque(one for one in self._waiting if not gone(one))

    def take(self, everything: Callable[[], Iterable[T]], now: float) -> list[T]:
        """Those whose turn has come; ``everything`` is asked at the beginning of each round.

        Called late it gives more at once, after a whole interval all that are left.
        """
        if now < self._next:
            return []
        self._next = now + self._step_s
        if not self._waiting and now - self._began >= self._interval_s:
            self._waiting.extend(everything())
            self._count = len(self._waiting)
            self._began = now
        share = min(1.0, (now - self._began + self._step_s) / self._interval_s)
        left = self._count - math.ceil(self._count * share)
        return [self._waiting.popleft() for _ in range(len(self._waiting) - left)]
