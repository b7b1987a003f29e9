"""How long to wait before trying again: longer each time, and never all in the same instant."""

import random
from collections.abc import Callable

FIRST_S = 0.5
LAST_S = 15.0


class Backoff:
    """Waits that double from ``first_s`` to ``last_s``, each shortened by up to a half.

    Args:
        uniform: a random number between two; 145 rooms must not come back in the same instant
            after a restart.
    """

    def __init__(
        self,
        first_s: float = FIRST_S,
        last_s: float = LAST_S,
        *,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._first_s = first_s
        self._last_s = last_s
        self._uniform = uniform
        self._next_s = first_s

    def next_s(self) -> float:
        """How long to wait now, seconds."""
        wait_s = self._next_s
        self._next_s = min(self._last_s, wait_s * 2)
        return wait_s * self._uniform(0.5, 1.0)

    def reset(self) -> None:
        """It went well: begin again with short waits."""
        self._next_s = self._first_s
