"""A meeting on a machine that fills up, in virtual time: what is given up, told, and refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from mcu.api.services import NoCapacity
from mcu.conference.feed import EventFeed, RecordedEvent
from mcu.rooms.load import REPEAT_S
from tests.peers.virtual_installation import VirtualInstallation
from tests.peers.virtual_room import THREE, RoomSetup
from tests.peers.webrtc_peer import OfferOptions
from tests.scenario.meeting import assert_hear_each_other, start_three

VIEWER = RoomSetup("khach", kind="view")
TELEPHONES = tuple(replace(one, options=OfferOptions(video=None)) for one in THREE)
"""Where no picture matters, none is coded: that takes far longer than the sound."""


def use(site: VirtualInstallation, part: float, seconds: int) -> None:
    """Let time pass in which so much of both processors is used."""
    for _ in range(seconds):
        site.processor_s += 2.0 * part
        site.run(1.0)


def use_until_calm(site: VirtualInstallation, part: float, within: int) -> None:
    """The same, until nothing is given up any more."""
    for _ in range(within):
        use(site, part, 1)
        if not site.load.status().given_up:
            return
    raise AssertionError(f"after {within} s still: {site.load.status()}")


def is_load(event: RecordedEvent) -> bool:
    return event.type in ("load.measured", "test.over")


async def levels_told(site: VirtualInstallation, feed: EventFeed) -> list[str]:
    site.conferences.publish_ephemeral("test.over", "hop", {})
    told = []
    async for event in feed:
        if event.type == "test.over":
            return told
        told.append(event.data["level"])
    raise AssertionError("the feed ended")


async def test_pictures_are_given_up_and_come_back_and_sound_goes_on(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        site.run(2.0)
        assert site.load.status().level == "none"
        async with site.conferences.subscribe(accepts=is_load) as feed:
            use(site, 0.93, 8)
            status = site.load.status()
            assert (status.level, status.given_up) == ("strained", ("view-rate",))
            assert (status.signs, status.view_fps) == (("processors",), 4)
            assert 0.9 < status.processors < 0.95
            assert await levels_told(site, feed) == ["strained", "strained"]
        shown = rooms[0].screen.frames
        use(site, 0.93, 2)
        assert 2 * 4 - 1 <= rooms[0].screen.frames - shown <= 2 * 4 + 1
        assert_hear_each_other(rooms)
        assert all(room.longest_audio_gap() == 0 for room in rooms)
        use_until_calm(site, 0.3, 45)
        assert site.load.status().level == "none"
        shown = rooms[0].screen.frames
        use(site, 0.3, 2)
        assert rooms[0].screen.frames - shown >= 19


async def test_a_full_machine_refuses_the_new_and_takes_the_known_back(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        use(site, 0.5, 3)
        use(site, 1.0, 6)
        assert site.load.status().level == "overloaded"
        with pytest.raises(NoCapacity, match="processors are busy") as refused:
            await site.offer(VIEWER, view="main")
        assert refused.value.retry_after_s == 30
        assert site.load.status().refused == {"load": 1, "joins": 0, "max_legs": 0}
        # A room whose connection broke has a place already.
        (again,) = await site.join(THREE[0])
        use(site, 0.5, 2)
        assert again.connected
        assert all(room.connected for room in rooms[1:])
        use(site, 0.5, 6)
        await site.offer(VIEWER, view="main")
        reading = site.reading()
        assert reading.load.refused["load"] == 1
        assert reading.load.level == "strained"


async def test_where_nobody_is_inside_there_is_nobody_to_protect(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        use(site, 1.0, 9)
        assert site.load.status().level == "overloaded"
        with pytest.raises(NoCapacity, match="those inside come first"):
            await start_three(site)
        status = site.load.status()
        assert (status.legs, status.refused["load"]) == (1, 1)


def hang(site: VirtualInstallation, part: float, seconds: int) -> None:
    """Let time pass in which so much is used, and the loop gets no turn for long each second."""
    for _ in range(seconds):
        site.processor_s += 2.0 * part
        with site.stalled(lambda datagram, address: None):
            site.run(0.2)
        site.run(0.8)


async def test_what_other_programs_delay_refuses_nobody(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        await start_three(site)
        hang(site, 0.05, 8)
        status = site.load.status()
        assert status.lateness_ms > 50
        assert (status.level, status.signs, status.given_up) == ("none", (), ())
        await site.offer(VIEWER, view="main")
        assert site.load.status().refused["load"] == 0


async def test_lateness_that_is_our_own_doing_refuses(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        await start_three(site)
        hang(site, 0.4, 8)
        assert "lateness" in site.load.status().signs
        with pytest.raises(NoCapacity, match="sound is mixed late"):
            await site.offer(VIEWER, view="main")


async def refusal(site: VirtualInstallation, within: int) -> NoCapacity:
    for _ in range(within):
        try:
            await site.offer(VIEWER, view="main")
        except NoCapacity as error:
            return error
    raise AssertionError("nobody was refused")


async def test_a_crowd_waits_when_there_is_little_left(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        await start_three(site)
        use(site, 0.92, 4)
        for _ in range(5):
            await site.offer(VIEWER, view="main")
        refused = await refusal(site, within=15)
        assert refused.reason.startswith("Many rooms join")
        assert refused.retry_after_s == 5
        assert site.load.status().refused["joins"] == 1


async def test_places_are_counted(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data", max_legs=3) as site:
        await start_three(site)
        with pytest.raises(NoCapacity, match=r"limits\.max_legs"):
            await site.offer(VIEWER, view="main")
        status = site.load.status()
        assert (status.legs, status.max_legs, status.refused["max_legs"]) == (3, 3, 1)


async def test_load_is_told_again_to_those_who_look_later(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        await start_three(site, TELEPHONES)
        use(site, 0.93, 4)
        use(site, 0.8, 2)
        async with site.conferences.subscribe(accepts=is_load) as feed:
            use(site, 0.8, round(3 * REPEAT_S))
            assert await levels_told(site, feed) == ["strained"] * 3


async def test_a_stall_is_seen_by_its_ticks(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        await start_three(site)
        site.run(2.0)
        held: list[bytes] = []
        with site.stalled(lambda datagram, address: held.append(datagram)):
            site.run(0.5)
        site.run(0.6)
        status = site.load.status()
        assert status.ticks_missed > 5
        assert status.lateness_ms > 50
        assert status.level == "none"


async def test_without_protection_load_is_shown_and_nothing_done(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data", overload_protection=False) as site:
        await start_three(site, TELEPHONES)
        use(site, 1.0, 20)
        status = site.load.status()
        assert (status.level, status.given_up) == ("none", ())
        assert status.processors > 0.9
        await site.offer(VIEWER, view="main")
