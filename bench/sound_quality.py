"""What is left of a sound: scores of speech, and clicks.

PESQ (ITU-T P.862.2, wideband: 1 to 4.64) and STOI (intelligibility, 0 to 1) come from PyPI's
``pesq`` and ``pystoi``. Both compare at 16 kHz with the sound as it was spoken.
"""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.figures import VoidRunError
from bench.speech import FACTOR, RECORDED_HZ, Sound
from mixer.audio.resample import Downsampler

INSTALL = "pip install pesq pystoi (not among the pinned packages: pesq is compiled, with gcc)"
LONGEST_DELAY_SAMPLES = 48_000
SEARCH_SAMPLES = 4 * 48_000


@dataclass(frozen=True, slots=True)
class SpeechScore:
    """Means over utterances; ``delay_ms`` is from spoken to heard, of each by itself."""

    pesq: float
    stoi: float
    delay_ms: float


def delay_of(spoken: Sound, heard: Sound) -> int:
    """By how many samples ``heard`` is late, 0 to LONGEST_DELAY_SAMPLES, by correlation.

    Looks at the first seconds in which something is said.
    """
    first = int(np.argmax(np.abs(spoken) > 500))
    a = spoken[first : first + SEARCH_SAMPLES].astype(np.float64)
    b = heard[first : first + SEARCH_SAMPLES + LONGEST_DELAY_SAMPLES].astype(np.float64)
    size = 1 << int(np.ceil(np.log2(len(a) + len(b))))
    likeness = np.fft.irfft(np.conj(np.fft.rfft(a, size)) * np.fft.rfft(b, size), size)
    return int(likeness[:LONGEST_DELAY_SAMPLES].argmax())


def score(spoken: Sound, heard: Sound, places: Sequence[slice]) -> SpeechScore:
    """Score each utterance of a sound that went through something.

    Args:
        spoken, heard: 48 kHz; ``heard`` is later by up to a second, and may end earlier.
        places: of the utterances in ``spoken``.
    Raises:
        VoidRunError: pesq or pystoi is not installed.
    """
    pesq, stoi = _scores()
    found = []
    for place in places:
        # Each by itself: playout buffers take pauses to become longer or shorter.
        late = delay_of(spoken[place], heard[place.start :])
        original = _narrow(spoken[place])
        result = _narrow(heard[place.start + late : place.stop + late])
        length = min(len(original), len(result))
        original, result = original[:length], result[:length]
        found.append(
            (
                float(pesq(RECORDED_HZ, original, result, "wb")),
                float(stoi(original / 32768.0, result / 32768.0, RECORDED_HZ)),
                late / 48.0,
            )
        )
    mean = np.mean(found, axis=0)
    return SpeechScore(*map(float, mean))


def roughness(sound: Sound) -> float:
    """The largest second difference: what a click shows in, however loud the sound is."""
    return float(np.abs(np.diff(sound.astype(np.int64), 2)).max())


def level_range_db(sound: Sound, hz: float, window_samples: int = 4800) -> float:
    """Between the quietest and the loudest window, how loud one pitch is: what pumps shows here."""
    count = len(sound) // window_samples
    windows = sound[: count * window_samples].reshape(count, window_samples)
    spin = np.exp(-2j * np.pi * hz * np.arange(window_samples) / 48_000)
    shaped: NDArray[np.float64] = np.hanning(window_samples)
    amplitudes = np.abs((windows * shaped) @ spin)
    return float(20 * np.log10(amplitudes.max() / max(amplitudes.min(), 1e-9)))


def _scores() -> tuple[Any, Any]:
    try:
        return importlib.import_module("pesq").pesq, importlib.import_module("pystoi").stoi
    except ImportError as error:
        raise VoidRunError(f"{error.name} is not installed: {INSTALL}") from error


def _narrow(sound: Sound) -> Sound:
    whole = sound[: len(sound) // FACTOR * FACTOR]
    lower = Downsampler(FACTOR).process(whole)
    return np.clip(np.rint(lower), -32768, 32767).astype(np.int16)
