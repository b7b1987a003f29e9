"""Extended sequence numbers and timestamps, loss and jitter of one received stream (RFC 3550 A)."""

MAX_DROPOUT = 3000
MAX_MISORDER = 1000
"""A jump further ahead or back is believed only when the next packet follows it (RFC 3550 A.1)."""


class SequenceTracker:
    """Unwraps sequence numbers and timestamps, counts what is lost, measures jitter.

    Args:
        clock_rate: of the RTP timestamps, Hz.
        above: extended numbers will be greater than this one, so that they go on growing when
            a source changes its SSRC.
    """

    __slots__ = (
        "_after_jump",
        "_base",
        "_expected_before",
        "_first_cycle",
        "_first_timestamp",
        "_jitter",
        "_last_transit",
        "_received_before",
        "clock_rate",
        "fraction_lost",
        "highest",
        "received",
        "restarts",
        "timestamp",
    )

    def __init__(self, clock_rate: int, above: int = 0) -> None:
        self.clock_rate = clock_rate
        # At least one cycle up, so that a packet from before the first wrap is not negative.
        self._first_cycle = (above & ~0xFFFF) + 0x10000
        self.highest = -1
        """Highest extended sequence number; -1 before the first packet."""
        self.received = 0
        self.restarts = 0
        self.fraction_lost = 0
        """Of the last report interval, in 1/256."""
        self._base = 0
        self._after_jump = -1
        self.timestamp = 0
        """The last packet's, extended; 0 before the first."""
        self._first_timestamp = True
        self._last_transit: float | None = None
        self._jitter = 0.0
        self._expected_before = 0
        self._received_before = 0

    def extend(self, sequence: int) -> int | None:
        """Extended number of a 16-bit ``sequence``; None for a jump not yet confirmed.

        After a confirmed jump numbers go on growing, so that no earlier one comes again.
        """
        highest = self.highest
        if highest < 0:
            self.highest = self._base = extended = sequence + self._first_cycle
            self.received = 1
            return extended
        ahead = (sequence - highest) & 0xFFFF
        if ahead < MAX_DROPOUT:
            self.highest = extended = highest + ahead
        elif ahead > 0x10000 - MAX_MISORDER:
            extended = highest + ahead - 0x10000
        else:
            if sequence != self._after_jump:
                self._after_jump = (sequence + 1) & 0xFFFF
                return None
            self.highest = extended = highest + ahead
            # Nothing between is counted as lost: the peer began anew.
            self._base += ahead - 1
            self.restarts += 1
        self._after_jump = -1
        self.received += 1
        return extended

    def take(self, sequence: int, timestamp: int, now: float) -> int | None:
        """Count one packet of the stream, and its transit into the jitter (RFC 3550 A.8).

        Returns: its extended number, None for a jump not yet confirmed. Its extended timestamp
            stands in ``timestamp``.
        """
        highest = self.highest
        if highest >= 0 and (sequence - highest) & 0xFFFF == 1:
            self.highest = extended = highest + 1
            self._after_jump = -1
            self.received += 1
        else:
            found = self.extend(sequence)
            if found is None:
                return None
            extended = found
        transit = now * self.clock_rate - self.extend_timestamp(timestamp)
        before = self._last_transit
        if before is not None:
            difference = abs(transit - before)
            # A source that jumps its clock would otherwise report jitter of hours.
            if difference < self.clock_rate * 2:
                self._jitter += (difference - self._jitter) / 16.0
        self._last_transit = transit
        return extended

    def extend_timestamp(self, timestamp: int) -> int:
        """Extended value of a 32-bit timestamp: the one nearest to the last one."""
        if self._first_timestamp:
            self._first_timestamp = False
            self.timestamp = timestamp
            return timestamp
        delta = (timestamp - self.timestamp) & 0xFFFFFFFF
        if delta >= 0x80000000:
            delta -= 0x100000000
        self.timestamp = extended = self.timestamp + delta
        return extended

    @property
    def transit(self) -> tuple[float, float]:
        """The last packet's, in RTP clock units, and the jitter; of a stream that has begun."""
        return self._last_transit or 0.0, self._jitter

    def advance(self, count: int, timestamp: int, transit: float, jitter: float) -> None:
        """Take over ``count`` packets that followed the last one in order, counted elsewhere.

        Args:
            timestamp: the last one's, extended. transit, jitter: as of the property above.
        """
        self.highest += count
        self.received += count
        self._after_jump = -1
        self.timestamp = timestamp
        self._last_transit, self._jitter = transit, jitter

    @property
    def jitter(self) -> int:
        """In RTP clock units, as it stands in a report block."""
        return min(0xFFFFFFFF, int(self._jitter))

    @property
    def reported_highest(self) -> int:
        """Extended highest sequence number as it stands in a report block."""
        return max(0, self.highest - self._first_cycle) & 0xFFFFFFFF

    @property
    def lost(self) -> int:
        """Packets expected less those received; negative with duplicates; 24 bits signed."""
        if self.highest < 0:
            return 0
        return max(-0x800000, min(0x7FFFFF, self.highest - self._base + 1 - self.received))

    def close_interval(self) -> None:
        """Compute ``fraction_lost`` since the last call (RFC 3550 A.3)."""
        expected = self.highest - self._base + 1 if self.highest >= 0 else 0
        expected_now = expected - self._expected_before
        received_now = self.received - self._received_before
        self._expected_before = expected
        self._received_before = self.received
        lost = expected_now - received_now
        self.fraction_lost = (
            min(255, lost * 256 // expected_now) if expected_now > 0 and lost > 0 else 0
        )
