"""Requests begin so many in a turn of the loop as the tick of sound can wait for.

What a request does before it first waits takes a tenth of a millisecond up to two. A province that
joins in one moment is a hundred and more of them, and the tick goes between. Among media, though, a
turn is a slice of packets long: if but one request began in each, those that come together would
wait for one another longer than for anything else.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final

TURN_S: Final = 0.002
"""In a turn of the loop no request begins so long after its first one did."""
AWAKE: Final = 8
"""So many of those that wait look in each turn whether they fit; the others are not even woken."""


class Beginnings:
    """The door through which each request of one app goes, in the order in which they come.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._ends: float | None = None
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._too_late: list[asyncio.Future[None]] = []
        """Woken, for whom their turn had no time left: they go before all others."""
        self._waking = False

    async def begin(self) -> None:
        """Return when the caller may go on: at once where this turn has time and nobody waits.

        Cost: 1 us, and 5 us for each turn in which it was woken in vain.
        """
        if not self._waking and self._fits():
            return
        loop = asyncio.get_running_loop()
        place = loop.create_future()
        self._waiting.append(place)
        if not self._waking:
            self._waking = True
            loop.call_soon(self._wake)
        await place
        while not self._fits():
            place = loop.create_future()
            self._too_late.append(place)
            await place

    def _fits(self) -> bool:
        now = self._clock()
        if self._ends is None:
            self._ends = now + TURN_S
            asyncio.get_running_loop().call_soon(self._end_turn)
            return True
        return now < self._ends

    def _end_turn(self) -> None:
        self._ends = None

    def _wake(self) -> None:
        """Have the first ones look in the next turn; runs after those that looked in this one."""
        self._waiting.extendleft(reversed(self._too_late))
        self._too_late.clear()
        woken = 0
        while self._waiting and woken < AWAKE:
            place = self._waiting.popleft()
            if not place.done():  # else who waited has given up
                place.set_result(None)
                woken += 1
        self._waking = woken > 0
        if woken:
            asyncio.get_running_loop().call_soon(self._wake)
