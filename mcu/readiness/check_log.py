"""Readiness checks on their way to the store and back: events in order, results, configurations.

What was decided is true at once; here it waits until it is stored, as long as that takes.
"""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final

import structlog

from mcu.readiness.codec import UnreadableEvent, configuration_to_json, event_of, event_to_json
from mcu.readiness.decide import begin, counts, evolve
from mcu.readiness.measurements import Configuration
from mcu.readiness.model import Check, CheckBegun, ConfigurationAccepted, Event, RoomJudged
from mcu.readiness.resources import room_resource
from mcu.store.errors import StoreUnavailable
from mcu.store.readiness import CheckEventRow, CheckRow, RecordedRow, ResultRow
from mcu.store.store import Store

RETRY_S: Final = 2.0

log = structlog.get_logger(__name__)


class CheckLog:
    """Writes behind; ``close`` writes what waits.

    Args:
        utcnow: wall clock.
    """

    def __init__(self, store: Store, utcnow: Callable[[], datetime]) -> None:
        self._store = store
        self._utcnow = utcnow
        self._numbers: dict[str, int] = {}  # of the last event of each check that is known
        self._waiting: deque[Callable[[], Awaitable[None]]] = deque()
        self._writing: asyncio.Task[None] | None = None

    @property
    def waits(self) -> bool:
        """Whether anything is not stored yet."""
        return bool(self._waiting)

    @property
    def writing(self) -> asyncio.Task[None] | None:
        """What writes now; done when nothing waits."""
        return self._writing

    async def begin(self, check: Check, event: CheckBegun) -> None:
        """Store the first event of a check before it is true.

        Raises:
            StoreUnavailable: it is not stored.
        """
        self._numbers[check.id] = 0
        try:
            await self._write(check, [event], durable=True)()
        except StoreUnavailable:
            self.forget(check.id)
            raise

    def append(self, check: Check, events: Sequence[Event]) -> None:
        """Store what was decided, soon.

        Args:
            check: as it is after them; begun here, or gone on with.
        """
        self._waiting.append(self._write(check, events))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.get_running_loop().create_task(self._write_all())

    def forget(self, check: str) -> None:
        """Nothing more is appended to it, unless it is gone on with again."""
        self._numbers.pop(check, None)

    async def load(self, id_: str) -> Check | None:
        """A check as its events made it; None: it is not known, or cannot be read.

        Raises:
            StoreUnavailable.
        """
        check, _ = await self._read(id_)
        return check

    async def go_on(self, id_: str) -> Check | None:
        """The same, to which more is appended.

        Raises:
            StoreUnavailable.
        """
        check, number = await self._read(id_)
        if check is not None:
            # Whoever went on with it meanwhile may have appended what is not stored yet.
            self._numbers.setdefault(id_, number)
        return check

    async def unfinished(self) -> Sequence[str]:
        """Checks that were under way when the daemon stopped.

        Raises:
            StoreUnavailable.
        """
        return await self._store.readiness.unfinished()

    async def known_of(self, bridge: str) -> tuple[Configuration | None, tuple[str, ...]]:
        """The accepted configuration of a room, and the titles of its open incidents.

        Raises:
            StoreUnavailable.
        """
        found = (await self._store.readiness.recorded([bridge])).get(bridge)
        still_open = await self._store.incidents.open_of(bridge)
        titles = tuple(str(json.loads(one.document)["title"]) for one in still_open)
        return None if found is None else Configuration.of(found), titles

    async def close(self) -> None:
        """Write what waits, once; what cannot be written is told and lost."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
        try:
            while self._waiting:
                await self._waiting[0]()
                self._waiting.popleft()
        except StoreUnavailable as error:
            log.error("readiness_events_lost", waiting=len(self._waiting), reason=error.reason)

    # Private

    async def _read(self, id_: str) -> tuple[Check | None, int]:
        """A check and the number of its last event."""
        rows = await self._store.readiness.events(id_)
        check: Check | None = None
        try:
            for row in rows:
                event = event_of(row.type, row.data)
                if isinstance(event, CheckBegun):
                    check = begin(event, row.time)
                elif check is not None:
                    check = evolve(check, event, row.time)
        except (UnreadableEvent, KeyError) as error:
            log.error("readiness_check_unreadable", check=id_, error=str(error))
            return None, 0
        return check, rows[-1].number if rows else 0

    def _write(
        self, check: Check, events: Sequence[Event], *, durable: bool = False
    ) -> Callable[[], Awaitable[None]]:
        at = self._utcnow()
        rows, results, recorded = [], [], []
        for event in events:
            number = self._numbers[check.id] = self._numbers[check.id] + 1
            rows.append(CheckEventRow(number, at, event.type, event_to_json(event)))
            if isinstance(event, RoomJudged):
                room = room_resource(check, check.rooms[event.bridge])
                document = json.dumps(room, ensure_ascii=False)
                results.append(ResultRow(check.id, event.bridge, at, event.verdict, document))
            elif isinstance(event, ConfigurationAccepted):
                found = check.rooms[event.bridge].recorded
                if found is not None:
                    text = configuration_to_json(found)
                    recorded.append(RecordedRow(event.bridge, text, at, event.by))
        head = CheckRow(
            check.id, check.name, check.unit, check.began_at, check.ended_at,
            json.dumps(counts(check)), check.scenario, check.due,
        )  # fmt: skip
        store = self._store.readiness
        return lambda: store.write(head, rows, results, recorded, durable=durable)

    async def _write_all(self) -> None:
        """Until nothing waits; a store that cannot be written is tried again."""
        while self._waiting:
            try:
                await self._waiting[0]()
            except StoreUnavailable as error:
                log.warning("readiness_unstored", waiting=len(self._waiting), reason=error.reason)
                await asyncio.sleep(RETRY_S)
                continue
            self._waiting.popleft()
