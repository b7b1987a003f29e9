"""A drill whose server "restarts": hardware rooms are called again, as after a real one."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from mcu.conference.commands import RemoveParticipant
from mcu.conference.drill_model import ClearFaults, FaultWish, InjectFault
from mcu.sip.accounts import CallTarget
from signalling.sip import CallEnded, CallReceived, Event
from tests.peers.sip_stage import ACTOR, Stage, description, stage
from tests.peers.sip_wire import Room, port_of
from tests.peers.waiting import until

LOOK_EVERY_S = 0.01
RESTART = InjectFault(FaultWish("restart", (), 60.0), "Hải")
OVER = ClearFaults(None, "Hải")


@dataclass
class Rooms(Room):
    """A telephone at which several rooms are called, by the user part.

    Args:
        called: who was, one after the other. of: whose call each is.
    """

    called: list[str] = field(default_factory=list)
    of: dict[str, str] = field(default_factory=dict)

    def __call__(self, event: Event, now: float) -> None:
        if isinstance(event, CallReceived):
            user = event.target.partition(":")[2].partition("@")[0]
            self.called.append(user)
            self.of[event.call] = user
        super().__call__(event, now)

    def ended(self) -> list[tuple[str, int]]:
        """Whose calls have ended, with the status in Reason."""
        ends = [event for event in self.events if isinstance(event, CallEnded)]
        return [(self.of[end.call], end.reason.cause if end.reason else 0) for end in ends]


async def states(found: Stage, conference: str, **wanted: str) -> None:
    await until(lambda: found.states(conference) == wanted, LOOK_EVERY_S)


async def quiet(found: Stage) -> None:
    """Let everything happen that would: some pauses between calls, which are short here."""
    for _ in range(20):
        await asyncio.sleep(LOOK_EVERY_S)
    await until(lambda: found.endpoint.waiting == 0, LOOK_EVERY_S)


def place(found: Stage, *bridges: str) -> None:
    for bridge in bridges:
        address = f"sip:{bridge}@127.0.0.1:{port_of(found.phone, 'udp')}"
        found.directory.targets[bridge] = (CallTarget(address, None),)


async def test_rooms_of_the_drill_are_called_again_and_no_others(tmp_path: Path) -> None:
    rooms = Rooms(answer=description())
    async with stage(tmp_path, rooms) as found:
        place(found, "b1", "b2")
        drill = await found.start("b1", drill=True)
        beside = await found.start("b2")
        await states(found, drill, b1="connected")
        await states(found, beside, b2="connected")
        await found.conferences.execute(drill, RESTART, ACTOR)
        await states(found, drill, b1="lost")
        await rooms.until(lambda events: rooms.ended() == [("b1", 503)])
        await quiet(found)
        assert sorted(rooms.called) == ["b1", "b2"], "nobody is called while it is down"
        await found.conferences.execute(drill, OVER, ACTOR)
        await states(found, drill, b1="connected")
        assert rooms.called.count("b1") == 2
        assert found.states(beside) == {"b2": "connected"}
        assert rooms.ended() == [("b1", 503)]
        assert len(found.acceptor.legs) == 2


async def test_a_room_that_registers_while_it_is_down_comes_when_it_is_over(
    tmp_path: Path,
) -> None:
    rooms = Rooms(answer=description())
    async with stage(tmp_path, rooms) as found:
        place(found, "b1")
        drill = await found.start("b1", drill=True)
        await states(found, drill, b1="connected")
        await found.conferences.execute(drill, RESTART, ACTOR)
        await rooms.until(lambda events: rooms.ended() == [("b1", 503)])
        found.calls.bridge_changed("b1")
        await quiet(found)
        assert rooms.called == ["b1"]
        await found.conferences.execute(drill, OVER, ACTOR)
        await states(found, drill, b1="connected")


async def test_who_is_called_when_it_goes_down_is_called_again_too(tmp_path: Path) -> None:
    rooms = Rooms(refuse=486)
    async with stage(tmp_path, rooms) as found:
        place(found, "b1")
        drill = await found.start("b1", drill=True)
        await rooms.until(lambda events: len(rooms.called) > 1)
        await found.conferences.execute(drill, RESTART, ACTOR)
        await quiet(found)
        during = len(rooms.called)
        await quiet(found)
        assert len(rooms.called) == during
        rooms.refuse, rooms.answer = 0, description()
        await found.conferences.execute(drill, OVER, ACTOR)
        await states(found, drill, b1="connected")


async def test_who_hung_up_before_is_left_in_peace(tmp_path: Path) -> None:
    rooms = Rooms(answer=description())
    async with stage(tmp_path, rooms) as found:
        place(found, "b1", "b2")
        drill = await found.start("b1", "b2", drill=True)
        await states(found, drill, b1="connected", b2="connected")
        call = next(call for call, who in rooms.of.items() if who == "b1")
        found.phone.do(lambda agent, now: agent.hang_up(call, now))
        await states(found, drill, b1="left", b2="connected")
        await found.conferences.execute(drill, RESTART, ACTOR)
        await states(found, drill, b1="left", b2="lost")
        await found.conferences.execute(drill, OVER, ACTOR)
        await states(found, drill, b1="left", b2="connected")
        await quiet(found)
        assert sorted(rooms.called) == ["b1", "b2", "b2"]


async def test_who_was_removed_meanwhile_is_not_called(tmp_path: Path) -> None:
    rooms = Rooms(answer=description())
    async with stage(tmp_path, rooms) as found:
        place(found, "b1")
        drill = await found.start("b1", drill=True)
        await states(found, drill, b1="connected")
        await found.conferences.execute(drill, RESTART, ACTOR)
        await found.conferences.execute(drill, RemoveParticipant("b1"), ACTOR)
        await found.conferences.execute(drill, OVER, ACTOR)
        await quiet(found)
        assert rooms.called == ["b1"]
        assert found.states(drill) == {}
