import numpy as np
import pytest

from bench import detect_sound as sounds
from bench.detect_echo import is_found, probed
from bench.detect_sound import CODECS, coded, mixed, narrow
from mixer.audio.block import TICK_SAMPLES
from mixer.audio.level import level_dbov
from mixer.detect.probe import LEVEL_DBOV, ProbeSearch, probe

SECONDS = 4.0


def after_probe(delay_ms: float, level_db: float, talk: bool) -> sounds.Sound:
    played = np.zeros(sounds.ticks(SECONDS) * TICK_SAMPLES, np.int16)
    played[: len(probe())] = probe()
    parts = [sounds.echo(played, delay_ms, level_db), sounds.noise(1, SECONDS, -65)]
    if talk:
        parts.append(sounds.voice("near", SECONDS))
    return mixed(*parts)


def test_it_is_quiet_and_in_whole_ticks() -> None:
    assert len(probe()) % TICK_SAMPLES == 0
    assert level_dbov(probe()) == pytest.approx(LEVEL_DBOV, abs=0.2)
    assert np.abs(probe().astype(int)).max() < 3_000


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(
    ("delay_ms", "level_db", "talk"), [(20, -6, True), (400, -40, False), (150, -12, True)]
)
def test_it_is_found_in_the_return(
    delay_ms: float, level_db: float, talk: bool, codec: str
) -> None:
    found = probed(coded(after_probe(delay_ms, level_db, talk), codec, 1))
    assert is_found(found, delay_ms), found
    assert found.level_db == pytest.approx(level_db, abs=5.0)


@pytest.mark.parametrize("codec", CODECS)
def test_it_is_not_found_where_it_is_not(codec: str) -> None:
    for sound in (
        sounds.voice("near", SECONDS),
        sounds.music(1, SECONDS),
        sounds.noise(1, SECONDS, -50),
        np.zeros(sounds.ticks(SECONDS) * TICK_SAMPLES, np.int16),
    ):
        assert probed(coded(sound, codec)).kind == "none"


def test_blocks_equal_the_whole_and_it_ends() -> None:
    sound = narrow(after_probe(100, -20, False))
    whole, blocks = ProbeSearch(), ProbeSearch()
    whole.take(sound)
    for at in range(0, len(sound), 160):
        blocks.take(sound[at : at + 160])
        assert not blocks.complete or at > 2.4 * 8_000
    assert blocks.complete
    assert blocks.likeness() == whole.likeness()
