"""One picture of the wall of thumbnails."""

from dataclasses import dataclass
from typing import Final

STALE_S: Final = 5.0
STALE_TIMES: Final = 2.2
"""A picture is stale when it is older than ``STALE_S`` and so many times the distance of two."""


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small JPEG of what a participant sends.

    Args:
        digest: of the JPEG; tells pictures apart.
        taken_at: when the picture arrived, monotonic seconds.
        next_s: in how long the next one was to be expected.
    """

    participant: str
    jpeg: bytes
    digest: str
    taken_at: float
    next_s: float

    def is_stale(self, now: float) -> bool:
        """Whether the room has sent nothing newer for too long."""
        return now - self.taken_at > max(STALE_S, STALE_TIMES * self.next_s)
