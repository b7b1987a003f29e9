"""The words in pictures, one table per language."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Words:
    """What tiles say.

    Args:
        lost: the line to a room is broken. no_video: it is there, its camera is not.
        waiting: expected, not here yet. calling: being called. left: it went away.
        presentation: in front of the presenter's name.
    """

    lost: str
    no_video: str
    waiting: str
    calling: str
    left: str
    presentation: str


VIETNAMESE = Words(
    lost="Mất tín hiệu",
    no_video="Không có hình",
    waiting="Đang chờ",
    calling="Đang gọi",
    left="Đã rời phòng họp",
    presentation="Trình chiếu",
)

ENGLISH = Words(
    lost="Signal lost",
    no_video="No video",
    waiting="Waiting",
    calling="Calling",
    left="Left the meeting",
    presentation="Presentation",
)

WORDS: Mapping[str, Words] = MappingProxyType({"vi": VIETNAMESE, "en": ENGLISH})
"""By language code."""
