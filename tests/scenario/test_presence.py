"""Rooms come and go: lost, left, returned, replaced; the others notice no more than they must."""

from pathlib import Path

import pytest

from mcu.conference.commands import RemoveParticipant
from mcu.conference.service import Actor
from mixer.video.colour import CARD, LOST_CARD, SLOT
from mixer.video.colour import Colour as Drawn
from tests.peers.coded_media import Colour, tone_db
from tests.peers.virtual_installation import VirtualInstallation
from tests.peers.virtual_room import THREE, VirtualRoom
from tests.scenario.meeting import (
    FULL_DB,
    OWN_TONE_BELOW_DB,
    assert_hear_each_other,
    assert_see_each_other,
    start_three,
)


def ground(site: VirtualInstallation, room: VirtualRoom, slot: int) -> Colour:
    """The left edge of a tile, where a card shows its ground."""
    rect = site.slot(slot, "2x2")
    left = rect.x - rect.width // 4 + 4
    return room.screen.colour(left // 2 * 2, rect.y, 8, rect.height)


def is_card(seen: Colour, card: Drawn) -> bool:
    return seen.is_like(Colour(*card.yuv), 6)


async def test_a_silent_leg_is_lost_within_five_seconds_and_left_after_its_time(
    tmp_path: Path,
) -> None:
    async with VirtualInstallation(tmp_path / "data", left_after_s=8.0) as site:
        gone, *others = await start_three(site)
        site.run(2.0)
        gone.vanish()
        took = site.run_until(lambda: site.presence()[gone.name] == "lost", 5.5)
        assert took > 4.0
        site.run(0.5)
        for room in others:
            assert is_card(ground(site, room, 0), LOST_CARD)
        assert_hear_each_other(others)
        assert tone_db(others[0].sound(1.0), gone.hz) < FULL_DB - OWN_TONE_BELOW_DB
        assert site.reading().decoders["audio"] == 2
        took = site.run_until(lambda: site.presence()[gone.name] == "left", 8.5)
        assert took > 6.5
        site.run(0.5)
        # Its place goes to those who stay.
        assert_see_each_other(site, others)
        assert is_card(ground(site, others[0], 2), SLOT)
        assert gone.leg_id not in site.acceptor.legs
        assert site.port.endpoints == site.port.addresses == 2
        assert site.reading().decoders == {"audio": 2, "video": 2}


async def test_a_room_whose_access_is_withdrawn_is_gone_at_once(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        await site.start([one.name for one in THREE], layout="2x2")
        own = Actor(token="link", role="bridge")
        (out,) = await site.join(THREE[0], actor=own)
        others = await site.join(*THREE[1:])
        site.run(2.0)
        assert site.media.openers() == {"link", "operator"}
        assert await site.media.withdraw("link", "revoked") == 1
        assert site.presence()[out.name] == "left"
        assert out.leg_id not in site.acceptor.legs
        site.run(1.0)
        assert not out.connected
        assert_hear_each_other(others)
        assert tone_db(others[0].sound(0.5), out.hz) < FULL_DB - OWN_TONE_BELOW_DB
        assert await site.media.withdraw("link", "revoked") == 0


async def test_what_is_heard_of_a_vanished_room_fades_at_once(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        gone, *others = await start_three(site)
        site.run(2.0)
        gone.vanish()
        site.run(0.6)
        for room in others:
            assert tone_db(room.sound(0.2), gone.hz) < FULL_DB - OWN_TONE_BELOW_DB


@pytest.mark.parametrize("dark_s", [9.0, 30.0])
async def test_a_lost_leg_returns_as_it_was(tmp_path: Path, dark_s: float) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        site.run(2.0)
        away = rooms[0]
        away.up.cut = away.down.cut = True
        site.run(dark_s)
        assert site.presence()[away.name] == "lost"
        for other in rooms[1:]:
            assert other.longest_audio_gap() == 0
        away.up.cut = away.down.cut = False
        took = site.run_until(lambda: site.presence()[away.name] == "connected", 3.0)
        assert took < 1.0
        site.run(2.5)
        assert_hear_each_other(rooms)
        assert_see_each_other(site, rooms)
        assert len(site.acceptor.legs) == 3


@pytest.mark.parametrize("silent", ["muted", "both"])
async def test_who_sends_little_is_not_lost(tmp_path: Path, silent: str) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        quiet = rooms[0]
        quiet.camera_on = silent == "muted"
        quiet.microphone_on = False
        site.run(8.0)
        assert set(site.presence().values()) == {"connected"}
        if silent != "muted":
            assert is_card(ground(site, rooms[1], 0), CARD)


async def test_the_same_bridge_again_takes_its_place_without_a_gap(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        first, *others = await start_three(site)
        site.run(2.0)
        frames = [room.screen.frames for room in others]
        again = await site.offer(THREE[0])
        site.run_until(lambda: again.connected, 2.0)
        site.run(3.0)
        assert first.peer.closed
        assert list(site.presence().values()) == ["connected"] * 3
        assert [leg.id for leg in site.state().participants[first.name].legs] == [again.leg_id]
        rooms = [again, *others]
        assert_see_each_other(site, rooms)
        assert_hear_each_other(rooms)
        assert is_card(ground(site, others[0], 3), SLOT)  # no second tile
        for room, before in zip(others, frames, strict=True):
            assert room.longest_audio_gap() == 0
            assert room.screen.errors == room.screen.given_up == 0
            assert room.screen.frames - before >= 30  # 3 s at 10 a second
            assert_never_silent(room, others, 4.0)
        assert site.port.endpoints == 3


async def test_a_failed_second_attempt_takes_nothing_away(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        attempt = await site.offer(THREE[0])
        attempt.up.cut = True
        site.run(20.0)
        assert attempt.leg_id not in site.acceptor.legs
        assert_hear_each_other(rooms)
        assert_see_each_other(site, rooms)
        assert list(site.presence().values()) == ["connected"] * 3


async def test_who_hangs_up_leaves_at_once_and_may_come_back(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        gone, *others = await start_three(site)
        site.run(1.0)
        gone.hang_up()
        site.run(1.0)
        assert site.presence()[gone.name] == "left"
        assert_see_each_other(site, others)
        back = (await site.join(THREE[0]))[0]
        site.run(2.5)
        # Who was there first stands first: the order of arrival is kept.
        assert_see_each_other(site, [back, *others])
        assert_hear_each_other([back, *others])


async def test_who_is_removed_is_disconnected_and_hears_no_more(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        removed, *others = await start_three(site)
        site.run(1.0)
        await site.order(RemoveParticipant(removed.name))
        site.run(1.0)
        assert removed.peer.closed
        assert removed.peer.byes
        assert removed.name not in site.presence()
        assert_see_each_other(site, others)
        assert_hear_each_other(others)


def assert_never_silent(room: VirtualRoom, others: list[VirtualRoom], seconds: float) -> None:
    """The tone of the room that stays is there in every tenth of a second."""
    staying = next(other for other in others if other is not room)
    sound = room.sound(seconds)
    for start in range(0, len(sound), 4800):
        level = tone_db(sound[start : start + 4800], staying.hz)
        assert level == pytest.approx(FULL_DB, abs=4.0), start / 48_000
