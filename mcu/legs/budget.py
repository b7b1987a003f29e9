"""How much work a peer may make us: a flood stays its own problem.

All are counted in windows, so that one costs a comparison and a subtraction.
"""

WINDOW_S = 0.25
PACKETS_AT_ONCE = 1000
"""What a stalled line lets go; a key frame is a burst of a few hundred."""
PACKETS_PER_WINDOW = 500
"""2,000 packets/s, some 18 Mbit/s: a camera and a presentation of 1080p with repetitions."""
FAILED_PER_WINDOW = 1000
"""Packets that are not the peer's, or come again."""

RTCP_BYTES_PER_WINDOW = 16_000
RTCP_LEAST_BYTES = 40
"""64 kB/s and 1,600 packets/s: a browser on a bad line sends a twentieth, but some peers complain
of each packet that comes over a gap. A list of lost packets takes time as it is long, so bytes
are counted, and short packets as this many."""
HANDSHAKE_PER_WINDOW = 60
CHECKS_PER_WINDOW = 100
"""Connectivity checks; a browser sends some twenty at once and then one each few seconds."""

KEY_FRAME_S = 1.0
"""Requests of so long a time are one: an encoder makes no more than one key frame in it."""
KEY_FRAMES_AT_ONCE = 5
KEY_FRAME_EVERY_S = 8.0
"""A peer gets so many key frames by asking, and then one in this time: everybody who has the same
picture pays for them."""
REQUESTS_TOGETHER = 4
"""Passed on of those that are one: a repeated one may stand for a key frame that was lost."""


class PacketBudget:
    """Media packets of one peer, spent before a packet is opened, as opening it is the work.

    Who forges the address of a room uses up nothing of its budget but the number of failures:
    beyond that nothing is opened until the window ends, or one address would cost all rooms.
    """

    __slots__ = ("_failures_left", "_left", "_window_ends")

    def __init__(self) -> None:
        self._left = PACKETS_AT_ONCE
        self._failures_left = FAILED_PER_WINDOW
        self._window_ends = 0.0

    def spend(self, now: float) -> bool:
        """Take one packet; False: it is one too many and is to be dropped unopened."""
        if now >= self._window_ends:
            windows = 1 + int((now - self._window_ends) / WINDOW_S)
            self._left = min(PACKETS_AT_ONCE, self._left + windows * PACKETS_PER_WINDOW)
            self._failures_left = FAILED_PER_WINDOW
            self._window_ends = now + WINDOW_S
        if self._left <= 0 or self._failures_left <= 0:
            return False
        self._left -= 1
        return True

    def give_back(self) -> None:
        """The packet just taken was not authentic, or had come before."""
        self._left += 1
        self._failures_left -= 1


class WindowBudget:
    """So much in each window.

    Args:
        count: in each of ``WINDOW_S``.
    """

    __slots__ = ("_count", "_left", "_window_ends")

    def __init__(self, count: int) -> None:
        self._count = self._left = count
        self._window_ends = 0.0

    def spend(self, now: float, cost: int = 1) -> bool:
        """Take what costs so much; False: it is too much and is to be dropped."""
        if now >= self._window_ends:
            self._window_ends = now + WINDOW_S
            self._left = self._count
        if self._left < cost:
            return False
        self._left -= cost
        return True

    def give_back(self, cost: int) -> None:
        """What was just taken was not the peer's."""
        self._left += cost


class KeyFrameBudget:
    """Key frames that a peer gets by asking for them (PLI, FIR)."""

    __slots__ = ("_at", "_left", "_together", "_until")

    def __init__(self) -> None:
        self._left = float(KEY_FRAMES_AT_ONCE)
        self._at = 0.0
        self._until = float("-inf")
        self._together = 0

    def spend(self, now: float) -> bool:
        """Take a request; False: it is one too many, and the peer is to ask again if it must."""
        if now >= self._until:
            earned = (now - self._at) / KEY_FRAME_EVERY_S
            self._left = min(KEY_FRAMES_AT_ONCE, self._left + earned)
            self._at = now
            if self._left < 1.0:
                return False
            self._left -= 1.0
            self._until = now + KEY_FRAME_S
            self._together = REQUESTS_TOGETHER
        if not self._together:
            return False
        self._together -= 1
        return True
