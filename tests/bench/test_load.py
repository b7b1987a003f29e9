import asyncio

import pytest

from bench.load import _line


async def fails() -> None:
    raise RuntimeError("beside")


async def goes_on() -> None:
    await asyncio.Event().wait()


async def test_a_failure_beside_the_load_ends_it_at_once() -> None:
    never = asyncio.StreamReader()
    with pytest.raises(RuntimeError, match="beside"):
        await asyncio.wait_for(_line(never, asyncio.ensure_future(fails())), 5)


@pytest.mark.parametrize("beside", [None, goes_on, asyncio.sleep])
async def test_the_line_is_waited_for_whatever_is_beside(beside: object) -> None:
    stream = asyncio.StreamReader()
    task = None
    if beside is not None:
        task = asyncio.ensure_future(goes_on() if beside is goes_on else asyncio.sleep(0))
    asyncio.get_running_loop().call_later(0.05, stream.feed_data, b"{}\n")
    assert await asyncio.wait_for(_line(stream, task), 5) == b"{}\n"
    if task is not None:
        task.cancel()
