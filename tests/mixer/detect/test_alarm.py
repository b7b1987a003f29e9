import itertools

import pytest

from mixer.detect.alarm import ON_TIME, TRANSITIONS, Alarm, AlarmState, Reading, Rule

LEVEL = Rule(raise_at=10.0, clear_at=5.0, raise_after_s=3.0, clear_after_s=4.0)


def changes(alarm: Alarm, values: list[float | None], step_s: float = 1.0) -> list[tuple[int, str]]:
    """(second, change) of readings a second apart."""
    found = []
    for number, value in enumerate(values):
        change = alarm.take(value, 100.0 + number * step_s)
        if change is not None:
            found.append((number, change))
    return found


def test_every_reading_has_a_row_for_every_state() -> None:
    assert set(TRANSITIONS) == set(itertools.product(AlarmState, Reading))
    assert set(ON_TIME) == {AlarmState.RISING, AlarmState.FALLING}


def test_it_is_raised_and_cleared_when_that_lasts() -> None:
    alarm = Alarm(LEVEL)
    assert changes(alarm, [20.0] * 6 + [0.0] * 6) == [(3, "raised"), (10, "cleared")]


def test_since_is_when_the_trouble_began() -> None:
    alarm = Alarm(LEVEL)
    changes(alarm, [0.0, 0.0, 20.0, 20.0, 20.0, 20.0])
    assert alarm.raised
    assert alarm.since == 102.0
    changes(alarm, [0.0] * 6)
    assert not alarm.raised
    assert alarm.since is None


def test_short_trouble_raises_nothing_and_short_health_clears_nothing() -> None:
    alarm = Alarm(LEVEL)
    assert changes(alarm, [20.0, 20.0, 0.0] * 5) == []
    raised = changes(alarm, [20.0] * 5 + [0.0, 0.0, 0.0, 20.0] * 5)
    assert raised == [(3, "raised")]


def test_between_the_bounds_what_was_goes_on() -> None:
    alarm = Alarm(LEVEL)
    assert changes(alarm, [7.0] * 10) == []
    assert changes(alarm, [20.0, 7.0, 7.0, 7.0]) == [(3, "raised")]
    assert changes(alarm, [7.0] * 10) == []
    assert changes(alarm, [0.0, 7.0, 7.0, 7.0, 7.0]) == [(4, "cleared")]


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_what_is_not_measured_proves_nothing(missing: float | None) -> None:
    alarm = Alarm(LEVEL)
    values = [20.0, 20.0, missing, 20.0, 20.0, 20.0, 20.0]
    assert changes(alarm, values) == [(6, "raised")]
    assert changes(alarm, [missing] * 20) == []
    assert changes(alarm, [0.0, 0.0, missing, 0.0, 0.0, 0.0, 0.0, 0.0]) == [(7, "cleared")]


def test_small_values_can_be_the_bad_ones() -> None:
    rate = Alarm(Rule(raise_at=10.0, clear_at=20.0, raise_after_s=1.0, clear_after_s=1.0))
    assert changes(rate, [25.0, 5.0, 5.0, 15.0, 25.0, 25.0]) == [(2, "raised"), (5, "cleared")]


def test_at_once_when_no_time_is_asked_for() -> None:
    alarm = Alarm(Rule(1.0, 1.0, 0.0, 0.0))
    assert changes(alarm, [1.0, 0.0]) == [(0, "raised"), (1, "cleared")]
