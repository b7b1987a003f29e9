"""How many packets a peer may have us work on: a flood stays its own problem.

Counted are packets that were authentic, so nobody can use up a room's budget by forging its
address.
"""

WINDOW_S = 0.25
PACKETS_PER_WINDOW = 1000
"""4,000 packets/s, some 35 Mbit/s: four cameras of 1080p with all their repetitions. A key frame
is a burst of a few hundred."""


class PacketBudget:
    """``PACKETS_PER_WINDOW`` in each window of ``WINDOW_S``."""

    __slots__ = ("_left", "_window_ends")

    def __init__(self) -> None:
        self._left = PACKETS_PER_WINDOW
        self._window_ends = 0.0

    def spend(self, now: float) -> bool:
        """Take one packet; False: it is one too many and is to be dropped."""
        if now >= self._window_ends:
            self._window_ends = now + WINDOW_S
            self._left = PACKETS_PER_WINDOW
        if not self._left:
            return False
        self._left -= 1
        return True
