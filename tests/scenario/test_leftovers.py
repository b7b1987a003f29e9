"""Thirty joins and leaves in a loop leave nothing behind."""

import gc
import threading
import weakref
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from mcu.conference.commands import EndConference
from tests.peers.virtual_installation import VirtualInstallation
from tests.peers.virtual_room import THREE, RoomSetup, VirtualRoom
from tests.peers.webrtc_peer import OfferOptions
from tests.scenario.meeting import assert_hear_each_other, assert_see_each_other

ROUNDS = 30


@dataclass(frozen=True)
class Holdings:
    """How much of everything an installation holds."""

    legs: int
    endpoints: int
    addresses: int
    ufrags: int
    encoders: tuple[int, int]
    decoders: tuple[int, int]
    renditions: tuple[int, int]
    sources: tuple[int, int]
    listeners: int
    viewers: int
    fed: int
    entries: int

    @classmethod
    def of(cls, site: VirtualInstallation) -> "Holdings":
        reading, mix = site.reading(), site.mix()
        audio, video = mix.audio.statistics(), mix.video.statistics()

        def both(what: object) -> tuple[int, int]:
            return what["audio"], what["video"]  # type: ignore[index]

        return cls(
            legs=len(site.acceptor.legs),
            endpoints=site.port.endpoints,
            addresses=site.port.addresses,
            ufrags=len(site.port._by_ufrag),
            encoders=both(reading.encoders),
            decoders=both(reading.decoders),
            renditions=both(reading.renditions),
            sources=(audio.sources, video.sources),
            listeners=audio.listeners,
            viewers=video.viewers,
            fed=len(mix._feeding),
            entries=len(site.media._entries),
        )


BOUNDED = {"mcu.conference.feed.RecordedEvent", "mixer.video.canvas.Bitmap"}
"""Kept on purpose up to a bound: recent events, and what was drawn of text."""


def census() -> Counter[str]:
    """How many objects of each of the program's classes, and of codecs and tasks, are alive."""
    gc.collect()
    found: Counter[str] = Counter()
    for one in gc.get_objects():
        kind = type(one)
        module = str(kind.__module__)
        if module.split(".")[0] in ("mcu", "mixer", "signalling", "av", "asyncio", "_asyncio"):
            found[f"{module}.{kind.__qualname__}"] += 1
    for kept in BOUNDED:
        del found[kept]
    return found


def leaves_by_bye(site: VirtualInstallation, room: VirtualRoom) -> None:
    room.hang_up()
    site.run(0.2)


def leaves_by_silence(site: VirtualInstallation, room: VirtualRoom) -> None:
    room.vanish()
    site.run(7.5)


def leaves_by_request(site: VirtualInstallation, room: VirtualRoom) -> None:
    site.acceptor.legs[room.leg_id].close("bye", site.time.now)
    site.run(0.1)


@pytest.mark.parametrize("leaves", [leaves_by_bye, leaves_by_silence, leaves_by_request])
async def test_thirty_joins_and_leaves_leave_nothing(
    tmp_path: Path, leaves: Callable[[VirtualInstallation, VirtualRoom], None]
) -> None:
    two, third = THREE[:2], THREE[2]
    rounds = ROUNDS if leaves is leaves_by_bye else 3
    async with VirtualInstallation(tmp_path / "data", left_after_s=2.0) as site:
        await site.start([one.name for one in THREE], layout="2x2")
        rooms = await site.join(*two)
        site.run(2.0)
        before = Holdings.of(site)
        legs: list[weakref.ref[object]] = []

        async def come_and_go() -> None:
            room = (await site.join(third))[0]
            legs.append(weakref.ref(site.acceptor.legs[room.leg_id]))
            site.run(0.3)
            leaves(site, room)
            site.network.leave(room)
            site.rooms.remove(room)

        await come_and_go()  # from now on its place on the roster is that of one who has left
        site.run(2.0)
        await site.settled()
        alive, threads = census(), threading.active_count()
        for _ in range(rounds):
            await come_and_go()
        site.run(2.0)
        await site.settled()
        assert Holdings.of(site) == before
        # A packet more or less may wait in some buffer; what leaks, leaks in each round.
        more = census() - alive
        assert {what: count for what, count in more.items() if count >= rounds} == {}
        assert threading.active_count() == threads
        assert [leg() for leg in legs if leg() is not None] == []
        assert_hear_each_other(rooms)
        assert_see_each_other(site, rooms)
        assert all(room.longest_audio_gap() == 0 for room in rooms)


async def test_rejoining_thirty_times_keeps_one_leg(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        await site.start([one.name for one in THREE], layout="2x2")
        rooms = await site.join(*THREE)
        site.run(2.0)
        before = Holdings.of(site)
        legs: list[weakref.ref[object]] = []
        for _ in range(ROUNDS):
            legs.append(weakref.ref(site.acceptor.legs[rooms[2].leg_id]))
            site.network.leave(rooms[2])
            rooms[2] = (await site.join(THREE[2]))[0]
            site.run(0.2)
        site.run(2.5)
        assert Holdings.of(site) == before
        site.rooms[:] = rooms
        gc.collect()
        assert [leg() for leg in legs if leg() is not None] == []
        assert_hear_each_other(rooms)
        assert_see_each_other(site, rooms)


async def test_attempts_that_never_connect_leave_nothing(tmp_path: Path) -> None:
    viewer = RoomSetup("viewer", kind="view", options=OfferOptions(direction="recvonly"))
    async with VirtualInstallation(tmp_path / "data") as site:
        await site.start([one.name for one in THREE], layout="2x2")
        await site.join(*THREE[:2])
        site.run(2.0)
        before = Holdings.of(site)
        for setup in [THREE[2], viewer] * (ROUNDS // 2):
            room = await site.offer(setup, view="main" if setup is viewer else None)
            room.up.cut = True
            site.network.leave(room)
        # Attempts of one bridge replace each other; a viewer's wait for their time to end.
        assert len(site.acceptor.legs) == 2 + 1 + ROUNDS // 2
        site.run(16.0)
        assert Holdings.of(site) == before


async def test_conferences_come_and_go(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        gone: list[weakref.ref[object]] = []
        for number in range(8):
            conference = f"hop-{number}"
            await site.start([one.name for one in THREE], conference=conference)
            await site.join(*THREE, conference=conference)
            site.run(0.5)
            mix = site.mix(conference)
            gone += [weakref.ref(one) for one in (mix, mix.audio, mix.video)]
            del mix
            await site.order(EndConference(), conference)
            site.run(0.1)
        assert not site.engine.conferences
        assert not site.acceptor.legs
        assert (site.port.endpoints, site.port.addresses) == (0, 0)
        gc.collect()
        assert [one() for one in gone if one() is not None] == []
