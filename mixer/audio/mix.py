"""The mix bus: everybody's sum, and for each speaker the sum without itself.

Sums are int32, so adding and taking away are exact: what a speaker sent is absent from what it
gets to the last bit, whatever its gain does meanwhile. Limiting comes after (``limiter``), for
each mix by itself; a common limiter before the subtraction would leave a rest of the own voice.
"""

import numpy as np

from mixer.audio.block import Int16Block, Int32Block


def apply_gain(block: Int16Block | Int32Block, start: float, end: float, out: Int32Block) -> None:
    """Multiply by a gain that goes in a straight line from ``start`` to ``end``.

    Args:
        block: int16 or int32 (samples,). out: int32, same shape; overwritten; may be ``block``.
        start, end: factors; the last sample carries ``end``. Both 1: an exact copy.
    Cost: O(samples).
    """
    if start == end == 1.0:
        out[:] = block
    elif start == end:
        np.rint(block * np.float32(end), out=out, casting="unsafe")
    else:
        steps = np.arange(1, len(block) + 1, dtype=np.float32) / len(block)
        gain = start + np.float32(end - start) * steps
        np.rint(block * gain, out=out, casting="unsafe")


def mix_total(voices: Int32Block, out: Int32Block) -> None:
    """Add all voices.

    Args:
        voices: int32 (speakers, samples); no speakers give silence.
        out: int32 (samples,); overwritten.
    Raises:
        ValueError: shapes do not fit. Cost: O(speakers * samples). Exact below 2**31.
    """
    if voices.ndim != 2 or voices.shape[1:] != out.shape:
        raise ValueError(f"{voices.shape} into {out.shape}")
    np.add.reduce(voices, axis=0, out=out)


def mix_minus(total: Int32Block, own: Int32Block, out: Int32Block) -> None:
    """Give each speaker the mix without itself.

    Args:
        total: int32 (samples,), what ``mix_total`` gave.
        own: int32 (speakers, samples), what each of them put into it.
        out: int32, same shape as ``own``; overwritten.
    Raises:
        ValueError: shapes do not fit. Cost: O(speakers * samples).
    """
    if own.shape != out.shape or own.shape[1:] != total.shape:
        raise ValueError(f"{own.shape} out of {total.shape} into {out.shape}")
    np.subtract(total, own, out=out)
