import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixer.audio.mix import apply_gain, mix_minus, mix_total


def blocks(speakers: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(-32_768, 32_768, (speakers, 960)).astype(np.int16)


def test_total_is_the_sum_and_does_not_wrap() -> None:
    voices = np.full((8, 960), 32_767, np.int32)
    out = np.empty(960, np.int32)
    mix_total(voices, out)
    assert (out == 8 * 32_767).all()


def test_nobody_is_silence() -> None:
    out = np.ones(960, np.int32)
    mix_total(np.empty((0, 960), np.int32), out)
    assert not out.any()


@given(st.integers(1, 8), st.lists(st.floats(0, 10), min_size=16, max_size=16))
def test_each_gets_exactly_the_others_whatever_the_gains_do(
    speakers: int, gains: list[float]
) -> None:
    voices = np.empty((speakers, 960), np.int32)
    for row, block in enumerate(blocks(speakers)):
        apply_gain(block, gains[row], gains[row + 8], voices[row])
    total = np.empty(960, np.int32)
    mix_total(voices, total)
    minus = np.empty_like(voices)
    mix_minus(total, voices, minus)
    for row in range(speakers):
        others = np.delete(voices, row, axis=0)
        assert np.array_equal(minus[row], others.sum(axis=0))


def test_unity_gain_is_exact() -> None:
    block = blocks(1)[0]
    out = np.empty(960, np.int32)
    apply_gain(block, 1.0, 1.0, out)
    assert np.array_equal(out, block)


def test_a_ramp_is_straight_and_ends_at_its_end() -> None:
    out = np.empty(960, np.int32)
    apply_gain(np.full(960, 9_600, np.int16), 0.0, 1.0, out)
    assert out[-1] == 9_600
    assert set(np.diff(out).tolist()) == {10}


def test_gain_works_in_place() -> None:
    mix = np.full(960, 100_000, np.int32)
    apply_gain(mix, 0.5, 0.5, mix)
    assert (mix == 50_000).all()


@pytest.mark.parametrize(("voices", "out"), [((2, 960), (480,)), ((960,), (960,))])
def test_shapes_that_do_not_fit_are_refused(voices: tuple, out: tuple) -> None:
    with pytest.raises(ValueError, match="into"):
        mix_total(np.zeros(voices, np.int32), np.zeros(out, np.int32))
    with pytest.raises(ValueError, match="out of"):
        mix_minus(np.zeros(960, np.int32), np.zeros((2, 960), np.int32), np.zeros(960, np.int32))
