from typing import Any

import pytest

from bench.figures import VoidRunError
from bench.janus import check, ratio_figure

GOOD = {"generator_starved": False, "sampled_loudest_dbov": -15.0}


def figures(legs: int, per_leg: float) -> dict[str, Any]:
    return {
        "legs": legs,
        "server_cores_per_leg": per_leg,
        "audio_pps_per_leg_min": 50.0,
        "audio_gap_ms_max": 25.0,
    }


def test_the_bar_is_for_a_hundred_legs() -> None:
    at_hundred = ratio_figure(figures(100, 0.002), figures(100, 0.012))
    assert at_hundred.value == pytest.approx(1 / 6)
    assert at_hundred.holds
    assert "Janus 1.20%, 50.0 packets/s, gap 25 ms" in at_hundred.against
    assert ratio_figure(figures(25, 0.006), figures(25, 0.012)).holds is None
    assert ratio_figure(figures(100, 0.006), figures(100, 0.012)).holds is False


def test_what_proves_nothing_is_void() -> None:
    check(GOOD)
    with pytest.raises(VoidRunError, match="starved"):
        check(GOOD | {"generator_starved": True})
    with pytest.raises(VoidRunError, match="heard nothing"):
        check(GOOD | {"sampled_loudest_dbov": -91.0})
