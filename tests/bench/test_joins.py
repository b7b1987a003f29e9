import pytest

from bench.joins import browser_figures, crowd_figures


def test_the_slowest_joins_count() -> None:
    times = [{"connected": 100.0, "picture": 200.0}] * 9 + [{"connected": 100.0, "picture": 900.0}]
    (figure,) = browser_figures(times, {"legs": 50})
    assert figure.value > 300
    assert figure.holds is False
    assert "p50 200 ms" in figure.against


def test_what_those_inside_heard_is_held_against_the_bar() -> None:
    calm = {"audio_gap_ms_max": 25.0}
    crowded = {
        "audio_gap_ms_max": 80.0,
        "audio_pps_per_leg_min": 50.0,
        "video_fps_per_leg_min": 25.0,
        "ticks_missed": 0,
        "tick_lateness_ms_p99": 3.0,
    }
    joined = {"all_joined_s": 4.0, "join_ms_p95": 3900.0}
    all_in, gap, missed = crowd_figures(joined, calm, crowded, 20, 145)
    assert (all_in.value, all_in.holds) == (pytest.approx(4.0), True)
    assert gap.holds is False
    assert "alone 25.0 ms" in gap.against
    assert missed.holds is True
