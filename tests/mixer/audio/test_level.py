import numpy as np
import pytest

from mixer.audio.level import gain_from_db, level_dbov


def test_full_scale_square_wave_is_the_overload_point() -> None:
    square = np.tile(np.array([32_767, -32_768], np.int16), 480)
    assert level_dbov(square) == pytest.approx(0.0, abs=0.001)


def test_full_scale_sine_is_three_below() -> None:
    sine = np.rint(32_767 * np.sin(2 * np.pi * np.arange(960) / 96)).astype(np.int16)
    assert level_dbov(sine) == pytest.approx(-3.01, abs=0.01)


@pytest.mark.parametrize("block", [np.zeros(960, np.int16), np.zeros(0, np.int16)])
def test_silence_is_the_lowest_level(block: np.ndarray) -> None:
    assert level_dbov(block) == -127.0


def test_level_halves_with_amplitude() -> None:
    block = np.full(960, 2_000, np.int16)
    assert level_dbov(block) - level_dbov(block // 2) == pytest.approx(6.02, abs=0.01)


def test_gain() -> None:
    assert gain_from_db(0.0) == 1.0
    assert gain_from_db(20.0) == pytest.approx(10.0)
    assert gain_from_db(-60.0) == pytest.approx(0.001)
