"""A small meeting under real load has the shape that makes a big one cheap; time plays no part."""

from typing import Any

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


async def inside(held: Meeting) -> dict[str, dict[str, Any]]:
    """Each room's leg as the daemon knows it, by participant."""
    daemon = held.daemon
    roster = await daemon.call("GET", f"/conferences/{held.conference}/participants")
    return {
        one["id"]: await daemon.call("GET", f"/legs/{one['legs'][0]}")
        for one in roster["items"]
        if one["legs"]
    }


def has_reported(leg: dict[str, Any]) -> bool:
    """Whether a room's reports were taken: on both streams, and on single packets."""
    sent = leg["sent"].values()
    return (
        len(sent) == 2
        and all(one["reports"] and one["round_trip_ms"] is not None for one in sent)
        and leg["line"] is not None
        and leg["line"]["packets"] > 0
    )


@pytest.mark.parametrize("reports", [True, False])
async def test_rooms_report_and_are_told_of_their_pictures(reports: bool) -> None:
    rooms, senders = 5, 3
    load = Load(rooms, video=True, speakers=2, video_senders=senders, reports=reports)
    environment = {"MCU_LIMITS__OVERLOAD_PROTECTION": "false"}
    async with meeting(load, spare_legs=0, environment=environment) as held:
        async with held.loaded() as loaded:

            def heard(legs: dict[str, dict[str, Any]]) -> bool:
                return len(legs) == rooms and all(
                    has_reported(leg) == reports and leg["received"]["audio"]["packets"] > 100
                    for leg in legs.values()
                )

            legs = await until_read(lambda: inside(held), heard)
            figures = await loaded.measured(seconds=3.0, starved_is_void=False)
        for leg in legs.values():
            refused = {name for name in leg["dropped"] if "rtcp" in name}
            assert not refused, leg["dropped"]
        told = ("reports", "feedback", "uplink_feedback")
        found = {name: value for name, value in figures.items() if name.startswith(told)}
        assert len(found) == (3 if reports else 0)
        assert all(value > 0 for value in found.values()), found
        assert figures["undecryptable"] == 0


@pytest.mark.parametrize(("alarms", "listened", "looked"), [(False, 0, 0), (True, 6, 6)])
async def test_work_is_done_once_however_many_rooms_there_are(
    alarms: bool, listened: int, looked: int
) -> None:
    """Alarms listen to six more and look at as many, however many rooms there are."""
    # Time plays no part: a busy machine is neither to refuse rooms, nor to pass for their bad lines
    # in what they report, for which there would be a second picture.
    load = Load(LEGS, video=True, speakers=SPEAKERS, video_senders=SENDERS, reports=False)
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
