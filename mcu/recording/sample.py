"""What a recorder takes from renditions: coded sound and pictures as everybody got them."""

from typing import Literal, NamedTuple


class Sample(NamedTuple):
    """One Opus packet, or the RTP payloads of one H.264 picture.

    Args:
        timestamp: the rendition's RTP timestamp, not wrapped.
        captured: the moment on the monotonic clock for which it stands.
    """

    stream: Literal["audio", "video"]
    payloads: tuple[bytes, ...]
    timestamp: int
    captured: float

    @property
    def size(self) -> int:
        """Bytes of media."""
        return sum(map(len, self.payloads))
