"""A province that is called, ends or cannot be reached at once: how much of it in a turn."""

import asyncio
import gc
import weakref
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mcu.conference.commands import (
    EndConference,
    Fact,
    NoteCallFailed,
    NoteCalling,
    StartConference,
)
from mcu.legs.sip import SipLeg
from mcu.rooms.farewells import LEGS_PER_TURN
from mcu.store.records import Bridge
from signalling.sip import CallEnded, CallReceived
from tests.peers.sip_stage import ACTOR, Stage, stage
from tests.peers.sip_wire import Room
from tests.peers.waiting import until as until_every

CROWD = 24
LOOK_EVERY_S = 0.01
NAMES = [f"room{number}" for number in range(CROWD)]


class Turns:
    """Counts what happens in each turn of the loop."""

    def __init__(self) -> None:
        self.number = 0
        self.seen: dict[str, Counter[int]] = {}

    def note(self, what: str) -> None:
        self.seen.setdefault(what, Counter())[self.number] += 1

    def most(self, what: str) -> int:
        return max(self.seen[what].values())

    def count(self, what: str) -> int:
        return self.seen.get(what, Counter()).total()

    async def run(self) -> None:
        while True:
            self.number += 1
            await asyncio.sleep(0)


@asynccontextmanager
async def crowd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: Room | None = None
) -> AsyncIterator[tuple[Stage, Turns]]:
    """A stage whose telephone stands for CROWD rooms."""
    turns = Turns()
    async with stage(tmp_path, room) as found:
        for name in NAMES:
            await found.store.bridges.create(Bridge(name, name, "tinh", "sip"))
            found.directory.targets[name] = (found.telephone(name),)
        noted, closed = found.conferences.note, SipLeg.close

        def note(conference: str, fact: Fact) -> None:
            turns.note(type(fact).__name__)
            noted(conference, fact)

        def close(leg: SipLeg, reason: str, now: float) -> None:
            if leg.state != "left":
                turns.note("closed")
            closed(leg, reason, now)

        monkeypatch.setattr(found.conferences, "note", note)
        monkeypatch.setattr(SipLeg, "close", close)
        counting = asyncio.create_task(turns.run())
        try:
            yield found, turns
        finally:
            counting.cancel()


async def called(found: Stage) -> str:
    """The conference of all of them, who are in."""
    conference = await found.start(*NAMES)
    await until_every(
        lambda: list(found.states(conference).values()).count("connected") == CROWD, LOOK_EVERY_S
    )
    return conference


def told(found: Stage, kind: type[Any]) -> list[Any]:
    return [event for event in found.room.events if isinstance(event, kind)]


async def test_one_is_called_in_each_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with crowd(tmp_path, monkeypatch) as (found, turns):
        await called(found)
        assert turns.count(NoteCalling.__name__) == CROWD
        assert turns.most(NoteCalling.__name__) == 1


async def test_where_all_refuse_one_failure_is_noted_in_each_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with crowd(tmp_path, monkeypatch, Room(refuse=486)) as (found, turns):
        await found.start(*NAMES)
        await until_every(lambda: turns.count(NoteCallFailed.__name__) >= CROWD, LOOK_EVERY_S)
        assert turns.most(NoteCallFailed.__name__) == 1


async def test_at_the_end_a_few_are_told_in_each_turn_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with crowd(tmp_path, monkeypatch) as (found, turns):
        conference = await called(found)
        media = found.engine.conferences[conference]
        await found.conferences.execute(conference, EndConference(), ACTOR)
        assert conference not in found.engine.conferences
        await found.rooms.parted()
        assert not media.legs
        assert not found.acceptor.legs
        assert turns.count("closed") == CROWD
        assert turns.most("closed") <= LEGS_PER_TURN
        await until_every(lambda: len(told(found, CallEnded)) == CROWD, LOOK_EVERY_S)
        assert {ended.reason.cause for ended in told(found, CallEnded)} == {410}
        await until_every(lambda: not len(found.calls), LOOK_EVERY_S)


async def test_who_has_left_is_freed_without_the_collector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with crowd(tmp_path, monkeypatch) as (found, _):
        await called(found)
        gone: list[weakref.ref[Any]] = [weakref.ref(leg) for leg in found.acceptor.legs.values()]
        gc.collect()
        gc.disable()
        try:
            [conference] = found.conferences.running()
            await found.conferences.execute(conference.id, EndConference(), ACTOR)
            await until_every(lambda: not len(found.calls), LOOK_EVERY_S)
            await until_every(lambda: not any(each() for each in gone), LOOK_EVERY_S)
        finally:
            gc.enable()


async def test_who_is_in_the_next_conference_is_called_when_all_of_the_last_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with crowd(tmp_path, monkeypatch) as (found, _):
        conference = await called(found)
        await found.conferences.execute(conference, EndConference(), ACTOR)
        await found.conferences.start(StartConference("Sau", "tinh", tuple(NAMES)), ACTOR)
        await until_every(lambda: len(told(found, CallReceived)) == 2 * CROWD, LOOK_EVERY_S)
        heard = [
            type(one) for one in found.room.events if isinstance(one, CallReceived | CallEnded)
        ]
        assert heard == [CallReceived] * CROWD + [CallEnded] * CROWD + [CallReceived] * CROWD
