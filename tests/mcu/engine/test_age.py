import pytest

from mcu.engine.age import MAX_AGE_S, Age


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
