"""What a room's sound shows, through the real codec."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from mcu.bridge.sound import speech
from mcu.readiness.assessment import CLIPPED
from mcu.readiness.sound import PROBE_TICKS, measure_sound
from mixer.audio.block import TICK_SAMPLES
from mixer.codecs.opus import OpusDecoder, OpusEncoder
from mixer.detect.probe import probe

TICKS = 800
PROBES = (100, 450)


def spoken(amplitude: float = 0.25) -> NDArray[np.float64]:
    loud = (block for block in speech("an", amplitude) if np.abs(block).max() > 300)
    return np.concatenate(list(itertools.islice(loud, TICKS))).astype(np.float64)


def heard(sound: NDArray[np.float64]) -> list[NDArray[np.int16]]:
    encoder, decoder = OpusEncoder(), OpusDecoder()
    blocks = np.clip(sound, -32_768, 32_767).astype(np.int16).reshape(-1, TICK_SAMPLES)
    return [decoder.decode(encoder.encode(block)) for block in blocks]


def with_return(sound: NDArray[np.float64], level: float, delay_ms: int) -> NDArray[np.float64]:
    returned = sound.copy()
    for tick in PROBES:
        begin = tick * TICK_SAMPLES + delay_ms * 48
        returned[begin : begin + len(probe())] += level * probe()
    return returned


def test_speech_without_a_return() -> None:
    found = measure_sound(heard(spoken()), PROBES)
    assert found.seconds == pytest.approx(16.0)
    assert found.level_dbov is not None
    assert -32 < found.level_dbov < -20
    assert found.clipped == 0.0
    assert (found.echo, found.echo_delay_ms) == ("none", None)


@pytest.mark.parametrize("delay_ms", [40, 180, 400])
@pytest.mark.parametrize("level_db", [-3, -12, -20])
def test_the_tone_in_the_return_is_found_with_its_delay(delay_ms: int, level_db: int) -> None:
    sound = with_return(spoken(), 10 ** (level_db / 20), delay_ms)
    found = measure_sound(heard(sound), PROBES)
    assert found.echo == "echo"
    assert found.echo_delay_ms == pytest.approx(delay_ms + 6.5, abs=8)  # the codec's delay
    if level_db > -20:  # fainter ones are found; how faint they are is told roughly
        assert found.echo_level_db == pytest.approx(level_db, abs=4)


def test_noise_alone_is_silence_and_proves_that_nothing_returns() -> None:
    noise = np.random.default_rng(1).normal(0, 20, TICKS * TICK_SAMPLES)
    found = measure_sound(heard(noise), PROBES)
    assert found.level_dbov is None or found.level_dbov < -60
    assert found.echo == "none"


def test_digital_silence_tells_nothing_of_an_echo() -> None:
    found = measure_sound([np.zeros(TICK_SAMPLES, np.int16)] * TICKS, PROBES)
    assert (found.level_dbov, found.echo) == (None, None)


def test_an_overdriven_microphone() -> None:
    found = measure_sound(heard(np.clip(spoken(1.0) * 6, -32_768, 32_767)), PROBES)
    assert found.clipped is not None
    assert found.clipped >= 0.5


def test_short_beeps_are_not_overdriven_and_few_words_are() -> None:
    """A square wave of 20 ms twice a second is what Chromium's fake microphone sends.

    Its gain control turns it up to the end of scale, and it rings for a tenth of a second.
    """
    beeps = np.random.default_rng(1).normal(0, 5, TICKS * TICK_SAMPLES)
    ring = np.arange(9_600)
    ring = 5_000 * np.exp(-ring / 2_000) * np.sin(2 * np.pi * 400 * ring / 48_000)
    for begin in range(0, len(beeps), 24_000):
        wave = np.where(np.arange(1_440) // 60 % 2, -30_000.0, 30_000.0)
        beeps[begin : begin + len(wave)] = wave
        beeps[begin + len(wave) : begin + len(wave) + len(ring)] = ring
    found = measure_sound(heard(beeps), PROBES)
    assert found.clipped is None or found.clipped < CLIPPED
    words = np.random.default_rng(2).normal(0, 5, TICKS * TICK_SAMPLES)
    for begin in (48_000 * 2, 48_000 * 7, 48_000 * 12):
        words[begin : begin + 96_000] = np.clip(spoken(1.0)[:96_000] * 6, -32_768, 32_767)
    found = measure_sound(heard(words), PROBES)
    assert found.clipped is not None
    assert found.clipped >= CLIPPED


def test_nothing_and_a_probe_that_was_cut_off() -> None:
    assert measure_sound([], PROBES).seconds == 0.0
    short = heard(spoken())[: PROBES[0] + PROBE_TICKS - 1]
    assert measure_sound(short, PROBES).echo is None
