"""One SQLite file: opened safely, migrated, written by one connection and read by another.

WAL lets readers go on while the writer writes, and survives ``kill -9`` at any synchronous
level. What must survive a power cut as well (a token that was revoked, a meeting that was ended)
is committed with ``synchronous=FULL``, one fsync each. What follows in quick succession while a
meeting is steered is committed without, and is on the disk ``SETTLE_S`` later: see
``mcu.store.settling`` and ``docs/decisions/0013-what-is-written-together.md``. All of it happens in
threads of its own, never on the event loop.
"""

import asyncio
import math
import os
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite
import structlog

from mcu.sentences import sentence
from mcu.store.commits import Asked, Outcome, Writer, commit_together
from mcu.store.errors import InvalidRecord, StoreUnavailable
from mcu.store.migrations import MIGRATIONS
from mcu.store.settling import CHECKPOINT_S, LOG_PAGES, checkpoint, sync_log

BUSY_TIMEOUT_MS = 2_000
"""How long a statement waits for another process (a backup, ``mcu token``) to let go."""

SETTLE_S = 1.0
"""What was committed without waiting for the disk is brought there after so long."""

Row = sqlite3.Row
Result = TypeVar("Result")
log = structlog.get_logger(__name__)

_OUR_FAULT = (
    sqlite3.IntegrityError,
    sqlite3.ProgrammingError,
    sqlite3.InterfaceError,
    sqlite3.DataError,
    sqlite3.NotSupportedError,
)
"""Not the disk's: no operator can do anything about these, so they are not made to look like it."""

_NO_TEXT = sentence("text.half-character")


def unavailable(error: sqlite3.Error) -> StoreUnavailable:
    """Say in a sentence why SQLite could not do it, and what the operator does about it."""
    said = str(error)
    text = said.lower()
    if "full" in text:
        advice = "the disk is full: free space on the volume of data_dir, then repeat"
    elif "readonly" in text or "read-only" in text:
        advice = "the database is read-only: give the daemon's user write access to data_dir"
    elif "locked" in text or "busy" in text:
        advice = "another program holds the database: end it, then repeat"
    elif "malformed" in text or "not a database" in text:
        advice = "the database is damaged: stop the daemon and put back the last backup"
    elif "unable to open" in text:
        advice = "the database cannot be opened: check that data_dir exists and who owns it"
    else:
        advice = "check the volume of data_dir, then repeat"
    return StoreUnavailable(sentence("store.unavailable", said=said, advice=advice))


def _said(error: BaseException) -> BaseException:
    """An error of a transaction as callers are to see it."""
    if isinstance(error, sqlite3.Error) and not isinstance(error, _OUR_FAULT):
        return unavailable(error)
    return InvalidRecord(_NO_TEXT) if isinstance(error, UnicodeEncodeError) else error


