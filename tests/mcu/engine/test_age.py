import pytest

from mcu.engine.age import FASTEST_OF_S, MAX_AGE_S, Age, Fastest


def test_the_first_reading_counts_whole_and_later_ones_draw_slowly() -> None:
    age = Age()
    assert age.seconds == 0.0
    age.take(0.04)
    assert age.seconds == pytest.approx(0.04)
    age.take(0.09)
    assert 0.04 < age.seconds < 0.05
    for _ in range(500):
        age.take(0.09)
    assert age.seconds == pytest.approx(0.09, abs=1e-4)


def test_a_source_that_stands_still_says_nothing() -> None:
    age = Age()
    age.take(0.04)
    age.take(MAX_AGE_S + 0.1)
    age.take(-0.01)
    assert age.seconds == pytest.approx(0.04)


def test_what_was_held_up_is_told_as_if_it_had_come_in_time() -> None:
    fastest = Fastest()
    for number, late_s in enumerate((0.03, 0.0, 0.05, 0.01)):
        fastest.take(number * 0.04, 100.0 + number * 0.04 + late_s)
    assert fastest.came_at(0.12) == pytest.approx(100.12)


def test_the_sender_s_clock_is_followed_where_it_drifts() -> None:
    fastest = Fastest()
    drift = 1 + 200e-6
    for number in range(25 * 600):
        fastest.take(number * 0.04, 100.0 + number * 0.04 * drift)
    last = (25 * 600 - 1) * 0.04
    assert fastest.came_at(last) == pytest.approx(100.0 + last * drift, abs=0.003)
    assert 2 * FASTEST_OF_S * 200e-6 < 0.003


def test_a_stream_that_begins_anew_has_another_time() -> None:
    fastest = Fastest()
    fastest.take(5.0, 100.0)
    fastest.take(5000.0, 100.04)
    assert fastest.came_at(5000.0) == pytest.approx(100.04)
