import numpy as np
import pytest

from bench import detect_sound as sounds
from bench.detect_echo import healthy_pairs
from bench.detect_sound import CODECS, coded, levels, mixed
from mixer.detect.echo_scan import EchoScan

SECONDS = 6.0
DELAYS_MS = (20, 120, 240, 400)


def rooms(level_db: float, noise_dbov: float) -> tuple[np.ndarray, np.ndarray]:
    """Levels of what is sent and returned, (ticks, rooms)."""
    sent, back = [], []
    for number, delay in enumerate(DELAYS_MS):
        voice = sounds.voice(f"far {number}", SECONDS)
        echo = sounds.echo(voice, delay, level_db)
        room = mixed(echo, sounds.noise(number, SECONDS, noise_dbov))
        sent.append(levels(voice))
        back.append(levels(coded(room, CODECS[number])))
    return np.stack(sent, axis=1), np.stack(back, axis=1)


@pytest.mark.parametrize(("level_db", "noise_dbov"), [(-6, -50), (-20, -60), (-30, -70)])
def test_rooms_that_return_what_they_are_sent_are_suspects(
    level_db: float, noise_dbov: float
) -> None:
    scan = EchoScan(len(DELAYS_MS))
    scan.take(*rooms(level_db, noise_dbov))
    assert sorted(scan.suspects().tolist()) == [0, 1, 2, 3]
    assert np.abs(scan.delay_ticks * 20 - DELAYS_MS).max() <= 40


def test_people_in_conversation_are_none() -> None:
    pairs = healthy_pairs(range(2), recorded=False)
    both = pairs["two speak at once"] + pairs["echo cancelled, noise"]
    scan = EchoScan(len(both))
    scan.take(*(np.stack([levels(pair[side]) for _, pair in both], axis=1) for side in (0, 1)))
    assert scan.suspects().tolist() == []


def test_silence_is_like_nothing() -> None:
    scan = EchoScan(3)
    silent = np.full((400, 3), -127, np.float32)
    scan.take(silent, silent)
    assert scan.likeness.tolist() == [0, 0, 0]


def test_blocks_equal_the_whole() -> None:
    sent, back = rooms(-20, -60)
    sent, back = np.concatenate((sent, sent)), np.concatenate((back, back))
    whole, ticks = EchoScan(4), EchoScan(4)
    whole.take(sent, back)
    for at in range(len(sent)):
        ticks.take(sent[at : at + 1], back[at : at + 1])
    assert np.array_equal(ticks.likeness, whole.likeness)
    assert np.array_equal(ticks.delay_ticks, whole.delay_ticks)


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="sent"):
        EchoScan(2).take(np.zeros((5, 2), np.float32), np.zeros((4, 2), np.float32))
