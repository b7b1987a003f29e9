"""Pictures stand where the sound says that their moment stands."""

import random

import pytest

from mcu.recording.timeline import AUDIO_HZ, STEP_S, Timeline, Track


def heard(timeline: Timeline, ticks: range, at: float, jitter: random.Random | None = None) -> None:
    """Ticks from ``at`` on, 20 ms each."""
    for tick in ticks:
        late = jitter.uniform(0, 0.004) if jitter is not None else 0.0
        timeline.hear(tick * 960, at + tick * 0.02 + late)


def test_a_moment_is_where_its_sound_is():
    timeline = Timeline()
    assert not timeline.begun
    with pytest.raises(ValueError, match="before the first sound"):
        timeline.place_s(5.0)
    heard(timeline, range(50), 100.0)
    assert timeline.begun
    assert timeline.place_s(100.5) == pytest.approx(0.5)


def test_jitter_of_the_clock_moves_no_picture():
    timeline = Timeline()
    heard(timeline, range(500), 100.0, random.Random(7))
    places = []
    for tick in range(500, 1000):
        heard(timeline, range(tick, tick + 1), 100.0, random.Random(tick))
        places.append(timeline.place_s(100.0 + tick * 0.02) - tick * 0.02)
    assert max(places) - min(places) < 0.0015


def test_a_tick_that_was_left_out_moves_the_pictures_with_the_sound():
    timeline = Timeline()
    heard(timeline, range(100), 100.0)
    for tick in range(100, 200):  # one tick was left out: what is heard is 20 ms later
        timeline.hear(tick * 960, 100.02 + tick * 0.02)
    assert timeline.place_s(103.0) == pytest.approx(2.98, abs=0.001)


def test_after_a_standstill_there_is_nothing_to_wait_for():
    timeline = Timeline()
    heard(timeline, range(10), 100.0)
    timeline.hear(10 * 960, 100.2 + 2 * STEP_S)
    assert timeline.place_s(100.4) == pytest.approx(0.2)


def test_a_track_grows_whatever_it_is_told():
    track = Track(AUDIO_HZ, 10.0, 960)
    assert track.at(10.0) == 0
    assert track.at(10.02) == 960
    assert track.at(10.021) == 1920  # never over what was there
    assert track.at(10.5) == 24_000  # a gap stays a gap
    assert Track(AUDIO_HZ, 10.0, 960).at(9.0) == 0
