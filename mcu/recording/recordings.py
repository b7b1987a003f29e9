"""All recordings of this daemon: they follow what the conferences decide.

A conference's events say what is to be recorded; this opens a viewer and a writer for it, says
back what goes wrong, and keeps the list in the store. Nothing here waits for the disk but tasks of
its own.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import av
import structlog

from mcu.conference.commands import Fact
from mcu.conference.events import Event
from mcu.conference.recording_model import (
    NoteRecordingOver,
    NoteRecordingTrouble,
    Recording,
    RecordingInterrupted,
    RecordingStarted,
    RecordingStopped,
)
from mcu.conference.state import ConferenceState
from mcu.engine.conference_media import ConferenceMedia
from mcu.recording.metrics import RecordingReading
from mcu.recording.part_file import free_bytes, repair, sha256_of
from mcu.recording.space import judge
from mcu.recording.viewer import RecordingViewer
from mcu.recording.writer import News, Over, PartBegun, PartEnded, RecordingWriter, SpaceLow
from mcu.sentences import sentence
from mcu.store.commits import Write
from mcu.store.errors import StoreUnavailable
from mcu.store.recordings import PartRecord, RecordingRecord
from mcu.store.recordings import Recordings as Rows

DIRECTORY: Final = "recordings"
LOOK_S: Final = 1.0
RETENTION_S: Final = 3_600.0
SLOW_AGAIN_S: Final = 30.0
"""A disk that stays slow is told of so often."""
RETRY_S: Final = 2.0
CLOSING_S: Final = 5.0
"""A disk that does not answer keeps the daemon from ending no longer than this."""
_FILE: Final = re.compile(r"(rec-[0-9a-f]{1,32})-([0-9]{1,6})\.mp4")

log = structlog.get_logger(__name__)


def file_name(recording: str, part: int) -> str:
    """What a part is called on the disk: nothing of it comes from outside.

    Raises:
        ValueError: the id is none of ours.
    """
    name = f"{recording}-{part:04d}.mp4"
    if not _FILE.fullmatch(name):
        raise ValueError(f"{recording!r} is no recording's id")
    return name


@dataclass(slots=True)
class _Running:
    """One recording that is being written."""

    conference: str
    viewer: RecordingViewer
    writer: RecordingWriter
    parts: dict[int, datetime] = field(default_factory=dict)  # when each began
    dropped: int = 0
    told_at: float = float("-inf")


class Recordings:
    """See ``RecordingService``, and ``Listener`` for ``changed``.

    Args:
        directory: made with mode 0700 where there is none.
        media: of a conference that runs. note: tells the conferences of a fact.
        retention: after their end. reserve: bytes that must stay free.
    """

    def __init__(
        self,
        directory: Path,
        rows: Rows,
        *,
        media: Callable[[str], ConferenceMedia | None],
        note: Callable[[str, Fact], None],
        utcnow: Callable[[], datetime],
        retention: timedelta,
        reserve: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._rows = rows
        self._media = media
        self._note = note
        self._utcnow = utcnow
        self._retention = retention
        self._reserve = reserve
        self._clock = clock
        self._running: dict[str, _Running] = {}
        self._closing: dict[str, _Running] = {}
        self._parts: dict[str, int] = {}  # the highest number so far of those found at the start
        self._ended: Counter[str] = Counter()
        self._dropped = 0  # by recordings that are over
        self._writes: asyncio.Queue[Write] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop

    # From start to end

    async def recover(self) -> None:
        """Mend what a process left that was killed; before the conferences are restored.

        Raises:
            OSError: the directory cannot be used. StoreUnavailable.
        """
        self._loop = asyncio.get_running_loop()
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory.chmod(0o700)
        for entry in sorted(self._directory.iterdir()):
            named = _FILE.fullmatch(entry.name)
            if named:
                recording, number = named[1], int(named[2])
                self._parts[recording] = max(number, self._parts.get(recording, 0))
        self._unfinished = await self._rows.unfinished()

    def open(self, running: Callable[[str], ConferenceState | None]) -> None:
        """Go on, after the conferences are restored.

        Args:
            running: a conference that runs, by its id.
        """
        now = self._utcnow()
        for record in self._unfinished:
            state = running(record.conference)
            goes_on = state is not None and any(one.id == record.id for one in state.recordings)
            if record.ended_at is None and not goes_on:
                self._ended["interrupted"] += 1
                self._write(self._rows.ended(record.id, now, "interrupted"))
        self._tasks = [
            asyncio.create_task(self._store(), name="recordings-store"),
            asyncio.create_task(self._mend(tuple(self._unfinished)), name="recordings-mend"),
            asyncio.create_task(self._look(), name="recordings-look"),
            asyncio.create_task(self._forget(), name="recordings-retention"),
        ]

    async def close(self) -> None:
        """Close all files; conferences that go on are recorded further after a restart."""
        for task in self._tasks[1:]:
            task.cancel()
        for id_ in list(self._running):
            self._release(id_)
        waits = [asyncio.to_thread(one.writer.join, CLOSING_S) for one in self._closing.values()]
        for ended in await asyncio.gather(*waits):
            if not ended:
                log.error("recording_not_closed", reason="the disk does not answer")
        await asyncio.sleep(0)  # what the threads have told is taken in
        try:
            async with asyncio.timeout(CLOSING_S):
                await self._writes.join()
        except TimeoutError:
            log.error("recordings_not_listed", waiting=self._writes.qsize())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # What the conferences decide

    def changed(self, state: ConferenceState, event: Event) -> None:
        """See ``mcu.conference.live.Listener``."""
        if isinstance(event, RecordingStarted):
            self._begin(state.id, event.recording)
        elif isinstance(event, RecordingInterrupted):
            for one in state.recordings:
                if one.id == event.id:
                    self._begin(state.id, one)
        elif isinstance(event, RecordingStopped):
            self._release(event.id)
            self._ended[event.reason] += 1
            self._write(self._rows.ended(event.id, event.at, event.reason))

    def _begin(self, conference: str, recording: Recording) -> None:
        media = self._media(conference)
        if media is None:
            self._note(conference, NoteRecordingOver(recording.id, "failed"))
            return
        self._write(self._rows.row(record_of(conference, recording)))
        id_, loop = recording.id, self._loop

        def tell(news: News) -> None:
            loop.call_soon_threadsafe(self._told, id_, news)

        writer = RecordingWriter(
            lambda number: self.path(id_, number),
            first=self._parts.get(id_, 0) + 1,
            reserve=self._reserve,
            tell=tell,
        )
        viewer = RecordingViewer(id_, conference, writer, self._clock)
        self._running[id_] = _Running(conference, viewer, writer)
        writer.start()
        media.add_recorder(viewer, recording.view, self._clock())
        log.info("recording", recording=id_, conference=conference, view=recording.view)

    def _release(self, id_: str) -> None:
        """Take no more, and let the file be closed."""
        one = self._running.pop(id_, None)
        if one is None:
            return
        media = self._media(one.conference)
        if media is not None:
            media.remove_recorder(one.viewer)
        one.viewer.close("ended", self._clock())
        self._dropped += one.viewer.dropped
        self._closing[id_] = one
        one.writer.stop()

    # What the writers tell

    def _told(self, id_: str, news: News) -> None:
        one = self._running.get(id_) or self._closing.get(id_)
        if one is None:
            return
        match news:
            case PartBegun(number):
                self._parts[id_] = number
                began = one.parts[number] = self._utcnow()
                self._write(self._rows.part(id_, PartRecord(number, "writing", began)))
            case PartEnded(number, size, duration_s, checksum):
                began = one.parts[number]
                part = PartRecord(number, "complete", began, size, duration_s, checksum)
                self._write(self._rows.part(id_, part))
            case SpaceLow(free):
                log.warning("recording_space_low", recording=id_, free_bytes=free)
                trouble = NoteRecordingTrouble(id_, "disk_low", one.viewer.dropped, free)
                self._note(one.conference, trouble)
            case Over(reason):
                self._release(id_)
                self._closing.pop(id_, None)
                if reason != "stopped":
                    self._note(one.conference, NoteRecordingOver(id_, reason))

    async def _look(self) -> None:
        """Tell of what is left out because the disk does not keep up."""
        while True:
            await asyncio.sleep(LOOK_S)
            now = self._clock()
            for id_, one in self._running.items():
                dropped = one.viewer.dropped
                if dropped > one.dropped and now - one.told_at >= SLOW_AGAIN_S:
                    one.dropped, one.told_at = dropped, now
                    log.warning("recording_disk_slow", recording=id_, dropped=dropped)
                    trouble = NoteRecordingTrouble(id_, "disk_slow", dropped)
                    self._note(one.conference, trouble)

    # RecordingService

    async def of(self, conference: str) -> Sequence[RecordingRecord]:
        """See ``RecordingService``."""
        found = await self._rows.of(conference)
        return [self._now(record) for record in found]

    def path(self, recording: str, part: int) -> Path:
        """See ``RecordingService``."""
        return self._directory / file_name(recording, part)

    def refusal(self) -> str | None:
        """See ``RecordingService``. Cost: one system call that reads no disk."""
        free = free_bytes(self._directory)
        if judge(free, self._reserve) == "full":
            return sentence(
                "recording.disk-full", left_mib=free >> 20, reserve_mib=self._reserve >> 20
            )
        return None

    async def delete(self, recording: RecordingRecord) -> None:
        """See ``RecordingService``."""
        numbers = {part.number for part in recording.parts}
        numbers |= set(range(1, self._parts.get(recording.id, 0) + 1))
        paths = [self.path(recording.id, number) for number in numbers]
        await asyncio.to_thread(_unlink, paths)
        await self._rows.commit(self._rows.without(recording.id))

    def reading(self) -> RecordingReading:
        """For the metrics."""
        try:
            free = free_bytes(self._directory)
        except OSError:
            free = None
        dropped = self._dropped + sum(one.viewer.dropped for one in self._running.values())
        return RecordingReading(len(self._running), free, dropped, dict(self._ended))

    def _now(self, record: RecordingRecord) -> RecordingRecord:
        """With the size that the open part has by now."""
        one = self._running.get(record.id)
        if one is None:
            return record
        parts = tuple(
            replace(part, size=one.writer.size, duration_s=one.writer.duration_s)
            if part.state == "writing" and part.number == self._parts.get(record.id)
            else part
            for part in record.parts
        )
        return replace(record, parts=parts)

    # The store

    def _write(self, write: Write) -> None:
        self._writes.put_nowait(write)

    async def _store(self) -> None:
        """Write the list, in order; what the store cannot take now it takes later."""
        while True:
            write = await self._writes.get()
            await _persistently(lambda write=write: self._rows.commit(write))  # type: ignore[misc]
            self._writes.task_done()

    async def _mend(self, unfinished: Sequence[RecordingRecord]) -> None:
        """Sum up the files of recordings that were being written when the process ended."""
        for record in unfinished:
            known = {part.number: part for part in record.parts}
            running = self._running.get(record.id)
            for number in range(1, self._parts.get(record.id, 0) + 1):
                part = known.get(number) or PartRecord(number, "writing", record.started_at)
                if part.sha256 is None and (running is None or number not in running.parts):
                    mended = await asyncio.to_thread(mend, self.path(record.id, number), part)
                    self._write(self._rows.part(record.id, mended))

    async def _forget(self) -> None:
        """Delete what was kept long enough."""
        while True:
            try:
                for record in await self._rows.over(self._utcnow() - self._retention):
                    log.info("recording_expired", recording=record.id)
                    await self.delete(record)
            except (StoreUnavailable, OSError) as error:
                log.error("recordings_not_expired", error=str(error))
            await asyncio.sleep(RETENTION_S)


def _unlink(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


async def _persistently(work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            return await work()
        except StoreUnavailable as error:
            log.warning("recordings_wait_for_the_store", reason=error.reason)
            await asyncio.sleep(RETRY_S)


def record_of(conference: str, recording: Recording) -> RecordingRecord:
    """What the store keeps of a recording that begins."""
    return RecordingRecord(
        id=recording.id,
        conference=conference,
        name=recording.name,
        view=recording.view,
        by=recording.by,
        started_at=recording.started_at,
        interruptions=recording.interruptions,
    )


def mend(path: Path, part: PartRecord) -> PartRecord:
    """A part that was not closed, cut to what is whole. Blocks as long as the disk does."""
    try:
        size = repair(path)
        duration = _duration_s(path) if size else 0.0
        return replace(
            part, state="interrupted", size=size, duration_s=duration, sha256=sha256_of(path)
        )
    except OSError as error:
        log.error("recording_not_mended", file=path.name, error=str(error))
        return replace(part, state="interrupted")


def _duration_s(path: Path) -> float:
    with av.open(path) as file:
        return (file.duration or 0) / av.time_base
