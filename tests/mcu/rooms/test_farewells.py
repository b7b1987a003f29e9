import asyncio
from typing import Any, cast

import pytest

from mcu.rooms.farewells import LEGS_PER_TURN, TURN_S, Farewells


class Clock:
    """Stands still, but for what closing takes."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Leg:
    """Closing takes as long as it says; notes in which turn of the loop it was."""

    def __init__(self, name: str, hall: "Hall", closing_s: float = 0.0) -> None:
        self.id = name
        self.state = "connected"
        self.reason = ""
        self._hall = hall
        self._closing_s = closing_s

    def close(self, reason: str, now: float) -> None:
        if self.state == "left":
            return
        self.state = "left"
        self.reason = reason
        self._hall.clock.now += self._closing_s
        self._hall.closed.append((self._hall.turn, self.id))
        if self.id == "broken":
            raise RuntimeError("a defect")


class Hall:
    """Counts the turns of the loop."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.farewells = Farewells(self.clock)
        self.turn = 0
        self.closed: list[tuple[int, str]] = []

    def legs(self, *names: str, closing_s: float = 0.0) -> list[Any]:
        return [cast("Any", Leg(name, self, closing_s)) for name in names]

    async def go(self) -> None:
        """Until nobody waits."""
        parting = asyncio.ensure_future(self.farewells.said())
        while not parting.done():
            self.turn += 1
            await asyncio.sleep(0)

    def most_in_a_turn(self) -> int:
        turns = [turn for turn, _ in self.closed]
        return max(turns.count(turn) for turn in turns)


NAMES = [f"l{number}" for number in range(145)]


async def test_of_a_province_a_few_are_closed_in_each_turn_in_their_order() -> None:
    hall = Hall()
    hall.farewells.say(hall.legs(*NAMES), "ended")
    assert not hall.closed
    assert len(hall.farewells) == 145
    await hall.go()
    assert [name for _, name in hall.closed] == NAMES
    assert hall.most_in_a_turn() <= LEGS_PER_TURN
    assert len(hall.farewells) == 0


async def test_one_in_each_turn_where_that_takes_long() -> None:
    hall = Hall()
    hall.farewells.say(hall.legs(*NAMES[:20], closing_s=TURN_S), "ended")
    await hall.go()
    assert hall.most_in_a_turn() == 1
    assert len(hall.closed) == 20


async def test_what_is_to_be_done_before_and_after_them() -> None:
    hall, done = Hall(), []
    legs = hall.legs("a", "b")
    hall.farewells.say(
        legs,
        "ended",
        parting=lambda leg: done.append(f"{leg.id} {leg.state}"),
        last=lambda: done.append("last"),
    )
    hall.farewells.say(hall.legs("c"), "withdrawn", last=lambda: done.append("c has gone"))
    await hall.go()
    assert done == ["a connected", "b connected", "last", "c has gone"]
    assert [leg.reason for leg in legs] == ["ended", "ended"]


async def test_where_nobody_is_there_is_nothing_to_wait_for() -> None:
    hall, done = Hall(), []
    hall.farewells.say([], "ended", last=lambda: done.append("last"))
    assert done == ["last"]
    await hall.farewells.said()


async def test_who_goes_otherwise_meanwhile_is_counted_no_more_and_keeps_its_reason() -> None:
    hall = Hall()
    legs = hall.legs("a", "b", "c")
    hall.farewells.say(legs, "ended")
    legs[1].close("bye", 0.0)
    assert len(hall.farewells) == 2
    await hall.go()
    assert [leg.reason for leg in legs] == ["ended", "bye", "ended"]


async def test_a_defect_that_one_meets_does_not_keep_the_others() -> None:
    hall, done = Hall(), []
    hall.farewells.say(hall.legs("a", "broken", "c"), "ended", last=lambda: done.append("last"))
    await hall.go()
    assert [name for _, name in hall.closed] == ["a", "broken", "c"]
    assert done == ["last"]


@pytest.mark.parametrize("turns", [0, 1, 3])
async def test_who_ends_the_program_closes_all_that_wait_at_once(turns: int) -> None:
    hall, done = Hall(), []
    hall.farewells.say(hall.legs(*NAMES), "ended", last=lambda: done.append("last"))
    for _ in range(turns):
        await asyncio.sleep(0)
    hall.farewells.finish()
    assert len(hall.closed) == 145
    assert done == ["last"]
    await hall.farewells.said()
    await asyncio.sleep(0)
    assert len(hall.closed) == 145
