"""When a disk has too little room left to go on recording. Pure."""

from typing import Literal

Room = Literal["ample", "low", "full"]

LOW_TIMES = 2
"""It is said that the disk gets full when so many times the reserve is left."""


def judge(free_bytes: int, reserve_bytes: int) -> Room:
    """How much room there is.

    Args:
        free_bytes: that we may use. reserve_bytes: what recordings leave to everything else.
    """
    if free_bytes < reserve_bytes:
        return "full"
    return "low" if free_bytes < LOW_TIMES * reserve_bytes else "ample"
