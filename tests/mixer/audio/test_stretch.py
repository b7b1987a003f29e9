import numpy as np
import pytest

from mixer.audio.stretch import (
    MAX_LAG_SAMPLES,
    MIN_LAG_SAMPLES,
    WINDOW_SAMPLES,
    find_lag,
    lengthen,
    shorten,
)


def tone(hz: float, count: int = WINDOW_SAMPLES) -> np.ndarray:
    return np.rint(8_000 * np.sin(2 * np.pi * hz * np.arange(count) / 48_000)).astype(np.int16)


@pytest.mark.parametrize("hz", [97, 200, 440, 1_000, 3_100])
@pytest.mark.parametrize("change", [shorten, lengthen])
def test_a_stretched_tone_has_no_click_and_keeps_its_level(hz: float, change: object) -> None:
    window = tone(hz, 2_400)
    lag, likeness = find_lag(window)
    assert likeness > 0.95
    out = change(window, lag)
    own_step = np.abs(np.diff(window.astype(int))).max()
    assert np.abs(np.diff(out.astype(int))).max() <= 1.05 * own_step + 2
    assert np.abs(out[300:-300].astype(int)).max() == pytest.approx(8_000, rel=0.03)


def test_lengths() -> None:
    window = tone(440)
    assert len(shorten(window, 300)) == len(window) - 300
    assert len(lengthen(window, 300)) == len(window) + 300


@pytest.mark.parametrize("change", [shorten, lengthen])
def test_the_ends_are_the_window_s_own(change: object) -> None:
    window = tone(333)
    out = change(window, 400)
    assert abs(int(out[0]) - int(window[0])) <= 40
    assert np.array_equal(out[-100:], window[-100:])


def test_quiet_sound_may_be_cut_anywhere() -> None:
    rng = np.random.default_rng(1)
    lag, likeness = find_lag(rng.integers(-30, 30, WINDOW_SAMPLES).astype(np.int16))
    assert likeness == 1.0
    assert lag == MAX_LAG_SAMPLES


def test_noise_is_unlike_itself() -> None:
    rng = np.random.default_rng(1)
    _, likeness = find_lag(rng.integers(-9_000, 9_000, WINDOW_SAMPLES).astype(np.int16))
    assert likeness < 0.5


def test_a_short_window_gives_a_short_lag() -> None:
    lag, _ = find_lag(tone(440, 480 + 150))
    assert MIN_LAG_SAMPLES <= lag <= 150
