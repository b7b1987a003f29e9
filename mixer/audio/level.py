"""Loudness in the unit of RFC 6464, and gains in decibels."""

import math

import numpy as np

from mixer.audio.block import Int16Block

SILENCE_DBOV = -127.0
"""RFC 6464, 3: the lowest level that can be said; digital silence."""


def level_dbov(block: Int16Block) -> float:
    """Root mean square of a block, relative to the overload point of int16.

    Args:
        block: int16, any length; an empty one is silence.
    Returns: -127.0 to 0.0. Cost: O(samples).
    """
    if not len(block):
        return SILENCE_DBOV
    samples = block.astype(np.float32)
    power = float(np.dot(samples, samples)) / len(samples)
    if power < 1e-6:
        return SILENCE_DBOV
    return max(SILENCE_DBOV, min(0.0, 10.0 * math.log10(power / 32_768.0**2)))


def gain_from_db(decibels: float) -> float:
    """Factor of amplitude for a gain in dB; 0 dB gives exactly 1.0."""
    return 1.0 if decibels == 0.0 else float(10.0 ** (decibels / 20.0))
