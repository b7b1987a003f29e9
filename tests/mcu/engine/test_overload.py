"""Readings in virtual time: what they make of the level, and of what is given up."""

import pytest

from mcu.engine.overload import (
    BACK_AFTER_S,
    CROWD,
    EXPLAINS,
    FORGET_S,
    PENDING_S,
    RETRY_BUSY_S,
    RETRY_FULL_S,
    LoadReading,
    Overload,
)
from mcu.engine.shedding import STEPS

CALM = LoadReading(processors=0.5, loop=0.3, cores=2, lateness_s=0.002)
FAIR = LoadReading(processors=0.8, loop=0.3, cores=2, lateness_s=0.008)
HOT = LoadReading(processors=0.92, loop=0.5, cores=2, lateness_s=0.01)
CRITICAL = LoadReading(processors=0.99, loop=0.5, cores=2, lateness_s=0.06)


class Seconds:
    """An ``Overload`` that gets one reading a second."""

    def __init__(self, max_load: float = 0.95) -> None:
        self.overload = Overload(max_load)
        self.now = 0.0

    def take(self, reading: LoadReading, seconds: float = 1) -> list[int]:
        """The steps after each second."""
        steps = []
        for _ in range(round(seconds)):
            self.now += 1.0
            self.overload.take(reading, self.now)
            steps.append(self.overload.step)
        return steps

    def until_step(self, step: int, reading: LoadReading, within_s: int = 1000) -> float:
        began = self.now
        while self.overload.step != step:
            assert self.now - began < within_s
            self.take(reading)
        return self.now - began


def test_a_crowd_that_comes_gives_nothing_up_unless_it_is_critical() -> None:
    for reading, given_up in ((HOT, 0), (CRITICAL, 1)):
        clock = Seconds()
        for _ in range(CROWD):
            clock.overload.note_join(clock.now + 0.5)
        assert clock.take(reading, 3)[-1] == given_up
        assert clock.take(HOT, 3)[-1] == given_up + 1


def test_a_few_that_come_excuse_no_load() -> None:
    clock = Seconds()
    for _ in range(CROWD - 1):
        clock.overload.note_join(clock.now + 0.5)
    assert clock.take(HOT, 3)[-1] == 1


def test_a_calm_machine_gives_nothing_up() -> None:
    clock = Seconds()
    assert clock.take(CALM, 60) == [0] * 60
    assert clock.overload.level == "none"
    assert clock.overload.refuses(clock.now) is None
    assert clock.overload.signs == ()


@pytest.mark.parametrize("reading", [HOT, CRITICAL])
def test_one_bad_second_in_a_few_does_nothing(reading: LoadReading) -> None:
    clock = Seconds()
    for _ in range(20):
        clock.take(reading)
        clock.take(CALM, 2)
    assert clock.overload.step == 0
    assert clock.overload.level == "none"


def test_steps_are_given_up_one_by_one_while_it_stays_hot() -> None:
    clock = Seconds()
    steps = clock.take(HOT, 12)
    assert steps == [0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4]
    assert clock.overload.level == "strained"
    assert clock.overload.signs == ("processors",)
    assert clock.overload.shed is STEPS[-1]
    assert clock.overload.refuses(clock.now) is None


def test_hot_with_nothing_left_to_give_up_is_overload() -> None:
    clock = Seconds()
    clock.take(HOT, 14)
    assert clock.overload.level == "strained"
    clock.take(HOT)
    assert clock.overload.level == "overloaded"
    assert clock.overload.refuses(clock.now) == RETRY_FULL_S


def test_critical_readings_refuse_before_everything_is_given_up() -> None:
    clock = Seconds()
    clock.take(CRITICAL, 3)
    assert clock.overload.level == "strained"
    clock.take(CRITICAL)
    assert clock.overload.level == "overloaded"
    assert clock.overload.step == 1
    assert set(clock.overload.signs) == {"processors", "lateness"}


def test_overload_ends_when_the_last_seconds_were_not_hot() -> None:
    clock = Seconds()
    clock.take(CRITICAL, 6)
    clock.take(FAIR, 4)
    assert clock.overload.level == "overloaded"
    clock.take(FAIR)
    assert clock.overload.level == "strained"
    assert clock.overload.refuses(clock.now) is None


