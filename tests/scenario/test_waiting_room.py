"""A locked conference: who comes late sees and hears that it waits, nothing else; then is in."""

from pathlib import Path

from mcu.conference.commands import AdmitWaiting, Lock
from mcu.rooms.waiting_tone import NOTES_HZ
from tests.peers.coded_media import tone_db
from tests.peers.virtual_installation import VirtualInstallation
from tests.peers.virtual_room import THREE
from tests.scenario.meeting import (
    FULL_DB,
    OWN_TONE_BELOW_DB,
    assert_hear_each_other,
    assert_see_each_other,
)


async def test_a_late_room_waits_and_is_let_in(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        await site.start([one.name for one in THREE], layout="2x2")
        here = await site.join(*THREE[:2])
        await site.order(Lock())
        (late,) = await site.join(THREE[2])
        site.run(7.0)
        assert site.state().participants[late.name].waiting
        for room in here:
            assert tone_db(room.sound(1.0), late.hz) < FULL_DB - OWN_TONE_BELOW_DB
            assert tone_db(late.sound(1.0), room.hz) < FULL_DB - OWN_TONE_BELOW_DB
        heard = late.sound(6.0)
        step = len(heard) // 30
        loudest = max(
            tone_db(heard[at : at + step], NOTES_HZ[1]) for at in range(0, len(heard) - step, step)
        )
        assert loudest > FULL_DB - OWN_TONE_BELOW_DB, "it is told by sound that it is waited with"
        assert late.screen.frames > 0, "and by a picture"
        for slot, room in enumerate(here):
            assert not site.colour(late, slot, "2x2").is_like(room.colour)
        await site.order(AdmitWaiting(late.name))
        site.run(3.0)
        rooms = [*here, late]
        assert_hear_each_other(rooms)
        assert_see_each_other(site, rooms)
