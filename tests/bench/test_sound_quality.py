import numpy as np
import pytest

from bench.figures import VoidRunError
from bench.sound_quality import delay_of, level_range_db, roughness, score

N = np.arange(48_000)
TONE = np.rint(6000 * np.sin(2 * np.pi * 250 * N / 48_000)).astype(np.int16)


def test_the_delay_of_a_sound_is_found() -> None:
    noise = np.random.default_rng(1).normal(0, 3000, 96_000).astype(np.int16)
    late = np.concatenate((np.zeros(1_234, np.int16), noise))
    assert delay_of(noise, late) == 1_234
    assert delay_of(noise, noise) == 0


def test_a_click_is_rough_and_a_pitch_is_not() -> None:
    clicked = TONE.copy()
    clicked[20_000:] += 1_000
    assert roughness(TONE) == pytest.approx(6000 * (2 * np.pi * 250 / 48_000) ** 2, abs=3)
    assert roughness(clicked) > 50 * roughness(TONE)


def test_pumping_moves_the_level() -> None:
    pumped = (TONE * (1 - 0.2 * (N > 24_000))).astype(np.int16)
    assert level_range_db(TONE, 250.0) < 0.05
    assert level_range_db(pumped, 250.0) == pytest.approx(-20 * np.log10(0.8), abs=0.1)


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(VoidRunError, match="pesq is not installed: pip install"):
        score(TONE, TONE, [slice(0, 48_000)])
