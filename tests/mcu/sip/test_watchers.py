"""Who sees by SIP who is in a conference."""

from dataclasses import dataclass
from pathlib import Path

from mcu.conference.commands import AdmitWaiting, Lock, NoteJoined, RemoveParticipant
from mcu.sip.watchers import RosterWatchers
from tests.peers.sip_stage import ACTOR, stage


@dataclass
class Call:
    """A call to a conference, of somebody on its roster or not yet."""

    conference: str
    participant: str | None = None


async def test_rooms_that_are_in_it_or_are_to_be(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        own = await found.start("b1")
        other = await found.start("b2")
        number = found.conferences.get(own).number or ""
        watchers = RosterWatchers(found.conferences, found.calls.of)
        assert watchers.may_watch(own, "b1", None)
        assert watchers.may_watch(number, "b1", None)
        assert not watchers.may_watch(other, "b1", None)
        assert not watchers.may_watch("nothing", "b1", None)
        assert not watchers.may_watch(own, "", None)
        assert not watchers.may_watch(own, "b1", "a call that is over")
        await found.conferences.execute(own, Lock(), ACTOR)
        assert watchers.may_watch(own, "b1", None), "it was invited"
        found.conferences.note(own, NoteJoined("b1", "leg-1"))
        assert not watchers.may_watch(own, "b1", None), "it waits"
        await found.conferences.execute(own, RemoveParticipant("b1"), ACTOR)
        assert not watchers.may_watch(own, "b1", None)


async def test_callers_once_they_are_let_in_and_of_their_own_conference(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        own, other = await found.start(), await found.start()
        call = Call(own)
        watchers = RosterWatchers(found.conferences, lambda name: call)
        assert not watchers.may_watch(own, "", "call"), "it has to enter the PIN"
        call.participant = (await found.conferences.add_guest(own, "Khách", ACTOR)).id
        assert watchers.may_watch(own, "", "call")
        assert not watchers.may_watch(other, "", "call")


async def test_nobody_who_waits_to_be_let_in(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        own = await found.start()
        await found.conferences.execute(own, Lock(), ACTOR)
        guest = await found.conferences.add_guest(own, "Khách", ACTOR, knocks=True)
        watchers = RosterWatchers(found.conferences, lambda name: Call(own, guest.id))
        assert not watchers.may_watch(own, "", "call"), "its media has not come yet"
        found.conferences.note(own, NoteJoined(guest.id, "leg-1"))
        assert found.conferences.participant(own, guest.id).waiting
        assert not watchers.may_watch(own, "", "call")
        await found.conferences.execute(own, AdmitWaiting(guest.id), ACTOR)
        assert watchers.may_watch(own, "", "call")
