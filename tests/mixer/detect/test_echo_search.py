import numpy as np
import pytest

from bench import detect_sound as sounds
from bench.detect_echo import compare, healthy_pairs, is_found
from bench.detect_sound import CODECS, coded, mixed, narrow
from mixer.detect.echo_search import LEAST_FRAMES, EchoSearch

SECONDS = 6.0


def returned(delay_ms: float, level_db: float, noise_dbov: float, talk: bool, codec: str) -> tuple[
    sounds.Sound, sounds.Sound
]:  # fmt: skip
    voice = sounds.voice("far", SECONDS)
    parts = [sounds.echo(voice, delay_ms, level_db), sounds.noise(1, SECONDS, noise_dbov)]
    if talk:
        parts.append(sounds.voice("near", SECONDS))
    return voice, coded(mixed(*parts), codec, 1)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(
    ("delay_ms", "level_db", "noise_dbov", "talk"),
    [
        (20, -6, -50, False),
        (120, -20, -50, False),
        (400, -30, -60, False),
        (20, -40, -65, False),
        (200, -6, -60, True),
        (400, -20, -60, True),
    ],
)
def test_an_echo_is_found_with_its_delay(
    delay_ms: float, level_db: float, noise_dbov: float, talk: bool, codec: str
) -> None:
    found = compare(*returned(delay_ms, level_db, noise_dbov, talk, codec))
    assert is_found(found, delay_ms), found


def test_its_level_is_told() -> None:
    voice = sounds.voice("far", SECONDS)
    for level_db in (-6, -20, -30):
        back = sounds.later(sounds.gained(voice, level_db), 100.0)
        noisy = mixed(back, sounds.noise(1, SECONDS, -60))
        assert compare(voice, noisy).level_db == pytest.approx(level_db, abs=4.0)


def test_healthy_rooms_have_none() -> None:
    for material, pairs in healthy_pairs(range(2), recorded=False).items():
        for number, (there, back) in pairs:
            found = compare(there, coded(back, CODECS[number]))
            assert found.kind != "echo", (material, found)


def test_the_same_programme_is_shared_and_no_echo() -> None:
    [(_, (there, here))] = healthy_pairs([1], recorded=False)["the same television programme"]
    found = compare(there, here)
    assert found.kind == "shared"
    assert found.delay_ms == pytest.approx(-70, abs=2)


def test_nothing_is_said_of_what_is_too_short_or_silent() -> None:
    search = EchoSearch()
    voice = narrow(sounds.voice("far", SECONDS))
    search.take(voice[:9_000], voice[:9_000])
    assert search.likeness().frames < LEAST_FRAMES
    assert search.likeness().kind == "none"
    silent = EchoSearch()
    silent.take(voice, np.zeros_like(voice))
    assert silent.likeness().frames == 0


def test_blocks_equal_the_whole() -> None:
    there, back = (narrow(one) for one in returned(120, -20, -60, False, "opus"))
    whole, blocks = EchoSearch(), EchoSearch()
    whole.take(there, back)
    for at in range(0, len(there), 777):
        blocks.take(there[at : at + 777], back[at : at + 777])
    assert blocks.likeness() == whole.likeness()


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="3 samples sent, 2 returned"):
        EchoSearch().take(np.zeros(3, np.float32), np.zeros(2, np.float32))
