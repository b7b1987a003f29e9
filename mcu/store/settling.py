"""Bringing to the disk what was committed without waiting for it; on a thread of its own.

Syncing the log is all that surviving a power cut takes: it is what SQLite does at the end of a
commit with ``synchronous=FULL``. Writing the log back (a checkpoint) is done seldom, as the first
commit after it begins the log anew, and waits for the disk to have its header though
``synchronous`` is ``NORMAL`` (https://sqlite.org/pragma.html#pragma_synchronous).
"""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

CHECKPOINT_S: Final = 30.0
"""Between two checkpoints while something is written."""
LOG_PAGES: Final = 8_192
"""Of a log this long (32 MB) a commit makes a checkpoint itself."""

_sync: Final[Callable[[int], None]] = getattr(os, "fdatasync", os.fsync)


def log_of(path: Path) -> Path:
    """The write-ahead log of a database file; there while anybody has that open."""
    return path.with_name(f"{path.name}-wal")


def sync_log(path: Path) -> None:
    """Bring to the disk what is in the log of a database file.

    SQLite locks neither the log nor anything by it, so opening and closing it once more is safe,
    which it would not be for the database itself.

    Raises:
        OSError: it is not there for sure.
    Cost: as long as the disk takes.
    """
    descriptor = os.open(log_of(path), os.O_RDONLY)
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def checkpoint(connection: sqlite3.Connection) -> bool:
    """Write the log back as far as nobody reads; gives whether it was all.

    Raises:
        sqlite3.Error.
    """
    ((busy, pages, done),) = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    return not busy and done >= pages
