"""The daemon dies at once and another takes over what the disk holds: the meeting goes on."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mcu.conference.commands import (
    ChangeConference,
    ChangeParticipant,
    EndConference,
    Lock,
    SetLayout,
    ShowMessage,
    StartBroadcast,
    StopBroadcast,
)
from mcu.engine.plan import EmptySlot, ParticipantSlot
from mcu.operations.report_pages import report_pages
from mcu.operations.report_process import typeset
from mcu.operations.report_source import read_report
from mcu.rooms.minute_book import MinuteBook
from tests.peers.coded_media import tone_db
from tests.peers.virtual_installation import VirtualInstallation
from tests.peers.virtual_room import THREE
from tests.scenario.meeting import (
    FULL_DB,
    OWN_TONE_BELOW_DB,
    assert_hear_each_other,
    assert_see_each_other,
    start_three,
)

NAMES = [one.name for one in THREE]


async def test_a_meeting_is_there_again_after_a_kill(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "one") as site:
        rooms = await start_three(site)
        slots = (ParticipantSlot(NAMES[2]), ParticipantSlot(NAMES[0]), EmptySlot(), EmptySlot())
        await site.order(SetLayout("main", "2x2", slots, "crop"))
        await site.order(ChangeParticipant(NAMES[1], audio_muted=True, volume_db=-6.0))
        await site.order(ChangeParticipant(NAMES[0], deafened=True, label="Điểm cầu chính"))
        await site.order(ChangeConference(chair=NAMES[2]))
        await site.order(ShowMessage("Xin chờ trong giây lát", 600.0))
        await site.order(Lock())
        site.run(2.0)
        await site.settled()
        before = site.state()
        after = await site.kill(tmp_path / "two")
    site.run(3.0)  # nobody is at home: what rooms send is lost
    for room in rooms:
        room.vanish()
    async with after as site:
        found = site.state()
        assert (found.name, found.chair, found.locked) == (before.name, NAMES[2], True)
        assert found.views == before.views
        assert found.views["main"].fit == "crop"
        assert found.message == before.message
        assert list(found.participants) == list(before.participants)
        assert site.presence() == dict.fromkeys(NAMES, "lost")
        for name in NAMES:
            was, now = before.participants[name], found.participants[name]
            for field in ("audio_muted", "deafened", "volume_db", "label", "role", "join_order"):
                assert getattr(now, field) == getattr(was, field), (name, field)
            assert not now.legs
        site.run(1.0)
        # Rooms come back by themselves, in any order.
        third, second, first = await site.join(*reversed(THREE))
        site.run(3.0)
        assert site.presence() == dict.fromkeys(NAMES, "connected")
        for room in (first, second):
            assert site.colour(room, 0, "2x2").is_like(third.colour)
            assert site.colour(room, 1, "2x2").is_like(first.colour)
        assert tone_db(third.sound(1.0), first.hz) > FULL_DB - 3.0
        assert tone_db(third.sound(1.0), second.hz) < FULL_DB - OWN_TONE_BELOW_DB  # muted
        assert abs(first.sound(1.0).astype(int)).max() <= 8  # deafened


async def test_the_report_of_a_meeting_whose_server_was_dead_half_of_the_time(
    tmp_path: Path,
) -> None:
    """Nobody counts as present while there was no server, whoever came back."""
    async with VirtualInstallation(tmp_path / "one") as site:
        rooms = await start_three(site)
        began = site.network.utcnow()
        book = MinuteBook(site.live.minutes, site.store.minutes, site.network.utcnow)
        site.run(60.0)
        await book.close()
        await site.settled()
        state = site.state()
        so_far = await read_report(site.store, state, "/x", site.network.utcnow())
        assert [room.attendance.present_s for room in so_far.rooms] == pytest.approx(
            [60] * 3, abs=2
        )
        after = await site.kill(tmp_path / "two")
    for room in rooms:
        room.vanish()
    site.run(300.0)
    async with after as site:
        await site.join(*THREE)
        site.run(20.0)
        await site.order(EndConference("over"))
        await site.settled()
        ended = await site.conferences.read(state.id)
        report = await read_report(site.store, ended, "/x", site.network.utcnow())
    assert report.incomplete == ()
    for room in report.rooms:
        who = room.attendance
        assert who.present_s == pytest.approx(60 + 20, abs=3)
        assert (who.lost_s, who.lost_count) == (pytest.approx(300, abs=3), 1)
    assert [fault.kind for fault in report.faults] == ["lost"] * 3
    for fault in report.faults:
        assert (fault.at - began).total_seconds() == pytest.approx(60, abs=3)
    pages = report_pages(report, "vi", ZoneInfo("Asia/Ho_Chi_Minh"))
    assert typeset(pages).startswith(b"%PDF-")


async def test_who_does_not_come_back_has_left_after_its_time(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "one", left_after_s=10.0) as site:
        for room in await start_three(site):
            room.vanish()
        await site.settled()
        after = await site.kill(tmp_path / "two")
    async with after as site:
        back = await site.join(*THREE[:2])
        site.run(12.0)
        assert list(site.presence().values()) == ["connected", "connected", "left"]
        assert_see_each_other(site, back)


async def test_a_kill_in_the_middle_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    """Facts that were not written yet are of no consequence: nobody is connected now anyway."""
    async with VirtualInstallation(tmp_path / "one") as site:
        await site.start(NAMES, layout="2x2")
        await site.join(*THREE)
        await site.order(StartBroadcast(NAMES[1]))
        for room in site.rooms:
            room.vanish()
        site.run(6.0)  # they are lost, which waits for the store
        after = await site.kill(tmp_path / "two")
    async with after as site:
        assert site.state().broadcast == NAMES[1]
        assert set(site.presence().values()) <= {"lost", "expected"}
        rooms = await site.join(*THREE)
        site.run(2.0)
        assert all(site.colour(room, 0, "1x1").is_like(rooms[1].colour) for room in rooms)
        await site.order(StopBroadcast())
        site.run(2.0)
        assert_see_each_other(site, rooms)
        assert_hear_each_other(rooms)


async def test_restarts_follow_each_other_and_an_end_stays_an_end(tmp_path: Path) -> None:
    site = VirtualInstallation(tmp_path / "0")
    for number in range(1, 5):
        async with site:
            if number == 1:
                await site.start(NAMES)
                await site.start(["nha-trang"], conference="khac")
            for room in await site.join(*THREE):
                site.run(0.5)
                room.vanish()
            running = [one.id for one in site.conferences.running()]
            assert running == (["hop", "khac"] if number <= 2 else ["hop"])
            if number == 4:
                await site.order(EndConference())
            elif number == 2:
                await site.order(EndConference(), "khac")
            await site.settled()
            after = await site.kill(tmp_path / str(number))
        site = after
    async with site:
        assert not site.conferences.running()
        assert not site.engine.conferences


async def test_a_daemon_that_stops_properly_keeps_its_meetings(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        network = site.network
    site.run(0.1)
    assert all(room.peer.closed for room in rooms)
    async with VirtualInstallation(tmp_path / "data", network) as site:
        assert site.presence() == dict.fromkeys(NAMES, "lost")
        rooms = await site.join(*THREE)
        site.run(2.0)
        assert_see_each_other(site, rooms)
        assert_hear_each_other(rooms)
