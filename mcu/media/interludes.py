"""Packets without sound in a stream of sound: its numbers without them.

Comfort noise and pressed keys come under the sequence numbers of the sound they interrupt. Playout
would take what is missing for lost and conceal it; with numbers that close up over an interlude it
sees that nothing is missing, and by the timestamps that the peer was silent meanwhile.
"""

from collections import deque

REMEMBERED = 64
"""Interludes that late packets of sound are still numbered around."""


class Interludes:
    """Renumbers one stream."""

    __slots__ = ("_before", "_highest", "_latest")

    def __init__(self) -> None:
        self._before = 0  # interludes no longer remembered one by one
        self._latest: deque[int] = deque()
        self._highest = -1

    def skip(self, sequence: int) -> int:
        """``sequence`` (extended) carries no sound; gives the number of the sound that follows it.

        One that sound has overtaken stays a gap, as numbers that are given stay.
        """
        latest = self._latest
        number = sequence - self._before - sum(one < sequence for one in latest)
        if sequence > self._highest and (not latest or sequence > latest[-1]):
            latest.append(sequence)
            if len(latest) > REMEMBERED:
                latest.popleft()
                self._before += 1
        return number

    def number(self, sequence: int) -> int:
        """The number of a packet of sound, ``sequence`` (extended) in the stream.

        Cost: under 1 us.
        """
        if sequence > self._highest:
            self._highest = sequence
            latest = self._latest
            if not latest or latest[-1] < sequence:
                return sequence - self._before - len(latest)
        return sequence - self._before - sum(one < sequence for one in self._latest)
