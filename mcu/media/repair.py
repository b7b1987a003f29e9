"""How much of a line repetitions may take: on a weak one, repair itself must not eat the line."""

SHARE = 0.5
"""Of the stream's own rate: enough for 20% loss, with repetitions that are lost again."""
SLOW_BPS = 600_000
SLOW_SHARE = 0.25
"""A stream this slow has a line that is full already."""

BURST_S = 0.5
"""A gap may be repaired at once that is as long as this at the allowed rate..."""
MIN_BURST_BYTES = 5_000
"""...or this large."""

SOUND_BPS = 40_000
"""Of sound, whose renditions do not tell."""


class RepairBudget:
    """A token bucket of bytes, filled at a share of the rendition's rate."""

    __slots__ = ("_at", "_burst", "_left", "_per_second")

    def __init__(self) -> None:
        self._at = float("-inf")
        self._per_second = self._burst = self._left = 0.0
        self.fit(0)

    def fit(self, bitrate_bps: int) -> None:
        """Another rendition is played; 0: its rate is not known, and not bounded here."""
        share = SHARE if bitrate_bps > SLOW_BPS else SLOW_SHARE
        self._per_second = bitrate_bps * share / 8 if bitrate_bps else float("inf")
        self._burst = max(MIN_BURST_BYTES, self._per_second * BURST_S)
        self._left = self._burst

    def spend(self, size: int, now: float) -> bool:
        """Take one packet of this size; False: it is one too many now."""
        if now > self._at:
            self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
            self._at = now
        if self._left < size:
            return False
        self._left -= size
        return True
