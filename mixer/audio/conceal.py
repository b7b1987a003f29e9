"""Replacement of missing sound for codecs that have no concealment of their own.

Speech is nearly periodic over 20 ms: the last pitch period is repeated (the idea of ITU-T G.711
Appendix I), without that appendix's delay: instead of smoothing the past, the jump at the seam
is measured and let fade out over the period's first quarter.
"""

import numpy as np

from mixer.audio.block import FloatBlock, Int16Block, to_int16

HISTORY_SAMPLES = 1_920
MIN_PERIOD_SAMPLES = 120
MAX_PERIOD_SAMPLES = 800
"""400 Hz down to 60 Hz."""
RESUME_SAMPLES = 240
"""Overlap with which real sound takes over again."""
_COARSE = 4


def best_lag(head: FloatBlock, other: FloatBlock, shortest: int, longest: int) -> tuple[int, float]:
    """Where ``head`` is found again in ``other``: the lag and how alike they are.

    Args:
        head: float32 (n,). other: float32, at least ``longest + n`` samples; a lag of L compares
            ``head`` with ``other[L : L + n]``.
    Returns: (lag, normalised correlation -1..1); correlation 0 when both are silent.
    Cost: searched at a quarter of the rate, then refined: about 20 us.
    """
    coarse_head = _decimate(head)
    coarse = _decimate(other)
    first, last = shortest // _COARSE, longest // _COARSE
    scores = _correlations(coarse_head, coarse[first : last + len(coarse_head)])
    guess = (first + int(scores.argmax())) * _COARSE
    low, high = max(shortest, guess - _COARSE), min(longest, guess + _COARSE)
    fine = _correlations(head, other[low : high + len(head)])
    index = int(fine.argmax())
    return low + index, float(fine[index])


def _decimate(samples: FloatBlock) -> FloatBlock:
    count = len(samples) // _COARSE
    means: FloatBlock = samples[: count * _COARSE].reshape(count, _COARSE).mean(axis=1)
    return means


def _correlations(head: FloatBlock, other: FloatBlock) -> FloatBlock:
    products = np.correlate(other, head, "valid")
    powers = np.convolve(other * other, np.ones(len(head), np.float32), "valid")
    own = float(np.dot(head, head))
    return (products / np.sqrt(np.maximum(powers * own, 1.0))).astype(np.float32)


class WaveformConcealer:
    """Streaming state: shown every decoded block, asked for more when one is missing."""

    def __init__(self) -> None:
        self._history: FloatBlock = np.zeros(HISTORY_SAMPLES, np.float32)
        self._loop: FloatBlock | None = None
        self._position = 0

    def accept(self, block: Int16Block) -> Int16Block:
        """Take note of a decoded block; after a concealment, cross-fade into it."""
        if self._loop is not None:
            count = min(RESUME_SAMPLES, len(block))
            fade = np.linspace(0, 1, count + 2, dtype=np.float32)[1:-1]
            block = block.copy()
            block[:count] = to_int16(self._more(count) * (1 - fade) + block[:count] * fade)
            self._loop = None
        if len(block) >= HISTORY_SAMPLES:
            self._history = block[-HISTORY_SAMPLES:].astype(np.float32)
        else:
            self._history = np.concatenate((self._history[len(block) :], block)).astype(np.float32)
        return block

    def conceal(self, samples: int) -> Int16Block:
        """Go on as the sound was. Does not fade: whoever plays it decides how long it may last."""
        if self._loop is None:
            self._loop = _period(self._history)
            self._position = 0
        return to_int16(self._more(samples))

    def _more(self, samples: int) -> FloatBlock:
        assert self._loop is not None  # noqa: S101  (both callers have set it)
        indices = (self._position + np.arange(samples)) % len(self._loop)
        self._position = (self._position + samples) % len(self._loop)
        return self._loop[indices]


def _period(history: FloatBlock) -> FloatBlock:
    """The last period of ``history``, made so that it follows itself and the past smoothly."""
    past = history[::-1]
    lag, _ = best_lag(past[:480], past, MIN_PERIOD_SAMPLES, MAX_PERIOD_SAMPLES)
    loop = history[-lag:].copy()
    jump = history[-1] - history[-lag - 1]
    quarter = lag // 4
    loop[:quarter] += jump * (1 - np.arange(quarter, dtype=np.float32) / quarter)
    return loop
