"""One SQLite file: opened safely, migrated, written by one connection and read by another.

WAL lets readers go on while the writer writes, and survives ``kill -9`` at any synchronous
level. ``synchronous=FULL`` is chosen all the same, because it is what survives a power cut: a
token that was revoked and a meeting that was ended must stay so. It costs one fsync per
transaction, in the connection's own thread, never on the event loop, and a control plane writes
little.
"""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiosqlite

from mcu.store.errors import InvalidRecord, StoreUnavailable
from mcu.store.migrations import MIGRATIONS

BUSY_TIMEOUT_MS = 2_000
"""How long a statement waits for another process (a backup, ``mcu token``) to let go."""

Row = sqlite3.Row

_OUR_FAULT = (
    sqlite3.IntegrityError,
    sqlite3.ProgrammingError,
    sqlite3.InterfaceError,
    sqlite3.DataError,
    sqlite3.NotSupportedError,
)
"""Not the disk's: no operator can do anything about these, so they are not made to look like it."""

_NO_TEXT = "The text holds half a character (a lone surrogate): send valid Unicode."


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
    return StoreUnavailable(f"The store is not available ({said}); {advice}.")


class Database:
    """The writer and the reader of one file.

    ``write()`` gives a transaction that is committed at its end or rolled back as a whole.
    Transactions queue behind one asyncio lock. What the disk or another program is to blame for
    comes out as ``StoreUnavailable``, text that is no text as ``InvalidRecord``.
    """

    def __init__(self, writer: aiosqlite.Connection, reader: aiosqlite.Connection) -> None:
        self._writer = writer
        self._reader = reader
        self._turn = asyncio.Lock()
        self._closed = False

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
            for _ in range(2):
                connection = await aiosqlite.connect(path, isolation_level=None)
                opened.append(connection)
                await _prepare(connection)
                if len(opened) == 1:
                    await _migrate(connection)
            await opened[1].execute("PRAGMA query_only = ON")
        except sqlite3.Error as error:
            await _close_all(opened)
            raise unavailable(error) from error
        except BaseException:
            await _close_all(opened)
            raise
        return cls(*opened)

    async def close(self) -> None:
        """Close both connections; a transaction that is running is waited for."""
        async with self._turn:
            if not self._closed:
                self._closed = True
                await _close_all([self._reader, self._writer])

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
                await self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                await self._writer.execute("COMMIT")
                committed = True
            except _OUR_FAULT:
                raise
            except sqlite3.Error as error:
                raise unavailable(error) from error
            except UnicodeEncodeError as error:
                raise InvalidRecord(_NO_TEXT) from error
            finally:
                if not committed:
                    # Queued behind whatever the thread still does, and ahead of the next
                    # transaction even if this task is cancelled once more right here.
                    await self._writer.rollback()

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
        except sqlite3.Error as error:
            raise unavailable(error) from error
        except UnicodeEncodeError as error:
            raise InvalidRecord(_NO_TEXT) from error

    async def row(self, sql: str, parameters: Iterable[Any] = ()) -> Row | None:
        """Read the first row of a query, or None."""
        found = await self.rows(sql, parameters)
        return found[0] if found else None

    def _check_open(self) -> None:
        if self._closed:
            raise StoreUnavailable("The store is closed: the daemon is stopping.")


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
        raise StoreUnavailable(
            f"The store has schema {version}, this program knows up to {len(MIGRATIONS)}: "
            "run the version that wrote it, or put back a backup made before."
        )
    for step, script in enumerate(MIGRATIONS[version:], version + 1):
        # One script, so that a crash leaves either the old schema or the new one.
        await connection.executescript(f"BEGIN;{script};PRAGMA user_version = {step};COMMIT;")


async def _close_all(connections: Iterable[aiosqlite.Connection]) -> None:
    async with AsyncExitStack() as stack:  # so that one failure leaves no other open
        for connection in connections:
            stack.push_async_callback(connection.close)
