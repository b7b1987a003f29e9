"""A test that hangs fails, says where it hung, and the others go on.

pytest-timeout's alarm raises once, wherever the program happens to be. In a callback or a
background task the event loop catches that and goes on; and after the first failure its alarm is
off, so that cleaning up may hang for ever. Here setting up, the test itself and cleaning up have
the limit each; the alarm repeats until it is heard, and tells what every task waits for.
"""

import asyncio
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

import pytest
import pytest_timeout

AGAIN_S = 10.0
"""So long a test that has heard the alarm may take to close what it has open."""


@contextmanager
def alarm(limit_s: float, again_s: float = AGAIN_S) -> Iterator[None]:
    """Fail what takes longer. For the main thread, where signals arrive; 0 is no limit.

    Raises:
        pytest.fail.Exception: it took longer, also if it came to an end by itself after that.
    """
    said: list[str] = []
    over = False

    def ring(number: int, frame: FrameType | None) -> None:
        if over or pytest_timeout.is_debugging():
            return
        if not said:
            said.append(f"longer than {limit_s:g} s\n{whereabouts()}")
        pytest.fail(said[0])

    before = signal.signal(signal.SIGALRM, ring)
    outer = signal.getitimer(signal.ITIMER_REAL)
    try:
        signal.setitimer(signal.ITIMER_REAL, limit_s, again_s)
        yield
    finally:
        over = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *outer)
    if said:
        pytest.fail(said[0])


def whereabouts() -> str:
    """What every task of the running loop waits for, and what the other threads do.

    What this thread did stands in the traceback.
    """
    lines = []
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    for ident, frame in sys._current_frames().items():
        if ident != threading.get_ident():
            lines.append(f"thread {names.get(ident, ident)}:")
            lines += [line.rstrip() for line in traceback.format_stack(frame)]
    try:
        tasks = asyncio.all_tasks()
    except RuntimeError:  # no loop runs
        return "\n".join(lines)
    for task in sorted(tasks, key=asyncio.Task.get_name):
        lines.append(f"task {task.get_name()}:")
        lines += [f"  {where}" for where in awaited(task.get_coro())]
    return "\n".join(lines)


def awaited(coroutine: Any) -> Iterator[str]:
    """The chain of what a coroutine waits for, outermost first; ends at an async generator."""
    while hasattr(coroutine, "cr_await"):
        frame: FrameType | None = coroutine.cr_frame
        code: CodeType = coroutine.cr_code
        line = frame.f_lineno if frame else code.co_firstlineno
        yield f"{code.co_filename}:{line} {code.co_name}"
        coroutine = coroutine.cr_await
    if coroutine is not None:
        yield f"{coroutine!r:.200}"
