"""Minutes reach the store; while it cannot be written they wait, and none is lost or doubled."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from mcu.operations.minutes import Minutes
from mcu.rooms.minute_book import MINUTE_S, MinuteBook
from mcu.store.errors import StoreUnavailable
from mcu.store.minutes import StoredMinute

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


class Shelf:
    """A store that may be full."""

    def __init__(self) -> None:
        self.kept: list[StoredMinute] = []
        self.full = False

    async def append(self, minutes: Sequence[StoredMinute]) -> None:
        if self.full:
            raise StoreUnavailable("the disk is full")
        self.kept += minutes


class Scene:
    """A book whose minutes pass when ``minute`` says so."""

    def __init__(self) -> None:
        self.minutes, self.shelf, self.now = Minutes(), Shelf(), NOW
        self.passes: asyncio.Queue[None] = asyncio.Queue()
        self.waits = asyncio.Event()
        self.book = MinuteBook(self.minutes, self.shelf, lambda: self.now, self.sleep)

    async def sleep(self, seconds: float) -> None:
        assert seconds == MINUTE_S
        self.waits.set()
        await self.passes.get()

    async def minute(self) -> None:
        """One passes, and what it asks for is done."""
        await self.waits.wait()
        self.waits.clear()
        self.now += timedelta(seconds=MINUTE_S)
        self.passes.put_nowait(None)
        await self.waits.wait()

    def heard(self, seconds: float) -> None:
        self.minutes.heard("hop", ["a"], seconds)

    @property
    def kept(self) -> list[tuple[float, float]]:
        """Seconds after the beginning, and how long it was heard."""
        return [
            ((each.at - NOW).total_seconds(), (each.rooms or {})["a"]["heard_s"])
            for each in self.shelf.kept
        ]


async def test_a_row_a_minute_and_the_rest_at_the_end() -> None:
    scene = Scene()
    scene.book.open()
    scene.heard(3.0)
    await scene.minute()
    assert scene.kept == [(0, 3.0)]
    await scene.minute()
    assert scene.kept == [(0, 3.0)], "nothing was going on"
    scene.heard(2.0)
    await scene.book.close()
    assert scene.kept == [(0, 3.0), (120, 2.0)]


async def test_what_the_store_cannot_take_waits() -> None:
    scene = Scene()
    scene.book.open()
    scene.shelf.full = True
    for seconds in (1.0, 2.0):
        scene.heard(seconds)
        await scene.minute()
    assert scene.kept == []
    scene.shelf.full = False
    scene.heard(4.0)
    await scene.minute()
    assert scene.kept == [(0, 1.0), (60, 2.0), (120, 4.0)]
    await scene.book.close()
    assert len(scene.kept) == 3
