"""Where sound and pictures stand in a file, so that lips and voices stay together.

Sound is the file's clock: its RTP timestamps come from the mixing clock without a gap, and a gap or
an overlap in sound is heard. Pictures carry the moment they stand for; sound does too, so each
packet of sound says where on the file's clock a moment stands. Ticks that were left out, and sound
that waits longer than it did, move pictures with it instead of moving sound.

Pure: numbers in, numbers out.
"""

AUDIO_HZ = 48_000
VIDEO_HZ = 90_000

FOLLOWING = 0.04
"""Part of a packet's deviation that is taken over: about half a second to follow a change."""
STEP_S = 0.1
"""A deviation of so much is no jitter (the machine stood still): taken over at once."""
LEAST_STEP = VIDEO_HZ // 1000


class Timeline:
    """Maps both streams onto one clock that begins with the mixing clock."""

    def __init__(self) -> None:
        self._offset_s: float | None = None  # file's clock less the moment of capture

    @property
    def begun(self) -> bool:
        """Whether any sound has come, without which no picture has a place."""
        return self._offset_s is not None

    def hear(self, timestamp: int, captured: float) -> None:
        """Take note of a packet of sound: it stands at ``timestamp`` and was at ``captured``."""
        offset = timestamp / AUDIO_HZ - captured
        if self._offset_s is None or abs(offset - self._offset_s) > STEP_S:
            self._offset_s = offset
        else:
            self._offset_s += (offset - self._offset_s) * FOLLOWING

    def place_s(self, captured: float) -> float:
        """Where a picture stands, seconds.

        Raises:
            ValueError: no sound has come.
        """
        if self._offset_s is None:
            raise ValueError("pictures have no place before the first sound")
        return captured + self._offset_s


class Track:
    """Keeps the times of one stream growing.

    Args:
        rate: its clock, Hz. origin_s: what is 0 in the file. least: between two, in ``rate``.
    """

    def __init__(self, rate: int, origin_s: float, least: int) -> None:
        self._rate = rate
        self._origin = round(origin_s * rate)
        self._least = least
        self.last: int | None = None

    def at(self, time_s: float) -> int:
        """The time in the file for a moment on the timeline, later than the one before."""
        time = max(0, round(time_s * self._rate) - self._origin)
        if self.last is not None:
            time = max(time, self.last + self._least)
        self.last = time
        return time
