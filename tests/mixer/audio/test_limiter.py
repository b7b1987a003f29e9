import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixer.audio.limiter import CEILING, SPAN, LimiterState, limit

TICK = 960


def run(sound: np.ndarray, block: int = TICK) -> np.ndarray:
    state = LimiterState.fresh(1)
    pieces = [limit(sound[None, at : at + block], state)[0] for at in range(0, len(sound), block)]
    return np.concatenate(pieces)


def tone(hz: float, amplitude: float, ticks: int = 100) -> np.ndarray:
    t = np.arange(ticks * TICK) / 48_000
    return np.rint(amplitude * np.sin(2 * np.pi * hz * t)).astype(np.int32)


@pytest.mark.parametrize("amplitude", [1, 500, CEILING])
def test_what_fits_passes_unchanged_and_delayed(amplitude: int) -> None:
    sound = tone(440, amplitude)
    assert np.array_equal(run(sound)[SPAN:], sound[:-SPAN])


@given(st.lists(st.integers(-300_000, 300_000), min_size=8, max_size=8), st.integers(0, 9))
@settings(max_examples=60)
def test_nothing_is_ever_too_loud_or_wraps(corners: list[int], seed: int) -> None:
    noise = np.random.default_rng(seed).uniform(-1, 1, 8 * TICK)
    sound = np.rint(np.repeat(corners, TICK) * noise).astype(np.int32)
    out = run(sound).astype(np.int32)
    assert np.abs(out).max() <= CEILING
    delayed = sound[:-SPAN]
    loud = np.abs(delayed) > 100
    assert (np.sign(out[SPAN:][loud]) * np.sign(delayed[loud]) >= 0).all()


def test_the_gain_alone_keeps_it_in_range() -> None:
    """Were the last clip what limits, a loud tone would have flat tops."""
    out = run(tone(440, 90_000))[2 * TICK :]
    top = np.abs(out.astype(int)).max()
    assert 0.9 * CEILING < top <= CEILING
    assert (np.abs(out.astype(int)) >= top - 2).mean() < 0.03


@pytest.mark.parametrize("hz", [150, 440, 1_000, 3_000])
def test_a_steady_loud_tone_is_not_distorted(hz: float) -> None:
    out = run(tone(hz, 60_000, 150))[50 * TICK :].astype(float)
    window = np.blackman(len(out))
    spectrum = np.abs(np.fft.rfft(out * window)) ** 2
    bin_hz = 48_000 / len(out)
    main = round(hz / bin_hz)
    fundamental = spectrum[main - 5 : main + 6].sum()
    rest = spectrum[5:].sum() - fundamental
    assert 10 * np.log10(rest / fundamental) < -40


def test_no_pumping_under_speech_like_syllables() -> None:
    """The gain between loud syllables comes back by no more than the release allows."""
    syllable = (np.sin(2 * np.pi * 4 * np.arange(100 * TICK) / 48_000) > 0) * 0.9 + 0.1
    loud = np.rint(tone(500, 60_000) * syllable).astype(np.int32)
    state = LimiterState.fresh(1)
    gains = []
    for at in range(0, len(loud), TICK):
        limit(loud[None, at : at + TICK], state)
        gains.append(float(state.gain[0]))
    settled = np.array(gains[25:])
    assert settled.min() > 0.45
    assert np.diff(settled).max() < 0.07
    assert settled.max() < 0.85


def test_gain_comes_back_to_exactly_one() -> None:
    sound = np.concatenate((tone(440, 90_000, 10), tone(440, 5_000, 200)))
    out = run(sound)
    assert np.array_equal(out[150 * TICK + SPAN :], sound[150 * TICK : -SPAN])


def test_blocks_equal_the_whole() -> None:
    sound = np.concatenate((tone(300, 80_000, 4), tone(300, 8_000, 4), tone(300, 50_000, 4)))
    whole = run(sound, len(sound))
    assert np.array_equal(run(sound, TICK), whole)
    assert np.array_equal(run(sound, SPAN), whole)


def test_each_mix_is_limited_by_itself() -> None:
    quiet, loud = tone(440, 4_000, 10), tone(500, 90_000, 10)
    together = LimiterState.fresh(2)
    out = [
        limit(np.stack((quiet, loud))[:, at : at + TICK], together)
        for at in range(0, len(quiet), TICK)
    ]
    out = np.concatenate(out, axis=1)
    assert np.array_equal(out[0], run(quiet))
    assert np.array_equal(out[1], run(loud))


def test_a_twin_goes_on_as_the_original() -> None:
    sound = tone(440, 70_000, 20)
    state = LimiterState.fresh(1)
    for at in range(0, 10 * TICK, TICK):
        limit(sound[None, at : at + TICK], state)
    twins = state.rows([0, 0]).plus(LimiterState.fresh())
    out = limit(np.stack([sound[10 * TICK : 11 * TICK]] * 3), twins)
    assert np.array_equal(out[0], out[1])
    assert not np.array_equal(out[0], out[2])


@pytest.mark.parametrize("shape", [(1, 100), (1, 0), (2, TICK)])
def test_shapes_that_do_not_fit_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="states"):
        limit(np.zeros(shape, np.int32), LimiterState.fresh(1))
