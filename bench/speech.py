"""Recorded speech for measuring what becomes of it: the test recordings of pocketsphinx.

Somebody reads a novel (LibriVox), others say numbers and names of cards; 16 kHz, mono.
"""

import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.figures import VoidRunError
from mixer.audio.block import TICK_SAMPLES
from mixer.audio.resample import Upsampler

FOLDER = Path("/usr/share/pocketsphinx/test/data")
INSTALL = "apt-get install pocketsphinx-testdata"
RECORDED_HZ = 16_000
FACTOR = 3
"""To 48 kHz."""
ACTIVE_LEVEL_DBOV = -26.0
"""Of what is not pause (ITU-T P.56's habit for test speech)."""
PAUSE_SAMPLES = 24_000

READER = ("0870", "0880", "0890", "0920", "0930")
NUMBERS = ("numbers.raw", "something.raw", "goforward.raw")
CARDS = ("cards/001.wav", "cards/002.wav", "cards/003.wav", "cards/004.wav", "cards/005.wav")

Sound = NDArray[np.int16]
"""Shape (samples,); 48 kHz unless said otherwise."""


def reader() -> list[Sound]:
    """Five sentences of a novel.

    Raises:
        VoidRunError: the recordings are not installed.
    """
    stem = "librivox/sense_and_sensibility_01_austen_64kb"
    return [_recorded(f"{stem}-{number}.wav") for number in READER]


def others() -> list[list[Sound]]:
    """Utterances of two more people.

    Raises:
        VoidRunError: the recordings are not installed.
    """
    return [[_recorded(name) for name in names] for names in (NUMBERS, CARDS)]


def with_pauses(utterances: Sequence[Sound]) -> tuple[Sound, list[slice]]:
    """One after the other, half a second apart, in whole ticks; and where each of them is."""
    pause = np.zeros(PAUSE_SAMPLES, np.int16)
    parts: list[Sound] = [pause]
    places = []
    at = len(pause)
    for one in utterances:
        places.append(slice(at, at + len(one)))
        parts += [one, pause]
        at += len(one) + len(pause)
    joined = np.concatenate(parts)
    missing = -len(joined) % TICK_SAMPLES
    return np.concatenate((joined, np.zeros(missing, np.int16))), places


def levelled(sound: Sound, level_dbov: float = ACTIVE_LEVEL_DBOV) -> Sound:
    """The sound with its louder half of blocks brought to a level."""
    blocks = sound[: len(sound) // TICK_SAMPLES * TICK_SAMPLES].reshape(-1, TICK_SAMPLES)
    powers = np.sort(np.square(blocks.astype(np.float64)).mean(axis=1))
    active = float(np.sqrt(powers[len(powers) // 2 :].mean()))
    wanted = 32768.0 * 10 ** (level_dbov / 20)
    return _whole(sound.astype(np.float64) * (wanted / max(active, 1.0)))


def _recorded(name: str) -> Sound:
    path = FOLDER / name
    if not path.exists():
        raise VoidRunError(f"there is no recorded speech: {INSTALL}")
    if path.suffix == ".wav":
        with wave.open(str(path)) as file:
            data = file.readframes(file.getnframes())
    else:
        data = path.read_bytes()
    narrow = np.frombuffer(data, np.int16)
    return levelled(_whole(Upsampler(FACTOR).process(narrow)))


def _whole(sound: NDArray[np.float64] | NDArray[np.float32]) -> Sound:
    return np.clip(np.rint(sound), -32768, 32767).astype(np.int16)
