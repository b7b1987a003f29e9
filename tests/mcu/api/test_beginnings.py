"""How many requests begin in one turn of the loop, and in which order."""

import asyncio
from collections.abc import Awaitable, Callable

from mcu.api.beginnings import AWAKE, TURN_S, Beginnings


class Clock:
    """Seconds that pass when somebody works."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def turns_of(count: int, work_s: float) -> list[int]:
    """In which turn of the loop each of so many requests began that came in one turn."""
    clock, turn, began = Clock(), 0, []
    door = Beginnings(clock)
    numbers: list[int] = []

    async def request(number: int) -> None:
        await door.begin()
        clock.now += work_s
        numbers.append(number)
        began.append(turn)

    async def counted(rest: Callable[[], Awaitable[None]]) -> None:
        nonlocal turn
        while True:
            turn += 1
            await rest()

    counting = asyncio.create_task(counted(lambda: asyncio.sleep(0)))
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(request(number))
    counting.cancel()
    assert numbers == sorted(numbers)
    return began


def per_turn(began: list[int]) -> list[int]:
    return [began.count(turn) for turn in sorted(set(began))]


async def test_requests_that_take_long_begin_one_in_a_turn_and_in_their_order() -> None:
    began = await turns_of(3 * AWAKE, TURN_S)
    assert per_turn(began) == [1] * 3 * AWAKE
    assert max(began) - min(began) <= 3 * AWAKE + 1  # no turn but the first one goes by unused


async def test_short_ones_share_a_turn_as_its_time_allows() -> None:
    # The fourth of a turn begins at 0.9 of its time.
    assert per_turn(await turns_of(5 * AWAKE, 0.3 * TURN_S)) == [4] * 10


async def test_a_crowd_needs_no_more_turns_than_its_work_does() -> None:
    began = await turns_of(10 * AWAKE, 0.25 * TURN_S)
    assert max(began) - min(began) <= 10 * AWAKE / 4 + 1


async def test_who_comes_alone_does_not_wait() -> None:
    door = Beginnings(Clock())
    waiting = door.begin()
    try:
        waiting.send(None)
    except StopIteration:
        return
    raise AssertionError("it waited")


async def test_who_gives_up_holds_nobody_back() -> None:
    clock = Clock()
    door = Beginnings(clock)
    await door.begin()
    clock.now += TURN_S
    waiting = [asyncio.create_task(door.begin()) for _ in range(2 * AWAKE)]
    for one in waiting[:-1]:
        one.cancel()
    await asyncio.gather(*waiting[:-1], return_exceptions=True)
    async with asyncio.timeout(5):
        await waiting[-1]