class Database:
    """The writer and the reader of one file.

    ``write()`` gives a transaction that is committed at its end or rolled back as a whole;
    ``commit()`` does one in a single trip to SQLite's thread, shared with others who ask
    meanwhile. Both queue behind one asyncio lock. What the disk or another program is to blame for
    comes out as ``StoreUnavailable``, text that is no text as ``InvalidRecord``.

    Args:
        settler: brings to the disk what was committed without waiting for it.
        watch: used on the loop's thread, for ``access_changes`` alone. path: the file.
    """

    def __init__(
        self,
        writer: Writer,
        reader: aiosqlite.Connection,
        settler: Writer,
        watch: sqlite3.Connection,
        path: Path,
    ) -> None:
        self._path = path
        self._checkpoint_at = -math.inf
        self._writer = writer
        self._reader = reader
        self._settler = settler
        self._watch = watch
        self._turn = asyncio.Lock()
        self._closed = False
        self._full = True  # the writer's synchronous level
        self._asked: deque[Asked] = deque()
        self._committing: asyncio.Task[None] | None = None
        self._settling: asyncio.TimerHandle | None = None
        self._settled: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, path: Path) -> "Database":
        """Open and migrate the file; made with mode 0600 in a directory of mode 0700.

        Raises:
            StoreUnavailable: it cannot be opened, or was written by a newer version.
        """
        try:
            _make_private(path)
        except OSError as error:
            raise StoreUnavailable(
                f"The store cannot be made at {path} ({error.strerror}); check data_dir."
            ) from error
        opened: list[aiosqlite.Connection] = []
        try:
            connect = partial(sqlite3.connect, path, isolation_level=None)
            writer = Writer(connect, iter_chunk_size=64)
            await writer
            opened.append(writer)
            await _prepare(writer)
            await _migrate(writer)
            await writer.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
            reader, settler = (Writer(connect, iter_chunk_size=64) for _ in range(2))
            for connection in (reader, settler):
                await connection
                opened.append(connection)
                await _prepare(connection)
            await reader.execute("PRAGMA query_only = ON")
            watch = sqlite3.connect(path, isolation_level=None, timeout=0.0)
            watch.execute("PRAGMA query_only = ON")
        except sqlite3.Error as error:
            await _close_all(opened)
            raise unavailable(error) from error
        except BaseException:
            await _close_all(opened)
            raise
        return cls(writer, reader, settler, watch, path)

    async def close(self) -> None:
        """Close the connections; a transaction that is running is waited for."""
        async with self._turn:
            if self._closed:
                return
            self._closed = True
            if self._settling is not None:
                self._settling.cancel()
            if self._settled is not None:
                await self._settled
            self._watch.close()
            # The last one to close brings to the disk what is not there yet.
            await _close_all([self._reader, self._settler, self._writer])

    def access_changes(self) -> int | None:
        """A number that is another one once anybody, in any process, has changed who may come in.

        None when it cannot be told right now. On the loop's thread, as it reads memory that the
        processes share, and at most two pages of the file (out of the system's cache).
        Cost: 4 us, 50 us the first time after something was written.
        """
        if self._closed:
            return None
        try:
            row = self._watch.execute("SELECT number FROM access_changes").fetchone()
        except sqlite3.Error:
            return None  # another process recovers the file; whoever asks reads it instead
        return int(row[0])

    @asynccontextmanager
    async def write(self) -> AsyncIterator[aiosqlite.Connection]:
        """Run a transaction; cancelled or failed, it is rolled back as a whole.

        Raises:
            StoreUnavailable, InvalidRecord: see the class. sqlite3.IntegrityError: a constraint
                is broken.
        """
        async with self._turn:
            self._check_open()
            committed = False
            try:
                if not self._full:
                    await self._writer.execute("PRAGMA synchronous = FULL")
                    self._full = True
                await self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                await self._writer.execute("COMMIT")
                committed = True
            except _OUR_FAULT:
                raise
            except (sqlite3.Error, UnicodeEncodeError) as error:
                raise _said(error) from error
            finally:
                if not committed:
                    # Queued behind whatever the thread still does, and ahead of the next
                    # transaction even if this task is cancelled once more right here.
                    await self._writer.rollback()

    async def commit(
        self, write: Callable[[sqlite3.Connection], Result], *, durable: bool = True
    ) -> Result:
        """Do work in a transaction, together with all that waits; gives what ``write`` gave.

        It may be done although the caller was cancelled.

        Args:
            write: see ``Write``.
            durable: wait until it would survive a power cut; else it does ``SETTLE_S`` later, and
                meanwhile survives whatever becomes of this process.

        Raises:
            StoreUnavailable, InvalidRecord: see the class. What ``write`` raises. Nothing of it
                was written then.
        """
        self._check_open()
        asked = Asked(write, durable, asyncio.get_running_loop().create_future())
        self._asked.append(asked)
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_all(), name="commits")
        result: Result = await asked.done
        return result

    async def _commit_all(self) -> None:
        """Until nobody waits."""
        try:
            while self._asked:
                async with self._turn:
                    group = [one for one in self._asked if not one.done.done()]
                    self._asked.clear()
                    if group:
                        await self._commit_group(group)
        finally:
            self._committing = None

    async def _commit_group(self, group: list[Asked]) -> None:
        full = any(one.durable for one in group)
        level = None if full == self._full else "FULL" if full else "NORMAL"
        loop = asyncio.get_running_loop()

        def run(connection: sqlite3.Connection) -> None:
            if level is not None:
                connection.execute(f"PRAGMA synchronous = {level}")
            outcomes = commit_together(connection, [one.write for one in group])
            # From here, as the way by this task is a turn of the loop longer for all who wait.
            loop.call_soon_threadsafe(self._committed, group, outcomes, full)

        try:
            self._check_open()
            await self._writer.run(run)
        except Exception as error:
            _answer(group, [(None, error)] * len(group))
        except BaseException:
            for one in group:
                one.done.cancel()
            raise

    def _committed(self, group: list[Asked], outcomes: list[Outcome], full: bool) -> None:
        """On the loop, while the group still holds the turn."""
        self._full = full
        if not full:
            self._settle_soon()
        _answer(group, outcomes)

    def _settle_soon(self) -> None:
        if self._settling is None:
            loop = asyncio.get_running_loop()
            self._settling = loop.call_later(SETTLE_S, self._settle)

    def _settle(self) -> None:
        self._settling = None
        if self._settled is None:
            self._settled = asyncio.create_task(self._bring_to_disk(), name="settling")
        else:
            self._settle_soon()

    async def _bring_to_disk(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() >= self._checkpoint_at

        def run(connection: sqlite3.Connection) -> bool:
            sync_log(self._path)
            return due and checkpoint(connection)

        try:
            if await self._settler.run(run):
                self._checkpoint_at = loop.time() + CHECKPOINT_S
        except (sqlite3.Error, OSError) as error:
            reason = unavailable(error).reason if isinstance(error, sqlite3.Error) else str(error)
            log.error("store_unsettled", reason=reason)
            self._settle_soon()
        finally:
            self._settled = None

    async def rows(self, sql: str, parameters: Iterable[Any] = ()) -> list[Row]:
        """Read all rows of a query (outside of any transaction; sees what is committed).

        Raises:
            StoreUnavailable, InvalidRecord: see the class.
        """
        self._check_open()
        try:
            return list(await self._reader.execute_fetchall(sql, tuple(parameters)))
        except _OUR_FAULT:
            raise
        except (sqlite3.Error, UnicodeEncodeError) as error:
            raise _said(error) from error

    async def row(self, sql: str, parameters: Iterable[Any] = ()) -> Row | None:
        """Read the first row of a query, or None."""
        found = await self.rows(sql, parameters)
        return found[0] if found else None

    def _check_open(self) -> None:
        if self._closed:
            raise StoreUnavailable(sentence("store.closed"))


def _answer(group: Iterable[Asked], outcomes: Iterable[Outcome]) -> None:
    for one, (result, failure) in zip(group, outcomes, strict=True):
        one.answer(result, None if failure is None else _said(failure))


def _make_private(path: Path) -> None:
    """Make the directory and file for the owner's eyes only; WAL files inherit the file's mode."""
    if not path.parent.exists():
        path.parent.mkdir(mode=0o700, parents=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


async def _prepare(connection: aiosqlite.Connection) -> None:
    connection.row_factory = sqlite3.Row
    await connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    await connection.execute("PRAGMA journal_mode = WAL")
    await connection.execute("PRAGMA synchronous = FULL")
    await connection.execute("PRAGMA foreign_keys = ON")


async def _migrate(connection: aiosqlite.Connection) -> None:
    rows = list(await connection.execute_fetchall("PRAGMA user_version"))
    version = int(rows[0][0])
    if version > len(MIGRATIONS):
        raise StoreUnavailable(sentence("store.newer", version=version, known=len(MIGRATIONS)))
    if version < len(MIGRATIONS):
        # One transaction, so that a crash leaves either the old schema or the new one, and a new
        # file waits for the disk once.
        steps = ";".join(MIGRATIONS[version:])
        await connection.executescript(
            f"BEGIN;{steps};PRAGMA user_version = {len(MIGRATIONS)};COMMIT;"
        )


async def _close_all(connections: Iterable[aiosqlite.Connection]) -> None:
    async with AsyncExitStack() as stack:  # so that one failure leaves no other open
        for connection in connections:
            stack.push_async_callback(connection.close)
