"""A process that is killed takes what it started with it."""

import asyncio
import os
import signal
import sys

import psutil

from tests.peers import child
from tests.peers.waiting import until

PARENT = """
import asyncio, sys
from tests.peers import child

async def main():
    one = await child.start(sys.executable, "-c", "import time; time.sleep(600)")
    print(one.pid, flush=True)
    await one.wait()

asyncio.run(main())
"""


async def test_children_end_with_who_started_them_even_when_it_is_killed() -> None:
    parent = await child.start(sys.executable, "-c", PARENT, stdout=asyncio.subprocess.PIPE)
    try:
        assert parent.stdout is not None
        started = psutil.Process(int(await parent.stdout.readline()))
        assert started.is_running()
        os.kill(parent.pid, signal.SIGKILL)
        await asyncio.wait_for(
            until(
                lambda: not started.is_running() or started.status() == psutil.STATUS_ZOMBIE, 0.02
            ),
            20,
        )
    finally:
        if parent.returncode is None:
            parent.kill()
        await parent.wait()
