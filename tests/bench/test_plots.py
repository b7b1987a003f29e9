"""What is drawn is what was measured, and the same each time."""

from pathlib import Path
from typing import Any

import pytest

from bench.capacity import shown
from bench.plots import cumulative, plot_cores, plot_latency, series_of

MARKS = {"audio": [40.0, 30.0, 35.0, 60.0], "video": [25.0, 50.0]}


def measured(legs: int, per_leg: float, **more: Any) -> dict[str, Any]:
    return {"legs": legs, "server_cores_per_leg": per_leg, "marks_ms": MARKS} | more


CAPACITY = measured(145, 0.0073, baseline=measured(4, 0.35, name="aiortc"))
AUDIO = {
    "ours": [measured(10, 0.02), measured(100, 0.0034)],
    "janus": [measured(100, 0.0103)],
    "aiortc": measured(10, 0.057),
}


def test_shares_grow_to_all() -> None:
    values, percent = cumulative([40.0, 30.0, 35.0, 60.0])
    assert values == [30.0, 35.0, 40.0, 60.0]
    assert percent == [25.0, 50.0, 75.0, 100.0]


def test_each_server_has_a_line_for_each_load() -> None:
    found = series_of(CAPACITY, AUDIO)
    assert [(one.server, one.kind) for one in found] == [
        ("ours", "audio"),
        ("Janus, plain RTP", "audio"),
        ("aiortc", "audio"),
        ("ours", "video"),
        ("aiortc", "video"),
    ]
    assert found[0].points == [(10, pytest.approx(2.0)), (100, pytest.approx(0.34))]
    assert found[-1].points == [(4, pytest.approx(35.0))]
    assert len(series_of(None, AUDIO)) == 3
    assert len(series_of(measured(145, 0.0073), None)) == 1


def test_the_plots_are_the_same_for_the_same_results(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for folder in ("one", "two"):
        plot_latency(CAPACITY, tmp_path / folder / "latency.svg")
        plot_cores(series_of(CAPACITY, AUDIO), tmp_path / folder / "cores.svg")
    for name in ("latency.svg", "cores.svg"):
        drawn = (tmp_path / "one" / name).read_bytes()
        assert drawn == (tmp_path / "two" / name).read_bytes()
        assert b"aiortc" in drawn


def test_a_run_without_marks_has_no_distribution(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    with pytest.raises(KeyError):
        plot_latency({"legs": 3, "server_cores_per_leg": 0.1}, tmp_path / "latency.svg")
    assert not (tmp_path / "latency.svg").exists()


def test_single_marks_are_not_printed() -> None:
    assert "marks_ms" in CAPACITY
    assert "marks_ms" not in shown(CAPACITY)
    assert "marks_ms" not in shown(CAPACITY)["baseline"]
