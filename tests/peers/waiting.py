"""Waiting for what can only be looked at; where there is an event, wait for that instead."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

TIMEOUT_S = 60.0
LOOK_EVERY_S = 0.1


async def until(condition: Callable[[], bool], every_s: float = 0.0) -> None:
    """Let other tasks run until a condition holds; the test's timeout ends it."""
    while True:
        if condition():
            return
        await asyncio.sleep(every_s)


async def until_read(
    read: Callable[[], Awaitable[T]],
    reached: Callable[[T], bool],
    *,
    timeout_s: float = TIMEOUT_S,
    every_s: float = LOOK_EVERY_S,
) -> T:
    """Read until the value is as expected; gives it.

    Raises:
        AssertionError: it did not become so in time; shows what was read last.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout_s
    while True:
        found = await read()
        if reached(found):
            return found
        assert loop.time() < end, f"after {timeout_s} s still: {found!r}"
        await asyncio.sleep(every_s)
