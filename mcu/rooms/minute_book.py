"""Writes down what went on in the rooms, once a minute, for reports."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Final, Protocol

import structlog

from mcu.operations.minutes import Minutes
from mcu.store.errors import StoreUnavailable
from mcu.store.minutes import StoredMinute

MINUTE_S: Final = 60.0
MAX_WAITING: Final = 5_000
"""While the store cannot be written so many minutes are held; beyond that the oldest are lost."""

log = structlog.get_logger(__name__)


class Book(Protocol):
    """Where minutes are kept: ``ConferenceMinutes``."""

    async def append(self, minutes: Sequence[StoredMinute]) -> None:
        """Keep some minutes. Raises StoreUnavailable."""


class MinuteBook:
    """``open`` on the loop, ``close`` in ``finally``; closing writes the minute that is not over.

    Args:
        wall: the time (UTC). sleep: waits so many seconds; replaced in tests.
    """

    def __init__(
        self,
        minutes: Minutes,
        book: Book,
        wall: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._minutes = minutes
        self._book = book
        self._wall = wall
        self._sleep = sleep
        self._began = wall()
        self._waiting: deque[StoredMinute] = deque(maxlen=MAX_WAITING)
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin the first minute."""
        self._began = self._wall()
        self._task = asyncio.create_task(self._run(), name="minute-book")

    async def close(self) -> None:
        """Write what there is."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._write()

    async def _run(self) -> None:
        while True:
            await self._sleep(MINUTE_S)
            await self._write()

    async def _write(self) -> None:
        began, self._began = self._began, self._wall()
        for each in self._minutes.take(began):
            rooms = {who: asdict(room) for who, room in each.rooms.items()}
            self._waiting.append(StoredMinute(each.conference, each.at, rooms))
        if not self._waiting:
            return
        taken = list(self._waiting)
        try:
            await self._book.append(taken)
        except StoreUnavailable as error:
            log.warning("minutes_wait", minutes=len(taken), reason=error.reason)
            return
        for _ in taken:
            self._waiting.popleft()
