"""A room that floods, sends broken pictures or asks for everything, at the real daemon."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.peers import child
from tests.peers.coded_media import Colour
from tests.peers.daemon import Daemon
from tests.peers.generator_rooms import GeneratorRooms
from tests.peers.waiting import until, until_read

pytestmark = pytest.mark.timeout(150)

ROOMS = {"a": "Xã A", "b": "Xã B", "xau": "Xã C"}
RED = Colour(76, 85, 255)
A_HZ, B_HZ = 1010.0, 2130.0


@asynccontextmanager
async def bad_room(daemon: Daemon, conference: str, token: str, fault: str) -> AsyncIterator[None]:
    process = await child.start(
        sys.executable, "-m", "bench.badleg_peer", "--token", token, "--fault", fault,
        "--url", f"{daemon.url}/api/v1/conferences/{conference}/legs",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(40):
            assert await process.stdout.readline() == b"sending\n"
        yield
        assert process.returncode is None
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("flood", "flood"), ("broken-h264", "video_payload"), ("rtcp", "flood_rtcp")],
)
async def test_the_others_go_on_and_it_is_counted(tmp_path: Path, fault: str, reason: str) -> None:
    async with Daemon(tmp_path / "data") as daemon, GeneratorRooms(daemon.url) as rooms:
        conference, tokens = await daemon.province(ROOMS)
        slots = [{"participant": one} for one in ROOMS] + [{}]
        await daemon.call(
            "PUT",
            f"/conferences/{conference}/layout",
            {"view": "main", "layout": "2x2", "slots": slots},
        )
        first = await rooms.join(conference, tokens["a"], colour=RED, tone_hz=A_HZ, decodes=True)
        second = await rooms.join(conference, tokens["b"], tone_hz=B_HZ, decodes=True)
        name = f'mcu_dropped_total{{reason="{reason}"}}'
        async with bad_room(daemon, conference, tokens["xau"], fault):
            await until_read(daemon.metrics, lambda found: found.get(name, 0) > 20, timeout_s=60)
            for room in (first, second):
                before = (room.leg.counters.audio_decoded, room.leg.counters.video_decoded)
                await asyncio.wait_for(
                    until(
                        lambda room=room, before=before: (  # type: ignore[misc]
                            room.leg.counters.audio_decoded > before[0] + 50
                            and room.leg.counters.video_decoded > before[1] + 10
                        ),
                        0.1,
                    ),
                    40,
                )
                assert room.leg.counters.decode_errors == 0
        found = await daemon.metrics()
        assert 'mcu_dropped_total{reason="tick_fault"}' not in found
        assert 'mcu_dropped_total{reason="timer_fault"}' not in found
        assert found["mcu_video_process_restarts_total"] == 0
        assert "Traceback" not in daemon.log
