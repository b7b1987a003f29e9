"""What rooms of a meeting expect: each hears and sees the others, and does not hear itself."""

from collections.abc import Sequence

import pytest

from tests.peers.coded_media import tone_db
from tests.peers.virtual_installation import VirtualInstallation
from tests.peers.virtual_room import THREE, RoomSetup, VirtualRoom

OWN_TONE_BELOW_DB = 40.0
FULL_DB = 75.0
"""A tone of ``AMPLITUDE`` as ``tone_db`` measures it."""


def assert_hear_each_other(rooms: Sequence[VirtualRoom], seconds: float = 1.0) -> None:
    for room in rooms:
        sound = room.sound(seconds)
        own = tone_db(sound, room.hz)
        for other in rooms:
            if other is not room:
                heard = tone_db(sound, other.hz)
                assert heard == pytest.approx(FULL_DB, abs=3.0), (room.name, other.name)
                assert heard - own >= OWN_TONE_BELOW_DB, room.name


def assert_see_each_other(
    site: VirtualInstallation, rooms: Sequence[VirtualRoom], layout: str = "2x2"
) -> None:
    """Rooms in the order of their slots; each of them sees all."""
    for room in rooms:
        for slot, shown in enumerate(rooms):
            seen = site.colour(room, slot, layout)
            assert seen.is_like(shown.colour), (room.name, shown.name, seen)


async def start_three(
    site: VirtualInstallation, setups: Sequence[RoomSetup] = THREE, layout: str = "2x2"
) -> list[VirtualRoom]:
    """A conference of rooms that come in the order of their slots."""
    await site.start([one.name for one in setups], layout=layout)
    return [(await site.join(one))[0] for one in setups]
