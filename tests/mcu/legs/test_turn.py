import pytest

from mcu.legs.turn import LEGS_PER_TURN, TURN_S, take_turn


class Clock:
    """Stands still, but for what legs take."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Leg:
    """Takes as long as it says, and is due again a second later."""

    def __init__(
        self, due_at: float, clock: Clock, takes_s: float = 0.0, *, broken: bool = False
    ) -> None:
        self.due_at = due_at
        self.broken = broken
        self.done = 0
        self._clock = clock
        self._takes_s = takes_s

    def handle_timer(self, now: float) -> None:
        self._clock.now += self._takes_s
        self.done += 1
        if self.broken:
            raise RuntimeError("a defect")
        self.due_at = now + 1.0


def fail(leg: Leg) -> None:
    pytest.fail("no leg meets a defect here")


def test_only_those_that_are_due() -> None:
    clock = Clock()
    legs = [Leg(at, clock) for at in (1.0, 3.0, 2.0)]
    take_turn(legs, 2.0, clock, fail)
    assert [leg.done for leg in legs] == [1, 0, 1]


def test_a_few_in_a_turn_those_that_wait_longest_first() -> None:
    clock = Clock()
    legs = [Leg(100.0 - number, clock) for number in range(3 * LEGS_PER_TURN)]
    turns = []
    while not all(leg.done for leg in legs):
        take_turn(legs, 100.0, clock, fail)
        turns.append(sum(leg.done for leg in legs))
        assert all(leg.done for leg in legs[len(legs) - turns[-1] :])
    assert turns == [LEGS_PER_TURN * turn for turn in (1, 2, 3)]


def test_one_where_it_takes_all_of_a_turn() -> None:
    clock = Clock()
    legs = [Leg(0.0, clock, TURN_S) for _ in range(3)]
    for turn in (1, 2, 3):
        take_turn(legs, 0.0, clock, fail)
        assert sum(leg.done for leg in legs) == turn


def test_a_defect_of_one_keeps_no_other() -> None:
    clock, failed = Clock(), []
    legs = [Leg(0.0, clock), Leg(0.5, clock, broken=True), Leg(0.7, clock)]
    take_turn(legs, 1.0, clock, failed.append)
    assert failed == [legs[1]]
    assert [leg.done for leg in legs] == [1, 1, 1]
