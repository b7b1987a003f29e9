import numpy as np
import pytest

from bench import detect_sound as sounds
from bench.detect_faults import HUM_DBOV, healthy_sounds, hum_dbov, humming
from bench.detect_sound import CODECS, coded, mixed, narrow
from mixer.detect.hum import QUIETEST_DBOV, HumWatch

SECONDS = 7.0


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("level_dbov", [-55, -40])
def test_hum_of_an_empty_room_is_told_with_its_level(level_dbov: float, codec: str) -> None:
    room = mixed(humming(level_dbov, SECONDS), sounds.noise(1, SECONDS, -65))
    # Opus for voice and G.711's band take some of the lowest lines away.
    assert level_dbov - 9 <= hum_dbov(coded(room, codec)) <= level_dbov + 1


@pytest.mark.parametrize("codec", CODECS)
def test_hum_under_speech_is_found(codec: str) -> None:
    room = mixed(humming(-40, SECONDS), sounds.voice("near", SECONDS))
    assert hum_dbov(coded(room, codec)) >= HUM_DBOV


@pytest.mark.parametrize("codec", ["opus", "pcma"])
def test_voices_music_and_noise_do_not_hum(codec: str) -> None:
    for material, given in healthy_sounds(range(2), recorded=False).items():
        for sound in given:
            assert hum_dbov(coded(sound, codec)) < HUM_DBOV, material


def test_nothing_is_said_in_the_first_seconds() -> None:
    watch = HumWatch()
    watch.take(np.zeros(30_000, np.float32))
    assert watch.level_dbov is None
    watch.take(np.zeros(30_000, np.float32))
    assert watch.level_dbov == QUIETEST_DBOV


def test_blocks_equal_the_whole() -> None:
    sound = narrow(humming(-40, SECONDS))
    whole, blocks = HumWatch(), HumWatch()
    whole.take(sound)
    for at in range(0, len(sound), 160):
        blocks.take(sound[at : at + 160])
    assert blocks.level_dbov == whole.level_dbov
