"""Transactions that several callers share: what waits together is committed together.

Writing is asked for as a plain function of the connection, so that a whole transaction is one
trip to SQLite's thread; who asks while a transaction is being written is in the next one, with all
others who do. Each is answered after the commit that holds its work.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import aiosqlite

Write = Callable[[sqlite3.Connection], Any]
"""Work inside a transaction. It may be done twice (rolled back in between), so it does nothing but
use the connection; it neither begins nor ends transactions."""

Outcome = tuple[Any, BaseException | None]
"""What a ``Write`` gave, or why it and all it did are undone."""

Result = TypeVar("Result")


class Writer(aiosqlite.Connection):
    """A connection whose thread also runs whole functions."""

    async def run(self, function: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run a function of the connection on the connection's thread."""
        result: Result = await self._execute(  # type: ignore[no-untyped-call]
            function, self._conn
        )
        return result


@dataclass(slots=True)
class Asked:
    """Somebody's work that waits for its commit."""

    write: Write
    durable: bool
    done: asyncio.Future[Any]

    def answer(self, result: Any, error: BaseException | None) -> None:
        """Tell the caller, if it still waits."""
        if self.done.done():
            return
        if error is None:
            self.done.set_result(result)
        else:
            self.done.set_exception(error)


class _WriteFailed(Exception):  # noqa: N818 - what it is
    """One work of a transaction failed; the transaction was rolled back."""


def commit_together(connection: sqlite3.Connection, writes: Sequence[Write]) -> list[Outcome]:
    """Do all work in one transaction, on SQLite's thread.

    Work that fails takes no other along: the transaction is undone, and each is then done alone.
    When the transaction cannot begin or be committed, all have failed.

    Returns: in the order of ``writes``. Never raises ``Exception``.
    """
    try:
        return [(result, None) for result in _transaction(connection, writes)]
    except _WriteFailed as failed:
        if len(writes) == 1:
            return [(None, failed.__cause__)]
        return [commit_together(connection, (write,))[0] for write in writes]
    except sqlite3.Error as error:
        return [(None, error) for _ in writes]


def _transaction(connection: sqlite3.Connection, writes: Sequence[Write]) -> list[Any]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        results = []
        for write in writes:
            try:
                results.append(write(connection))
            except Exception as error:
                raise _WriteFailed from error
        connection.execute("COMMIT")
        return results
    finally:
        connection.rollback()  # does nothing after the commit
