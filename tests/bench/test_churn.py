import pytest

from bench.churn import Found, figures, memory_means
from bench.figures import VoidRunError

MEASURED = {
    "audio_gap_ms_max": 31.0,
    "ticks_missed": 0,
    "legs": 20,
    "generator_starved": False,
}


def test_memory_of_minute_five_and_of_the_last_one() -> None:
    samples = [(float(at), 100 + at // 60) for at in range(0, 1801, 2)]
    early, late = memory_means(samples, minute_five=True)
    assert early == pytest.approx(104, abs=0.1)
    assert late == pytest.approx(129, abs=0.1)


def test_of_a_short_run_sixths_are_taken() -> None:
    samples = [(float(at), at) for at in range(61)]
    assert memory_means(samples, minute_five=False) == (pytest.approx(15), pytest.approx(55))


def test_without_readings_nothing_is_said() -> None:
    with pytest.raises(VoidRunError):
        memory_means([(0.0, 1), (600.0, 1)], minute_five=True)


def test_what_is_left_behind_does_not_hold() -> None:
    found = Found(
        before={"tasks": 7, "threads": 10},
        after={"tasks": 8, "threads": 9},
        memory=[(float(at), 100) for at in range(61)],
    )
    tasks, threads, failed, memory, gap = figures(found, MEASURED, minute_five=False)
    assert (tasks.value, tasks.holds) == (1, False)
    assert (threads.value, threads.holds) == (-1, True)
    assert (failed.value, failed.holds) == (0, True)
    assert memory.value == 0
    assert gap.value == 31.0
    starved = figures(found, MEASURED | {"generator_starved": True}, minute_five=False)
    assert [one.name for one in starved] == [one.name for one in (tasks, threads, failed, memory)]
