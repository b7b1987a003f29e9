from typing import Literal

import numpy as np
import numpy.typing as npt
import pytest

from mixer.audio.level import level_dbov
from mixer.codecs.coarse_level import SPEECH_SCALE, g711_levels, g722_scales
from mixer.codecs.g711 import G711Encoder, payload_level_dbov
from mixer.codecs.g722 import G722Encoder

SAMPLES = npt.NDArray[np.float64]
T = np.arange(48_000) / 48_000


def noise(level: float) -> SAMPLES:
    return np.random.default_rng(1).normal(0, 32_768 * 10 ** (level / 20), 48_000)


def voice(level: float) -> SAMPLES:
    """Harmonics of 120 Hz that swell and fade."""
    sound = sum(np.sin(2 * np.pi * 120 * k * T + k) / k for k in range(1, 30))
    sound = sound * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * T))
    return sound / np.sqrt(np.mean(sound**2)) * 32_768 * 10 ** (level / 20)


def tone(hz: float, level: float) -> SAMPLES:
    return np.sqrt(2) * np.sin(2 * np.pi * hz * T) * 32_768 * 10 ** (level / 20)


def coded(sound: SAMPLES, encoder: G722Encoder | G711Encoder) -> list[bytes]:
    blocks = np.clip(np.rint(sound), -32768, 32767).astype(np.int16).reshape(-1, 960)
    return [encoder.encode(block) for block in blocks]


@pytest.mark.parametrize("law", ["pcma", "pcmu"])
def test_g711_levels_are_those_of_the_decoded_sound(law: Literal["pcma", "pcmu"]) -> None:
    payloads = [coded(noise(level), G711Encoder(law))[3] for level in (-70, -40, -10)]
    payloads += [payloads[0][:80], payloads[2] * 3, b"\x00"]
    found = g711_levels(law, payloads)
    expected = [payload_level_dbov(law, one) for one in payloads]
    assert found == pytest.approx(expected, abs=0.01)
    assert level_dbov(np.zeros(1, np.int16)) == -127.0


def scales(sound: SAMPLES) -> list[float]:
    before, found = [0.0], []
    for payload in coded(sound, G722Encoder()):
        before = g722_scales([payload], before).tolist()
        found.append(before[0])
    return found[5:]


@pytest.mark.parametrize(
    "sound", [voice(-45), noise(-55), tone(1_000, -50), tone(300, -35), voice(-10), noise(-1)]
)
def test_what_may_be_speech_is_beyond_the_threshold(sound: SAMPLES) -> None:
    assert np.mean([one > SPEECH_SCALE for one in scales(sound)]) > 0.8


@pytest.mark.parametrize("sound", [0 * T, noise(-72), tone(1_000, -75)])
def test_a_quiet_room_is_below_it(sound: SAMPLES) -> None:
    assert np.mean([one > SPEECH_SCALE for one in scales(sound)]) < 0.05


def test_many_of_different_lengths_are_as_each_alone() -> None:
    payloads = [b"".join(coded(noise(-30), G722Encoder())[:count]) for count in (1, 2, 1, 3)]
    before = [0.0, 500.0, 9_000.0, 18_432.0]
    together = g722_scales(payloads, before)
    alone = [g722_scales([one], [old])[0] for one, old in zip(payloads, before, strict=True)]
    assert together == pytest.approx(alone, rel=1e-4)
    assert ((together >= 0) & (together <= 18_432)).all()
