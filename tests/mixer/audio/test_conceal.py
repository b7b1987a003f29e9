import numpy as np
import pytest

from mixer.audio.conceal import WaveformConcealer, best_lag


def vowel(count: int, hz: float = 130.0, start: int = 0) -> np.ndarray:
    t = np.arange(start, start + count) / 48_000
    sound = sum(np.sin(2 * np.pi * hz * k * t) / k for k in range(1, 12))
    return np.rint(4_000 * sound).astype(np.int16)


@pytest.mark.parametrize("hz", [80, 130, 210, 300])
def test_best_lag_is_a_multiple_of_the_period(hz: int) -> None:
    sound = vowel(2_000, hz).astype(np.float32)
    lag, likeness = best_lag(sound[:480], sound, 120, 800)
    periods = lag * hz / 48_000
    assert periods == pytest.approx(round(periods), abs=0.02)
    assert likeness > 0.99


def test_best_lag_of_silence_is_no_likeness() -> None:
    assert best_lag(np.zeros(480, np.float32), np.zeros(2_000, np.float32), 120, 800)[1] == 0.0


@pytest.mark.parametrize("hz", [90, 130, 233])
def test_concealed_vowel_goes_on_without_a_click(hz: int) -> None:
    concealer = WaveformConcealer()
    before = vowel(4_800, hz)
    for at in range(0, 4_800, 960):
        concealer.accept(before[at : at + 960])
    gap = concealer.conceal(960)
    joined = np.concatenate((before, gap)).astype(int)
    own = np.abs(np.diff(before.astype(int))).max()
    assert np.abs(np.diff(joined)).max() <= 1.2 * own
    assert np.corrcoef(gap, vowel(960, hz, 4_800))[0, 1] > 0.9


def test_real_sound_takes_over_without_a_click() -> None:
    concealer = WaveformConcealer()
    concealer.accept(vowel(1_920))
    gap = concealer.conceal(700)
    back = concealer.accept(vowel(960, start=1_920 + 960))
    joined = np.concatenate((gap, back)).astype(int)
    own = np.abs(np.diff(vowel(4_800).astype(int))).max()
    assert np.abs(np.diff(joined)).max() <= 1.3 * own
    assert np.array_equal(back[300:], vowel(960, start=1_920 + 960)[300:])


def test_concealment_in_pieces_equals_one() -> None:
    first, second = WaveformConcealer(), WaveformConcealer()
    for one in (first, second):
        one.accept(vowel(2_500))
    pieces = [first.conceal(count) for count in (1, 119, 480, 360)]
    assert np.array_equal(np.concatenate(pieces), second.conceal(960))


def test_nothing_heard_yet_is_concealed_by_silence() -> None:
    assert not WaveformConcealer().conceal(960).any()


def test_without_a_gap_blocks_pass_unchanged() -> None:
    concealer = WaveformConcealer()
    for at in range(0, 9_600, 960):
        block = vowel(960, start=at)
        assert np.array_equal(concealer.accept(block), block)
