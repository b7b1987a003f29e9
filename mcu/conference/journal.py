"""Getting events into the store without letting a broken store stop a meeting.

Facts of the media plane have happened, whether they can be stored or not: they are applied at
once and wait here until they are written. Commands of operators are written first, together
with whatever waits, and are refused when that fails. So the log is always a prefix of what
happened, in order. At most ``RING_EVENTS`` wait; beyond that the oldest are given up and the
next write carries a snapshot of every conference in their place.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from mcu.conference.feed import RING_EVENTS
from mcu.store.commits import Write
from mcu.store.records import ConferenceRecord, Snapshot, StoredEvent
from mcu.store.store import Store

SNAPSHOT_EVENTS = 200
"""A conference is snapshot after so many events, so that restoring reads at most as many."""


class Journal:
    """The way into ``store.events``.

    Args:
        snapshot: gives a conference's snapshot as of the last event that was applied, or None
            when it is not known any more.
    """

    def __init__(self, store: Store, snapshot: Callable[[str], Snapshot | None]) -> None:
        self._store = store
        self._snapshot = snapshot
        self._waiting: deque[StoredEvent] = deque()
        self._since_snapshot: dict[str, int] = {}
        self._dropped = 0
        self._turn = asyncio.Lock()

    @property
    def waiting(self) -> int:
        """Events that are applied and not stored yet."""
        return len(self._waiting)

    @property
    def dropped(self) -> int:
        """Events given up because the store was down for too long (a snapshot replaces them)."""
        return self._dropped

    def add(self, event: StoredEvent) -> None:
        """Take an event that has been applied; ``flush`` writes it."""
        if len(self._waiting) >= RING_EVENTS:
            given_up = self._waiting.popleft()
            self._dropped += 1
            self._since_snapshot[given_up.conference] = SNAPSHOT_EVENTS
        self._waiting.append(event)

    async def flush(self) -> None:
        """Write what waits; nothing is lost when it fails.

        Raises:
            StoreUnavailable: the events go on waiting.
        """
        if self._waiting:
            await self.write(())

    async def write(
        self,
        events: Sequence[StoredEvent],
        *,
        conferences: Sequence[ConferenceRecord] = (),
        snapshots: Sequence[Snapshot] = (),
        also: Sequence[Write] = (),
    ) -> None:
        """Write what waits, then ``events`` and ``also``, as one transaction.

        Raises:
            StoreUnavailable: nothing was written; ``events`` are the caller's again.
        """
        async with self._turn:
            waited = list(self._waiting)
            batch = [*waited, *events]
            counts = dict(self._since_snapshot)
            for event in batch:
                counts[event.conference] = counts.get(event.conference, 0) + 1
            given = {snapshot.conference for snapshot in snapshots}
            due = [each for each, count in counts.items() if count >= SNAPSHOT_EVENTS]
            made = [self._snapshot(each) for each in due if each not in given]
            await self._store.events.append(
                batch,
                conferences=conferences,
                snapshots=[*(each for each in made if each is not None), *snapshots],
                also=also,
            )
            # While it was written the oldest may have been given up, and newer ones added.
            while self._waiting and waited and self._waiting[0].seq <= waited[-1].seq:
                self._waiting.popleft()
            self._since_snapshot = {
                each: count for each, count in counts.items() if each not in {*due, *given}
            }
