"""What the command explains is what it takes and tells."""

import sys
from dataclasses import fields

import pytest

from bench import capacity
from bench.latency import LatencyProbe
from bench.load import Figures, Load, daemon_figures

COUNTED = (
    'mcu_ticks_late_total{clock="audio"}',
    'mcu_ticks_missed_total{clock="audio"}',
    'mcu_ticks_total{clock="audio"}',
    "mcu_frames_skipped_total",
    'mcu_tick_lateness_seconds{clock="audio",quantile="0.99"}',
    'mcu_tick_lateness_seconds{clock="video",quantile="0.99"}',
)


def figures(**values: float) -> Figures:
    return {
        "server_cores": 1.0,
        "server_cores_per_leg": 0.007,
        "ticks_missed": 0,
        "tick_lateness_ms_p99": 4.0,
        "ticks_late_percent": 0.5,
        "audio_pps_per_leg_min": 50.0,
        "video_fps_per_leg_min": 25.0,
        "sampled_audio_decoded_pps_min": 50.0,
        "sampled_video_decoded_fps_min": 25.0,
        "undecryptable": 0,
        "decode_errors": 0,
        "audio_added_latency_ms_p99": 45.0,
        "video_added_latency_ms_p99": 61.0,
        "all_joined_s": 1.3,
        "baseline": {"legs": 4, "server_cores": 1.5, "server_cores_per_leg": 0.37},
        **values,
    }


async def holds(monkeypatch: pytest.MonkeyPatch, **values: float) -> dict[str, bool | None]:
    async def run(*_: object) -> Figures:
        return figures(**values)

    monkeypatch.setattr(capacity, "run", run)
    return {one.name: one.holds for one in await capacity.measure(short=True)}


async def test_packets_that_nobody_can_use_are_no_meeting(monkeypatch: pytest.MonkeyPatch) -> None:
    assert False not in (await holds(monkeypatch)).values()
    unusable = "packets and pictures that they could not use"
    assert (await holds(monkeypatch, undecryptable=1))[unusable] is False
    assert (await holds(monkeypatch, decode_errors=1))[unusable] is False
    decoded = await holds(monkeypatch, sampled_video_decoded_fps_min=20.0)
    assert decoded["pictures decoded, worst room of those"] is False


def help_of(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setattr(sys, "argv", ["bench.capacity", "--help"])
    with pytest.raises(SystemExit):
        capacity.main()
    return capsys.readouterr().out


def test_the_help_explains_what_rooms_send_and_what_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = help_of(monkeypatch, capsys)
    for one in fields(Load):
        if one.name != "thumbnails":
            assert f"--{one.name.replace('_', '-')}" in text
    told = daemon_figures(dict.fromkeys(COUNTED, 0.0), dict.fromkeys(COUNTED, 1.0))
    shared = ("encoders", "decoders", "renditions")
    for name in (*told, *figures()):
        if not name.endswith(shared) and not name.startswith("video_added"):
            assert name.replace("_p99", "") in text, name
    probe = LatencyProbe()
    probe.audio.found_ms = [1.0]
    assert all(name.rpartition("_")[0] in text for name in probe.figures() if "ms_p" in name)


def test_janus_is_not_asked_for_pictures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench.capacity", "--video", "--baseline", "janus"])
    with pytest.raises(SystemExit):
        capacity.main()
    assert "knows sound alone" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "legs"), [(["janus"], 30), (["aiortc"], 4), (["janus", "--baseline-legs", "7"], 7)]
)
def test_a_baseline_gets_as_many_rooms_as_it_holds(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    asked: list[str],
    legs: int,
) -> None:
    runs: list[tuple[object, ...]] = []

    async def run(*arguments: object) -> Figures:
        runs.append(arguments)
        return figures() | {"marks_ms": {}}

    monkeypatch.setattr(capacity, "run", run)
    monkeypatch.setattr(sys, "argv", ["bench.capacity", "--legs", "30", "--baseline", *asked])
    capacity.main()
    ((load, name, baseline_legs),) = runs
    assert isinstance(load, Load)
    assert (load.legs, name, baseline_legs) == (30, asked[0], legs)
    assert '"server_cores": 1.0' in capsys.readouterr().out
