"""What callers hear who have to enter a PIN."""

import wave
from pathlib import Path

import numpy as np
import pytest

from config.problems import SettingsError
from config.sip_section import SipSettings
from mcu.sip.pin_sounds import (
    AFTER_WRONG_S,
    MAX_RECORDING_S,
    PROMPT_HZ,
    REPEATED_S,
    THINKING_S,
    TONE_S,
    WRONG_HZ,
    Announcer,
    RecordingError,
    make_sounds,
    read_recording,
    site_sounds,
)
from mixer.audio.block import SAMPLE_RATE_HZ, TICK_S, Int16Block

PROMPT_TICKS = round(len(PROMPT_HZ) * TONE_S / TICK_S)
WRONG_TICKS = round(len(WRONG_HZ) * TONE_S / TICK_S)


def heard(announcer: Announcer, ticks: int) -> Int16Block:
    return np.concatenate([announcer.block() for _ in range(ticks)])


def pitches(sound: Int16Block) -> list[int]:
    """The strongest frequency of each tone's length, 5 Hz exact; 0 where there is silence."""
    found = []
    length = round(TONE_S * SAMPLE_RATE_HZ)
    for start in range(0, len(sound) - length + 1, length):
        spectrum = np.abs(np.fft.rfft(sound[start : start + length] / 32_768))
        loud = spectrum.max() > 1.0
        found.append(round(int(spectrum.argmax()) / TONE_S) if loud else 0)
    return found


def is_quiet(sound: Int16Block) -> bool:
    return not sound.any()


def test_the_prompt_is_repeated_with_silence_between() -> None:
    announcer = Announcer(make_sounds())
    for _ in range(3):
        assert pitches(heard(announcer, PROMPT_TICKS)) == list(PROMPT_HZ)
        assert is_quiet(heard(announcer, round(REPEATED_S / TICK_S)))


def test_a_key_silences_it_for_a_while() -> None:
    announcer = Announcer(make_sounds())
    heard(announcer, 3)
    announcer.key_pressed()
    assert is_quiet(heard(announcer, round(THINKING_S / TICK_S)))
    assert pitches(heard(announcer, PROMPT_TICKS)) == list(PROMPT_HZ)


def test_a_wrong_pin_is_told_at_once_and_then_the_prompt_begins_anew() -> None:
    announcer = Announcer(make_sounds())
    announcer.key_pressed()
    announcer.wrong()
    assert pitches(heard(announcer, WRONG_TICKS)) == pytest.approx(WRONG_HZ, abs=5)
    assert is_quiet(heard(announcer, round(AFTER_WRONG_S / TICK_S)))
    assert pitches(heard(announcer, PROMPT_TICKS)) == list(PROMPT_HZ)


def test_it_is_loud_enough_and_never_clicks() -> None:
    sound = heard(Announcer(make_sounds()), PROMPT_TICKS)
    assert 4_000 < np.abs(sound).max() < 8_000
    assert np.abs(np.diff(sound.astype(int))).max() < 1_000


def write_wave(path: Path, hz: int, seconds: float, rate: int = 8_000) -> Path:
    tone = 8_000 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat(tone.astype("<i2"), 2).tobytes())
    return path


def test_a_recording_is_played_after_the_tones(tmp_path: Path) -> None:
    sip = SipSettings(pin_recording=write_wave(tmp_path / "nhap.wav", 500, 1.0))
    announcer = Announcer(site_sounds(sip))
    assert pitches(heard(announcer, PROMPT_TICKS)) == list(PROMPT_HZ)
    assert pitches(heard(announcer, 50)) == [500] * 5
    assert is_quiet(heard(announcer, 100))


def test_a_recording_that_is_too_long_is_cut(tmp_path: Path) -> None:
    path = write_wave(tmp_path / "long.wav", 500, MAX_RECORDING_S + 2)
    assert len(read_recording(path)) == MAX_RECORDING_S * SAMPLE_RATE_HZ


def test_what_is_no_recording_is_named(tmp_path: Path) -> None:
    text, missing = tmp_path / "text.wav", tmp_path / "missing.wav"
    text.write_text("no sound at all " * 100)
    empty = write_wave(tmp_path / "empty.wav", 500, 0.0)
    for path in (text, missing, empty):
        with pytest.raises(RecordingError):
            read_recording(path)
    with pytest.raises(SettingsError, match=r"sip\.pin_recording"):
        site_sounds(SipSettings(pin_recording=text))
