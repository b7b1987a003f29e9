"""One picture of the wall of thumbnails."""

from dataclasses import dataclass


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
