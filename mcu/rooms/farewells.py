"""Closing many legs without a tick that waits for all: a few in each turn of the loop.

A leg says goodbye (RTCP BYE, SIP BYE) and gives its sockets back, which takes most of a
millisecond; at the end of a conference a whole province does.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import structlog

from mcu.legs.leg import Leg

TURN_S: Final = 0.002
"""What closing may take of one turn of the loop."""
LEGS_PER_TURN: Final = 4
"""At most, however quick that is: what follows from it (answers, tasks) has its turn too."""

log = structlog.get_logger(__name__)


def _nothing() -> None:
    """Nobody waits for the last one."""


@dataclass(slots=True)
class _Group:
    """Legs that go together."""

    legs: deque[Leg]
    reason: str
    parting: Callable[[Leg], None]
    last: Callable[[], None]


class Farewells:
    """Legs that are to be closed, in the order in which that was asked for.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._groups: deque[_Group] = deque()
        self._turn: asyncio.Handle | None = None
        self._nobody = asyncio.Event()
        self._nobody.set()

    def __len__(self) -> int:
        """Legs that stand and wait for their turn. O(them)."""
        return sum(leg.state != "left" for group in self._groups for leg in group.legs)

    def say(
        self,
        legs: Iterable[Leg],
        reason: str,
        *,
        parting: Callable[[Leg], None] = lambda leg: None,
        last: Callable[[], None] = _nothing,
    ) -> None:
        """Close legs from the next turn of the loop on.

        One that is closed otherwise meanwhile keeps the reason of that.

        Args:
            parting: done with each right before. last: done after all; at once if there is none.
        """
        group = _Group(deque(legs), reason, parting, last)
        if not group.legs:
            last()
            return
        self._groups.append(group)
        self._nobody.clear()
        if self._turn is None:
            self._turn = asyncio.get_running_loop().call_soon(self._take_turn)

    async def said(self) -> None:
        """Wait until nobody waits any more."""
        await self._nobody.wait()

    def finish(self) -> None:
        """Close now all that wait. Idempotent."""
        while self._groups:
            self._take()
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        self._nobody.set()

    def _take_turn(self) -> None:
        self._turn = None
        ends = self._clock() + TURN_S
        for _ in range(LEGS_PER_TURN):
            self._take()
            if not self._groups:
                self._nobody.set()
                return
            if self._clock() >= ends:
                break
        self._turn = asyncio.get_running_loop().call_soon(self._take_turn)

    def _take(self) -> None:
        group = self._groups[0]
        leg = group.legs.popleft()
        try:
            group.parting(leg)
            leg.close(group.reason, self._clock())
        except Exception:
            # A defect that one leg meets must not keep the others.
            log.exception("leg_not_closed", leg=leg.id)
        if not group.legs:
            self._groups.popleft()
            group.last()
