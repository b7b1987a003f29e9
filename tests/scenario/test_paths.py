"""Paths and streams change under a running meeting; nobody notices for long."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mixer.audio.delay import MAX_DELAY_S
from tests.peers.network import BAD, Faults
from tests.peers.virtual_installation import VirtualInstallation
from tests.peers.virtual_room import THREE, VirtualRoom
from tests.scenario.meeting import assert_hear_each_other, assert_see_each_other, start_three


def move(site: VirtualInstallation, room: VirtualRoom) -> None:
    """Another access network, or a NAT that has forgotten the room."""
    site.network.leave(room)
    room.address = site.network.new_address()
    site.network.join(room)


async def test_a_room_that_moves_takes_its_media_along(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        site.run(2.0)
        move(site, rooms[0])
        site.run(5.0)  # a check every 2.5 s, then at most a second to the next key frame
        assert_hear_each_other(rooms)
        assert_see_each_other(site, rooms)
        assert set(site.presence().values()) == {"connected"}
        assert set(site.reading().dropped) == {"unknown_address"}


async def test_ice_restarts_on_a_new_path(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        room = rooms[0]
        site.run(2.0)
        room.peer.ufrag, room.peer.pwd = "newUfrag", "p" * 24
        fragment = f"a=ice-ufrag:{room.peer.ufrag}\r\na=ice-pwd:{room.peer.pwd}\r\n"
        answer = await site.media.restart_ice(room.leg_id, fragment)
        lines = dict(line.split(":", 1) for line in answer.splitlines() if ":" in line)
        move(site, room)
        room.peer.restart(lines["a=ice-ufrag"], lines["a=ice-pwd"], site.time.now)
        site.run(2.5)
        assert_hear_each_other(rooms)
        assert_see_each_other(site, rooms)
        assert room.longest_audio_gap() <= 5


async def test_a_browser_changes_its_streams(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        site.run(2.0)
        for change in (0x1234567, 0x7654321):
            for stream in rooms[0].peer.sent.values():
                stream.ssrc ^= change
                stream.sequence = (stream.sequence + 40_000) & 0xFFFF
                stream.history.clear()
            rooms[0].audio_ticks += 1_000_000
            site.run(2.5)
            assert_hear_each_other(rooms)
            assert_see_each_other(site, rooms)


async def test_numbers_wrap_over_bad_lines(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        await site.start([one.name for one in THREE], layout="2x2")
        rooms = []
        for setup in THREE:
            room = await site.offer(replace(setup, faults=BAD))
            for stream in room.peer.sent.values():
                stream.sequence = 65_516
            room.audio_ticks = (1 << 32) // 960 - 60
            room.began -= (1 << 32) / 90_000 - 3.0
            rooms.append(room)
            site.run_until(lambda room=room: site.is_in(room), 12.0)
        site.run(6.0)
        assert all(stream.sequence < 60_000 for one in rooms for stream in one.peer.sent.values())
        assert_hear_each_other(rooms)
        assert_see_each_other(site, rooms)


@pytest.mark.parametrize(
    "faults",
    [
        Faults(loss=0.05, delay=0.15, jitter=0.04, duplicates=0.02),
        Faults(loss=0.2, delay=0.02, jitter=0.02),
        Faults(delay=0.01, jitter=0.2, duplicates=0.02),
    ],
    ids=["satellite", "a fifth lost", "jitter that reorders"],
)
async def test_very_bad_lines_hurt_only_themselves(tmp_path: Path, faults: Faults) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        setups = (replace(THREE[0], faults=faults), *THREE[1:])
        rooms = await start_three(site, setups)
        site.run(8.0)
        assert_see_each_other(site, rooms)
        assert set(site.presence().values()) == {"connected"}
        for room in rooms[1:]:
            assert room.longest_audio_gap() == 0
            assert room.screen.given_up == 0
        rooms[0].up.faults = rooms[0].down.faults = Faults()
        site.run(0.5)  # what is under way is not missing
        assert rooms[0].longest_audio_gap() <= 3


async def test_a_loop_that_stalls_catches_up(tmp_path: Path) -> None:
    """Nothing runs for 0.7 s (a disk, a debugger); then all that came meanwhile comes at once."""
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        site.run(2.0)
        held: list[tuple[bytes, Any]] = []
        for _ in range(3):
            with site.stalled(lambda datagram, address: held.append((datagram, address))):
                site.run(0.7)
            while held:
                site.port.datagram_received(*held.pop(0), site.time.now)
            site.run(2.5)
        assert_hear_each_other(rooms)
        assert_see_each_other(site, rooms)
        ticks = site.reading().ticks["audio"]
        assert ticks.missed >= 80
        for room in rooms:
            assert room.screen.errors == room.screen.given_up == 0
            newest = room.stream("audio").in_order()[-1].timestamp
            # Sound bears the time at which it came; after such jitter it waits the longest.
            assert 0.0 <= site.time.now - room.true_time("audio", newest) <= MAX_DELAY_S + 0.05
