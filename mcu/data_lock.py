"""One daemon for one ``data_dir``: the lock that keeps a second one out.

Two daemons on one store would give the same numbers to different events and overwrite each other's
conferences. The lock is ``flock`` on a file of its own, so the kernel frees it with the process,
however that ends; what stands in the file (the process id) only says whom to look for. The store
itself stays open to ``mcu token``, which SQLite lets in.
"""

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from config.problems import Problem, SettingsError

FILE_NAME = "mcu.lock"
"""The lock's file under ``data_dir``; it stays when the lock is let go."""

_KEY = "data_dir"


class DataLock:
    """The lock of one directory, held until ``release`` or the end of the process."""

    def __init__(self, directory: Path) -> None:
        """Take the lock; the directory is made (mode 0700) where there is none.

        Raises:
            SettingsError: another process holds it (says which), or the directory cannot be used.
        """
        path = directory / FILE_NAME
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Not inherited by children: a worker that outlives us must not hold the lock.
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unusable(directory, error) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._descriptor)
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise _unusable(directory, error) from error
            reason = (
                f"{directory.absolute()} is in use by another mcu ({_named(_written_in(path))}): "
                "end that one, or give this one a directory of its own"
            )
            raise SettingsError([Problem(_KEY, reason)]) from error
        # On a full disk nobody learns the id; the lock holds all the same.
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode("ascii"), 0)

    def release(self) -> None:
        """Let the next daemon in; harmless when done before."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def holder(directory: Path) -> str | None:
    """Who holds a directory's lock (``process 4711``), or None; changes nothing.

    For a moment the lock is shared, which a daemon that starts in this very moment would take
    for another one.
    """
    path = directory / FILE_NAME
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _named(_written_in(path))
    finally:
        os.close(descriptor)
    return None


def _written_in(path: Path) -> str:
    """The process id that stands in the file; empty when it cannot be told."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
    return text if text.isdecimal() else ""


def _named(process: str) -> str:
    return f"process {process}" if process else "its process is not known"


def _unusable(directory: Path, error: OSError) -> SettingsError:
    reason = f"{directory.absolute()} cannot be used ({error.strerror or error})"
    return SettingsError([Problem(_KEY, reason)])
