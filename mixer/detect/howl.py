"""Howl: acoustic feedback, a narrow tone that grows and then stays.

Looks for one spectral line that holds most of the sound's power (the peak-to-average criterion of
van Waterschoot and Moonen 2011), stays at its frequency, which no voice does, and does not die
away, as struck and plucked notes do.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mixer.audio.block import SAMPLE_RATE_HZ, Int16Block

WINDOW = 4_096
HOP = 1_920
"""85 ms are looked at, every 40 ms."""
LOWEST_HZ, HIGHEST_HZ = 150.0, 12_000.0
LINE_BINS = 2
"""A steady line under a Hann window lies within so many bins of its peak."""
SHARE = 0.6
"""Of the power in the line; a tone that has driven its amplifier into clipping keeps 0.81."""
STRAY_BINS = 0.6
"""7 Hz: so far may a line stray between two looks,"""
DRIFT_BINS = 2.0
"""and 23 Hz in all."""
FALL_DB = 1.5
"""A tone may fall so much below its loudest before it counts as dying away."""
AUDIBLE_DBOV = -50.0
HELD_HOPS = 3
"""Speech over the howl, or a lost packet, may hide it for so long."""

_WEIGHTS = np.hanning(WINDOW).astype(np.float32)
_HZ_PER_BIN = SAMPLE_RATE_HZ / WINDOW
_FIRST, _LAST = int(LOWEST_HZ / _HZ_PER_BIN), int(HIGHEST_HZ / _HZ_PER_BIN)
_SCALE = 32_768.0**2 * float(np.square(_WEIGHTS).sum()) * WINDOW / 2
_LEAST_ENERGY = _SCALE * 10 ** (AUDIBLE_DBOV / 10) * 2 / WINDOW
"""Of a weighted window, in squares of samples: with less no line in it is audible (Parseval)."""


@dataclass(frozen=True, slots=True)
class Tone:
    """A line that has held.

    Args:
        frequency_hz, level_dbov: now. held_s: so long. grown_db: since it was first seen.
    """

    frequency_hz: float
    level_dbov: float
    held_s: float
    grown_db: float


class HowlWatch:
    """Watches one source."""

    def __init__(self) -> None:
        self._samples: npt.NDArray[np.float32] = np.zeros(0, np.float32)
        self._bin = self._first = 0.0
        self._hops = 0
        self._missed = 0
        self._first_dbov = self._loudest_dbov = self._level_dbov = 0.0

    def take(self, block: Int16Block) -> None:
        """Take sound of any length, 48 kHz mono. Cost: 40 us for each 40 ms, a tenth in silence."""
        self._samples = np.concatenate((self._samples, block), dtype=np.float32)
        while len(self._samples) >= WINDOW:
            self._look(self._samples[:WINDOW])
            self._samples = self._samples[HOP:]

    @property
    def tone(self) -> Tone | None:
        """The line that holds, if there is one; from a second on it is a howl."""
        if not self._hops:
            return None
        return Tone(
            self._bin * _HZ_PER_BIN,
            self._level_dbov,
            self._hops * HOP / SAMPLE_RATE_HZ,
            self._level_dbov - self._first_dbov,
        )

    @property
    def held_s(self) -> float:
        """How long a tone has held, seconds; the value for an alarm."""
        return self._hops * HOP / SAMPLE_RATE_HZ

    def _look(self, samples: npt.NDArray[np.float32]) -> None:
        weighted = samples * _WEIGHTS
        if float(np.dot(weighted, weighted)) < _LEAST_ENERGY:
            self._miss()
            return
        spectrum = np.fft.rfft(weighted)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        peak = _FIRST + int(power[_FIRST:_LAST].argmax())
        line = power[peak - LINE_BINS : peak + LINE_BINS + 1]
        in_line = float(line.sum())
        level = 10 * float(np.log10(max(in_line / _SCALE, 1e-13)))
        if in_line < SHARE * float(power[1:].sum()) or level < AUDIBLE_DBOV:
            self._miss()
            return
        place = peak + float((np.arange(-LINE_BINS, LINE_BINS + 1) * line).sum()) / in_line
        stays = abs(place - self._bin) <= STRAY_BINS and abs(place - self._first) <= DRIFT_BINS
        if self._hops and stays:
            if level < self._loudest_dbov - FALL_DB:
                self._miss()
                return
            self._loudest_dbov = max(self._loudest_dbov, level)
            self._hops += 1 + self._missed
        else:
            self._begin(place, level)
        self._missed = 0
        self._bin, self._level_dbov = place, level

    def _begin(self, place: float, level: float) -> None:
        self._first, self._hops = place, 1
        self._first_dbov = self._loudest_dbov = level

    def _miss(self) -> None:
        self._missed += 1
        if self._missed > HELD_HOPS:
            self._hops = 0
