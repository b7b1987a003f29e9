"""Conferences that are no meetings: rooms are met in them for a readiness check."""

import re
from typing import Final

_ID: Final = re.compile(r"check-[0-9a-z]+\.[0-9]+")


def for_check(check: str, number: int) -> str:
    """The id of the conference that a check makes as its ``number``-th."""
    return f"{check}.{number}"


def check_of(conference: str) -> str:
    """The check that made a conference, see ``for_check``."""
    return conference.partition(".")[0]


def is_for_check(conference: str) -> bool:
    """Whether a conference was made for a check. Others' ids hold no dot."""
    return _ID.fullmatch(conference) is not None
