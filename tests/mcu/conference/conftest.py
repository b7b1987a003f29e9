"""A real store, virtual clocks, and a media plane that writes down what it is told."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from itertools import count

import pytest

from mcu.conference.keeper import KEPT
from mcu.conference.service import Actor, Conferences
from mcu.engine.plan import MediaPlan
from mcu.store.records import Bridge, Unit
from mcu.store.store import Store
from tests.mcu.conference.meeting import NOW

OPERATOR = Actor("t1", "operator")


class VirtualClock:
    """Stands still unless it is told."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return 1_000.0 + self.seconds

    def utcnow(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)


class Media:
    """What the media plane was told, in order."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.plans: dict[str, MediaPlan] = {}
        self.on_apply: Callable[[str, MediaPlan], None] = lambda conference, plan: None

    def start(self, conference_id: str) -> None:
        self.calls.append(("start", conference_id))

    def apply(self, conference_id: str, plan: MediaPlan) -> None:
        self.calls.append(("apply", conference_id))
        self.plans[conference_id] = plan
        self.on_apply(conference_id, plan)

    def end(self, conference_id: str) -> None:
        self.calls.append(("end", conference_id))


class Office:
    """One installation: its file, its clock, and daemons that are started on it."""

    def __init__(self, store: Store, clock: VirtualClock) -> None:
        self.store = store
        self.clock = clock
        self.media = Media()
        numbers = count(1)
        self.retention = KEPT
        self._new_id = lambda prefix: f"{prefix}{next(numbers)}"

    @asynccontextmanager
    async def daemon(self, *, keep: bool = False) -> AsyncIterator[Conferences]:
        """A daemon that is stopped in good order at the end."""
        conferences = self.made()
        await conferences.restore(keep=keep)
        try:
            yield conferences
        finally:
            await conferences.close()

    def made(self) -> Conferences:
        """A daemon that was not started; one that is not closed died."""
        self.media = Media()
        return Conferences(
            self.store,
            self.media,
            clock=self.clock,
            new_id=self._new_id,
            left_after_s=30.0,
            retention=self.retention,
        )


OpenDaemon = Callable[..., AbstractAsyncContextManager[Conferences]]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
async def store(tmp_path, clock) -> AsyncIterator[Store]:
    """A province with two communes and three bridges (b0, b1 in xa1, b2 in xa2)."""
    opened = await Store.open(tmp_path / "data" / "mcu.sqlite3", clock.utcnow)
    try:
        await opened.units.create(Unit("tinh", "Tỉnh", "province"))
        for unit in ("xa1", "xa2"):
            await opened.units.create(Unit(unit, f"Xã {unit}", "commune", "tinh"))
        for bridge, unit in (("b0", "xa1"), ("b1", "xa1"), ("b2", "xa2")):
            await opened.bridges.create(Bridge(bridge, f"Điểm cầu {bridge}", unit))
        yield opened
    finally:
        await opened.close()


@pytest.fixture
def office(store, clock) -> Office:
    return Office(store, clock)


class BrokenDisk:
    """Makes every write of a store fail, as a full disk does, until it is mended."""

    def __init__(self, store: Store) -> None:
        self._database = store._database

    async def break_(self) -> None:
        await self._database._writer.execute("PRAGMA query_only = ON")

    async def mend(self) -> None:
        await self._database._writer.execute("PRAGMA query_only = OFF")


@pytest.fixture
def disk(store) -> BrokenDisk:
    return BrokenDisk(store)
