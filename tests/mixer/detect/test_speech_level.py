import numpy as np
import pytest

from bench import detect_sound as sounds
from bench.detect_sound import CODECS, coded, in_pieces, mixed, whole
from mixer.detect.speech_level import SpeechLevel, SpeechLevelReading

SECONDS = 6.0


def measured(sound: sounds.Sound) -> SpeechLevelReading:
    meter = SpeechLevel()
    meter.take(sound)
    return meter.reading()


def test_a_tone_is_as_loud_as_it_is() -> None:
    # ITU-T P.56, 11.2: a continuous tone has an activity of 100% and its own level.
    tone = sounds.at_level(np.sin(2 * np.pi * 1_000 * np.arange(240_000) / 48_000), -20.0)
    found = measured(tone)
    assert found.active_dbov == pytest.approx(-20.0, abs=0.2)
    assert found.activity == pytest.approx(1.0, abs=0.02)


def test_pauses_do_not_count() -> None:
    voice = sounds.voice("near", SECONDS)
    alone = measured(voice)
    paused = measured(np.concatenate((voice, np.zeros(480_000, np.int16))))
    assert paused.active_dbov == pytest.approx(alone.active_dbov, abs=0.5)
    assert paused.activity == pytest.approx(alone.activity * 6 / 16, abs=0.03)
    assert paused.long_term_dbov is not None
    assert alone.long_term_dbov is not None
    assert paused.long_term_dbov < alone.long_term_dbov - 3


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("gain_db", [6, -10, -20])
def test_codecs_and_quiet_rooms_leave_the_level(codec: str, gain_db: float) -> None:
    voice = sounds.voice("near", SECONDS)
    spoken = measured(voice).active_dbov
    assert spoken is not None
    noisy = mixed(sounds.gained(voice, gain_db), sounds.noise(1, SECONDS, -70))
    assert measured(coded(noisy, codec)).active_dbov == pytest.approx(spoken + gain_db, abs=1.0)


def test_nothing_and_too_little_have_no_level() -> None:
    assert measured(np.zeros(48_000, np.int16)) == SpeechLevelReading(None, 0.0, None)
    assert measured(np.zeros(0, np.int16)) == SpeechLevelReading(None, 0.0, None)
    click = np.zeros(48_000, np.int16)
    click[100] = 20_000
    assert measured(click).active_dbov is None


def test_blocks_equal_the_whole() -> None:
    voice = whole(sounds.gained(sounds.voice("near", 2.0), -3))
    meter = SpeechLevel()
    for piece in in_pieces(voice, (960, 1, 333, 5_000)):
        meter.take(piece)
    expected = measured(voice)
    assert meter.reading().active_dbov == pytest.approx(expected.active_dbov, abs=1e-6)
    assert meter.reading().activity == pytest.approx(expected.activity, abs=1e-6)
