"""Mains hum: the power in the harmonics of 50 Hz that stand out of a room's noise and stay.

A voice has such lines too, but never for seconds at the same place; so of
several looks one counts that most reach.
"""

import numpy as np
import numpy.typing as npt

RATE_HZ = 8_000
WINDOW = 8_192
"""1.02 s: lines of 1 Hz."""
LOOKS = 5
SEEN = 3
"""In so many looks must a line stand out; voices hide it in others."""
MAINS_HZ = 50.0
HARMONICS = 12
LINE_HZ = 2.0
NEIGHBOURS_HZ = (5.0, 20.0)
OUT_DB = 10.0
"""So far must a line stand out of what is beside it."""
LEAST_LINES = 3
"""A held note of music has one there, or two."""
QUIETEST_DBOV = -127.0

_WEIGHTS = np.hanning(WINDOW).astype(np.float32)
_SCALE = 32_768.0**2 * float(np.square(_WEIGHTS).sum()) * WINDOW / 2
_HZ = np.fft.rfftfreq(WINDOW, 1 / RATE_HZ)
_LINES = [np.abs(_HZ - MAINS_HZ * k) <= LINE_HZ for k in range(1, HARMONICS + 1)]
_BESIDE = [
    (np.abs(_HZ - MAINS_HZ * k) >= NEIGHBOURS_HZ[0])
    & (np.abs(_HZ - MAINS_HZ * k) <= NEIGHBOURS_HZ[1])
    for k in range(1, HARMONICS + 1)
]

Samples = npt.NDArray[np.float32]


class HumWatch:
    """Watches one source."""

    def __init__(self) -> None:
        self._samples: Samples = np.zeros(0, np.float32)
        self._lines = np.zeros((LOOKS, HARMONICS))
        self._looks = 0

    def take(self, samples: Samples) -> None:
        """Take sound of any length at RATE_HZ, in int16 units. Cost: 0.3 ms a second."""
        self._samples = np.concatenate((self._samples, samples), dtype=np.float32)
        while len(self._samples) >= WINDOW:
            self._lines[self._looks % LOOKS] = _line_powers(self._samples[:WINDOW])
            self._looks += 1
            self._samples = self._samples[WINDOW:]

    @property
    def level_dbov(self) -> float | None:
        """Level of the hum, QUIETEST_DBOV when there is none; None in the first LOOKS seconds."""
        if self._looks < LOOKS:
            return None
        seen = np.sort(self._lines, axis=0)
        steady = np.where(seen[LOOKS - SEEN] > 0, seen[LOOKS - SEEN], 0.0)
        if np.count_nonzero(steady) < LEAST_LINES:
            return QUIETEST_DBOV
        power = float(steady.sum())
        return max(QUIETEST_DBOV, 10 * float(np.log10(max(power, 1e-13))))


def _line_powers(samples: Samples) -> npt.NDArray[np.float64]:
    spectrum = np.fft.rfft(samples * _WEIGHTS)
    power = np.square(np.abs(spectrum)) / _SCALE
    found = np.zeros(HARMONICS)
    for number, (line, beside) in enumerate(zip(_LINES, _BESIDE, strict=True)):
        floor = float(np.median(power[beside]))
        if float(power[line].max()) >= floor * 10 ** (OUT_DB / 10):
            found[number] = max(float(power[line].sum()) - floor * int(line.sum()), 0.0)
    return found
