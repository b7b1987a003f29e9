"""The shape of sound inside the mixer: every block is 48 kHz mono.

One rate and one layout for everything between decoder and encoder means that kernels need no
rate argument; codecs with another rate convert at their own edge.
"""

import numpy as np
import numpy.typing as npt

SAMPLE_RATE_HZ = 48_000
TICK_SAMPLES = 960
TICK_S = TICK_SAMPLES / SAMPLE_RATE_HZ
MAX_PACKET_SAMPLES = 5_760
"""120 ms, the longest packet that is accepted (RFC 6716, 2.1.4)."""

Int16Block = npt.NDArray[np.int16]
"""(samples,) int16."""
Int32Block = npt.NDArray[np.int32]
"""(samples,) or (rows, samples) int32: sums that may leave the int16 range."""
FloatBlock = npt.NDArray[np.float32]
"""(samples,) float32 in int16 units, not in -1..1."""

SILENCE: Int16Block = np.zeros(TICK_SAMPLES, np.int16)
SILENCE.flags.writeable = False


def to_int16(samples: FloatBlock) -> Int16Block:
    """Round to nearest and saturate; never wraps. Cost: O(samples)."""
    return np.clip(np.rint(samples), -32_768, 32_767).astype(np.int16)


def ramp(samples: FloatBlock | Int16Block, start: float, end: float) -> Int16Block:
    """Multiply by a gain that goes in a straight line from ``start`` to ``end``.

    The first sample already carries one step of the way and the last one carries ``end``, so
    that ramps put one after another join without a kink. Gains in 0..1. Cost: O(samples).
    """
    if start == end == 1.0:
        return samples.astype(np.int16, copy=False)
    count = len(samples)
    steps = np.arange(1, count + 1, dtype=np.float32)
    return to_int16(samples * (start + (end - start) / max(count, 1) * steps))
