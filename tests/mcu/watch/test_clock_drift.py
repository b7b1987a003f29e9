"""The drift of a sender's clock, from how late its fastest packets come."""

import random

import pytest

from mcu.watch.clock_drift import LEAST_S, ClockDrift


def drift(ppm: float, seconds: int, *, step_s: float = 0.0, jitter_s: float = 0.0) -> ClockDrift:
    found, rng = ClockDrift(), random.Random(4)
    for now in range(seconds):
        late = 0.5 + now * ppm / 1e6 + (step_s if now > seconds // 2 else 0.0)
        found.take(late + rng.uniform(0, jitter_s), float(now))
    return found


@pytest.mark.parametrize("ppm", [-800.0, -100.0, 50.0, 400.0])
def test_drift_is_measured(ppm: float) -> None:
    assert drift(ppm, 90).ppm == pytest.approx(ppm, rel=0.05)


def test_too_short_says_nothing_and_jitter_does_little() -> None:
    assert drift(400, int(LEAST_S) - 1).ppm is None
    assert ClockDrift().ppm is None
    assert abs(drift(0, 120, jitter_s=0.004).ppm or 0.0) < 60
    assert drift(500, 120, jitter_s=0.004).ppm == pytest.approx(500, abs=60)


def test_a_line_that_becomes_slower_at_once_does_not_drift() -> None:
    assert drift(0, 100, step_s=0.03).ppm == 0.0


def test_a_sender_that_began_anew_is_measured_anew() -> None:
    found = drift(300, 90)
    found.take(9.0, 91.0)
    assert found.ppm is None
