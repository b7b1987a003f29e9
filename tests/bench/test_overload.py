"""What a run of the overload benchmark comes to."""

import os
from typing import Any

from bench.overload import figures_of, pinned


def found(**values: Any) -> dict[str, Any]:
    def step(at_s: float, legs: int, given_up: list[str], view_fps: int) -> dict[str, Any]:
        return {"at_s": at_s, "legs": legs, "given_up": given_up, "view_fps": view_fps}

    return {
        "inside": 81,
        "inside_at_first_refusal": 80,
        "refused": 80,
        "statuses": [503],
        "retry_after": ["30", "5"],
        "details": ["The server is full"],
        "audio_pps_per_leg_min": 49.9,
        "audio_gap_ms_max": 41.0,
        "ticks_missed": 0,
        "video_fps_per_leg_min": 10.0,
        "steps": [
            step(0.0, 0, [], 25),
            step(20.0, 60, ["view-rate"], 15),
            step(30.0, 80, ["view-rate", "small-renditions"], 10),
        ],
    } | values


def holds(**values: Any) -> dict[str, bool | None]:
    return {one.name: one.holds for one in figures_of(found(**values))}


def test_all_is_well() -> None:
    assert False not in holds().values()
    assert len(holds(given_back_after_s=70.0)) == len(holds()) + 1


def test_what_is_not_well_is_said() -> None:
    refused = "refused with 503 and Retry-After"
    order = "given up in order: view rate, small renditions, small slots"
    assert holds(statuses=[500])[refused] is False
    assert holds(retry_after=[""])[refused] is False
    assert holds(steps=[found()["steps"][0]])[order] is False
    wrong = [found()["steps"][0] | {"given_up": ["small-slots"]}]
    assert holds(steps=wrong)[order] is False
    assert holds(audio_pps_per_leg_min=48.0)["sound packets a second inside, worst room"] is False
    assert holds(given_back_after_s=120.0)["everything given back after the meeting's end"] is False


def test_processes_are_pinned_and_let_go() -> None:
    before = os.sched_getaffinity(0)
    with pinned({min(before)}):
        assert os.sched_getaffinity(0) == {min(before)}
    assert os.sched_getaffinity(0) == before
