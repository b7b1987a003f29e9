"""Keys pressed at a peer, out of telephone-event packets (RFC 4733). Pure.

All packets of one event carry the timestamp of its beginning; its last one comes three times.
Each may be lost, so a key counts with the first packet of it that arrives.
"""

from collections import deque

EVENTS = "0123456789*#ABCD"
"""Event codes 0 to 15; 16 is a hook flash, others are tones of lines (RFC 4733 3.2)."""
REMEMBERED = 8
"""Timestamps of events that were counted: late packets of theirs are no new ones."""
GAP_S = 0.2
"""Packets of a key that is held come every 50 ms (RFC 4733 2.5.1.2), some may be lost."""
_LONGEST = 0xF000
"""A longer event is cut into segments, each with a timestamp of its own (RFC 4733 2.5.1.3)."""


class TelephoneEvents:
    """The events of one stream; nothing that a packet holds makes it raise."""

    __slots__ = ("_at", "_code", "_duration", "_ended", "_seen", "_timestamp", "malformed")

    def __init__(self) -> None:
        self.malformed = 0
        self._seen: deque[int] = deque(maxlen=REMEMBERED)
        self._code = -1
        self._timestamp = 0
        self._duration = 0
        self._ended = True
        self._at = float("-inf")

    def receive(self, timestamp: int, marker: bool, payload: bytes, now: float) -> str:
        """Take one packet; gives the key that it begins, or nothing.

        Args:
            timestamp: of the RTP header, 32 bits. marker: of the RTP header.
        """
        if len(payload) < 4:
            self.malformed += 1
            return ""
        code, ended = payload[0], payload[1] >= 0x80
        duration = payload[2] << 8 | payload[3]
        if timestamp in self._seen:
            if timestamp == self._timestamp:
                self._duration = max(self._duration, duration)
                self._ended |= ended
                self._at = now
            return ""
        goes_on = self._goes_on(code, timestamp, duration, now) and not marker
        self._seen.append(timestamp)
        self._code, self._timestamp = code, timestamp
        self._duration, self._ended, self._at = duration, ended, now
        return "" if goes_on or code >= len(EVENTS) else EVENTS[code]

    def _goes_on(self, code: int, timestamp: int, duration: int, now: float) -> bool:
        """Whether a new timestamp is the same key still: its next segment, or a device that counts
        the timestamp up with each packet."""
        if code != self._code or self._ended or now - self._at > GAP_S:
            return False
        if self._duration >= _LONGEST:
            return True
        return duration > self._duration and (timestamp - self._timestamp) & 0xFFFFFFFF <= duration
