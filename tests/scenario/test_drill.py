"""A drill in virtual time: what each fault does to its room, and that it does it to nobody else."""

import statistics
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from mcu.api.services import NoCapacity
from mcu.conference.commands import ChangeParticipant, Lock
from mcu.conference.drill import NotADrill
from mcu.conference.drill_model import (
    ClearFaults,
    DrillStep,
    Fault,
    FaultKind,
    FaultWish,
    InjectFault,
    SetScript,
    StartScript,
)
from tests.peers.coded_media import Colour, tone_db
from tests.peers.virtual_installation import VirtualInstallation
from tests.peers.virtual_room import THREE, RoomSetup, VirtualRoom
from tests.scenario.meeting import (
    FULL_DB,
    assert_hear_each_other,
    assert_see_each_other,
)

BLACK = Colour(16, 128, 128)
ELSEWHERE = (
    RoomSetup("ninh-hoa", 610.0, colour=THREE[0].colour),
    RoomSetup("van-ninh", 1370.0, colour=THREE[1].colour),
)
"""Of a conference that is no drill and goes on beside one."""
TROUBLED, *OTHERS = (one.name for one in THREE)


def wish(kind: FaultKind, *who: str, duration_s: float = 20.0, **values: float) -> FaultWish:
    return FaultWish(kind, who, duration_s, **values)  # type: ignore[arg-type]


@asynccontextmanager
async def drill(
    data_dir: Path,
) -> AsyncIterator[tuple[VirtualInstallation, Sequence[VirtualRoom], Sequence[VirtualRoom]]]:
    """Three rooms in a drill, and two in a meeting beside it."""
    async with VirtualInstallation(data_dir) as site:
        await site.start([one.name for one in THREE], layout="2x2", drill=True)
        rooms = [(await site.join(one))[0] for one in THREE]
        await site.start([one.name for one in ELSEWHERE], layout="2x2", conference="khac")
        beside = [(await site.join(one, conference="khac"))[0] for one in ELSEWHERE]
        site.run(2.0)
        yield site, rooms, beside


async def inject(site: VirtualInstallation, fault: FaultWish) -> None:
    await site.order(InjectFault(fault, "Hải"))


def fault(site: VirtualInstallation, number: int = 1) -> Fault:
    found = site.state().drill
    assert found is not None
    return found.faults[number - 1]


async def test_a_lost_leg_comes_back_by_itself_and_nobody_else_notices(tmp_path: Path) -> None:
    async with drill(tmp_path / "data") as (site, rooms, beside):
        legs = [room.leg_id for room in rooms]
        await inject(site, wish("lost", TROUBLED))
        site.run_until(lambda: site.presence()[TROUBLED] == "lost", 10.0)
        assert [site.presence()[one] for one in OTHERS] == ["connected", "connected"]
        site.run_until(lambda: not fault(site).active, 30.0)
        site.run_until(lambda: site.presence()[TROUBLED] == "connected", 10.0)
        site.run(3.0)
        assert [room.leg_id for room in rooms] == legs
        assert_hear_each_other(rooms)
        assert_see_each_other(site, rooms)
        # The meeting beside it has heard every packet meanwhile.
        assert set(site.presence("khac").values()) == {"connected"}
        assert max(room.longest_audio_gap() for room in beside) <= 1
        assert max(room.longest_audio_gap() for room in rooms[1:]) <= 1


async def test_a_room_that_joins_anew_is_still_cut_off(tmp_path: Path) -> None:
    async with drill(tmp_path / "data") as (site, rooms, _beside):
        await inject(site, wish("lost", TROUBLED, duration_s=60))
        site.run(2.0)
        rooms[0].vanish()
        again = await site.offer(THREE[0])
        site.run(5.0)
        assert not again.connected
        await site.order(ClearFaults(None, "Hải"))
        assert (await site.join(THREE[0]))[0].connected


async def test_loss_is_seen_in_the_quality_of_its_room_alone(tmp_path: Path) -> None:
    async with drill(tmp_path / "data") as (site, _rooms, _beside):
        await inject(site, wish("loss", TROUBLED, duration_s=60, loss_percent=20, jitter_ms=40))
        site.run(5.0)
        seen: dict[str, list[float]] = {TROUBLED: [], **{other: [] for other in OTHERS}}
        for _ in range(10):  # a second of sound alone is 50 packets, of which chance takes 4 or 16
            site.run(1.0)
            for who, losses in seen.items():
                losses.append(site.live.live("hop", who).quality.loss_percent or 0.0)
        assert 10 < statistics.median(seen.pop(TROUBLED)) < 50
        assert all(loss < 1.0 for losses in seen.values() for loss in losses)


async def test_a_muted_microphone_is_silent_to_all_and_heard_again(tmp_path: Path) -> None:
    async with drill(tmp_path / "data") as (site, rooms, _beside):
        await inject(site, wish("muted", TROUBLED, duration_s=5))
        site.run(4.0)
        assert site.mix().levels[TROUBLED] < -90
        for room in rooms[1:]:
            assert tone_db(room.sound(1.0), rooms[0].hz) < FULL_DB - 40
        site.run(5.0)
        assert_hear_each_other(rooms)


