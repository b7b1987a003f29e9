import itertools
import math
import wave
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mcu.bridge import sound
from mcu.bridge.sound import BLOCK_SAMPLES, SAMPLE_RATE_HZ, Block


def take(blocks: Iterable[Block], count: int) -> NDArray[np.int16]:
    """So many blocks in one piece; checks the form of each."""
    found = list(itertools.islice(blocks, count))
    assert len(found) == count
    for block in found:
        assert block.shape == (BLOCK_SAMPLES,)
        assert block.dtype == np.int16
    return np.concatenate(found)


def write_wave(path: Path, samples: NDArray[np.int16], rate: int = SAMPLE_RATE_HZ) -> None:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.tobytes())


def test_blocks_of_a_tone_are_the_whole_tone() -> None:
    heard = take(sound.tone(440.0, 0.2), 100)
    t = np.arange(100 * BLOCK_SAMPLES)
    whole = np.sin(2 * math.pi * 440.0 / SAMPLE_RATE_HZ * t) * 0.2 * 32767
    assert np.abs(heard - whole).max() <= 1


def test_tones_of_names_are_apart_and_in_the_range_of_voices() -> None:
    names = [f"Xã {number}" for number in range(500)]
    tones = {sound.tone_of(name) for name in names}
    assert len(tones) == 24
    assert min(tones) >= 300
    assert max(tones) < 1200
    assert min(b / a for a, b in itertools.pairwise(sorted(tones))) > 1.05
    assert sound.tone_of(names[0]) == sound.tone_of(names[0])


@given(st.lists(st.integers(0, 3 * BLOCK_SAMPLES), max_size=20))
def test_cutting_into_blocks_loses_and_adds_nothing(lengths: list[int]) -> None:
    parts, position = [], 0
    for length in lengths:
        parts.append(np.arange(position, position + length, dtype=np.float64) % 30_000)
        position += length
    blocks = list(sound.in_blocks(iter(parts)))
    assert len(blocks) == position // BLOCK_SAMPLES
    whole = np.arange(len(blocks) * BLOCK_SAMPLES) % 30_000
    assert np.array_equal(np.concatenate([np.zeros(0, np.int16), *blocks]), whole)


def test_speech_is_turns_and_silence_of_one_voice() -> None:
    heard = take(sound.speech("Phường Nha Trang"), 2000)
    again = take(sound.speech("Phường Nha Trang"), 2000)
    other = take(sound.speech("Xã Diên Khánh"), 2000)
    assert np.array_equal(heard, again)
    assert not np.array_equal(heard, other)
    loud = np.abs(heard.reshape(-1, BLOCK_SAMPLES)).max(axis=1) > 300
    assert 0.1 < loud.mean() < 0.9
    silent_runs = [len(list(run)) for is_loud, run in itertools.groupby(loud) if not is_loud]
    assert max(silent_runs) >= sound.SILENT_BETWEEN_TURNS_S[0] * 50
    assert np.abs(heard).max() <= 0.25 * 32767


def test_speech_neither_clicks_nor_holds_the_loop_long() -> None:
    heard = take(sound.speech("Xã Vạn Ninh"), 1000).astype(np.int64)
    # The highest of 23 harmonics of 220 Hz, full scale, moves by less than this a sample.
    steepest = 2 * math.pi * 23 * 220 * 1.15 / SAMPLE_RATE_HZ * 0.25 * 32767
    assert np.abs(np.diff(heard)).max() < steepest


def test_a_file_is_played_over_and_over(tmp_path: Path) -> None:
    path = tmp_path / "loa.wav"
    samples = (np.arange(4 * BLOCK_SAMPLES) % 2000).astype(np.int16)
    write_wave(path, samples)
    heard = take(sound.file(path), 9)
    assert np.array_equal(heard[: len(samples)], samples)
    assert np.array_equal(heard[len(samples) : 2 * len(samples)], samples)


def test_a_file_of_another_rate_keeps_its_pitch(tmp_path: Path) -> None:
    path = tmp_path / "loa.wav"
    t = np.arange(16_000) / 16_000
    write_wave(path, (np.sin(2 * math.pi * 1000 * t) * 8000).astype(np.int16), 16_000)
    heard = take(sound.file(path), 40).astype(np.float64)
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    peak_hz = int(spectrum.argmax()) * SAMPLE_RATE_HZ / len(heard)
    assert abs(peak_hz - 1000) < 5


def test_files_that_cannot_be_heard_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="absent"):
        next(sound.file(tmp_path / "absent.wav"))
    (tmp_path / "words.wav").write_text("không phải âm thanh")
    with pytest.raises(ValueError, match="words"):
        next(sound.file(tmp_path / "words.wav"))
    write_wave(tmp_path / "short.wav", np.zeros(100, np.int16))
    with pytest.raises(ValueError, match="less than 960 samples"):
        next(sound.file(tmp_path / "short.wav"))
