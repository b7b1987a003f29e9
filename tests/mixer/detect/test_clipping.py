import numpy as np
import pytest

from bench import detect_sound as sounds
from bench.detect_faults import clipped, healthy_sounds, is_clipped
from bench.detect_sound import CODECS, coded, narrow
from mixer.detect.clipping import ClippingWatch

SECONDS = 7.0


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("ceiling_dbfs", [-20, -6, 0])
@pytest.mark.parametrize("drive_db", [10, 20])
def test_it_is_found_behind_codecs_at_any_level(
    drive_db: float, ceiling_dbfs: float, codec: str
) -> None:
    driven = clipped(sounds.voice("near", SECONDS), drive_db, ceiling_dbfs)
    assert is_clipped(coded(driven, codec))


@pytest.mark.parametrize("codec", CODECS)
def test_healthy_sound_is_not_clipped(codec: str) -> None:
    for material, given in healthy_sounds(range(2), recorded=False).items():
        for sound in given:
            assert not is_clipped(coded(sound, codec)), material


def test_somebody_loud_who_just_fits_is_not_clipped() -> None:
    voice = sounds.voice("near", SECONDS)
    peak = np.abs(voice.astype(int)).max()
    loud = sounds.whole(voice * (0.95 * 32_767 / peak))
    assert not is_clipped(coded(loud, "pcma"))


def test_the_end_of_scale_and_the_level_are_told() -> None:
    watch = ClippingWatch()
    watch.take(narrow(clipped(sounds.voice("near", SECONDS), 15, 0)))
    found = watch.found()
    assert found is not None
    assert found.at_end_of_scale > 0.01
    assert found.level_dbfs == pytest.approx(0, abs=1.5)


def test_nothing_is_said_before_there_is_enough_nor_of_silence() -> None:
    watch = ClippingWatch()
    watch.take(np.zeros(30_000, np.float32))
    assert watch.found() is None
    watch.take(np.zeros(30_000, np.float32))
    found = watch.found()
    assert found is not None
    assert found.ceiling == 0


def test_blocks_equal_the_whole() -> None:
    sound = narrow(clipped(sounds.voice("near", SECONDS), 10, -6))
    whole, blocks = ClippingWatch(), ClippingWatch()
    whole.take(sound)
    for at in range(0, len(sound), 160):
        blocks.take(sound[at : at + 160])
    assert blocks.found() == whole.found()
