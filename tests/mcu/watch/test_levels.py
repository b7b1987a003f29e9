"""Levels of rooms that come and go."""

import numpy as np
import pytest

from mcu.watch.levels import GROWTH, LevelWatch


def feed(watch: LevelWatch, names: tuple[str, ...], levels: list[float], ticks: int) -> None:
    for _ in range(ticks):
        watch.measured(names, levels, -30.0, {})


def talk(watch: LevelWatch, names: tuple[str, ...], who: int, ticks: int) -> None:
    for tick in range(ticks):
        levels = [-70.0] * len(names)
        levels[who] = -25.0 if tick % 20 < 10 else -60.0
        watch.measured(names, levels, -30.0, {})


def test_who_speaks_and_for_how_long_others_have_not() -> None:
    watch, names = LevelWatch(), ("a", "b")
    assert watch.silent_s("a") is None
    talk(watch, names, 0, 500)
    assert watch.silent_s("a") == 0.0
    assert watch.speaks("a")
    assert watch.silent_s("b") == pytest.approx(10.0)
    assert watch.silent_s("nobody") is None


def test_columns_stay_while_others_come_and_go() -> None:
    watch = LevelWatch()
    talk(watch, ("a", "b"), 0, 200)
    talk(watch, ("b", "a", "c"), 2, 200)
    assert watch.silent_s("a") == pytest.approx(4.0)
    assert watch.silent_s("b") == pytest.approx(8.0)
    assert watch.silent_s("c") == 0.0
    talk(watch, ("a",), 0, 50)
    talk(watch, ("a", "d"), 0, 50)  # in c's place: what c said is not d's
    assert watch.silent_s("d") == pytest.approx(1.0)


def test_more_rooms_than_there_were_columns() -> None:
    watch = LevelWatch()
    names = tuple(f"r{number}" for number in range(GROWTH + 5))
    feed(watch, names[:3], [-70.0] * 3, 100)
    feed(watch, names, [-70.0] * len(names), 100)
    assert watch.silent_s(names[-1]) == pytest.approx(2.0)


def test_who_returns_what_all_are_sent_is_suspected() -> None:
    watch, names = LevelWatch(), ("echoes", "quiet")
    rng = np.random.default_rng(3)
    sent = np.repeat(rng.uniform(-60, -20, 200), 5)
    for tick in range(700):
        levels = [float(sent[max(0, tick - 6)]) - 12.0, -75.0]
        watch.measured(names, levels, float(sent[tick]), {})
        due = watch.take_due()
        if due is not None:
            scan, out, back = due
            scan.take(out, back)
    assert watch.suspects() == ["echoes"]


def test_levels_that_nobody_takes_are_bounded() -> None:
    watch = LevelWatch()
    feed(watch, ("a",), [-70.0], 5_000)
    due = watch.take_due()
    assert due is not None
    assert len(due[1]) <= 300
