"""How much of the decoders one source may take: what it is shown for, not what it sends.

Pure: sizes, processor time and ``now`` go in. A picture beyond the level is not decoded at all; a
source beyond its share, by the level's rate or by processor time, is decoded at key frames only,
one every few seconds, for a while; longer each time.
"""

MAX_MACROBLOCKS = 8_192
MACROBLOCKS_PER_S = 245_760
"""Level 4 (H.264 table A-1): 1080p at 30 pictures a second, the most that answers agree to. VP8
has no levels and is held to the same. Where less was agreed it is not held against a room: browsers
send 1080p at whatever level was negotiated, and rooms are asked for 1080p."""
MACROBLOCKS_BURST = 2 * MACROBLOCKS_PER_S
"""What a stalled line lets go at once."""

MAX_PICTURES_PER_S = 120
"""Twice the fastest camera, or what a stalled line lets go at once. A source that sends more
would take the decoders from the others: the rest of the second is left out."""

SHARE = 0.15
"""Of one core: 1080p at 30 pictures a second takes some 0.08, 4K at 25 some 0.27."""
BURST_S = 0.4
"""What may be taken at once: a key frame, what a stalled line lets go."""

STILL_S = 2.0
"""Distance of the pictures that are decoded of a source beyond its share."""
PENALTY_S = 4.0
PENALTY_MAX_S = 64.0
"""Doubled each time until the source kept within its share for ``PENALTY_MAX_S``."""


class PictureRate:
    """Pictures of one source in each second, before any work is done for them."""

    __slots__ = ("_left", "_second_ends")

    def __init__(self) -> None:
        self._second_ends = 0.0
        self._left = MAX_PICTURES_PER_S

    def take(self, now: float) -> bool:
        """One picture; False: it is one too many."""
        if now >= self._second_ends:
            self._second_ends = now + 1.0
            self._left = MAX_PICTURES_PER_S
        if not self._left:
            return False
        self._left -= 1
        return True


class DecodeBudget:
    """Processor time and macroblocks for one source."""

    __slots__ = ("_at", "_blocks_at", "_blocks_left", "_left_s", "_over_until", "_penalty_s")

    def __init__(self) -> None:
        self._left_s = BURST_S
        self._at = 0.0
        self._blocks_left: float = MACROBLOCKS_BURST
        self._blocks_at = 0.0
        self._penalty_s = PENALTY_S
        self._over_until = float("-inf")

    def spend(self, seconds: float, now: float) -> bool:
        """Take what decoding and scaling took; whether it now begins to be too much."""
        if now < self._over_until:
            return False
        self._left_s = min(BURST_S, self._left_s + (now - self._at) * SHARE) - seconds
        self._at = now
        if self._left_s > 0.0:
            return False
        self._begin_penalty(now)
        return True

    def take(self, macroblocks: int, now: float) -> bool:
        """One picture of this size is to be decoded; whether it now begins to be too much."""
        if now < self._over_until:
            return False
        grown = (now - self._blocks_at) * MACROBLOCKS_PER_S
        self._blocks_left = min(MACROBLOCKS_BURST, self._blocks_left + grown) - macroblocks
        self._blocks_at = now
        if self._blocks_left > 0.0:
            return False
        self._begin_penalty(now)
        return True

    def is_over(self, now: float) -> bool:
        """Whether key frames alone are to be decoded now."""
        return now < self._over_until

    def _begin_penalty(self, now: float) -> None:
        if now - self._over_until > PENALTY_MAX_S:
            self._penalty_s = PENALTY_S
        self._over_until = now + self._penalty_s
        self._penalty_s = min(2 * self._penalty_s, PENALTY_MAX_S)
        self._left_s = BURST_S
        self._blocks_left = MACROBLOCKS_BURST
        self._at = self._blocks_at = self._over_until
