import random

import pytest

from mixer.audio.delay import (
    LEARNING_DELAY_S,
    MARGIN_S,
    MAX_DELAY_S,
    MIN_DELAY_S,
    WINDOW_PACKETS,
    DelayEstimate,
)


def estimate(transits: list[float]) -> DelayEstimate:
    delay = DelayEstimate()
    delay.transits.extend(transits)
    return delay


def test_a_steady_line_needs_the_least() -> None:
    assert estimate([5.0] * 100).delay_s == pytest.approx(MIN_DELAY_S)
    assert estimate([5.0] * 100).target_s() == pytest.approx(5.0 + MIN_DELAY_S)


def test_jitter_is_waited_for() -> None:
    rng = random.Random(1)
    delay = estimate([-70.0 + rng.uniform(0, 0.04) for _ in range(250)])
    assert delay.delay_s == pytest.approx(0.039 + MARGIN_S, abs=0.002)


def test_few_stragglers_are_not_waited_for() -> None:
    assert estimate([0.0] * 245 + [0.15] * 5).delay_s == pytest.approx(MIN_DELAY_S)
    assert estimate([0.0] * 225 + [0.15] * 25).delay_s > 0.15


def test_the_wait_is_bounded() -> None:
    delay = estimate([0.0] * 100 + [3.0] * 100)
    assert delay.delay_s == MAX_DELAY_S
    delay.extra_s = 1.0
    assert delay.delay_s == MAX_DELAY_S
    assert delay.target_s() == MAX_DELAY_S


def test_a_new_source_gets_some_room() -> None:
    assert estimate([1.0]).delay_s == LEARNING_DELAY_S
    assert DelayEstimate().delay_s == LEARNING_DELAY_S


def test_extra_is_added() -> None:
    delay = estimate([0.0] * 100)
    delay.extra_s = 0.02
    assert delay.target_s() == pytest.approx(MIN_DELAY_S + 0.02)


def test_memory_is_bounded_and_old_jitter_forgotten() -> None:
    delay = estimate([0.0, 0.1] * 1_000)
    assert len(delay.transits) == WINDOW_PACKETS
    delay.transits.extend([0.0] * WINDOW_PACKETS)
    assert delay.delay_s == pytest.approx(MIN_DELAY_S)
    delay.clear()
    assert delay.target_s() == 0.0
