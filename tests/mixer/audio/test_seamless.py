"""Seams of sound: no step is larger than those of the sound itself."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixer.audio.seamless import ATTACK_SAMPLES, FADE_SAMPLES, RELEASE_SAMPLES, SeamlessFifo

LOUD = 8_000


class Decoder:
    """Makes up a constant, and says how much of it was asked for."""

    def __init__(self) -> None:
        self.concealed = 0

    def conceal(self, samples: int) -> np.ndarray:
        self.concealed += samples
        return np.full(samples, LOUD, np.int16)


def loud(count: int) -> np.ndarray:
    return np.full(count, LOUD, np.int16)


def all_of(fifo: SeamlessFifo) -> np.ndarray:
    return fifo.pop(len(fifo)).astype(int)


def test_real_sound_fades_in_and_is_itself_from_then_on() -> None:
    fifo = SeamlessFifo(4_000)
    for count in (100, 100, 960):
        fifo.push_real(loud(count))
    sound = all_of(fifo)
    assert np.abs(np.diff(sound, prepend=0)).max() <= LOUD // ATTACK_SAMPLES + 1
    assert (np.diff(sound) >= 0).all()
    assert (sound[200 + ATTACK_SAMPLES :] == LOUD).all()
    assert fifo.gain == 1.0


def test_what_is_made_up_is_gone_after_100_ms_and_then_the_decoder_is_left_alone() -> None:
    fifo, decoder = SeamlessFifo(20_000), Decoder()
    fifo.push_real(loud(960))
    for _ in range(8):
        fifo.push_concealed(decoder, 1_200)
    sound = all_of(fifo)[960:]
    assert np.abs(np.diff(sound, prepend=LOUD)).max() <= LOUD // FADE_SAMPLES + 2
    assert sound[FADE_SAMPLES // 2] == pytest.approx(LOUD / 2, rel=0.01)
    assert not sound[FADE_SAMPLES:].any()
    assert decoder.concealed == FADE_SAMPLES
    assert fifo.gain == 0.0


@pytest.mark.parametrize("pieces", [[960], [100] * 10, [RELEASE_SAMPLES, 1]])
def test_silence_is_gone_over_into(pieces: list[int]) -> None:
    fifo, decoder = SeamlessFifo(4_000), Decoder()
    fifo.push_real(loud(960))
    for count in pieces:
        fifo.push_silence(decoder, count)
    sound = all_of(fifo)[960:]
    assert len(sound) == sum(pieces)
    assert (np.diff(sound, prepend=LOUD) <= 0).all()
    assert sound[0] > 0.9 * LOUD
    assert sound[-1] == 0
    assert fifo.gain == 0.0


PARTS = st.lists(
    st.tuples(st.sampled_from(["real", "concealed", "silence"]), st.integers(0, 960)), max_size=20
)


@given(PARTS)
def test_whatever_follows_whatever_no_seam_is_heard(parts: list[tuple[str, int]]) -> None:
    fifo, decoder = SeamlessFifo(20 * 960), Decoder()
    for what, count in parts:
        if what == "real":
            fifo.push_real(loud(count))
        elif what == "concealed":
            fifo.push_concealed(decoder, count)
        else:
            fifo.push_silence(decoder, count)
        assert 0.0 <= fifo.gain <= 1.0
    assert len(fifo) == sum(count for _, count in parts)
    steps = [abs(int(b) - int(a)) for a, b in itertools.pairwise([0, *all_of(fifo)])]
    assert max(steps, default=0) <= LOUD // ATTACK_SAMPLES + 2
