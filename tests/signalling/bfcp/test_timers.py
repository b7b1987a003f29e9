"""T1 follows the round trip, within its bounds."""

import pytest

from signalling.bfcp.timers import MAX_T1_S, REPETITIONS, T1_S, T2_S, RoundTrip


def test_the_first_is_the_standards() -> None:
    assert RoundTrip().t1_s == T1_S == 0.5


def test_a_short_round_trip_does_not_make_it_shorter() -> None:
    trip = RoundTrip()
    trip.measured(0.01)
    assert trip.t1_s == T1_S


def test_a_long_one_makes_it_longer() -> None:
    trip = RoundTrip()
    trip.measured(0.25)
    assert trip.t1_s == pytest.approx(0.25 + 4 * 0.125)
    trip.measured(0.33)
    # RFC 6298 section 2.3: 0.125 + (0.08 - 0.125) / 4, then 0.25 + 0.08 / 8.
    assert trip.t1_s == pytest.approx(0.26 + 4 * 0.11375)


def test_never_so_long_that_a_repetition_comes_after_the_answer_is_forgotten() -> None:
    trip = RoundTrip()
    trip.measured(30.0)
    assert trip.t1_s == MAX_T1_S
    assert (2**REPETITIONS - 1) * MAX_T1_S < T2_S
