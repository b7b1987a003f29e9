"""One file of a recording on the disk: appended to, summed up, never gone back in."""

import hashlib
import os
from pathlib import Path

from mcu.recording.boxes import whole_bytes

_BLOCK = 1 << 20


class PartFile:
    """A new file, readable by us alone. May block as long as the disk does: not on the loop.

    Raises:
        OSError: it exists, or cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._sum = hashlib.sha256()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        self._descriptor = os.open(path, flags, 0o600)

    @property
    def sha256(self) -> str:
        """Of what is in the file."""
        return self._sum.hexdigest()

    def append(self, data: bytes) -> None:
        """Add bytes as a whole.

        Raises:
            OSError: the disk is full or broken; the file ends where it did.
        """
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError:
            os.ftruncate(self._descriptor, self.size)
            raise
        self.size += len(data)
        self._sum.update(data)

    def sync(self) -> None:
        """Bring it to the disk, so that it survives a power cut."""
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        """Sync and close."""
        try:
            self.sync()
        finally:
            os.close(self._descriptor)


def free_bytes(directory: Path) -> int:
    """What we may still write where the directory is. Raises OSError."""
    found = os.statvfs(directory)
    return found.f_bavail * found.f_frsize


def repair(path: Path) -> int:
    """Cut off what a killed process left half written; gives the file's size, 0: it held nothing.

    Raises:
        OSError: it cannot be read or written.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        whole = whole_bytes(file, size)
    if whole != size:
        os.truncate(path, whole)
    return whole


def sha256_of(path: Path) -> str:
    """Of a whole file. Raises OSError. Cost: some seconds for a gigabyte."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()
