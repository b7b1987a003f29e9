"""Long lists, made a slice at a time."""

import asyncio

from mcu.api.slices import SLICE_S, in_slices


async def turns(count: int, each_s: float) -> int:
    """How many turns of the loop it takes to make so many things that each take so long."""
    now = 0.0

    def make(number: int) -> int:
        nonlocal now
        now += each_s
        return -number

    making = asyncio.create_task(in_slices(range(count), make, lambda: now))
    taken = 0
    while not making.done():
        taken += 1
        await asyncio.sleep(0)
    assert await making == [-number for number in range(count)]
    return taken


async def test_a_short_list_is_made_at_once() -> None:
    assert await turns(10, SLICE_S / 16) == await turns(0, SLICE_S)


async def test_a_long_one_in_as_many_turns_as_it_has_slices() -> None:
    assert await turns(64, SLICE_S / 16) == await turns(0, SLICE_S) + 3
    assert await turns(5, SLICE_S) == await turns(0, SLICE_S) + 4
