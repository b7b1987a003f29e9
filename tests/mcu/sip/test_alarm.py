"""One moment to be woken at."""

import asyncio

from mcu.sip.alarm import Alarm


async def test_it_rings_once_when_it_was_set_last() -> None:
    loop = asyncio.get_running_loop()
    rung: list[float] = []
    ringing = asyncio.Event()

    def ring() -> None:
        rung.append(loop.time())
        ringing.set()

    alarm = Alarm(loop.time, ring)
    alarm.set(loop.time() + 3_600)
    alarm.set(loop.time() - 1)
    await ringing.wait()
    assert len(rung) == 1
    alarm.set(loop.time())
    alarm.set(None)
    after = asyncio.Event()
    loop.call_later(0.01, after.set)
    await after.wait()
    assert len(rung) == 1
