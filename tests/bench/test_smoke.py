"""A small meeting under real load has the shape that makes a big one cheap; time plays no part."""

import psutil
import pytest

from bench.load import Load, Meeting, meeting
from tests.peers.waiting import until_read

LEGS, SPEAKERS, SENDERS = 24, 4, 20
VISIBLE = 16
"""The view has so many slots; four rooms send pictures that nobody sees."""


async def shape(held: Meeting, listened: int) -> tuple[dict[str, float], dict[str, float]]:
    """Metrics without rooms, and while all of them are in, heard, seen and watched."""
    process = psutil.Process(held.daemon.pid)

    async def read() -> dict[str, float]:
        return await held.daemon.metrics() | {"threads": process.num_threads()}

    def begun(found: dict[str, float]) -> bool:
        return (
            found['mcu_decoders{kind="video"}'] >= VISIBLE
            and found['mcu_encoders{kind="video"}'] >= 1
            and found['mcu_alarms_watched{what="sound"}'] >= min(1, listened)
        )

    before = await read()
    async with held.loaded():
        return before, await until_read(read, begun)


@pytest.mark.parametrize(("alarms", "listened", "looked"), [(False, 0, 0), (True, 6, 6)])
async def test_work_is_done_once_however_many_rooms_there_are(
    alarms: bool, listened: int, looked: int
) -> None:
    """Alarms listen to six more and look at as many, however many rooms there are."""
    load = Load(LEGS, video=True, speakers=SPEAKERS, video_senders=SENDERS)
    # Time plays no part: a busy machine is not to refuse rooms.
    environment = {"MCU_LIMITS__OVERLOAD_PROTECTION": "false"}
    environment["MCU_ALARMS__ENABLED"] = str(alarms).lower()
    async with meeting(load, environment=environment) as held:
        before, during = await shape(held, listened)
        assert during['mcu_encoders{kind="video"}'] == during['mcu_renditions{kind="video"}'] == 1
        # Of SENDERS no more are decoded than are seen; alarms look at seen ones, too.
        assert VISIBLE <= during['mcu_decoders{kind="video"}'] <= VISIBLE + looked
        # One mix for all who do not speak, and one for each who does.
        assert during['mcu_encoders{kind="audio"}'] == during['mcu_renditions{kind="audio"}']
        assert during['mcu_encoders{kind="audio"}'] <= SPEAKERS + 1
        assert during['mcu_decoders{kind="audio"}'] <= SPEAKERS + listened
        assert during['mcu_alarms_watched{what="sound"}'] <= listened
        # The API has a task for each of the few connections that all rooms' offers came by.
        for one in ("mcu_tasks", "threads"):
            assert during[one] - before[one] < LEGS / 2, one
