"""Payloads of one rendition, kept once for all legs: to be sent, and sent again after a NACK."""

VIDEO_PACKETS = 1024
AUDIO_PACKETS = 128


class PayloadRing:
    """The last ``capacity`` payloads, each with a running index that never wraps.

    A leg is an offset into it: index + offset = the leg's RTP sequence number. The lists are
    read directly by the sending loop (``index & mask``); only ``append`` writes them.

    Args:
        capacity: a power of two.
    Raises:
        ValueError: capacity is no power of two.
    """

    __slots__ = ("capacity", "end", "key_frame", "markers", "mask", "payloads", "timestamps")

    def __init__(self, capacity: int) -> None:
        if capacity < 1 or capacity & (capacity - 1):
            raise ValueError("capacity must be a power of two")
        self.capacity = capacity
        self.mask = capacity - 1
        self.payloads: list[bytes] = [b""] * capacity
        self.timestamps: list[int] = [0] * capacity
        self.markers: list[int] = [0] * capacity  # 0x80 or 0, as it stands in the header
        self.end = 0
        self.key_frame = -1
        """Index of the first payload of the newest key frame; -1 before the first."""

    @property
    def oldest(self) -> int:
        """Index of the oldest payload still held."""
        return max(0, self.end - self.capacity)

    def append(
        self, payloads: list[bytes], timestamp: int, *, key_frame: bool, marked: bool
    ) -> None:
        """Keep the payloads of one picture (or one audio packet).

        Args:
            timestamp: RTP timestamp, any integer. marked: set the marker bit on the last one.
        """
        if not payloads:
            return
        mask = self.mask
        index = self.end
        if key_frame:
            self.key_frame = index
        for payload in payloads:
            at = index & mask
            self.payloads[at] = payload
            self.timestamps[at] = timestamp
            self.markers[at] = 0
            index += 1
        if marked:
            self.markers[(index - 1) & mask] = 0x80
        self.end = index
