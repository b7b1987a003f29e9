"""Making sound a little shorter or longer without a click.

Waveform-similarity overlap-add: a stretch of sound is found again one or more pitch periods
later, and the two are cross-faded. To shorten, the cross-fade jumps forward over the periods; to
lengthen, it jumps back and plays them again.
"""

import numpy as np

from mixer.audio.block import Int16Block, to_int16
from mixer.audio.conceal import best_lag

OVERLAP_SAMPLES = 480
MIN_LAG_SAMPLES = 120
MAX_LAG_SAMPLES = 600
WINDOW_SAMPLES = OVERLAP_SAMPLES + MAX_LAG_SAMPLES
"""What ``find_lag`` can make use of."""
QUIET_RMS = 60.0
"""About -55 dBov: below it a cross-fade is heard nowhere."""


def find_lag(window: Int16Block) -> tuple[int, float]:
    """How far apart the start of ``window`` resembles itself best, and how well.

    Args:
        window: int16, more than OVERLAP_SAMPLES; up to WINDOW_SAMPLES each one more allows a
            lag longer by one.
    Returns: (lag in samples, likeness -1..1); likeness is 1 where it is quiet, and the lag the
        longest. Where it is not, -1 for a window that allows less than MIN_LAG_SAMPLES.
    Cost: about 60 us.
    """
    samples = window[:WINDOW_SAMPLES].astype(np.float32)
    longest = len(samples) - OVERLAP_SAMPLES
    rms = float(np.sqrt(np.dot(samples, samples) / len(samples)))
    if rms < QUIET_RMS:
        return longest, 1.0
    if longest < MIN_LAG_SAMPLES:
        return longest, -1.0
    return best_lag(samples[:OVERLAP_SAMPLES], samples, MIN_LAG_SAMPLES, longest)


def shorten(window: Int16Block, lag: int) -> Int16Block:
    """Leave out ``lag`` samples.

    Args:
        window: int16, at least ``lag`` + OVERLAP_SAMPLES.
    Returns: ``lag`` samples fewer; begins and ends as ``window`` does.
    """
    later = window[lag : lag + OVERLAP_SAMPLES]
    return np.concatenate(
        (_cross_fade(window[:OVERLAP_SAMPLES], later), window[lag + OVERLAP_SAMPLES :])
    )


def lengthen(window: Int16Block, lag: int) -> Int16Block:
    """Play ``lag`` samples again; the mirror of ``shorten``."""
    later = window[lag : lag + OVERLAP_SAMPLES]
    return np.concatenate(
        (window[:lag], _cross_fade(later, window[:OVERLAP_SAMPLES]), window[OVERLAP_SAMPLES:])
    )


def _cross_fade(before: Int16Block, after: Int16Block) -> Int16Block:
    # Alike sounds add in amplitude, so the weights sum to one (not their squares).
    weight = np.linspace(0, 1, len(before) + 2, dtype=np.float32)[1:-1]
    return to_int16(before + (after.astype(np.float32) - before) * weight)
