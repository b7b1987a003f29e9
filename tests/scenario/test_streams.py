"""Legs that are not a whole room: sound alone, pictures alone, a presentation, WHIP beside WHEP."""

from dataclasses import replace
from pathlib import Path

import pytest

from mcu.conference.commands import StartPresentation, StopPresentation
from mixer.video.colour import CARD
from tests.peers.coded_media import YELLOW, Colour, coded_colour, tone_db
from tests.peers.virtual_installation import VirtualInstallation
from tests.peers.virtual_room import THREE, VirtualRoom
from tests.peers.webrtc_peer import OfferOptions
from tests.scenario.meeting import (
    FULL_DB,
    OWN_TONE_BELOW_DB,
    assert_hear_each_other,
    assert_see_each_other,
    start_three,
)


async def test_a_room_without_camera_and_one_without_microphone(tmp_path: Path) -> None:
    setups = (
        THREE[0],
        replace(THREE[1], options=OfferOptions(video=None)),
        replace(THREE[2], options=OfferOptions(audio=False)),
    )
    async with VirtualInstallation(tmp_path / "data") as site:
        whole, heard, seen = await start_three(site, setups)
        site.run(4.0)
        assert_hear_each_other([whole, heard])
        for room in (whole, seen):
            assert site.colour(room, 0, "2x2").is_like(whole.colour)
            assert site.colour(room, 2, "2x2").is_like(seen.colour)
            rect = site.slot(1, "2x2")
            edge = room.screen.colour(rect.x - 8, rect.y, 8, rect.height)
            assert edge.is_like(Colour(*CARD.yuv), 8)


async def test_levels_are_measured_where_packets_carry_none(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site, [replace(one, sends_levels=False) for one in THREE])
        rooms[1].silent = True
        site.run(4.0)
        assert set(site.mix().speakers) == {rooms[0].name, rooms[2].name}
        rooms[1].silent = False
        site.run(2.0)
        assert_hear_each_other(rooms)


def present(room: VirtualRoom, colour: Colour) -> None:
    """Send pictures of a colour as presentation, five a second."""
    pictures = coded_colour(colour, room.setup.codec).pictures
    answered, place = room.peer.plis, 0

    def send(now: float) -> None:
        nonlocal answered, place
        if room.peer.plis > answered:
            answered, place = room.peer.plis, 0
        payloads = pictures[place % len(pictures)]
        place += 1
        timestamp = round((now - room.began) * 90_000) & 0xFFFFFFFF
        for payload in payloads:
            room.peer.send_media("presentation", payload, timestamp, marker=payload is payloads[-1])

    room.every(0.2, send)


async def test_a_presentation_is_shown_and_sent_as_a_second_picture(tmp_path: Path) -> None:
    options = OfferOptions(presentation=True)
    async with VirtualInstallation(tmp_path / "data") as site:
        setups = (*(replace(one, options=options) for one in THREE[:2]), THREE[2])
        rooms = await start_three(site, setups, layout="presenter")
        site.run(1.0)
        assert not site.colour(rooms[1], 0, "presenter").is_like(YELLOW)
        present(rooms[0], YELLOW)
        site.run(3.0)
        for room in rooms:
            assert site.colour(room, 0, "presenter").is_like(YELLOW)
        assert len(rooms[1].stream("presentation").frames()) > 5
        assert not rooms[0].stream("presentation").frames()  # who shows gets nothing back
        assert len(rooms[2].peer.received) == 2  # what it did not negotiate it does not get
        assert site.reading().encoders["video"] == 2
        rooms[0].hang_up()
        site.run(7.0)
        assert not site.colour(rooms[1], 0, "presenter").is_like(YELLOW)


async def test_a_room_without_a_second_picture_sees_the_presentation_in_its_own(
    tmp_path: Path,
) -> None:
    """Whatever the layout, and only while somebody presents who may."""
    setups = (
        *(replace(one, options=OfferOptions(presentation=True)) for one in THREE[:2]),
        THREE[2],
    )
    async with VirtualInstallation(tmp_path / "data") as site:
        first, second, plain = await start_three(site, setups, layout="2x2")
        site.run(1.0)
        present(first, YELLOW)
        site.run(4.0)
        assert site.colour(plain, 0, "presenter").is_like(YELLOW)
        assert site.colour(second, 0, "2x2").is_like(first.colour)
        assert len(second.stream("presentation").frames()) > 5
        # Somebody else may present now, who has nothing to show: the room sees the meeting again.
        await site.order(StartPresentation(second.name))
        site.run(4.0)
        assert site.colour(plain, 0, "2x2").is_like(first.colour)
        await site.order(StopPresentation())
        site.run(4.0)
        assert site.colour(plain, 0, "presenter").is_like(YELLOW)


async def test_a_publisher_and_a_viewer_of_one_bridge_are_one_participant(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        names = [one.name for one in THREE]
        await site.start(names, layout="2x2")
        rooms = await site.join(*THREE[:2])
        sends = replace(
            THREE[2], kind="publish", watches=False, options=OfferOptions(direction="sendonly")
        )
        receives = replace(THREE[2], kind="view", options=OfferOptions(direction="recvonly"))
        publisher = (await site.join(sends))[0]
        viewer = (await site.join(receives, participant=names[2]))[0]
        site.run(3.0)
        assert len(site.state().participants[names[2]].legs) == 2
        for room in (*rooms, viewer):
            assert site.colour(room, 2, "2x2").is_like(publisher.colour)
        # The viewer leg belongs to who speaks on the other leg: it does not hear itself.
        assert tone_db(viewer.sound(1.0), publisher.hz) < FULL_DB - OWN_TONE_BELOW_DB
        assert tone_db(viewer.sound(1.0), rooms[0].hz) == pytest.approx(FULL_DB, abs=3.0)
        # Losing one of them loses that direction only; a whole room replaces both.
        viewer.hang_up()
        site.run(1.0)
        assert site.presence()[names[2]] == "connected"
        room = (await site.join(THREE[2]))[0]
        site.run(2.5)
        assert publisher.peer.closed
        assert [leg.id for leg in site.state().participants[names[2]].legs] == [room.leg_id]
        assert_hear_each_other([*rooms, room])
        assert_see_each_other(site, [*rooms, room])
