"""Work in order within a lane, results on the loop, nothing after the end."""

import asyncio
import threading
import time

import pytest

from mcu.engine.pool import CodecPool, InlinePool
from tests.peers.waiting import until


async def test_results_come_back_on_the_loops_thread() -> None:
    loop = asyncio.get_running_loop()
    pool = CodecPool(2, loop.call_soon_threadsafe)
    done: asyncio.Future[tuple[int, int]] = loop.create_future()
    pool.submit(
        threading.get_ident,
        lambda worker: done.set_result((worker, threading.get_ident())),  # type: ignore[arg-type]
    )
    worker, here = await done
    assert here == threading.get_ident()
    assert worker != here
    pool.close()


async def test_a_lane_keeps_order_and_lanes_run_beside_each_other() -> None:
    loop = asyncio.get_running_loop()
    pool = CodecPool(2, loop.call_soon_threadsafe)
    first, second = pool.lane(), pool.lane()
    gate, order, finished = threading.Event(), [], loop.create_future()
    first.submit(lambda: gate.wait(5), lambda result: order.append("slow"))
    for number in range(20):
        first.submit(lambda number=number: number, order.append)  # type: ignore[misc]
    first.submit(lambda: None, lambda result: finished.set_result(None))
    beside: asyncio.Future[str] = loop.create_future()
    second.submit(lambda: "beside", beside.set_result)  # type: ignore[arg-type]
    assert await beside == "beside"
    assert order == []
    assert first.pending == 22
    gate.set()
    await finished
    assert order == ["slow", *range(20)]
    assert first.pending == 0
    pool.close()


async def test_an_exception_is_a_result() -> None:
    loop = asyncio.get_running_loop()
    pool = CodecPool(1, loop.call_soon_threadsafe)
    lane, done = pool.lane(), loop.create_future()
    lane.submit(lambda: 1 / 0, lambda result: None)
    lane.submit(lambda: "after", done.set_result)
    assert await done == "after"
    pool.close()


async def test_a_closed_lane_calls_nobody() -> None:
    loop = asyncio.get_running_loop()
    pool = CodecPool(1, loop.call_soon_threadsafe)
    lane, gate, called = pool.lane(), threading.Event(), []
    lane.submit(lambda: gate.wait(5), called.append)
    lane.submit(lambda: 2, called.append)
    lane.close()
    gate.set()
    after: asyncio.Future[None] = loop.create_future()
    pool.submit(lambda: None, after.set_result)
    await after
    assert called == []
    pool.close()


async def test_closing_ends_the_threads_and_is_idempotent() -> None:
    before = threading.active_count()
    pool = CodecPool(3, asyncio.get_running_loop().call_soon_threadsafe)
    assert threading.active_count() == before + 3
    pool.close()
    pool.close()
    assert threading.active_count() == before
    pool.submit(lambda: 1, lambda result: pytest.fail("after the end"))


def test_a_pool_needs_a_worker() -> None:
    with pytest.raises(ValueError, match="one worker"):
        CodecPool(0, lambda call: None)


def test_the_inline_pool_runs_at_once_and_lanes_do_not_nest() -> None:
    pool, order = InlinePool(), []
    lane = pool.lane()

    def first_done(result: object) -> None:
        order.append("first done")
        lane.submit(lambda: order.append("second"), lambda result: order.append("second done"))
        order.append("first over")

    lane.submit(lambda: order.append("first"), first_done)
    assert order == ["first", "first done", "first over", "second", "second done"]
    pool.close()
    pool.submit(lambda: order.append("late"), lambda result: None)
    assert "late" not in order


async def test_it_says_how_long_the_oldest_work_has_been_running() -> None:
    loop = asyncio.get_running_loop()
    pool = CodecPool(2, loop.call_soon_threadsafe)
    assert pool.busy_s(time.monotonic()) == 0.0
    begun, gate = threading.Event(), threading.Event()
    ended: asyncio.Future[None] = loop.create_future()

    def hang() -> None:
        begun.set()
        gate.wait(20)

    pool.submit(hang, lambda result: ended.set_result(None))
    await asyncio.to_thread(begun.wait, 20)
    assert 59.0 < pool.busy_s(time.monotonic() + 60.0) < 80.0
    gate.set()
    await ended
    await until(lambda: pool.busy_s(time.monotonic() + 60.0) == 0.0)
    pool.close()
    assert InlinePool().busy_s(1.0) == 0.0
