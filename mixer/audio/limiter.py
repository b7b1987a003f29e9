"""Soft limiter of the mix bus: a smooth gain that knows 2.5 ms ahead what is coming.

The gain is a polyline with a corner every SPAN samples. At a corner it is low enough for the
spans on both sides of it, so it is low enough everywhere in between; nothing is ever clipped and
nothing wraps. It falls within one span and comes back slowly, so steady sound sees a steady
gain (no pumping, little distortion). As long as nothing is too loud, samples pass unchanged.

All mixes are delayed by SPAN samples, loud or not, so that a listener can change between them.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mixer.audio.block import Int16Block, Int32Block

SPAN = 120
"""2.5 ms: the look-ahead, the delay, and the time of the attack."""
CEILING = 30_900
"""-0.5 dBFS: room for what an encoder overshoots."""
RELEASE_S = 0.3
_RELEASE = 1.0 - math.exp(-SPAN / 48_000 / RELEASE_S)
_UNITY = 0.9995
"""From here on the gain is taken as 1 (0.004 dB), so that samples pass unchanged again."""


@dataclass(slots=True)
class LimiterState:
    """State of several limiters: ``gain`` float64 (mixes,), ``tail`` int32 (mixes, SPAN)."""

    gain: npt.NDArray[np.float64]
    tail: Int32Block

    @classmethod
    def fresh(cls, mixes: int = 1) -> "LimiterState":
        """Limiters that have heard nothing yet."""
        return cls(np.ones(mixes), np.zeros((mixes, SPAN), np.int32))

    def rows(self, rows: list[int]) -> "LimiterState":
        """A copy of some rows; a row may be taken twice, which makes a twin."""
        return LimiterState(self.gain[rows], self.tail[rows])

    def plus(self, more: "LimiterState") -> "LimiterState":
        """These limiters and, after them, others."""
        return LimiterState(
            np.concatenate((self.gain, more.gain)), np.concatenate((self.tail, more.tail))
        )


def limit(mixes: Int32Block, state: LimiterState) -> Int16Block:
    """Bring mixes into range, each with a gain of its own.

    Args:
        mixes: int32 (mixes, samples), samples a multiple of SPAN.
        state: of as many mixes; updated.
    Returns: int16, same shape, delayed by SPAN samples, magnitude at most CEILING where the gain
        is below 1 or the input was too loud.
    Raises:
        ValueError: shapes do not fit.
    Cost: O(mixes * samples); about twice as much while limiting.
    """
    count, samples = mixes.shape
    if samples % SPAN or samples == 0 or count != len(state.gain):
        raise ValueError(f"{mixes.shape} with {len(state.gain)} states")
    joined = np.concatenate((state.tail, mixes), axis=1)
    state.tail = joined[:, samples:].copy()
    delayed = joined[:, :samples]
    # The range of int32 has room for every sum here, so max and min are enough (no abs).
    if joined.max() <= CEILING and joined.min() >= -CEILING and state.gain.min() == 1.0:
        return delayed.astype(np.int16)
    spans = np.abs(joined).reshape(count, -1, SPAN).max(axis=2)
    allowed = np.minimum(1.0, CEILING / np.maximum(spans, 1))
    corners = _corners(allowed, state.gain)
    state.gain = corners[:, -1].copy()
    steps = np.arange(1, SPAN + 1) / SPAN
    gain = corners[:, :-1, None] + (corners[:, 1:] - corners[:, :-1])[:, :, None] * steps
    shaped = delayed * gain.reshape(count, samples)
    return np.clip(np.rint(shaped), -CEILING, CEILING).astype(np.int16)


def _corners(
    allowed: npt.NDArray[np.float64], gain: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Gains between the spans: (mixes, spans), the first being the state's."""
    count, spans = allowed.shape
    corners = np.empty((count, spans))
    # The last corner of the block before already took this block's first span (the tail, now
    # played) into account; it can only be too high for a tail that no limiter has seen.
    corners[:, 0] = np.minimum(gain, allowed[:, 0])
    for index in range(1, spans):
        released = corners[:, index - 1] + _RELEASE * (1.0 - corners[:, index - 1])
        released[released > _UNITY] = 1.0
        corners[:, index] = np.minimum(
            released, np.minimum(allowed[:, index - 1], allowed[:, index])
        )
    return corners
