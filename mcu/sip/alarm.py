"""One moment to be woken at, which moves."""

import asyncio
from collections.abc import Callable


class Alarm:
    """Rings once at the time that was set last.

    Args:
        clock: seconds, the one times come from. ring: called on the loop.
    """

    def __init__(self, clock: Callable[[], float], ring: Callable[[], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._handle: asyncio.TimerHandle | None = None

    def set(self, at: float | None) -> None:
        """Ring at this time, at the earliest in the loop's next turn; None: not at all."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if at is not None:
            wait_s = max(0.0, at - self._clock())
            self._handle = asyncio.get_running_loop().call_later(wait_s, self._rings)

    def _rings(self) -> None:
        self._handle = None
        self._ring()
