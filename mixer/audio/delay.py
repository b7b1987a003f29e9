"""How long packets must wait so that nearly all of them are there when they are played.

A packet's *transit* is the time it arrived minus the time its timestamp says. Its absolute value
means nothing (two clocks), its spread is the network's jitter and its slow change the drift of
the sender's clock. Played at ``timestamp + target``, a packet is in time if its transit is
smaller than the target.
"""

from collections import deque

from mixer.audio.block import TICK_S

WINDOW_PACKETS = 250
QUANTILE = 0.97
"""Share of packets that the target waits for; the rest is concealed."""
MARGIN_S = TICK_S + 0.005
"""A tick takes samples up to its end (on a packet's boundary that asks for less, see ``steer``),
and playout may run 3 ms ahead of its target before it is corrected. Late ticks ask for nothing
more: who ticks late has read what came until then."""
MIN_DELAY_S = MARGIN_S
MAX_DELAY_S = 0.2
LEARNING_PACKETS = 25
LEARNING_DELAY_S = 0.06
"""At least this much until so many packets were seen."""


class DelayEstimate:
    """The last transits of one source; adding costs an append, asking costs a sort."""

    def __init__(self) -> None:
        self.transits: deque[float] = deque(maxlen=WINDOW_PACKETS)
        """Seconds, in order of arrival. Appended to on each packet."""
        self.extra_s = 0.0
        """Wanted on top of what jitter asks for."""
        self.fastest_s = 0.0
        """The smallest transit when the target was last asked for."""
        self.spread_s = 0.0
        """How much more nearly all took at most, then."""

    def clear(self) -> None:
        """Forget everything: the sender's clock is another one now."""
        self.transits.clear()

    @property
    def delay_s(self) -> float:
        """The wanted wait above the fastest packet, MIN_DELAY_S to MAX_DELAY_S."""
        return min(delay_for(sorted(self.transits)) + self.extra_s, MAX_DELAY_S)

    def target_s(self) -> float:
        """When to play: timestamp's time plus this. 0.0 while no packet was seen.

        Cost: about 15 us; ask a few times a second only.
        """
        ordered = sorted(self.transits)
        if not ordered:
            return 0.0
        self.fastest_s = ordered[0]
        self.spread_s = spread_of(ordered)
        return ordered[0] + min(delay_for(ordered) + self.extra_s, MAX_DELAY_S)


def delay_for(ordered: list[float]) -> float:
    """The wait above the smallest of some transits, given in rising order."""
    if not ordered:
        return LEARNING_DELAY_S
    wanted = spread_of(ordered) + MARGIN_S
    if len(ordered) < LEARNING_PACKETS:
        wanted = max(wanted, LEARNING_DELAY_S)
    return min(max(wanted, MIN_DELAY_S), MAX_DELAY_S)


def spread_of(ordered: list[float]) -> float:
    """What the jitter of some transits, given in rising order, adds to the smallest."""
    return ordered[int(QUANTILE * (len(ordered) - 1))] - ordered[0]
