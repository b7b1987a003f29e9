"""What each room should send: no more pixels and pictures than the layouts show."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SourceRequest:
    """The size and rate a source is asked for.

    Args:
        paused: nobody sees it; a room that can pause should, others send a thumbnail of the
            given size.
    """

    width: int
    height: int
    fps: int
    bitrate_bps: int
    paused: bool = False


@dataclass(frozen=True, slots=True)
class _Step:
    width: int
    height: int
    bitrate_bps: int


STEPS = (
    _Step(320, 180, 150_000),
    _Step(640, 360, 500_000),
    _Step(1280, 720, 1_500_000),
    _Step(1920, 1080, 3_000_000),
)
"""Sizes cameras and browsers know; bit rates for 25 pictures a second."""

THUMBNAIL_FPS = 5
THUMBNAIL_BPS = 80_000

WALL_FPS = 1
"""What a hidden room is asked for while somebody looks at the wall of thumbnails."""

AUDIO_BPS = 100_000
"""Kept free for sound where a limit covers a whole leg (REMB)."""

_TOLERANCE = 0.03
"""A slot this little larger than a step (gaps differ by pixels) does not need the next one."""


def request_for(slots: Iterable[tuple[int, int]], fps: int) -> SourceRequest:
    """What a source should send for the slots (width, height) it stands in; none: it is hidden."""
    largest = [0.0, 0.0]
    for width, height in slots:
        largest = [max(largest[0], width), max(largest[1], height)]
    if not largest[0]:
        small = STEPS[0]
        return SourceRequest(small.width, small.height, THUMBNAIL_FPS, THUMBNAIL_BPS, paused=True)
    for step in STEPS:
        if largest[0] <= step.width * (1 + _TOLERANCE) and largest[1] <= step.height * (
            1 + _TOLERANCE
        ):
            break
    return SourceRequest(step.width, step.height, fps, step.bitrate_bps)


def thumbnail_request() -> SourceRequest:
    """What a hidden source should send while it is observed, or is a presentation."""
    small = STEPS[0]
    return SourceRequest(small.width, small.height, THUMBNAIL_FPS, THUMBNAIL_BPS)


def wall_request() -> SourceRequest:
    """What a hidden room should send while its thumbnail is looked at."""
    small = STEPS[0]
    return SourceRequest(small.width, small.height, WALL_FPS, THUMBNAIL_BPS)
