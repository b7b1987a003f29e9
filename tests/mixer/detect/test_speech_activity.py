import numpy as np
import pytest

from bench import detect_sound as sounds
from bench.detect_faults import humming
from bench.detect_sound import coded, levels, mixed
from mixer.detect.speech_activity import HOP_TICKS, SpeechActivity

SECONDS = 6.0
TICKS = sounds.ticks(SECONDS)


def silent_s(sound: sounds.Sound, codec: str) -> float:
    activity = SpeechActivity(1)
    activity.take(levels(coded(sound, codec))[:, None])
    return float(activity.silent_ticks[0]) / 50


@pytest.mark.parametrize("codec", ["opus, 5% lost", "pcma"])
@pytest.mark.parametrize("noise_dbov", [-70, -50, -35])
def test_noise_of_a_room_is_silence(noise_dbov: float, codec: str) -> None:
    assert silent_s(sounds.noise(1, SECONDS, noise_dbov), codec) >= SECONDS - 0.5


def test_hum_and_nothing_are_silence() -> None:
    assert silent_s(humming(-40, SECONDS), "pcma") == SECONDS
    assert silent_s(np.zeros(TICKS * 960, np.int16), "opus") == SECONDS


@pytest.mark.parametrize("codec", ["opus, 5% lost", "pcma"])
@pytest.mark.parametrize(("gain_db", "noise_dbov"), [(0, -70), (0, -42), (-14, -56)])
def test_somebody_who_speaks_is_heard(gain_db: float, noise_dbov: float, codec: str) -> None:
    voice = sounds.gained(sounds.voice("near", SECONDS), gain_db)
    noisy = mixed(voice, sounds.noise(1, SECONDS, noise_dbov))
    assert silent_s(noisy, codec) <= 1.5


def test_a_door_is_no_speech() -> None:
    level = np.full((TICKS, 1), -60, np.float32)
    level[100:103] = -20
    activity = SpeechActivity(1)
    activity.take(level)
    assert activity.silent_ticks.tolist() == [TICKS]


def test_silence_is_counted_from_the_last_word() -> None:
    level = np.full((TICKS, 1), -60, np.float32)
    level[:150:2] = -25
    activity = SpeechActivity(1)
    activity.take(level)
    assert activity.silent_ticks.tolist() == [TICKS - 150]


def test_the_floor_is_the_noise_between_words() -> None:
    noisy = mixed(sounds.voice("near", SECONDS), sounds.noise(1, SECONDS, -50))
    activity = SpeechActivity(1)
    activity.take(levels(noisy)[:, None])
    assert activity.floor_dbov[0] == pytest.approx(-50, abs=2)


def test_rooms_do_not_mix_and_blocks_equal_the_whole() -> None:
    voice, noise = levels(sounds.voice("near", SECONDS)), np.full(TICKS, -50, np.float32)
    both = np.stack([voice, noise], axis=1)
    whole, ticks = SpeechActivity(2), SpeechActivity(2)
    whole.take(both)
    for at in range(0, TICKS, 7):
        ticks.take(both[at : at + 7])
    assert ticks.silent_ticks.tolist() == whole.silent_ticks.tolist()
    assert ticks.floor_dbov.tolist() == whole.floor_dbov.tolist()
    assert whole.silent_ticks[1] == TICKS
    assert whole.silent_ticks[0] < 3 * HOP_TICKS


def test_another_number_of_rooms_is_refused() -> None:
    with pytest.raises(ValueError, match="dimension"):
        SpeechActivity(2).take(np.zeros((5, 3), np.float32))
