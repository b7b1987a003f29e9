from typing import Any

import pytest

from bench.audio import all_figures


def figures(legs: int, per_leg: float) -> dict[str, Any]:
    return {
        "legs": legs,
        "server_cores_per_leg": per_leg,
        "audio_pps_per_leg_min": 50.0,
        "audio_gap_ms_max": 25.0,
    }


def test_each_is_compared_with_janus_and_the_largest_with_aiortc() -> None:
    ours = [figures(50, 0.004), figures(100, 0.003), figures(500, 0.002)]
    janus = {50: figures(50, 0.012), 100: figures(100, 0.012)}
    found = all_figures(ours, janus, figures(10, 0.04))
    assert [one.unit for one in found] == ["x Janus", "x Janus", "x aiortc"]
    assert [one.value for one in found] == pytest.approx([1 / 3, 1 / 4, 1 / 20])
    assert [one.holds for one in found] == [None, True, True]
    assert "500 legs" in found[2].name
    assert "aiortc, 10 legs: 4.00%" in found[2].against
