"""The clock of all conferences: sound before pictures, and one defect stops nobody else."""

from datetime import UTC, datetime

import pytest

from mcu.engine.engine import Engine
from mcu.engine.local_video import LocalVideo
from mcu.engine.pool import InlinePool
from mcu.media.rendition import FanOut


def engine() -> Engine:
    fan_out = FanOut(lambda delay, call: None)
    return Engine(
        fan_out=fan_out,
        video=LocalVideo(fan_out, InlinePool()),
        start=0.0,
        wall=lambda: datetime(2026, 11, 21, tzinfo=UTC),
    )


def test_both_clocks_run_and_sound_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    running = engine()
    media = running.start_conference("c")
    assert running.start_conference("c") is media
    ticks: list[str] = []
    monkeypatch.setattr(media, "audio_tick", lambda now: ticks.append("audio"))
    monkeypatch.setattr(media, "video_tick", lambda now, wall: ticks.append("video"))
    while (now := running.next_timer()) < 0.995:
        running.handle_timer(now)
    assert ticks.count("audio") == 50
    assert ticks.count("video") == 25
    ticks.clear()
    running.handle_timer(now + 0.1)
    assert ticks == ["audio"] * 5 + ["video"]


def test_a_defect_in_one_conference_is_counted_and_stops_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running = engine()
    bad, good = running.start_conference("bad"), running.start_conference("good")
    ticks: list[float] = []

    def fail(now: float) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(bad, "audio_tick", fail)
    monkeypatch.setattr(good, "audio_tick", ticks.append)
    for step in range(5):
        running.handle_timer(step * 0.02)
    assert len(ticks) == 5
    assert running.faults == 5


def test_a_conference_that_is_gone_does_not_tick() -> None:
    running = engine()
    media = running.start_conference("c")
    assert running.remove_conference("c") is media
    assert running.remove_conference("c") is None
    running.handle_timer(1.0)
    assert media.audio.statistics().ticks == 0
