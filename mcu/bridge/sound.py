"""What a software bridge says: a tone, speech-like sound, or a file; 20 ms blocks at 48 kHz.

Speech here is synthetic: voiced syllables with moving formants, phrases and pauses of about the
rhythm of somebody who reports. It moves level meters and speaker selection as a voice does.
"""

import math
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.int16]

SAMPLE_RATE_HZ = 48_000
BLOCK_SAMPLES = 960

SYLLABLE_S = 0.18
SYLLABLES_IN_PHRASE = (5, 14)
PHRASES_IN_TURN = (2, 5)
PAUSE_S = (0.4, 1.6)
SILENT_BETWEEN_TURNS_S = (4.0, 12.0)
VOWELS_HZ = ((730, 1090, 2440), (530, 1840, 2480), (270, 2290, 3010), (570, 840, 2410))


def tone(frequency_hz: float, amplitude: float = 0.2) -> Iterator[Block]:
    """An endless tone without a step between blocks."""
    step = 2 * math.pi * frequency_hz / SAMPLE_RATE_HZ
    position = 0
    while True:
        phase = (np.arange(BLOCK_SAMPLES) + position) * step
        yield (np.sin(phase) * (amplitude * 32767)).astype(np.int16)
        position += BLOCK_SAMPLES


def tone_of(name: str) -> float:
    """A frequency in Hz that belongs to a name: one of 24 steps from 300 to 1130."""
    return 300.0 * 2 ** ((zlib.crc32(name.encode()) % 24) / 12.0)


def _syllable(random: np.random.Generator, pitch_hz: float) -> NDArray[np.float64]:
    """A voiced syllable: harmonics of the pitch, weighed by a vowel's formants."""
    count = int(SAMPLE_RATE_HZ * SYLLABLE_S * random.uniform(0.8, 1.3))
    t = np.arange(count) / SAMPLE_RATE_HZ
    formants = VOWELS_HZ[random.integers(len(VOWELS_HZ))]
    glide = pitch_hz * (1 + random.uniform(-0.15, 0.15) * t / t[-1])
    phase = 2 * np.pi * np.cumsum(glide) / SAMPLE_RATE_HZ
    sound = np.zeros(count)
    for harmonic in range(1, 24):
        frequency = harmonic * pitch_hz
        weight = sum(
            math.exp(-(((frequency - formant) / 160.0) ** 2)) / (1 + index)
            for index, formant in enumerate(formants)
        )
        sound += (weight + 0.02) / math.sqrt(harmonic) * np.sin(harmonic * phase)
    return sound * np.sin(np.pi * np.arange(count) / count)


def _turns(name: str, amplitude: float) -> Iterator[NDArray[np.float64]]:
    """Syllables and pauses of somebody who reports now and then, as 16-bit values."""
    random = np.random.default_rng(zlib.crc32(name.encode()))
    pitch_hz = float(random.uniform(95, 220))

    def silence(longest_s: float, shortest_s: float = 0.0) -> NDArray[np.float64]:
        return np.zeros(int(SAMPLE_RATE_HZ * random.uniform(shortest_s, longest_s)))

    yield silence(6.0)
    while True:
        for _ in range(int(random.integers(*PHRASES_IN_TURN))):
            for _ in range(int(random.integers(*SYLLABLES_IN_PHRASE))):
                syllable = _syllable(random, pitch_hz)
                loudness = amplitude * 32767 * random.uniform(0.5, 1.0)
                yield syllable * (loudness / np.abs(syllable).max())
            yield silence(PAUSE_S[1], PAUSE_S[0])
        yield silence(SILENT_BETWEEN_TURNS_S[1], SILENT_BETWEEN_TURNS_S[0])


def in_blocks(parts: Iterable[NDArray[np.float64]]) -> Iterator[Block]:
    """Cut sound of any lengths into blocks; what is left at the end is not given."""
    rest = np.zeros(0)
    for part in parts:
        sound = np.concatenate([rest, part])
        whole = len(sound) // BLOCK_SAMPLES * BLOCK_SAMPLES
        yield from sound[:whole].astype(np.int16).reshape(-1, BLOCK_SAMPLES)
        rest = sound[whole:]


def speech(name: str, amplitude: float = 0.25) -> Iterator[Block]:
    """Endless speech-like sound in turns, the same for the same name.

    Cost: some milliseconds a syllable, in the block it begins in.
    """
    return in_blocks(_turns(name, amplitude))


def file(path: Path) -> Iterator[Block]:
    """The sound of a media file, over and over.

    Raises:
        OSError: it cannot be read. ValueError: it has less than 20 ms of sound.
    """
    while True:
        blocks = 0
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise ValueError(f"{path} has no sound")
            resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE_HZ, BLOCK_SAMPLES)
            for frame in container.decode(audio=0):
                for out in resampler.resample(frame):
                    block = out.to_ndarray().reshape(-1).astype(np.int16, copy=False)
                    if len(block) == BLOCK_SAMPLES:
                        blocks += 1
                        yield block
        if not blocks:
            raise ValueError(f"{path} has less than {BLOCK_SAMPLES} samples of sound")
