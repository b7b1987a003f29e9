"""Where playout should stand: a tick begins where a packet begins, and no packet earlier than safe.

What a tick needs last is the packet that its last sample is in. Played a little later than on a
packet's boundary, sound is older and yet needs the same packet; only at the next boundary does it
need one that has been here longer. So playout rests on boundaries, and moves from one to the next
where a packet comes close to being missed or has been here for longer than a whole step.
"""

from math import gcd

from mixer.audio.block import SAMPLE_RATE_HZ, TICK_SAMPLES

LATE_SAMPLES = -round(0.003 * SAMPLE_RATE_HZ)
"""Where the packets needed have so much less time than wanted, playout goes a step back."""
LATE_PER_SPREAD = 1 / 8
"""So much of the network's jitter earlier, as what is known of it is the less exact."""
HYSTERESIS_SAMPLES = round(0.005 * SAMPLE_RATE_HZ)
"""It goes a step forward where so much would be left, so that it does not go to and fro."""
NARROWEST_SAMPLES = round(0.012 * SAMPLE_RATE_HZ)
"""Nor before it is so late: a stretch of sound cannot be shortened by less than a pitch period."""


def step_of(duration: int) -> int:
    """Samples from one place where playout may rest to the next.

    Args:
        duration: of a packet, samples, above 0. 20 ms and multiples give a tick.
    """
    return gcd(duration, TICK_SAMPLES)


def least_spare(spread: int) -> int:
    """Spare time of packets (samples, at most 0) below which playout goes a step back.

    Args:
        spread: of packets' transit, samples.
    """
    return min(0, LATE_SAMPLES + round(spread * LATE_PER_SPREAD))


def wanted_change(late: int, ahead: int, step: int, least: int = LATE_SAMPLES) -> int:
    """How many samples to leave out (above 0) or to play longer (below 0).

    Args:
        late: samples by which sound is older than packets need, were it on a boundary here.
        ahead: samples to the next boundary, 0 to step - 1.
        step: see ``step_of``. least: see ``least_spare``.
    """
    spare = late - ahead  # on the boundary ahead, for which the same packet is needed
    if spare < least:
        return ahead - step
    if spare > max(step + least + HYSTERESIS_SAMPLES, NARROWEST_SAMPLES):
        return ahead + spare // step * step
    return ahead
