import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixer.audio.block import TICK_SAMPLES
from mixer.audio.steer import (
    HYSTERESIS_SAMPLES,
    LATE_SAMPLES,
    NARROWEST_SAMPLES,
    least_spare,
    step_of,
    wanted_change,
)


@pytest.mark.parametrize(
    ("duration", "step"),
    [(120, 120), (480, 480), (960, 960), (1_440, 480), (1_920, 960), (2_880, 960), (441, 3)],
)
def test_where_playout_may_rest(duration: int, step: int) -> None:
    assert step_of(duration) == step


def test_on_a_boundary_it_stays_while_packets_have_time_and_no_step_would_fit() -> None:
    for late in range(LATE_SAMPLES, 960 + LATE_SAMPLES + HYSTERESIS_SAMPLES + 1):
        assert wanted_change(late, 0, 960) == 0
    assert wanted_change(LATE_SAMPLES - 1, 0, 960) == -960
    assert wanted_change(960 + LATE_SAMPLES + HYSTERESIS_SAMPLES + 1, 0, 960) == 960


def test_between_boundaries_it_goes_to_the_one_that_costs_nothing() -> None:
    assert wanted_change(500, 200, 960) == 200
    assert wanted_change(200 + LATE_SAMPLES - 1, 200, 960) == -760


def test_jitter_asks_for_more_reserve_up_to_all_that_was_wanted() -> None:
    assert [least_spare(ms * 48) for ms in (0, 8, 24, 200)] == [LATE_SAMPLES, -96, 0, 0]
    assert wanted_change(-1, 0, 960, 0) == -960


def test_small_steps_do_not_make_it_go_to_and_fro() -> None:
    assert wanted_change(NARROWEST_SAMPLES, 0, 3) == 0
    assert wanted_change(NARROWEST_SAMPLES + 1, 0, 3) > NARROWEST_SAMPLES - 3


@given(duration=st.integers(1, 5_760), late=st.integers(-20_000, 20_000), share=st.floats(0, 0.999))
def test_one_change_suffices_and_ends_on_a_boundary(duration: int, late: int, share: float) -> None:
    step = step_of(duration)
    ahead = int(share * step)
    change = wanted_change(late, ahead, step)
    assert (change - ahead) % step == 0
    if change > ahead:  # never past what packets allow
        assert late - change >= LATE_SAMPLES
        assert wanted_change(late - change, 0, step) == 0
    elif change < 0:
        assert late - ahead < LATE_SAMPLES
        assert -step <= change


def test_a_step_is_at_most_a_tick() -> None:
    assert all(TICK_SAMPLES % step_of(duration) == 0 for duration in range(1, 6_000))
