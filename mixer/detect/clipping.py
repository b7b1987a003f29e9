"""Clipping: a microphone, amplifier or converter that cannot follow somebody loud.

Two signs. Samples at the converter's end of scale are told at once. But mostly the clipping is
before a codec, at any level, and its flat tops come rounded: then more samples lie near the
ceiling than somewhat below it, where undisturbed sound has the fewer the louder (cf. Eaton and
Naylor 2013, who fit the histogram of amplitudes).

Opus for voice has a high-pass filter in front that tilts flat tops and hides the ceiling. So sound
is looked at as it is, and with such a filter taken back.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RATE_HZ = 8_000
WINDOW = 8_192
EDGE = 512
HOP = WINDOW - 2 * EDGE
"""0.9 s are looked at together; what a filter in frequency does at the edges is left out."""
KEPT = 6
"""5.4 s make a histogram."""
END_OF_SCALE = 32_000.0
"""-0.2 dBFS."""
HIGH_PASS_HZ = 75.0
"""libopus moves its filter between 60 and 100 Hz with the pitch of the voice; what is taken back is
one for most voices."""
_LEAST_GAIN = 0.03
BINS = 60
WIDE = 4
BELOW = 5
"""Four bins together against four that begin five lower."""
LOWEST_BIN = 14
"""Quieter ceilings than a quarter of the loudest sample are none."""
LEAST_SHARE = 0.0015
QUIETEST = 300.0
"""Peak of int16 (-41 dBFS) below which nothing is said."""
RISE, RISE_WITHOUT = 1.4, 0.97
"""Rise of the histogram from which sound is clipped, as it is and with the high-pass taken back.
Speech, music and noise through codecs stay below 1.3 and 0.95."""

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Clipping:
    """What was found in the last seconds.

    Args:
        ceiling: from 1.0 on there is one that the sound does not pass; steady tones have it too.
        at_end_of_scale: share of samples there; a few in a thousand are heard.
        level_dbfs: of the loudest samples.
    """

    ceiling: float
    at_end_of_scale: float
    level_dbfs: float


class ClippingWatch:
    """Watches one source."""

    def __init__(self) -> None:
        self._samples: Samples = np.zeros(0, np.float32)
        self._kept = np.zeros((2, KEPT, HOP), np.float32)
        self._windows = 0

    def take(self, samples: Samples) -> None:
        """Take sound of any length at RATE_HZ, in int16 units.

        Cost: 0.4 ms a second.
        """
        self._samples = np.concatenate((self._samples, samples), dtype=np.float32)
        while len(self._samples) >= WINDOW:
            window = self._samples[:WINDOW]
            place = self._windows % KEPT
            without = np.fft.irfft(np.fft.rfft(window) * _INVERSE, WINDOW)
            self._kept[0, place] = np.abs(window[EDGE:-EDGE])
            self._kept[1, place] = np.abs(without[EDGE:-EDGE])
            self._windows += 1
            self._samples = self._samples[HOP:]

    @property
    def is_full(self) -> bool:
        """There have been KEPT windows: ``found`` knows something."""
        return self._windows >= KEPT

    def found(self) -> Clipping | None:
        """What the last KEPT windows hold; None before there are so many. Cost: 0.6 ms."""
        if not self.is_full:
            return None
        plain, without = self._kept.reshape(2, -1)
        loudest = _loudest(plain)
        rise = max(_rise(plain, loudest) / RISE, _rise(without, _loudest(without)) / RISE_WITHOUT)
        return Clipping(
            rise,
            np.count_nonzero(plain >= END_OF_SCALE) / plain.size,
            20 * float(np.log10(max(loudest, 1.0) / 32_768)),
        )


def _loudest(amplitudes: Samples) -> float:
    """But for single samples."""
    return float(np.quantile(amplitudes, 0.9999))


def _rise(amplitudes: Samples, loudest: float) -> float:
    """The steepest rise of the histogram of amplitudes towards its end."""
    if loudest < QUIETEST:
        return 0.0
    # Bins of one width from zero on: numpy's histogram takes five times as long.
    bins = (amplitudes * np.float32(BINS / (loudest * 1.05))).astype(np.int32)
    counts = np.bincount(bins, minlength=BINS)[:BINS]
    sums = np.convolve(counts, np.ones(WIDE), "valid")
    rises = sums[LOWEST_BIN:] / np.maximum(sums[LOWEST_BIN - BELOW : -BELOW], 1.0)
    enough = sums[LOWEST_BIN:] >= LEAST_SHARE * len(amplitudes)
    return float(rises[enough].max(initial=0.0))


def _inverse_high_pass() -> npt.NDArray[np.complex128]:
    """Takes back a second-order high-pass as libopus has it, and leaves alone what it removed."""
    corner = 1.5 * np.pi * HIGH_PASS_HZ / 48_000
    radius = 1 - 0.92 * corner
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(WINDOW, 1 / RATE_HZ) / 48_000)
    gain = radius * (1 - z) ** 2 / (1 - radius * (2 - corner**2) * z + radius**2 * z * z)
    inverse: npt.NDArray[np.complex128] = np.conj(gain) / (np.abs(gain) ** 2 + _LEAST_GAIN)
    return inverse


_INVERSE = _inverse_high_pass()
