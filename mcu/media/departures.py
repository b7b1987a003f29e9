"""When the numbered packets of a leg left, so that a report on their arrival can be understood.

Packets that leave together share one entry: a picture for a leg is one or two, whatever its size.
"""

from collections import deque

MAX_BURSTS = 512
"""Two seconds and more; a report on what is older says nothing of now."""

Burst = tuple[int, int, float, int]
"""First number, the one after the last, when they left, bytes of all as RTP."""

LINE_BYTES = 28 + 16
"""IP, UDP and SRTP's tag on top of each packet."""


class DepartureLog:
    """Numbers the packets of one leg and keeps when the last ones left.

    The sending loop writes both attributes itself, as ``left`` does.
    """

    __slots__ = ("bursts", "next")

    def __init__(self, first: int = 0) -> None:
        self.next = first
        """The next packet's number, not wrapped."""
        self.bursts: deque[Burst] = deque(maxlen=MAX_BURSTS)

    def left(self, count: int, size: int, now: float) -> None:
        """So many packets left together, ``size`` bytes of RTP in all."""
        first = self.next
        self.next = first + count
        if count:
            self.bursts.append((first, first + count, now, size))

    def join(self, first: int) -> None:
        """The packets from ``first`` on, each of which left alone, left as one burst after all."""
        size, now = 0, 0.0
        bursts = self.bursts
        while bursts and bursts[-1][0] >= first:
            _, _, now, part = bursts.pop()
            size += part
        if size:
            bursts.append((first, self.next, now, size))
