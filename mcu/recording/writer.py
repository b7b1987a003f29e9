"""The thread that writes one recording: whatever the disk does, nobody waits for it.

The loop lays samples into a bounded queue. The thread takes what lies there a few times a second,
makes fragments of it and appends them to the part's file.
"""

import errno
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import structlog

from mcu.recording.assembly import Assembly, Begin, Data, Step
from mcu.recording.part_file import PartFile, free_bytes
from mcu.recording.sample import Sample
from mcu.recording.space import Room, judge

QUEUE_BYTES: Final = 16 << 20
"""More than a minute at 1.5 Mbit/s: a disk that stands still so long loses pictures."""
TURN_S: Final = 0.25
SPACE_INTERVAL_S: Final = 1.0
SYNC_INTERVAL_S: Final = 5.0
"""What a power cut may take; a killed process loses no more than the fragment it was at."""

OverReason = Literal["stopped", "disk_full", "failed"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PartBegun:
    """A file was made."""

    number: int


@dataclass(frozen=True, slots=True)
class PartEnded:
    """A file is closed and will not change."""

    number: int
    size: int
    duration_s: float
    sha256: str


@dataclass(frozen=True, slots=True)
class SpaceLow:
    """The disk will be full soon."""

    free: int


@dataclass(frozen=True, slots=True)
class Over:
    """Nothing more is written. ``stopped``: as asked for."""

    reason: OverReason


News = PartBegun | PartEnded | SpaceLow | Over


@dataclass(frozen=True, slots=True)
class Disk:
    """What the thread asks of the disk; replaced in tests that want a bad one.

    Args:
        make: opens a new file. free: bytes that may be written where a directory is.
    """

    make: Callable[[Path], PartFile] = PartFile
    free: Callable[[Path], int] = free_bytes


class RecordingWriter:
    """Writes one recording from ``start`` on until ``stop``; see ``Intake``.

    Args:
        path_of: the file of a part, by its number. first: the first part's number.
        reserve: bytes that must stay free. tell: told what happens, on the thread.
    """

    def __init__(
        self,
        path_of: Callable[[int], Path],
        *,
        first: int,
        reserve: int,
        tell: Callable[[News], None],
        disk: Disk | None = None,
        queue_bytes: int = QUEUE_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.size = 0
        """Bytes of the part that is open, and how long it is:"""
        self.duration_s = 0.0
        self._path_of = path_of
        self._next = first
        self._reserve = reserve
        self._tell = tell
        self._disk = disk or Disk()
        self._clock = clock
        self._queue: deque[Sample] = deque()
        self._queue_bytes = queue_bytes
        self._taken = self._done = 0  # bytes laid in, bytes taken out; each of one thread only
        self._stopping = threading.Event()
        self._assembly = Assembly()
        self._file: PartFile | None = None
        self._room: Room = "ample"
        self._look_at = self._sync_at = -math.inf
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)

    # On the loop

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def has_room(self) -> bool:
        """See ``Intake``."""
        return self._taken - self._done < self._queue_bytes and not self._stopping.is_set()

    def offer(self, sample: Sample) -> bool:
        """See ``Intake``. Cost: some microseconds."""
        if not self.has_room:
            return False
        self._taken += sample.size
        self._queue.append(sample)
        return True

    def stop(self) -> None:
        """Write what waits, close the file and tell that it is over. Idempotent."""
        self._stopping.set()

    def join(self, timeout_s: float) -> bool:
        """Wait until it is over; False: the disk did not let go of it in time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    # On the thread

    def _run(self) -> None:
        reason: OverReason = "stopped"
        try:
            stopping = False
            while not stopping:
                stopping = self._stopping.wait(TURN_S)
                self._turn()
            self._do(self._assembly.close())
        except OSError as error:
            full = isinstance(error, _NoRoomError) or error.errno in (errno.ENOSPC, errno.EDQUOT)
            reason = "disk_full" if full else "failed"
            log.error("recording_ended", reason=reason, error=str(error))
        except Exception:
            reason = "failed"
            log.exception("recording_failed")
        self._stopping.set()
        self._queue.clear()
        try:
            self._close_file(self._assembly.duration_s)
        except OSError as error:
            log.error("recording_not_synced", error=str(error))
        self._tell(Over(reason))

    def _turn(self) -> None:
        """Write what waits."""
        self._look_at_space()
        while self._queue:
            sample = self._queue.popleft()
            self._done += sample.size
            self._do(self._assembly.feed(sample))
        self.duration_s = self._assembly.duration_s
        now = self._clock()
        if self._file is not None and now >= self._sync_at:
            self._sync_at = now + SYNC_INTERVAL_S
            self._file.sync()

    def _do(self, steps: list[Step]) -> None:
        for step in steps:
            if isinstance(step, Begin):
                self._file = self._disk.make(self._path_of(self._next))
                self._tell(PartBegun(self._next))
                self._next += 1
            elif isinstance(step, Data):
                if self._file is not None:
                    self._look_at_space()
                    self._file.append(step.data)
                    self.size = self._file.size
            else:
                self._close_file(step.duration_s)

    def _close_file(self, duration_s: float) -> None:
        file, self._file = self._file, None
        if file is None:
            return
        self.size, self.duration_s = 0, 0.0
        ended = PartEnded(self._next - 1, file.size, duration_s, file.sha256)
        try:
            file.close()
        finally:
            self._tell(ended)

    def _look_at_space(self) -> None:
        """Stop before the disk is full, as the store needs it too.

        Raises:
            _NoRoomError: it is time.
        """
        now = self._clock()
        if now < self._look_at:
            return
        self._look_at = now + SPACE_INTERVAL_S
        free = self._disk.free(self._path_of(self._next).parent)
        room = judge(free, self._reserve)
        if room == "full":
            raise _NoRoomError(f"{free} bytes are left, {self._reserve} must stay free")
        if room == "low" and self._room == "ample":
            self._tell(SpaceLow(free))
        self._room = room


class _NoRoomError(OSError):
    """The reserve would be used up."""
