import numpy as np
import pytest

from bench import detect_sound as sounds
from bench.detect_faults import HOWL_S, healthy_sounds, howling, longest_tone_s
from bench.detect_sound import CODECS, coded, in_pieces
from mixer.detect.howl import HowlWatch

SECONDS = 6.0


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(("hz", "growth_db_s"), [(400, 60), (1_100, 20), (2_700, 60)])
def test_a_loop_that_begins_to_howl_is_found(hz: float, growth_db_s: float, codec: str) -> None:
    loop = howling(hz, growth_db_s, sounds.voice("near", SECONDS))
    assert longest_tone_s(coded(loop, codec)) >= HOWL_S


@pytest.mark.parametrize("codec", ["opus", "pcma"])
def test_voices_music_and_noise_do_not_howl(codec: str) -> None:
    for material, given in healthy_sounds(range(2), recorded=False).items():
        for sound in given:
            assert longest_tone_s(coded(sound, codec)) < HOWL_S / 2, material


def test_the_tone_is_told() -> None:
    t = np.arange(96_000) / 48_000
    watch = HowlWatch()
    watch.take(sounds.whole(3_000 * 10 ** (t / 4) * np.sin(2 * np.pi * 1_234 * t)))
    tone = watch.tone
    assert tone is not None
    assert tone.frequency_hz == pytest.approx(1_234, abs=3)
    assert tone.grown_db == pytest.approx(9.2, abs=1)
    assert tone.level_dbov == pytest.approx(-14.5, abs=1)
    assert tone.held_s == watch.held_s > 1.5


def test_a_note_that_dies_away_and_one_that_moves_do_not_hold() -> None:
    t = np.arange(144_000) / 48_000
    dying = 12_000 * np.exp(-t * 2) * np.sin(2 * np.pi * 600 * t)
    moving = 8_000 * np.sin(2 * np.pi * (600 * t + 50 * t * t))
    for sound in (dying, moving):
        assert longest_tone_s(sounds.whole(sound)) < 0.5


def test_it_ends_with_the_tone() -> None:
    t = np.arange(96_000) / 48_000
    watch = HowlWatch()
    watch.take(sounds.whole(8_000 * np.sin(2 * np.pi * 900 * t)))
    assert watch.held_s > 1
    watch.take(sounds.noise(1, 1.0, -40))
    assert watch.held_s == 0
    assert watch.tone is None


def test_blocks_equal_the_whole() -> None:
    loop = howling(1_000, 40, sounds.voice("near", 3.0))
    whole, blocks = HowlWatch(), HowlWatch()
    whole.take(loop)
    for piece in in_pieces(loop, (960, 17, 2_500)):
        blocks.take(piece)
    assert blocks.tone == whole.tone is not None
