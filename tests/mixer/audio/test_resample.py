import numpy as np
import pytest

from mixer.audio.resample import TAPS_PER_PHASE, Downsampler, Upsampler


def sine(hz: float, rate: int, count: int) -> np.ndarray:
    return np.rint(10_000 * np.sin(2 * np.pi * hz * np.arange(count) / rate)).astype(np.int16)


def amplitude(sound: np.ndarray, hz: float, rate: int) -> float:
    window = np.blackman(len(sound))
    spin = np.exp(-2j * np.pi * hz * np.arange(len(sound)) / rate)
    return 2 * abs(np.dot(sound * window, spin)) / window.sum()


@pytest.mark.parametrize("factor", [3, 6])
@pytest.mark.parametrize("cut", [1, 7, 160, 320])
def test_upsampling_in_blocks_equals_the_whole(factor: int, cut: int) -> None:
    given = np.random.default_rng(1).integers(-20_000, 20_000, 960).astype(np.int16)
    whole = Upsampler(factor).process(given)
    streaming = Upsampler(factor)
    blocks = [streaming.process(given[at : at + cut]) for at in range(0, 960, cut)]
    assert len(whole) == 960 * factor
    np.testing.assert_allclose(np.concatenate(blocks), whole, atol=0.05)


@pytest.mark.parametrize("factor", [3, 6])
@pytest.mark.parametrize("cut", [6, 120, 960])
def test_downsampling_in_blocks_equals_the_whole(factor: int, cut: int) -> None:
    given = np.random.default_rng(1).integers(-20_000, 20_000, 1920).astype(np.int16)
    whole = Downsampler(factor).process(given)
    streaming = Downsampler(factor)
    blocks = [streaming.process(given[at : at + cut]) for at in range(0, 1920, cut)]
    assert len(whole) == 1920 // factor
    np.testing.assert_allclose(np.concatenate(blocks), whole, atol=0.05)


@pytest.mark.parametrize(("factor", "top_hz"), [(3, 6_800), (6, 3_300)])
@pytest.mark.parametrize("hz", [200, 1_000])
def test_speech_band_passes_both_ways(factor: int, top_hz: int, hz: int) -> None:
    rate = 48_000 // factor
    for one in (hz, top_hz):
        up = Upsampler(factor).process(sine(one, rate, rate))
        assert 20 * np.log10(amplitude(up[4_800:], one, 48_000) / 10_000) == pytest.approx(
            0, abs=0.5
        )
        down = Downsampler(factor).process(sine(one, 48_000, 48_000))
        assert 20 * np.log10(amplitude(down[800:], one, rate) / 10_000) == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize("factor", [3, 6])
def test_images_and_aliases_are_far_down(factor: int) -> None:
    rate = 48_000 // factor
    up = Upsampler(factor).process(sine(1_000, rate, rate))
    assert amplitude(up[4_800:], rate - 1_000, 48_000) < 10_000 * 10 ** (-65 / 20)
    down = Downsampler(factor).process(sine(rate - 1_000, 48_000, 48_000))
    assert amplitude(down[800:], 1_000, rate) < 10_000 * 10 ** (-65 / 20)


def test_delay_is_half_the_filter() -> None:
    pulse = np.zeros(200, np.int16)
    pulse[100] = 10_000
    out = Upsampler(6).process(pulse)
    assert abs(int(out.argmax()) - (100 * 6 + TAPS_PER_PHASE * 6 // 2)) <= 1


def test_downsampling_refuses_a_broken_step() -> None:
    with pytest.raises(ValueError, match="961"):
        Downsampler(6).process(np.zeros(961, np.int16))
