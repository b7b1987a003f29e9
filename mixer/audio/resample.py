"""Integer-factor rate conversion for the narrow-band codecs, streaming.

A windowed-sinc low-pass as a polyphase matrix: one matrix product a block, no loop. The state
is the tail of the input, so blocks of any length give the same samples as the whole.
"""

from functools import cache

import numpy as np

from mixer.audio.block import FloatBlock, Int16Block

TAPS_PER_PHASE = 32
"""At factor 6 the pass band ends near 3.4 kHz and images are 70 dB down from 4.6 kHz."""
KAISER_BETA = 7.0
ROWS = 16
"""Samples that one row of the downsampler's product gives: of windows that lie a few
samples apart BLAS reads memory anew for each; sixteen in a row take a sixth of the time."""


@cache
def low_pass(factor: int) -> FloatBlock:
    """Taps of the prototype filter, shape (factor * TAPS_PER_PHASE,), sum 1."""
    count = factor * TAPS_PER_PHASE
    position = np.arange(count) - (count - 1) / 2
    taps = np.sinc(position / factor) * np.kaiser(count, KAISER_BETA)
    normalised: FloatBlock = (taps / taps.sum()).astype(np.float32)
    return normalised


class Upsampler:
    """Raises the rate by ``factor``: n samples in, n * factor out, delayed by 16 input samples."""

    def __init__(self, factor: int) -> None:
        self._factor = factor
        # Row k holds what input sample x[n - k] adds to each of the outputs of step n.
        phases = low_pass(factor).reshape(TAPS_PER_PHASE, factor) * factor
        self._phases = np.ascontiguousarray(phases[::-1])
        self._tail: FloatBlock = np.zeros(TAPS_PER_PHASE - 1, np.float32)

    def process(self, samples: Int16Block) -> FloatBlock:
        """Convert the next samples (any number). Returns float32, not yet rounded."""
        joined: FloatBlock = np.concatenate((self._tail, samples), dtype=np.float32)
        self._tail = joined[len(joined) - TAPS_PER_PHASE + 1 :]
        windows = np.lib.stride_tricks.sliding_window_view(joined, TAPS_PER_PHASE)
        return (windows @ self._phases).ravel()


class Downsampler:
    """Lowers the rate by ``factor``: n * factor samples in, n out."""

    def __init__(self, factor: int) -> None:
        self._factor = factor
        taps = low_pass(factor)[::-1]
        # Column k gives output n + k of the inputs from step n on.
        self._matrix: FloatBlock = np.zeros((len(taps) + (ROWS - 1) * factor, ROWS), np.float32)
        for column in range(ROWS):
            self._matrix[column * factor :, column][: len(taps)] = taps
        self._tail: FloatBlock = np.zeros(len(taps) - factor, np.float32)
        self._rest = np.zeros(ROWS * factor, np.float32)  # fills the last row

    def process(self, samples: Int16Block) -> FloatBlock:
        """Convert the next samples.

        Raises:
            ValueError: their number is not a multiple of the factor.
        """
        if len(samples) % self._factor:
            raise ValueError(f"{len(samples)} samples are no multiple of {self._factor}")
        joined: FloatBlock = np.concatenate((self._tail, samples, self._rest), dtype=np.float32)
        known = len(joined) - len(self._rest)
        self._tail = joined[known - len(self._tail) : known]
        windows = np.lib.stride_tricks.sliding_window_view(joined, len(self._matrix))
        count = len(samples) // self._factor
        rows = windows[:: len(self._rest)][: -(-count // ROWS)]
        return (rows @ self._matrix).ravel()[:count]