async def test_a_black_camera_and_one_that_stands_still(tmp_path: Path) -> None:
    async with drill(tmp_path / "data") as (site, rooms, _beside):
        await inject(site, wish("black", TROUBLED, duration_s=5))
        site.run(3.0)
        assert site.colour(rooms[1], 0, "2x2").is_like(BLACK)
        assert site.colour(rooms[1], 1, "2x2").is_like(rooms[1].colour)
        site.run(4.0)
        assert_see_each_other(site, rooms)
        await inject(site, wish("frozen", TROUBLED, duration_s=6))
        site.run(1.0)
        # Its own picture does not change, so another room's camera is put in front of it.
        rooms[0].pictures = rooms[2].pictures
        site.run(3.0)
        assert site.colour(rooms[1], 0, "2x2").is_like(rooms[0].colour)
        site.run(5.0)
        assert site.colour(rooms[1], 0, "2x2").is_like(rooms[2].colour)


async def test_a_codec_nobody_agreed_on_is_counted_and_told(tmp_path: Path) -> None:
    async with drill(tmp_path / "data") as (site, rooms, _beside):
        leg = site.acceptor.legs[rooms[0].leg_id]
        await inject(site, wish("codec", TROUBLED, duration_s=5))
        site.run(4.0)
        assert leg.statistics(site.time.now).dropped["payload_type"] > 100
        assert site.mix().codecs(leg) == {"audio": "unknown", "video": "unknown"}
        for room in rooms[1:]:
            assert tone_db(room.sound(1.0), rooms[0].hz) < FULL_DB - 40
        site.run(6.0)
        assert_hear_each_other(rooms)
        assert_see_each_other(site, rooms)


async def test_an_overloaded_line_carries_no_more_than_it_is_said_to(tmp_path: Path) -> None:
    async with drill(tmp_path / "data") as (site, rooms, _beside):
        await inject(site, wish("overload", TROUBLED, duration_s=60, rate_kbps=24))
        site.run(10.0)
        loss = site.live.live("hop", TROUBLED).quality.loss_percent
        assert loss is not None
        assert loss > 5
        before = len(rooms[0].stream("audio").packets)
        site.run(4.0)
        assert len(rooms[0].stream("audio").packets) - before < 160  # of 200
        for other in OTHERS:
            assert (site.live.live("hop", other).quality.loss_percent or 0.0) < 1.0


async def test_a_restart_is_of_that_conference_alone(tmp_path: Path) -> None:
    async with drill(tmp_path / "data") as (site, _rooms, beside):
        await site.order(Lock())
        await site.order(ChangeParticipant(OTHERS[0], label="Điểm cầu thử"))
        other_legs = {room.leg_id for room in beside}
        await inject(site, wish("restart", duration_s=5))
        await site.media.parted()
        assert set(site.presence().values()) == {"lost"}
        assert site.acceptor.legs.keys() == other_legs
        assert "hop" not in site.engine.conferences
        with pytest.raises(NoCapacity, match="restored in a moment"):
            await site.offer(THREE[0])
        site.run(6.0)
        assert not fault(site).active
        await site.order(ChangeParticipant(OTHERS[1], label="Sau khôi phục"))
        assert site.state().locked
        assert site.state().participants[OTHERS[0]].label == "Điểm cầu thử"
        again = await site.join(*THREE)
        site.run(3.0)
        assert_hear_each_other(again)
        assert fault(site).mark("recovered") is not None
        assert max(room.longest_audio_gap() for room in beside) <= 1
        assert_hear_each_other(beside)


async def test_what_is_no_drill_and_who_is_elsewhere_cannot_be_reached(tmp_path: Path) -> None:
    async with drill(tmp_path / "data") as (site, _rooms, beside):
        with pytest.raises(NotADrill):
            await site.order(InjectFault(wish("lost"), "Hải"), "khac")
        with pytest.raises(Exception, match="not on the roster of this drill"):
            await inject(site, wish("lost", ELSEWHERE[0].name))
        await inject(site, wish("lost"))
        site.run(8.0)
        assert set(site.presence().values()) == {"lost"}
        assert set(site.presence("khac").values()) == {"connected"}
        assert_hear_each_other(beside)


async def test_a_script_goes_on_after_a_kill(tmp_path: Path) -> None:
    steps = (
        DrillStep(0, wish("muted", TROUBLED, duration_s=300)),
        DrillStep(12, wish("black", OTHERS[0], duration_s=2)),
    )
    async with drill(tmp_path / "one") as (site, rooms, beside):
        await site.order(SetScript(steps, "Hải"))
        await site.order(StartScript("Hải"))
        site.run(5.0)
        await site.settled()
        after = await site.kill(tmp_path / "two")
    for room in (*rooms, *beside):
        room.vanish()
    async with after as site:
        assert fault(site).active
        again = await site.join(*(replace(one) for one in THREE))
        site.run(3.0)
        assert tone_db(again[1].sound(1.0), again[0].hz) < FULL_DB - 40
        site.run_until(lambda: len(site.state().drill.faults) == 2, 60.0)  # type: ignore[union-attr]
        assert fault(site, 2).step == 2
        site.run_until(lambda: not fault(site, 2).active, 20.0)


async def test_how_long_the_staff_took(tmp_path: Path) -> None:
    async with drill(tmp_path / "data") as (site, _rooms, _beside):
        await inject(site, wish("muted", TROUBLED, duration_s=8))
        site.run(4.0)
        await site.order(ChangeParticipant(OTHERS[0], audio_muted=True))  # another room
        assert fault(site).marks == ()
        await site.order(ChangeParticipant(TROUBLED, importance=5))
        kinds = [one.kind for one in fault(site).marks]
        assert kinds == ["noticed", "acted"]
        took = (fault(site).marks[1].at - fault(site).began_at).total_seconds()
        assert took == pytest.approx(4.0, abs=0.5)
        site.run(5.0)
        assert fault(site).ending == "over"
        assert fault(site).mark("recovered") is not None