def test_what_was_given_up_comes_back_in_reverse_order() -> None:
    clock = Seconds()
    clock.take(HOT, 12)
    steps = clock.take(CALM, 60)
    assert steps == sorted(steps, reverse=True)
    assert sorted(set(steps)) == [0, 1, 2, 3, 4]
    assert clock.overload.level == "none"
    assert steps.count(3) == BACK_AFTER_S


def test_fair_readings_change_nothing() -> None:
    clock = Seconds()
    clock.take(HOT, 3)
    assert clock.take(FAIR, 300) == [1] * 300
    assert clock.overload.level == "strained"


def test_single_fair_readings_do_not_end_a_calm_time_and_hot_ones_do() -> None:
    clock = Seconds()
    clock.take(HOT, 3)
    for _ in range(5):
        clock.take(CALM)
        clock.take(FAIR)
    clock.take(CALM)
    assert clock.overload.step == 0
    clock.take(HOT, 3)
    for _ in range(10):
        clock.take(CALM, 8)
        clock.take(HOT)
    assert clock.overload.step == 1


def test_a_relapse_waits_longer_each_time_and_is_forgotten_after_a_calm_time() -> None:
    clock = Seconds()
    clock.take(HOT, 3)
    waits = []
    for _ in range(6):
        waits.append(clock.until_step(0, CALM))
        clock.until_step(1, HOT)
    assert waits == [11, 21, 41, 81, 161, 161]
    clock.until_step(0, CALM)
    clock.take(CALM, FORGET_S + 1)
    clock.until_step(1, HOT)
    assert clock.until_step(0, CALM) == BACK_AFTER_S + 1


def test_rooms_that_are_not_measured_yet_are_reckoned_with() -> None:
    clock = Seconds()
    clock.take(LoadReading(processors=0.85, cores=1), 3)
    let_in = 0
    while clock.overload.refuses(clock.now) is None:
        clock.overload.note_join(clock.now)
        let_in += 1
    assert 15 <= let_in <= 30
    assert clock.overload.refuses(clock.now) == RETRY_BUSY_S
    assert clock.overload.refuses(clock.now + PENDING_S) is None


def test_a_province_may_come_at_once_to_an_idle_machine() -> None:
    clock = Seconds()
    clock.take(LoadReading(processors=0.02, cores=2), 3)
    for _ in range(250):
        assert clock.overload.refuses(clock.now) is None
        clock.overload.note_join(clock.now)


@pytest.mark.parametrize(
    ("sign", "reading"),
    [
        ("processors", LoadReading(processors=0.91)),
        ("loop", LoadReading(loop=0.91)),
        ("lateness", LoadReading(processors=0.5, lateness_s=0.021)),
        ("lateness", LoadReading(loop=0.5, lateness_s=0.021)),
        ("missed", LoadReading(processors=0.5, missed=1)),
        ("pictures", LoadReading(skipped=0.2)),
        ("pictures", LoadReading(left_out=3)),
    ],
)
def test_each_measured_value_alone_is_enough(sign: str, reading: LoadReading) -> None:
    clock = Seconds()
    clock.take(reading, 3)
    assert clock.overload.step == 1
    assert clock.overload.signs == (sign,)


def test_a_lower_limit_acts_earlier() -> None:
    clock = Seconds(max_load=0.5)
    clock.take(LoadReading(processors=0.52), 4)
    assert clock.overload.level == "overloaded"


def test_lateness_that_our_own_work_does_not_explain_is_not_ours() -> None:
    clock = Seconds()
    late = LoadReading(processors=0.3, loop=0.3, cores=2, lateness_s=0.3, missed=20)
    assert clock.take(late, 60) == [0] * 60
    assert (clock.overload.level, clock.overload.signs) == ("none", ())
    assert clock.overload.refuses(clock.now) is None
    assert clock.overload.reading.lateness_s == 0.3  # shown all the same


def test_what_other_programs_delay_does_not_keep_pictures_away() -> None:
    clock = Seconds()
    clock.take(HOT, 3)
    assert clock.take(LoadReading(processors=0.1, lateness_s=0.3, missed=20), 11)[-1] == 0


@pytest.mark.parametrize("max_load", [0.95, 0.45])
def test_how_much_explains_goes_by_the_limit(max_load: float) -> None:
    for used, level in ((EXPLAINS * max_load, "overloaded"), (0.9 * EXPLAINS * max_load, "none")):
        clock = Seconds(max_load)
        clock.take(LoadReading(processors=used, lateness_s=0.06), 4)
        assert clock.overload.level == level
