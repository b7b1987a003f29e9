"""Conferences as the daemon runs them: decide synchronously, then store, publish, apply.

One turn at a time for the whole installation, so the order of decisions, of ``seq``, of the
stream and of the store is the same. An operator's command is stored before it is applied and
refused with ``StoreUnavailable`` when that fails. A fact (``note``) is applied at once, or right
after the command that is being stored, and its events wait in the journal if they must: media
goes on while the disk is full.

After a restart (``restore``) no leg exists: who was connected is ``lost``, with its tile, and
rejoins by itself; who has not after ``left_after_s`` has ``left``. Who was expected, or had left,
stays so; who was being called is expected again.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import structlog

from mcu.conference.actor import Actor as Actor
from mcu.conference.actor import new_id
from mcu.conference.clock import Clock, SystemClock
from mcu.conference.codec import UnreadableRecord, state_to_json
from mcu.conference.commands import (
    AddParticipant,
    ChangeConference,
    Command,
    EndConference,
    Fact,
    NoteRestarted,
    ShowMessage,
    StartConference,
)
from mcu.conference.decide import decide, decide_start
from mcu.conference.events import ConferenceChanged, ConferenceEnded, ConferenceStarted, Event
from mcu.conference.evolve import evolve_all
from mcu.conference.feed import Accepts, EventFeed, EventHub, RecordedEvent
from mcu.conference.history import (
    NothingLeft,
    end_in_list,
    list_entry,
    load,
    read_conference,
    read_events,
    was_used,
)
from mcu.conference.invitations import Invitations
from mcu.conference.journal import Journal
from mcu.conference.keeper import KEPT, Keeper, Retention
from mcu.conference.live import Listener, LiveConferences, MediaControl
from mcu.conference.state import (
    ConferenceState,
    Participant,
    Refused,
    RosterEntry,
    UnknownConference,
)
from mcu.store.errors import DamagedRecord, StoreUnavailable, UnknownRecord
from mcu.store.identifiers import GUEST_PREFIX
from mcu.store.records import Snapshot
from mcu.store.store import Store

LEFT_AFTER_S = 30.0

Result = TypeVar("Result")
log = structlog.get_logger(__name__)


class Conferences:
    """All conferences of this daemon: ``restore`` first, ``close`` in ``finally``.

    Args:
        media: told what to do; an exception it raises is logged, the conference goes on.
        left_after_s: after a restart, how long a lost participant keeps its tile.
        retention: how long what happened is kept.
        new_id: makes ids; the argument is their prefix (``c-``, ``guest-``).
    """

    def __init__(
        self,
        store: Store,
        media: MediaControl,
        *,
        clock: Clock | None = None,
        new_id: Callable[[str], str] = new_id,
        left_after_s: float = LEFT_AFTER_S,
        retention: Retention = KEPT,
    ) -> None:
        self._store = store
        self._clock = clock or SystemClock()
        self._new_id = new_id
        self._invitations = Invitations(store)
        self._hub = EventHub(0, 0, partial(read_events, store), self._clock.utcnow)
        self._journal = Journal(store, lambda conference: self._live.snapshot(conference))
        self._live = LiveConferences(media, self._hub, self._clock, self._journal.add)
        kept = self._live, self._journal, store, self._hub, self._clock
        self._keeper = Keeper(*kept, left_after_s, retention)
        self._turn = asyncio.Lock()
        self._work: set[asyncio.Task[Any]] = set()
        self._keeping: asyncio.Task[None] | None = None
        self._closed = False

    async def restore(self, *, keep: bool = True) -> None:
        """Bring back what ran when the process ended.

        Args:
            keep: run retries and timers; else the caller does (``flush``, ``handle_timer``).

        Raises:
            StoreUnavailable.
        """
        self._hub.begin(await self._store.events.last_seq(), await self._store.events.pruned_seq())
        for record in await self._store.conferences.running():
            try:
                state = await load(self._store, record.id)
            except NothingLeft as error:
                log.error("conference_lost", conference=record.id, error=str(error))
                await end_in_list(self._store, record, self._clock.utcnow())
                continue
            except UnreadableRecord as error:
                # One unreadable conference must not keep all the others from coming back.
                log.error("conference_unreadable", conference=record.id, error=str(error))
                continue
            self._live.adopt(state)
            self._live.note(state.id, NoteRestarted())
            self._keeper.expect_back(state.id)
        if keep:
            self._keeping = asyncio.create_task(self._keeper.run(), name="conferences")

    async def close(self) -> None:
        """End the feeds, wait for what is being stored, write what waits. Conferences go on.

        Later facts are dropped: what is stored stays what was true while rooms were connected.
        """
        self._closed = True
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        await asyncio.gather(*self._work, return_exceptions=True)
        self._hub.close()
        try:
            await self._journal.flush()
        except StoreUnavailable as error:
            log.error("events_lost", waiting=self._journal.waiting, reason=error.reason)

    # Reading

    def get(self, conference_id: str) -> ConferenceState:
        """A running conference. O(1).

        Raises:
            UnknownConference: there is none, or it has ended (see ``read``).
        """
        state = self._live.states.get(conference_id)
        if state is None:
            raise UnknownConference(conference_id)
        return state

    async def read(self, conference_id: str) -> ConferenceState:
        """A conference that runs, or one out of the store (see ``read_conference``).

        Raises:
            UnknownConference, StoreUnavailable.
        """
        state = self._live.states.get(conference_id)
        if state is not None:
            return state
        try:
            return await read_conference(self._store, conference_id)
        except (UnknownRecord, DamagedRecord, UnreadableRecord) as error:
            raise UnknownConference(conference_id) from error

    def running(self) -> Sequence[ConferenceState]:
        """All that run, in the order they were started."""
        return tuple(self._live.states.values())

    def participant(self, conference_id: str, participant: str) -> Participant:
        """Somebody on a running conference's roster: who may join. O(1).

        Raises:
            UnknownConference. Refused: not on the roster.
        """
        found = self.get(conference_id).participants.get(participant)
        if found is None:
            raise Refused(
                f"{participant!r} is not on the roster of this conference: add it first.",
                "participant",
            )
        return found

    def conference_of(self, bridge: str) -> str | None:
        """The running conference whose roster a bridge is on. O(1)."""
        return self._live.by_bridge.get(bridge)

    @property
    def last_seq(self) -> int:
        """The ``seq`` of the newest event."""
        return self._hub.last_seq

    @property
    def unstored(self) -> int:
        """Events that wait for the store; above 0 for long means it is down (``/readyz``)."""
        return self._journal.waiting

    @property
    def readers(self) -> int:
        """Live event feeds."""
        return self._hub.readers

    # Commands

    async def start(self, command: StartConference, actor: Actor) -> ConferenceState:
        """Start a conference: resolve its bridges, decide, store, publish, start its media.

        Raises:
            Refused: unknown unit or bridge, a bridge that is in another running conference, an
                id that was used before, a number that is taken, and all of ``decide_start``.
            StoreUnavailable: nothing was started.
        """
        conference = command.id or self._new_id("c-")
        entries = await self._invitations.for_start(command)
        return await self._to_its_end(self._start(conference, command, entries, actor))

    async def execute(
        self, conference_id: str, command: Command | Fact, actor: Actor
    ) -> Sequence[RecordedEvent]:
        """Decide a command, store, publish and apply it; gives its events, none if idle.

        It runs to its end even if the caller is cancelled.

        Raises:
            UnknownConference, Refused: nothing changed.
            StoreUnavailable: it cannot be stored, and nothing changed.
        """
        return await self._to_its_end(self._execute(conference_id, command, actor))

    async def add_bridge(
        self, conference_id: str, bridge_id: str, actor: Actor, *, importance: int | None = None
    ) -> Participant:
        """Put a registered bridge on the roster; one that is on it already is given back.

        Raises:
            Refused: unknown bridge, in another running conference, locked or full.
            UnknownConference, StoreUnavailable.
        """
        self.get(conference_id)
        entry = await self._invitations.for_bridge(bridge_id)
        if importance is not None:
            entry = replace(entry, importance=importance)
        await self.execute(conference_id, AddParticipant(entry), actor)
        return self.participant(conference_id, bridge_id)

    async def add_guest(
        self,
        conference_id: str,
        name: str,
        actor: Actor,
        *,
        unit: str | None = None,
        importance: int = 0,
    ) -> Participant:
        """Put a guest on the roster under a new id (``guest-…``).

        Args:
            unit: mutes by unit count the guest to it; None: the conference's own unit.

        Raises:
            Refused: locked, full, or a name that cannot be shown.
            UnknownConference, StoreUnavailable.
        """
        guest = await self._invitations.for_guest(
            self._new_id(GUEST_PREFIX), name, unit or self.get(conference_id).unit, importance
        )
        await self.execute(conference_id, AddParticipant(guest), actor)
        return self.participant(conference_id, guest.id)

    def note(self, conference_id: str, fact: Fact) -> None:
        """Take note of a fact, on the loop's thread; never blocks and never raises.

        It is applied before this returns, or right after the command that is being stored (or
        the event that is being applied). One about somebody who is gone is dropped.
        """
        if not self._closed:
            self._live.note(conference_id, fact)
            self._keeper.wake()

    # The stream

    def subscribe(
        self,
        *,
        after: int | None = None,
        conference: str | None = None,
        accepts: Accepts | None = None,
    ) -> EventFeed:
        """Read the event stream.

        Args:
            after: resume after this ``seq`` (``Last-Event-ID``); None: only what is new.
            conference: keep to one conference.
            accepts: leave out what this refuses (rights); asked once per event, must be quick.
        """
        return self._hub.subscribe(after, conference, accepts)

    def publish_ephemeral(
        self, type_: str, conference: str | None, data: Mapping[str, Any]
    ) -> None:
        """Publish a reading (``EPHEMERAL_TYPES``) that is not stored; None: of no conference."""
        self._hub.publish_ephemeral(type_, conference, data)

    def listen(self, listener: Listener) -> None:
        """Call ``listener(state, event)`` for every event, synchronously, once it is applied.

        ``ParticipantJoined.replaced`` names legs to close with reason ``replaced``,
        ``ParticipantRemoved.participant.legs`` those to close with reason ``disconnected``.
        """
        self._live.listeners.append(listener)

    # Timers

    def next_timer(self) -> float | None:
        """When ``handle_timer`` is next needed (monotonic seconds), or None."""
        return self._keeper.next_timer()

    def handle_timer(self, now: float) -> None:
        """Clear messages whose time is over; let those leave who have not come back."""
        self._keeper.handle_timer(now)

    async def flush(self) -> None:
        """Write what waits for the store.

        Raises:
            StoreUnavailable: it goes on waiting.
        """
        await self._journal.flush()

    # Inside

    async def _to_its_end(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run to the end even if the caller goes away: stored and applied must not part."""
        if self._closed:
            work.close()
            raise StoreUnavailable("The daemon is stopping: try again in a moment.")
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return await asyncio.shield(task)

    async def _start(
        self,
        conference: str,
        command: StartConference,
        entries: Sequence[RosterEntry],
        actor: Actor,
    ) -> ConferenceState:
        async with self._turn:
            if await was_used(self._store, conference):
                raise Refused(f"The id {conference!r} was used before: choose another.", "id")
            for entry in entries:
                self._live.check_free(entry, conference, "bridges")
            number = self._live.free_number(command.number, conference)
            command = replace(command, number=number)
            events = decide_start(conference, command, entries, self._clock.utcnow())
            await self._store_and_apply(conference, None, events, actor)
            return self.get(conference)

    async def _execute(
        self, conference: str, command: Command | Fact, actor: Actor
    ) -> Sequence[RecordedEvent]:
        async with self._turn:
            state = self._live.states.get(conference)
            if state is None:
                if isinstance(command, EndConference) and await was_used(self._store, conference):
                    return ()
                raise UnknownConference(conference)
            if isinstance(command, AddParticipant):
                self._live.check_free(command.entry, conference, "bridge")
            if isinstance(command, ChangeConference) and command.number:
                self._live.free_number(command.number, conference)
            events = decide(state, command, self._clock.utcnow())
            recorded = await self._store_and_apply(conference, state, events, actor)
            if isinstance(command, ShowMessage):
                self._keeper.wake()
            return recorded

    async def _store_and_apply(
        self,
        conference: str,
        before: ConferenceState | None,
        events: Sequence[Event],
        actor: Actor,
    ) -> Sequence[RecordedEvent]:
        """Write first; only what is written becomes true."""
        if not events:
            return ()
        after = evolve_all(before, events)
        rows = self._live.numbered(conference, events, self._clock.utcnow(), actor.token)
        listed = any(isinstance(event, _LISTED) for event in events)
        final = [] if after.running else [Snapshot(conference, rows[-1].seq, state_to_json(after))]
        self._live.hold()
        try:
            await self._journal.write(
                rows,
                conferences=[list_entry(after)] if listed else (),
                snapshots=final,
            )
            self._keeper.store_answered(None)
            return self._live.apply(after, events, rows)
        except StoreUnavailable as error:
            self._keeper.store_answered(error)
            raise
        finally:
            self._live.release()


# What changes the list of conferences.
_LISTED = ConferenceStarted | ConferenceChanged | ConferenceEnded
