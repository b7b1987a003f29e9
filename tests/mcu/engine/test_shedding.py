"""What is given up comes in its order, and a part of the ticks passes evenly."""

import pytest

from mcu.engine.shedding import NOTHING, STEPS, RateGate


def test_each_step_keeps_what_the_one_before_gave_up() -> None:
    assert STEPS[0] is NOTHING
    assert [step.given for step in STEPS] == [
        (),
        ("view-rate",),
        ("view-rate",),
        ("view-rate", "small-renditions"),
        ("view-rate", "small-renditions", "small-slots"),
    ]
    rates = [step.view_rate for step in STEPS]
    assert rates == sorted(rates, reverse=True)
    assert [round(25 * rate) for rate in rates[:3]] == [25, 15, 10]


def test_thumbnails_go_with_the_encoders_of_weak_lines() -> None:
    assert [step.without_thumbnails for step in STEPS] == [False, False, False, True, True]


@pytest.mark.parametrize(("rate", "passed"), [(1.0, 100), (0.6, 60), (0.4, 40), (0.5, 50)])
def test_a_part_of_the_ticks_passes_evenly(rate: float, passed: int) -> None:
    gate = RateGate()
    ticks = [gate.passes(rate) for _ in range(100)]
    assert sum(ticks) == passed
    for at in range(0, 90, 10):
        assert abs(sum(ticks[at : at + 10]) - 10 * rate) <= 1


def test_the_full_rate_is_back_at_once() -> None:
    gate = RateGate()
    for _ in range(7):
        gate.passes(0.4)
    assert all(gate.passes(1.0) for _ in range(10))
