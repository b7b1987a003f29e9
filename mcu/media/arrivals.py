"""Notes when the numbered packets of a leg arrive and reports it to the peer's rate control.

Noting is on the receive path of every picture: a look at the place where the number stood in the
packet before, and one store. Numbers are sorted out when a report is due.
"""

from collections.abc import Iterator

from mcu.media import transport_feedback
from mcu.media.clock import Moments
from mcu.media.rtp import locate_extension

MIN_INTERVAL_S = 0.05
MAX_INTERVAL_S = 0.25
SHARE = 0.01
"""Of the reported bit rate that reports may take, within these intervals."""
OVERHEAD_BYTES = 28 + 26
"""IP and UDP; SRTCP's index and tag with the sender's SSRC."""
MAX_SPAN = 1000
"""A report begins at most so far back; whoever jumps further has begun anew."""
KEEP_TICKS = round(0.5 / transport_feedback.TICK_S)
"""A packet that comes late is reported with those around it, which are reported again."""
_KEPT_BEFORE_CLEANING = 512


class ArrivalLog:
    """Arrivals of one leg that are not reported yet, and some that are.

    Args:
        identity: id of the header extension, 1-14.
        moments: at which reports are due: those of many legs leave together.
    """

    __slots__ = (
        "_at",
        "_block",
        "_count",
        "_head",
        "_highest",
        "_identity",
        "_kept",
        "_moments",
        "_next",
        "_reported_at",
        "bytes",
        "due_at",
        "interval_s",
        "times",
    )

    def __init__(self, identity: int, moments: Moments) -> None:
        self.times: dict[int, float] = {}
        """Number (16 bits) → when it arrived, in order of arrival; since the last report."""
        self.bytes = 0
        self.due_at = float("inf")
        """When what was noted is to be reported."""
        self.interval_s = 0.1
        """From the first packet noted to the report, at least."""
        self._moments = moments
        self._identity = identity
        self._head = identity << 4 | 1  # a value of two bytes
        self._block = self._at = -1  # words of the extension block, and where in it the value was
        self._kept: dict[int, int] = {}  # extended number → ticks
        self._highest = -1
        self._next = -1
        self._count = 0
        self._reported_at = 0.0

    def note(self, packet: memoryview, extension: int, start: int, length: int, now: float) -> bool:
        """Note one packet's number, if it has one.

        Args:
            extension, start: as ``rtp.bounds`` gave them; length: of the packet.
        Returns: whether it is the first since the last report: one is due at ``due_at`` now.
        """
        at = extension + self._at
        if self._block != packet[extension + 3] or packet[at] != self._head:
            # Streams have layouts of their own, and leave out what the peer knows by now.
            found = locate_extension(packet, extension, start, self._identity)
            if found is None or found[1] - found[0] != 2:
                return False
            at = found[0] - 1
            self._block, self._at = packet[extension + 3], at - extension
        times = self.times
        self.bytes += length
        if times:
            times[packet[at + 1] << 8 | packet[at + 2]] = now
            return False
        times[packet[at + 1] << 8 | packet[at + 2]] = now
        self.due_at = self._moments.after(now + self.interval_s)
        return True

    def report(self, ssrc: int, media_ssrc: int, now: float) -> Iterator[bytes]:
        """RTCP members that report what has arrived since the last call; none: nothing has."""
        if not self.times:
            return
        first, last = self._extend()
        arrivals = [self._kept.get(number) for number in range(first, last + 1)]
        self._next = last + 1
        size = 0
        while arrivals:
            packet, taken = transport_feedback.write(ssrc, media_ssrc, first, self._count, arrivals)
            self._count = (self._count + 1) & 0xFF
            size += len(packet) + OVERHEAD_BYTES
            yield packet
            first += taken
            del arrivals[:taken]
            if not any(one is not None for one in arrivals):
                break
        self._pace(size, now)
        if len(self._kept) > _KEPT_BEFORE_CLEANING:
            oldest = round(now / transport_feedback.TICK_S) - KEEP_TICKS
            self._kept = {one: at for one, at in self._kept.items() if at >= oldest}

    def _extend(self) -> tuple[int, int]:
        """Sort what was noted into the kept ones; gives the first and last number to report."""
        times, self.times = self.times, {}
        highest = self._highest
        lowest: int | None = None
        for number, at in times.items():
            if highest < 0:
                highest = number + 0x10000
            extended = highest + ((number - highest + 0x8000) & 0xFFFF) - 0x8000
            highest = max(highest, extended)
            lowest = extended if lowest is None else min(lowest, extended)
            self._kept[extended] = round(at / transport_feedback.TICK_S)
        self._highest = highest
        first = highest if lowest is None else lowest
        if 0 <= self._next < first and highest - self._next < MAX_SPAN:
            first = self._next
        return max(first, highest - MAX_SPAN + 1), highest

    def _pace(self, size: int, now: float) -> None:
        """Fit the interval to the rate that was reported on."""
        elapsed = max(now - self._reported_at, MIN_INTERVAL_S)
        received, self.bytes = self.bytes, 0
        self._reported_at = now
        wanted = size * elapsed / (SHARE * max(1, received))
        self.interval_s = min(MAX_INTERVAL_S, max(MIN_INTERVAL_S, wanted))
