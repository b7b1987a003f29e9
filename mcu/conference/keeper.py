"""What happens by itself: the store is tried again, what has a time ends, the absent leave."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from mcu.conference.clock import Clock
from mcu.conference.commands import NoteAbsent
from mcu.conference.convening_model import NoteConveningDue
from mcu.conference.deadlines import deadlines
from mcu.conference.feed import EventHub
from mcu.conference.journal import Journal
from mcu.conference.live import LiveConferences
from mcu.conference.polling_model import NotePollingDue
from mcu.store.errors import StoreUnavailable
from mcu.store.store import Store

RETRY_S = 1.0
SHORTEST_PAUSE_S = 0.05
HOUSEKEEPING_S = 3_600.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long the log and the audit are kept, each; running conferences keep their events.

    Args:
        age: tokens and snapshots go as long after their end.
        rows: at most, the oldest go first.
    """

    age: timedelta = timedelta(days=90)
    rows: int = 1_000_000


KEPT = Retention()
"""Where an installation says nothing else."""


class Keeper:
    """Timers and retries; ``run`` is the only part that waits.

    Args:
        left_after_s: after a restart, how long a lost participant keeps its tile.
        retention: held once an hour.
    """

    def __init__(
        self,
        live: LiveConferences,
        journal: Journal,
        store: Store,
        hub: EventHub,
        clock: Clock,
        left_after_s: float,
        retention: Retention,
    ) -> None:
        self._live = live
        self._journal = journal
        self._store = store
        self._hub = hub
        self._clock = clock
        self._left_after_s = left_after_s
        self._retention = retention
        self._absent_at: dict[str, float] = {}
        self._tidy_at = clock.now()
        self._wake = asyncio.Event()
        self._store_failed = False
        self.dark: Callable[[str], frozenset[str]] = lambda conference: frozenset()
        """Who of a conference sends no picture now."""
        self.pages: Callable[[], frozenset[str]] = frozenset
        """Bridges whose join page is open now."""

    def expect_back(self, conference: str) -> None:
        """Give a restored conference's participants their time to come back."""
        self._absent_at[conference] = self._clock.now() + self._left_after_s

    def wake(self) -> None:
        """Something waits for the store, or a timer was set."""
        self._wake.set()

    def next_timer(self) -> float | None:
        """When ``handle_timer`` is next needed (monotonic seconds), or None."""
        now, wall = self._clock.now(), self._clock.utcnow()
        times = list(self._absent_at.values())
        for state in self._live.states.values():
            times += (now + (due - wall).total_seconds() for due, _ in deadlines(state))
        return min(times, default=None)

    def handle_timer(self, now: float) -> None:
        """Note what is due in the conferences; let those leave who have not come back."""
        wall = self._clock.utcnow()
        for state in list(self._live.states.values()):
            for time, fact in deadlines(state):
                if time <= wall:
                    if isinstance(fact, NotePollingDue):
                        fact = replace(fact, dark=self.dark(state.id))
                    elif isinstance(fact, NoteConveningDue):
                        fact = replace(fact, pages=self.pages())
                    self._live.note(state.id, fact)
        for conference, due in list(self._absent_at.items()):
            state_now = self._live.states.get(conference)
            if state_now is None:
                del self._absent_at[conference]
            elif due <= now:
                del self._absent_at[conference]
                for participant in state_now.participants:
                    self._live.note(conference, NoteAbsent(participant))

    def store_answered(self, error: StoreUnavailable | None) -> None:
        """Log when the store goes down and when it is back, not every try in between."""
        if (error is not None) == self._store_failed:
            return
        self._store_failed = error is not None
        if error is not None:
            log.error("store_unavailable", reason=error.reason)
        else:
            log.info("store_available", events_given_up=self._journal.dropped)

    async def run(self) -> None:
        """Keep things going until cancelled.

        The store and the timers each go on when the other one breaks: a defect is logged and
        tried again after a pause.
        """
        while True:
            self._wake.clear()
            broken = False
            try:
                await self._use_store()
            except Exception:
                log.exception("keeper_failed", part="store")
                broken = True
            now = self._clock.now()
            try:
                self.handle_timer(now)
            except Exception:
                log.exception("keeper_failed", part="timers")
                broken = True
            if broken:
                await asyncio.sleep(RETRY_S)
                continue
            due = self.next_timer()
            pause = HOUSEKEEPING_S
            if due is not None:
                # Not at once: a timer that is due may have to wait for a command to be stored.
                pause = min(pause, max(SHORTEST_PAUSE_S, due - now))
            if self._journal.waiting:
                # Woken at once by every new event, a broken disk would be tried all the time.
                pause = min(pause, RETRY_S)
                await asyncio.sleep(pause if self._store_failed else 0.0)
                continue
            # Not wait_for: woken and cancelled in one moment, it forgets that it was cancelled.
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    async def _use_store(self) -> None:
        """Write what waits; now and then, hold what is stored to its bounds."""
        try:
            await self._journal.flush()
            if self._tidy_at <= self._clock.now():
                self._tidy_at = self._clock.now() + HOUSEKEEPING_S
                before = self._clock.utcnow() - self._retention.age
                await self._store.events.prune(before, self._retention.rows)
                self._hub.pruned_seq = await self._store.events.pruned_seq()
                await self._store.audit.prune(before, self._retention.rows)
                await self._store.leftovers.prune(before)
        except StoreUnavailable as error:
            self.store_answered(error)
        else:
            self.store_answered(None)
