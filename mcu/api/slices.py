"""Long lists are made a slice at a time, between which the loop does what is due."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

SLICE_S: Final = 0.001
"""After so long others have their turn."""

Thing = TypeVar("Thing")
Made = TypeVar("Made")


async def in_slices(
    things: Iterable[Thing],
    make: Callable[[Thing], Made],
    clock: Callable[[], float] = time.perf_counter,
) -> list[Made]:
    """``[make(thing) for thing in things]``, for a ``make`` that takes far less than ``SLICE_S``.

    Args:
        things: not changed meanwhile. clock: seconds.
    """
    made: list[Made] = []
    began = clock()
    for thing in things:
        if clock() - began >= SLICE_S:
            await asyncio.sleep(0)
            began = clock()
        made.append(make(thing))
    return made
