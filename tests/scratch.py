"""Where tests write what nobody reads afterwards.

A store waits for the disk with each of its commits, and most tests have a store of their own. What
such a wait is good for, a power cut, no test can show; so files are in memory where there is room.
"""

import os
from pathlib import Path

MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 4 << 30


def folder_in_memory(place: Path = MEMORY, enough_bytes: int = ENOUGH_BYTES) -> Path | None:
    """A folder that is no disk, with so much room, where programs may be run from; None: none."""
    try:
        found = os.statvfs(place)
    except OSError:
        return None
    refuses = found.f_flag & (os.ST_RDONLY | os.ST_NOEXEC) or not os.access(place, os.W_OK)
    free_bytes = found.f_bavail * found.f_frsize
    return None if refuses or free_bytes < enough_bytes else place
