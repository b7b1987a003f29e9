"""Rooms that are moved, and rooms that move themselves, against a telephone on loopback."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mcu.conference.commands import Lock
from mcu.conference.state import Refused
from mcu.sip import transfers
from mcu.sip.endings import goodbye
from mcu.store.records import Unit
from signalling.sip import (
    CallAnswered,
    CallEnded,
    CallReceived,
    Event,
    ReferProgressed,
    ReferReceived,
)
from tests.peers.sip_stage import ACTOR, CALLER, Stage, description, stage
from tests.peers.sip_wire import Room
from tests.peers.waiting import until as until_every

LOOK_EVERY_S = 0.01


async def until(condition: Callable[[], bool]) -> None:
    await until_every(condition, LOOK_EVERY_S)


class Transferred(Room):
    """Does what a REFER asks for.

    Args:
        answers: with this code, in place of calling.
    """

    def __init__(self, answers: int = 0) -> None:
        super().__init__(answer=description())
        self.answers = answers
        self.referred: list[str] = []

    def __call__(self, event: Event, now: float) -> None:
        super().__call__(event, now)
        phone = self.endpoint
        assert phone is not None
        if isinstance(event, ReferReceived):
            self.referred.append(event.target)
            code = self.answers
            if not code:
                phone.call(event.target, description(40_002), caller=CALLER)
                self.asked = event
            elif code != 100:
                phone.do(lambda agent, at: agent.report_refer(event.call, event.refer, code, at))
        elif isinstance(event, CallAnswered) and self.referred:
            asked = self.asked
            phone.do(lambda agent, at: agent.report_refer(asked.call, asked.refer, 200, at))

    def count(self, kind: type) -> int:
        return sum(isinstance(event, kind) for event in self.events)


async def two(found: Stage) -> tuple[str, str]:
    """b1 is connected in the first of two conferences."""
    found.directory.targets["b1"] = (found.telephone(),)
    first, second = await found.start("b1"), await found.start()
    await until(lambda: found.states(first) == {"b1": "connected"})
    return first, second


async def test_a_room_that_understands_refer_is_asked_to_call(tmp_path: Path) -> None:
    room = Transferred()
    async with stage(tmp_path, room) as found:
        first, second = await two(found)
        moved = await found.calls.transfer(first, "b1", second, ACTOR)
        assert moved.id == "b1"
        assert found.states(first) == {}
        await until(lambda: found.states(second) == {"b1": "connected"})
        # It came by itself: nobody has called it, and the call in the first one ends.
        await room.until(lambda events: room.count(CallEnded) == 1)
        assert room.count(CallReceived) == 1
        assert len(found.acceptor.legs) == 1
        (left,) = found.acceptor.legs.values()
        assert left.conference == second


@pytest.mark.parametrize("code", [603, 503])
async def test_a_room_that_does_not_follow_is_called_from_there(tmp_path: Path, code: int) -> None:
    room = Transferred(code)
    async with stage(tmp_path, room) as found:
        first, second = await two(found)
        await found.calls.transfer(first, "b1", second, ACTOR)
        await until(lambda: found.states(second) == {"b1": "connected"})
        ended = next(one for one in room.events if isinstance(one, CallEnded))
        assert ended.reason == goodbye("moved")
        assert room.count(CallReceived) == 2


async def test_a_room_that_is_silent_about_it_is_called_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfers, "REFER_S", 0.05)
    room = Transferred(100)
    async with stage(tmp_path, room) as found:
        first, second = await two(found)
        await found.calls.transfer(first, "b1", second, ACTOR)
        await until(lambda: found.states(second) == {"b1": "connected"})
        # What it was told is good no more.
        phone = found.phone
        phone.call(room.referred[0], description(), caller=CALLER)
        await room.until(lambda events: any(getattr(one, "code", 0) == 404 for one in events))


async def test_a_guest_that_came_by_itself_is_moved_by_refer_alone(tmp_path: Path) -> None:
    room = Transferred()
    async with stage(tmp_path, room) as found:
        first, second = await found.start(), await found.start(pin="2468")
        found.dial(first)
        await until(lambda: list(found.states(first).values()) == ["connected"])
        (guest,) = found.states(first)
        await found.calls.transfer(first, guest, second, ACTOR)  # past the PIN
        await until(lambda: list(found.states(second).values()) == ["connected"])
        (guest,) = found.states(second)
        room.answers = 603
        with pytest.raises(Refused, match="ask it to dial"):
            await found.calls.transfer(second, guest, first, ACTOR)
        assert found.states(second) == {guest: "connected"}


async def test_nobody_is_moved_to_where_it_cannot_be(tmp_path: Path) -> None:
    async with stage(tmp_path, Transferred()) as found:
        first, second = await two(found)
        with pytest.raises(Refused, match="already"):
            await found.calls.transfer(first, "b1", first, ACTOR)
        await found.conferences.execute(second, Lock(), ACTOR)
        with pytest.raises(Refused, match="locked"):
            await found.calls.transfer(first, "b1", second, ACTOR)
        with pytest.raises(Refused):
            await found.calls.transfer(first, "nobody", second, ACTOR)
        assert found.states(first) == {"b1": "connected"}


async def test_a_room_moves_itself(tmp_path: Path) -> None:
    room = Room(answer=description())
    async with stage(tmp_path, room) as found:
        first, second = await two(found)
        received = next(one for one in room.events if isinstance(one, CallReceived))
        target = f"sip:{second}@127.0.0.1"
        found.phone.do(lambda agent, now: agent.refer(received.call, target, now))
        await until(lambda: found.states(second) == {"b1": "connected"})
        assert found.states(first) == {}
        await room.until(lambda events: any(isinstance(one, CallEnded) for one in events))
        told = [one.code for one in room.events if isinstance(one, ReferProgressed)]
        assert told == [100, 200]


@pytest.mark.parametrize(
    ("where", "settings", "pin"),
    [
        ("nowhere", {}, None),
        ("second", {"room_transfers": "refused"}, None),
        ("second", {}, "2468"),
        ("977*1111", {}, "2468"),
        ("elsewhere", {}, None),
        ("first", {}, None),
    ],
)
async def test_where_a_room_may_not_move_itself(
    tmp_path: Path, where: str, settings: dict[str, str], pin: str | None
) -> None:
    room = Room(answer=description())
    plan = ({"pattern": "9{number}*{pin}", "conference": "{number}"},)
    async with stage(tmp_path, room, dial_plan=plan, **settings) as found:
        await found.store.units.create(Unit("khac", "Khác", "province"))
        found.directory.targets["b1"] = (found.telephone(),)
        await found.start("b1", id="first")
        await found.start(id="second", pin=pin, number="77")
        await found.start(id="elsewhere", unit="khac")
        await until(lambda: found.states("first") == {"b1": "connected"})
        received = next(one for one in room.events if isinstance(one, CallReceived))
        target = f"sip:{where}@127.0.0.1"
        found.phone.do(lambda agent, now: agent.refer(received.call, target, now))
        await room.until(
            lambda events: any(isinstance(one, ReferProgressed) and one.final for one in events)
        )
        code = [one.code for one in room.events if isinstance(one, ReferProgressed)][-1]
        assert code == (404 if where == "nowhere" else 403)
        assert found.states("first") == {"b1": "connected"}
        assert found.states("second") == {}


async def test_a_room_moves_itself_with_the_right_pin_and_a_guest_does_not(tmp_path: Path) -> None:
    room = Room(answer=description())
    plan = ({"pattern": "9{number}*{pin}", "conference": "{number}"},)
    async with stage(tmp_path, room, dial_plan=plan) as found:
        first, _ = await two(found)
        second = await found.start(pin="2468", number="77")
        guest = found.dial(first)
        await until(lambda: len(found.states(first)) == 2)
        for call in (guest, next(one.call for one in room.events if isinstance(one, CallReceived))):
            found.phone.do(
                lambda agent, now, call=call: agent.refer(call, "sip:977*2468@127.0.0.1", now)
            )
        await until(lambda: found.states(second) == {"b1": "connected"})
        assert len(found.states(first)) == 1
