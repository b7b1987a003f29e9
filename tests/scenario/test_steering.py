"""What an operator does to a running picture: views, broadcast, layouts, a message."""

from pathlib import Path

from mcu.conference.commands import (
    AddParticipant,
    ChangeConference,
    ClearMessage,
    EndConference,
    MuteAll,
    SetLayout,
    ShowMessage,
    StartBroadcast,
    StopBroadcast,
)
from mcu.conference.floor_model import EndFloor, GrantFloor
from mcu.conference.state import RosterEntry
from mcu.engine.plan import EmptySlot, ParticipantSlot, PollingSlot
from mixer.video.colour import MESSAGE
from mixer.video.colour import Colour as Drawn
from tests.peers.coded_media import Colour, tone_db
from tests.peers.virtual_installation import VirtualInstallation
from tests.peers.virtual_room import THREE, VirtualRoom
from tests.scenario.meeting import (
    FULL_DB,
    assert_hear_each_other,
    assert_see_each_other,
    start_three,
)


def drawn(colour: Drawn) -> Colour:
    return Colour(*colour.yuv)


def whole(site: VirtualInstallation, room: VirtualRoom) -> Colour:
    return site.colour(room, 0, "1x1")


async def test_the_chair_sees_the_rooms_and_the_rooms_see_the_chair(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        names = [one.name for one in THREE]
        await site.start(names, chair=names[0])
        chair, second, third = await site.join(*THREE)
        site.run(2.0)
        assert site.reading().renditions["video"] == 2
        # Two others fill the chair's 2x2 in the order they came; it does not see itself.
        for slot in range(2):
            assert not site.colour(chair, slot, "2x2").is_like(chair.colour)
        seen = {site.colour(chair, slot, "2x2").u for slot in range(2)}
        assert len(seen) == 2
        for room in (second, third):
            assert site.colour(room, 0, "2x2").is_like(chair.colour)
        await site.order(ChangeConference(chair=second.name))
        site.run(2.0)
        assert site.colour(chair, 0, "2x2").is_like(second.colour)
        for slot in range(2):
            assert not site.colour(second, slot, "2x2").is_like(second.colour)
        assert_hear_each_other([chair, second, third])


async def test_a_broadcast_fills_the_picture_and_ends(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        site.run(1.0)
        await site.order(StartBroadcast(rooms[1].name))
        site.run(1.5)
        for room in rooms:
            assert whole(site, room).is_like(rooms[1].colour)
        assert site.reading().decoders["video"] == 1
        assert_hear_each_other(rooms)
        await site.order(StopBroadcast())
        site.run(1.5)
        assert_see_each_other(site, rooms)
        # Its size did not change, so one encoder and one stream carried it all.
        assert [room.screen.errors for room in rooms] == [0, 0, 0]
        assert site.reading().encoders["video"] == 1


async def test_a_layout_changes_for_everybody(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        site.run(1.0)
        by_name = {room.name: room for room in rooms}
        order = [rooms[2].name, rooms[0].name, rooms[1].name]
        for layout, free in (("3x3", 6), ("2+8", 7), ("1+12", 10), ("lecture", 3)):
            slots = (*(ParticipantSlot(one) for one in order), *[EmptySlot()] * free)
            await site.order(SetLayout("main", layout, slots))
            site.run(0.5)
            for room in rooms:
                for slot, name in enumerate(order):
                    seen = site.colour(room, slot, layout)
                    assert seen.is_like(by_name[name].colour, 20), (layout, slot, seen)
        await site.order(SetLayout("main", "2x2"))
        site.run(0.5)
        assert_see_each_other(site, rooms)
        assert site.reading().encoders["video"] == 1


async def test_polling_shows_one_after_the_other(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        await site.order(SetLayout("main", "1x1", (PollingSlot(3.0, ()),)))
        site.run(1.0)
        shown = []
        for _ in range(4):
            site.run(1.5)
            seen = whole(site, rooms[0])
            shown.append(next(room.name for room in rooms if seen.is_like(room.colour)))
            site.run(1.5)
        assert sorted(shown[:3]) == sorted(room.name for room in rooms)
        assert shown[3] == shown[0]
        assert site.reading().decoders["video"] == 1


async def test_a_message_lies_over_every_picture_and_goes(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        site.run(1.0)

        def bottom(room: VirtualRoom) -> Colour:
            return room.screen.colour(4, 168, 60, 8)

        await site.order(ShowMessage("Phiên họp bắt đầu lại lúc 14 giờ", 5.0))
        site.run(0.5)
        for room in rooms:
            assert bottom(room).is_like(drawn(MESSAGE), 20), bottom(room)
        assert_see_each_other(site, rooms[:2])  # the upper row stays as it was
        site.run(5.0)
        assert site.state().message is None
        for room in rooms:
            assert not bottom(room).is_like(drawn(MESSAGE), 20)
        await site.order(ShowMessage("Xin chờ"))
        site.run(8.0)
        assert bottom(rooms[0]).is_like(drawn(MESSAGE), 20)
        await site.order(ClearMessage())
        site.run(0.5)
        assert not bottom(rooms[0]).is_like(drawn(MESSAGE), 20)


async def test_who_comes_late_gets_the_meeting_as_it_is(tmp_path: Path) -> None:
    """Who was shown, heard and muted when it came, the message and the layout under all of it."""
    async with VirtualInstallation(tmp_path / "data") as site:
        names = [one.name for one in THREE]
        await site.start(names[:2], chair=names[0])
        chair, speaker = await site.join(*THREE[:2])
        site.run(1.0)
        await site.order(SetLayout("main", "lecture"))
        await site.order(MuteAll(except_=("chair",)))
        await site.order(GrantFloor(speaker.name, 300.0, "broadcast"))
        await site.order(ShowMessage("Xin giữ trật tự"))
        site.run(5.0)
        # It was not on the roster: it is put there as any late room is, and comes.
        await site.order(AddParticipant(RosterEntry(names[2], names[2], names[2], "tinh")))
        (late,) = await site.join(THREE[2])
        site.run(2.0)
        state = site.state()
        assert state.participants[late.name].audio_muted
        assert whole(site, late).is_like(speaker.colour)
        assert late.screen.colour(4, 168, 60, 8).is_like(drawn(MESSAGE), 20)
        for room, other in ((late, chair), (chair, late)):
            sound = room.sound(1.0)
            assert tone_db(sound, speaker.hz) > FULL_DB - 3.0, room.name
            heard = tone_db(sound, other.hz)
            assert (heard > FULL_DB - 3.0) is (other is chair), (room.name, other.name)
        await site.order(EndFloor())
        site.run(2.0)
        # The layout that was chosen before it came.
        assert site.colour(late, 0, "lecture").is_like(chair.colour)


async def test_a_picture_is_there_on_request_with_no_viewer(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        site.run(1.0)
        for wanted in ("main", "chair"):
            jpeg = await site.while_running(site.mix().video.picture(wanted))
            assert jpeg is not None
            assert jpeg[:2] == b"\xff\xd8"
        jpeg = await site.while_running(site.mix().video.participant_picture(rooms[0].name))
        assert jpeg is not None
        site.run(11.0)
        assert site.reading().encoders["video"] == 1


async def test_the_end_of_a_conference_frees_everything(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        site.run(1.0)
        await site.order(EndConference())
        site.run(0.5)
        assert all(room.peer.closed for room in rooms)
        assert not site.acceptor.legs
        assert (site.port.endpoints, site.port.addresses) == (0, 0)
        reading = site.reading()
        assert reading.conferences == 0
        assert not any((*reading.encoders.values(), *reading.decoders.values()))
        assert reading.packets_received["video"] > 0  # what was counted stays counted
        assert not site.conferences.running()


async def test_layouts_may_change_between_any_two_ticks(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        layouts = ["1x1", "7x7", "1+5", "2x2", "lecture", "presenter", "3x3"]
        for number in range(42):
            await site.order(SetLayout("main", layouts[number % len(layouts)]))
            # Rooms are told what to send from what stands in the picture, whenever that is read.
            requests = site.mix().video.source_requests()
            assert {name for name, _ in requests} == {room.name for room in rooms}
            site.run(0.037)
        await site.order(SetLayout("main", "2x2"))
        site.run(1.0)
        assert_see_each_other(site, rooms)


async def test_who_stands_in_a_picture_that_nobody_receives_is_not_visible(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        await site.order(ChangeConference(chair=rooms[0].name))
        site.run(1.0)
        for silent in rooms[1:]:
            silent.silent = True
        await site.order(SetLayout("main", "1x1"))
        site.run(3.0)
        assert site.mix().visible() == {room.name for room in rooms}
        await site.order(ChangeConference(chair=""))  # nobody receives ``chair`` any more
        site.run(1.0)
        assert site.mix().visible() == {rooms[0].name}
        assert site.reading().decoders["video"] == 1
