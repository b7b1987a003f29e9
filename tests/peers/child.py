"""Processes that end with the one that started them, however that one ends.

A test or benchmark that is killed leaves no daemon and no load behind.
"""

import asyncio
import ctypes
import os
import signal
from collections.abc import Callable
from functools import partial
from typing import Any

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def ends_with_us() -> Callable[[], None]:
    """For ``preexec_fn``: the child gets SIGTERM when the thread that starts it is gone.

    Linux; elsewhere children only end as far as they are ended.
    """
    return partial(_end_with, os.getpid())


def _end_with(parent: int) -> None:
    if not hasattr(_libc, "prctl"):
        return
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it was gone before the kernel knew
        os.kill(os.getpid(), signal.SIGTERM)


async def start(*command: str, **options: Any) -> asyncio.subprocess.Process:
    """``asyncio.create_subprocess_exec`` of a process that ends with this one.

    Raises:
        OSError: there is no such program.
    """
    return await asyncio.create_subprocess_exec(*command, preexec_fn=ends_with_us(), **options)
