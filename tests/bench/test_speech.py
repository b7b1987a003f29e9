from pathlib import Path

import numpy as np
import pytest

from bench import speech
from bench.figures import VoidRunError


def test_utterances_lie_where_it_is_said() -> None:
    one, other = np.full(5_000, 7, np.int16), np.full(3_001, 9, np.int16)
    joined, places = speech.with_pauses([one, other])
    assert len(joined) % 960 == 0
    assert [set(joined[place].tolist()) for place in places] == [{7}, {9}]
    assert np.count_nonzero(joined) == 8_001


def test_the_level_is_that_of_what_is_not_pause() -> None:
    talking = (3000 * np.sin(np.arange(48_000) / 9)).astype(np.int16)
    half_silent = np.concatenate((talking, np.zeros(48_000, np.int16)))
    for sound in (talking, half_silent):
        level = speech.levelled(sound)[:48_000].astype(float)
        assert 20 * np.log10(np.sqrt((level**2).mean()) / 32768) == pytest.approx(-26, abs=0.3)


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(speech, "FOLDER", tmp_path)
    with pytest.raises(VoidRunError, match="apt-get install pocketsphinx-testdata"):
        speech.reader()


def test_recordings_come_at_48_khz(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(speech, "FOLDER", tmp_path)
    narrow = (5000 * np.sin(2 * np.pi * 400 * np.arange(16_000) / 16_000)).astype(np.int16)
    (tmp_path / "cards").mkdir()
    for name in speech.NUMBERS:
        (tmp_path / name).write_bytes(narrow.tobytes())
    monkeypatch.setattr(speech, "CARDS", speech.NUMBERS)
    numbers, _ = speech.others()
    assert [len(one) for one in numbers] == [48_000] * 3
    spectrum = np.abs(np.fft.rfft(numbers[0].astype(float)))
    assert spectrum.argmax() == 400  # Hz, of one second
