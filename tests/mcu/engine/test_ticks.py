import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcu.engine.ticks import MAX_CATCH_UP_TICKS, WINDOW_TICKS, TickSchedule


def test_ticks_come_at_multiples_of_the_interval() -> None:
    schedule = TickSchedule(0.02, start=100.0)
    assert list(schedule.due(99.99)) == []
    assert list(schedule.due(100.0)) == [0]
    assert schedule.next_timer == pytest.approx(100.02)
    assert list(schedule.due(100.011)) == []
    assert list(schedule.due(100.0205)) == [1]


def test_a_late_tick_does_not_shift_the_next() -> None:
    schedule = TickSchedule(0.02, start=0.0)
    schedule.due(0.0)
    assert list(schedule.due(0.035)) == [1]
    assert schedule.next_timer == pytest.approx(0.04)
    assert schedule.statistics.late == 1
    assert schedule.statistics.lateness_ms(100) == pytest.approx(15.0, abs=0.01)


def test_after_a_stall_it_catches_up_a_little_and_counts_the_rest() -> None:
    schedule = TickSchedule(0.02, start=0.0)
    schedule.due(0.0)
    assert list(schedule.due(1.0)) == [46, 47, 48, 49, 50]
    assert schedule.statistics.missed == 45
    assert schedule.statistics.ticks == 6


def test_the_lateness_of_the_last_ticks_alone() -> None:
    schedule = TickSchedule(0.02, start=0.0)
    statistics = schedule.statistics
    assert statistics.recent_lateness_s(50, 99) == 0.0
    for tick in range(WINDOW_TICKS + 30):
        schedule.due(tick * 0.02 + (0.01 if tick < WINDOW_TICKS else 0.004))
    assert statistics.recent_lateness_s(30, 100) == pytest.approx(0.004, abs=1e-4)
    assert statistics.recent_lateness_s(31, 100) == pytest.approx(0.01, abs=1e-4)
    assert statistics.recent_lateness_s(0, 99) == 0.0
    assert statistics.recent_lateness_s(10 * WINDOW_TICKS, 50) == pytest.approx(0.01, abs=1e-4)


@given(st.lists(st.floats(0.0, 0.5), max_size=50))
def test_every_index_is_run_or_missed_exactly_once(steps: list[float]) -> None:
    schedule = TickSchedule(0.02, start=0.0)
    now, seen = 0.0, []
    for step in steps:
        now += step
        due = schedule.due(now)
        assert len(due) <= MAX_CATCH_UP_TICKS
        seen += list(due)
    assert seen == sorted(set(seen))
    last = seen[-1] + 1 if seen else 0
    assert len(seen) + schedule.statistics.missed == last
