"""What hears the alarm, and what is said then. Tests ring it themselves where it matters when."""

import asyncio
import signal
import threading
from typing import NoReturn

import pytest

from tests.overdue import AGAIN_S, alarm, whereabouts

NEVER_S = 3600.0
SOON_S = 0.05
Overdue = pytest.fail.Exception


def ring() -> None:
    signal.raise_signal(signal.SIGALRM)


async def wait_for_ever() -> NoReturn:
    await asyncio.Event().wait()
    raise AssertionError


def test_what_waits_is_ended() -> None:
    with pytest.raises(Overdue, match=r"longer than 0\.05 s"), alarm(SOON_S):
        asyncio.run(wait_for_ever())


def test_it_is_told_what_every_task_waits_for() -> None:
    async def busy() -> None:
        waiting = asyncio.create_task(wait_for_ever(), name="patient")
        await asyncio.sleep(0)
        try:
            ring()
        finally:
            waiting.cancel()

    with pytest.raises(Overdue) as failed, alarm(NEVER_S):
        asyncio.run(busy())
    told = str(failed.value).partition("task patient:")[2]
    first, second, *_ = told.split("task ")[0].strip().splitlines()
    assert first.endswith("wait_for_ever")
    assert "test_overdue.py" in first
    assert "locks.py" in second


@pytest.mark.parametrize("where", ["task", "callback"])
def test_what_the_loop_swallows_has_failed_all_the_same(where: str) -> None:
    async def ringing() -> None:
        ring()

    async def busy() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: None)
        if where == "task":
            await asyncio.wait([asyncio.create_task(ringing())])
        else:
            loop.call_soon(ring)
            await asyncio.sleep(0)

    with pytest.raises(Overdue), alarm(NEVER_S):
        asyncio.run(busy())


def test_it_rings_again_and_says_the_same() -> None:
    heard = []

    def deaf() -> None:
        try:
            threading.Event().wait()
        except Overdue as failed:
            heard.append(str(failed))
        threading.Event().wait()

    with pytest.raises(Overdue) as last, alarm(SOON_S, SOON_S):
        deaf()
    assert heard in ([], [str(last.value)])  # none if it rang before anybody slept


def test_other_threads_are_told_too() -> None:
    end, started = threading.Event(), threading.Event()

    def aside() -> None:
        started.set()
        end.wait()

    thread = threading.Thread(target=aside, name="aside")
    thread.start()
    started.wait()
    told = whereabouts()
    end.set()
    thread.join()
    assert "thread aside:" in told
    assert "MainThread" not in told  # what it did stands in the traceback


def test_what_is_in_time_goes_on_and_the_limit_around_it_holds() -> None:
    with alarm(NEVER_S):
        for within_s in (AGAIN_S, 0.0):
            with alarm(within_s):
                assert signal.getitimer(signal.ITIMER_REAL)[0] <= within_s
        left_s, again_s = signal.getitimer(signal.ITIMER_REAL)
        assert NEVER_S / 2 < left_s <= NEVER_S
        assert again_s == AGAIN_S
