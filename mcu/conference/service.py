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
import secrets
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

import structlog

from mcu.conference.codec import (
    UnreadableRecord,
    event_from_json,
    event_to_json,
    state_from_json,
    state_to_json,
)
from mcu.conference.commands import (
    AddParticipant,
    ClearMessage,
    Command,
    EndConference,
    Fact,
    NoteAbsent,
    NoteRestarted,
    StartConference,
)
from mcu.conference.decide import decide, decide_start
from mcu.conference.events import ConferenceEnded, ConferenceStarted, Event
from mcu.conference.evolve import evolve_all
from mcu.conference.feed import Accepts, EventFeed, EventHub, RecordedEvent
from mcu.conference.journal import Journal
from mcu.conference.plan import media_plan
from mcu.conference.resources import event_data
from mcu.conference.state import (
    ConferenceState,
    Participant,
    Refused,
    RosterEntry,
    UnknownConference,
)
from mcu.engine.plan import MediaPlan
from mcu.store.errors import StoreUnavailable, UnknownRecord
from mcu.store.identifiers import GUEST_PREFIX
from mcu.store.records import Bridge, ConferenceRecord, Snapshot, StoredEvent
from mcu.store.store import Store

LEFT_AFTER_S = 30.0
RETRY_STORE_S = 1.0
HOUSEKEEPING_S = 3_600.0
RETENTION = timedelta(days=90)
RETENTION_EVENTS = 1_000_000

Result = TypeVar("Result")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Actor:
    """Whose token a command came with.

    Args:
        token: its id, kept with the events. address: where the request came from.
    """

    token: str
    role: str
    name: str = ""
    address: str | None = None


class MediaControl(Protocol):
    """The media plane, as conferences steer it. Called on the loop, must not block."""

    def start(self, conference_id: str) -> None:
        """Make the media of a conference; ``apply`` follows at once."""

    def apply(self, conference_id: str, plan: MediaPlan) -> None:
        """Make the media follow the plan. Legs of participants it does not name are closed."""

    def end(self, conference_id: str) -> None:
        """Close all legs of the conference and free its media."""


class Clock(Protocol):
    """Both clocks; replaced in tests."""

    def now(self) -> float:
        """Monotonic seconds."""

    def utcnow(self) -> datetime:
        """Wall time, timezone-aware UTC."""


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def utcnow(self) -> datetime:
        """Wall time, timezone-aware UTC."""
        return datetime.now(UTC)


Listener = Callable[[ConferenceState, Event], None]
"""Called for every event right after it was applied, with the state after its command."""


def new_id(prefix: str) -> str:
    """A random id; ``prefix`` says what it is of."""
    return f"{prefix}{secrets.token_hex(5)}"


class Conferences:
    """All conferences of this daemon.

    Call ``restore`` once before anything else, and ``close`` in ``finally``.

    Args:
        media: told what to do; an exception it raises is logged, the conference goes on.
        left_after_s: after a restart, how long a lost participant keeps its tile.
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
    ) -> None:
        self._store = store
        self._media = media
        self._clock = clock or SystemClock()
        self._new_id = new_id
        self._left_after_s = left_after_s
        self._states: dict[str, ConferenceState] = {}
        self._by_bridge: dict[str, str] = {}
        self._absent_at: dict[str, float] = {}
        self._hub = EventHub(0, 0, self._read_after, self._clock.utcnow)
        self._journal = Journal(store, self._snapshot)
        self._turn = asyncio.Lock()
        self._facts: deque[tuple[str, Fact | Command]] = deque()
        self._draining = False
        self._listeners: list[Listener] = []
        self._work: set[asyncio.Task[Any]] = set()
        self._keeper: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._store_failed = False
        self._closed = False
        self._tidied_at = float("-inf")

    # Life

    async def restore(self, *, keep: bool = True) -> None:
        """Bring back what ran when the process ended, and start the timers.

        Args:
            keep: run the background task (retries, timers); without it the caller calls
                ``flush`` and ``handle_timer`` itself.

        Raises:
            StoreUnavailable.
        """
        self._hub.last_seq = await self._store.events.last_seq()
        self._hub.pruned_seq = await self._store.events.pruned_seq()
        for record in await self._store.conferences.running():
            try:
                state = await self._load(record.id)
            except UnreadableRecord as error:
                # One unreadable conference must not keep all the others from coming back.
                log.error("conference_unreadable", conference=record.id, error=str(error))
                continue
            self._states[state.id] = state
            self._index(state)
            self._media_start(state.id)
            self.note(state.id, NoteRestarted())
            self._media_apply(self._states[state.id])
            self._absent_at[state.id] = self._clock.now() + self._left_after_s
        if keep:
            self._keeper = asyncio.create_task(self._keep(), name="conferences")

    async def close(self) -> None:
        """End the feeds, wait for what is being stored, write what waits. Conferences go on."""
        self._closed = True
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
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
        state = self._states.get(conference_id)
        if state is None:
            raise UnknownConference(conference_id)
        return state

    async def read(self, conference_id: str) -> ConferenceState:
        """A conference that runs, or one that has ended, out of the store.

        Raises:
            UnknownConference, StoreUnavailable.
        """
        state = self._states.get(conference_id)
        if state is not None:
            return state
        try:
            await self._store.conferences.get(conference_id)
            return await self._load(conference_id)
        except (UnknownRecord, UnreadableRecord) as error:
            raise UnknownConference(conference_id) from error

    def running(self) -> Sequence[ConferenceState]:
        """All that run, in the order they were started."""
        return tuple(self._states.values())

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
        return self._by_bridge.get(bridge)

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
                id that was used before, and all of ``decide_start``.
            StoreUnavailable: nothing was started.
        """
        conference = command.id or self._new_id("c-")
        entries = await self._entries(command)
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
        entries = await self._bridge_entries((bridge_id,), "bridge")
        entry = entries[0] if importance is None else replace(entries[0], importance=importance)
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
        unit = unit or self.get(conference_id).unit
        path = (await self._store.units.paths((unit,))).get(unit, (unit,))
        guest = RosterEntry(self._new_id(GUEST_PREFIX), name, None, unit, path, importance)
        await self.execute(conference_id, AddParticipant(guest), actor)
        return self.participant(conference_id, guest.id)

    def note(self, conference_id: str, fact: Fact | ClearMessage) -> None:
        """Take note of a fact, from the loop's thread; never blocks and never raises.

        It is applied before this returns, unless a command is being stored: then right after.
        A fact about a conference that has ended, or somebody removed, is dropped.
        """
        self._facts.append((conference_id, fact))
        if not self._turn.locked():
            self._drain()

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

    def publish_ephemeral(self, type_: str, conference: str, data: Mapping[str, Any]) -> None:
        """Publish a reading (``EPHEMERAL_TYPES``) that is not stored."""
        self._hub.publish_ephemeral(type_, conference, data)

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` for every event, synchronously; for the media plane's bookkeeping.

        ``ParticipantJoined.replaced`` names the legs to close with reason ``replaced``;
        ``ParticipantRemoved.participant.legs`` those to close with reason ``disconnected``.
        """
        self._listeners.append(listener)

    # Timers

    def next_timer(self) -> float | None:
        """When ``handle_timer`` is next needed (monotonic seconds), or None."""
        now, wall = self._clock.now(), self._clock.utcnow()
        times = list(self._absent_at.values())
        times += [
            now + (state.message.until - wall).total_seconds()
            for state in self._states.values()
            if state.message is not None and state.message.until is not None
        ]
        return min(times, default=None)

    def handle_timer(self, now: float) -> None:
        """Clear messages whose time is over; let who has not come back after a restart leave."""
        wall = self._clock.utcnow()
        for state in self.running():
            message = state.message
            if message is not None and message.until is not None and message.until <= wall:
                self.note(state.id, ClearMessage())
        for conference, due in list(self._absent_at.items()):
            if due <= now:
                del self._absent_at[conference]
                for who in self._states[conference].participants.values():
                    self.note(conference, NoteAbsent(who.id))

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
            try:
                await self._check_unused(conference)
                for entry in entries:
                    self._check_free(entry, conference, "bridges")
                events = decide_start(conference, command, entries, self._clock.utcnow())
                await self._store_and_apply(conference, events, actor)
                return self._states[conference]
            finally:
                self._drain()

    async def _execute(
        self, conference: str, command: Command | Fact, actor: Actor
    ) -> Sequence[RecordedEvent]:
        async with self._turn:
            try:
                state = self._states.get(conference)
                if state is None:
                    if isinstance(command, EndConference):
                        await self._check_known(conference)
                        return ()
                    raise UnknownConference(conference)
                if isinstance(command, AddParticipant):
                    self._check_free(command.entry, conference, "bridge")
                events = decide(state, command, self._clock.utcnow())
                return await self._store_and_apply(conference, events, actor)
            finally:
                self._drain()

    async def _store_and_apply(
        self, conference: str, events: Sequence[Event], actor: Actor
    ) -> Sequence[RecordedEvent]:
        if not events:
            return ()
        time_ = self._clock.utcnow()
        after = evolve_all(self._states.get(conference), events)
        stored = self._stored(conference, events, time_, actor.token)
        last = stored[-1].seq
        changes_list = isinstance(events[0], ConferenceStarted) or any(
            event.type in ("conference.changed", "conference.ended") for event in events
        )
        ended = isinstance(events[-1], ConferenceEnded)
        try:
            await self._journal.write(
                stored,
                conferences=[_record(after)] if changes_list else (),
                snapshots=[Snapshot(conference, last, state_to_json(after))] if ended else (),
            )
        except StoreUnavailable as error:
            self._note_store(error)
            raise
        self._note_store(None)
        return self._apply(after, events, stored)

    def _note(self, conference: str, fact: Fact | Command) -> None:
        """Decide and apply at once; the events wait in the journal."""
        state = self._states.get(conference)
        if state is None:
            log.debug("late_fact", conference=conference, fact=type(fact).__name__)
            return
        try:
            events = decide(state, fact, self._clock.utcnow())
        except Refused as refused:
            log.warning("fact_dropped", conference=conference, reason=refused.reason)
            return
        if events:
            stored = self._stored(conference, events, self._clock.utcnow(), None)
            for each in stored:
                self._journal.add(each)
            self._apply(evolve_all(state, events), events, stored)
            self._wake.set()

    def _drain(self) -> None:
        """Apply the facts that wait, also those that applying them brings about, in order."""
        if self._draining:
            return
        self._draining = True
        try:
            while self._facts:
                self._note(*self._facts.popleft())
        finally:
            self._draining = False

    def _stored(
        self, conference: str, events: Sequence[Event], time_: datetime, actor: str | None
    ) -> list[StoredEvent]:
        return [
            StoredEvent(seq, time_, event.type, conference, event_to_json(event), actor)
            for seq, event in enumerate(events, self._hub.last_seq + 1)
        ]

    def _apply(
        self, after: ConferenceState, events: Sequence[Event], stored: Sequence[StoredEvent]
    ) -> Sequence[RecordedEvent]:
        """Make the events true: state, media, listeners, readers. Nothing is awaited."""
        conference = after.id
        before = self._states.get(conference)
        self._states[conference] = after
        self._index(after, before)
        if before is None:
            self._media_start(conference)
        if after.running:
            self._media_apply(after)
        recorded = []
        for event, row in zip(events, stored, strict=True):
            published = RecordedEvent(row.seq, row.time, row.type, conference, event_data(event))
            self._hub.publish(published)
            recorded.append(published)
            self._tell(after, event)
        if not after.running:
            self._forget(after)
        return recorded

    def _forget(self, state: ConferenceState) -> None:
        del self._states[state.id]
        self._absent_at.pop(state.id, None)
        self._guarded(lambda: self._media.end(state.id), state.id)

    def _index(self, after: ConferenceState, before: ConferenceState | None = None) -> None:
        """Keep ``conference_of`` true. Cost: O(participants) when the roster changed."""
        if (
            before is not None
            and before.running == after.running
            and before.participants.keys() == after.participants.keys()
        ):
            return
        for each in before.participants.values() if before is not None else ():
            if each.bridge is not None and self._by_bridge.get(each.bridge) == after.id:
                del self._by_bridge[each.bridge]
        if after.running:
            for each in after.participants.values():
                if each.bridge is not None:
                    self._by_bridge.setdefault(each.bridge, after.id)

    def _media_start(self, conference: str) -> None:
        self._guarded(lambda: self._media.start(conference), conference)

    def _media_apply(self, state: ConferenceState) -> None:
        plan = media_plan(state)
        self._guarded(lambda: self._media.apply(state.id, plan), state.id)

    def _tell(self, state: ConferenceState, event: Event) -> None:
        for listener in self._listeners:
            self._guarded(lambda listener=listener: listener(state, event), state.id)  # type: ignore[misc]

    def _guarded(self, call: Callable[[], None], conference: str) -> None:
        """The state is the truth: what the media plane could not do, the next plan repairs."""
        try:
            call()
        except Exception:
            log.exception("media_failed", conference=conference)

    async def _load(self, conference: str) -> ConferenceState:
        """Snapshot + events after it.

        Raises:
            UnreadableRecord, StoreUnavailable.
        """
        snapshot = await self._store.conferences.snapshot(conference)
        state = None if snapshot is None else state_from_json(snapshot.state)
        seq = 0 if snapshot is None else snapshot.seq
        while rows := await self._store.events.after(seq, conference=conference):
            events = [event_from_json(row.type, row.data) for row in rows]
            try:
                state = evolve_all(state, events)
            except (ValueError, KeyError) as error:
                raise UnreadableRecord(f"events after {seq}: {error!r}") from error
            seq = rows[-1].seq
        if state is None:
            raise UnreadableRecord("neither snapshot nor events are left")
        return state

    async def _read_after(self, seq: int, conference: str | None) -> Sequence[RecordedEvent]:
        rows = await self._store.events.after(seq, conference=conference)
        return [
            RecordedEvent(
                row.seq,
                row.time,
                row.type,
                row.conference,
                event_data(event_from_json(row.type, row.data)),
            )
            for row in rows
        ]

    def _snapshot(self, conference: str) -> Snapshot | None:
        state = self._states.get(conference)
        if state is None:
            return None
        return Snapshot(conference, self._hub.last_seq, state_to_json(state))

    async def _entries(self, command: StartConference) -> Sequence[RosterEntry]:
        if not await self._store.units.subtree(command.unit):
            raise Refused(f"No unit {command.unit!r} is known: create it first.", "unit")
        if command.bridges == "subtree":
            bridges = await self._store.bridges.of_subtree(command.unit)
            return await self._entries_of(bridges)
        return await self._bridge_entries(command.bridges, "bridges")

    async def _bridge_entries(self, ids: Sequence[str], field: str) -> Sequence[RosterEntry]:
        known = await self._store.bridges.get_many(ids)
        for index, id_ in enumerate(ids):
            if id_ not in known:
                raise Refused(
                    f"No bridge {id_!r} is known: register it first.",
                    field if field == "bridge" else f"{field}.{index}",
                )
        return await self._entries_of([known[id_] for id_ in ids])

    async def _entries_of(self, bridges: Sequence[Bridge]) -> Sequence[RosterEntry]:
        paths = await self._store.units.paths({bridge.unit for bridge in bridges})
        return [
            RosterEntry(
                id=bridge.id,
                name=bridge.name,
                bridge=bridge.id,
                unit=bridge.unit,
                unit_path=paths.get(bridge.unit, (bridge.unit,)),
                importance=bridge.importance,
            )
            for bridge in bridges
        ]

    def _check_free(self, entry: RosterEntry, conference: str, field: str) -> None:
        other = self._by_bridge.get(entry.bridge or "")
        if other is not None and other != conference:
            raise Refused(
                f"{entry.name} ({entry.id}) is in the conference {self._states[other].name!r} "
                f"({other}): remove it there, or end that conference, first.",
                field,
            )

    async def _check_unused(self, conference: str) -> None:
        try:
            await self._store.conferences.get(conference)
        except UnknownRecord:
            if conference not in self._states:
                return
        raise Refused(f"The id {conference!r} was used before: choose another.", "id")

    async def _check_known(self, conference: str) -> None:
        try:
            await self._store.conferences.get(conference)
        except UnknownRecord as error:
            raise UnknownConference(conference) from error

    def _note_store(self, error: StoreUnavailable | None) -> None:
        """Log when the store goes down and when it is back, not every try in between."""
        if (error is not None) != self._store_failed:
            self._store_failed = error is not None
            if error is not None:
                log.error("store_unavailable", reason=error.reason)
            else:
                log.info("store_available", dropped=self._journal.dropped)

    async def _keep(self) -> None:
        """Retry the store, run the timers, tidy up; until cancelled."""
        while True:
            try:
                await self._journal.flush()
                self._note_store(None)
                if self._clock.now() - self._tidied_at >= HOUSEKEEPING_S:
                    self._tidied_at = self._clock.now()
                    await self._tidy()
            except StoreUnavailable as error:
                self._note_store(error)
            now = self._clock.now()
            self.handle_timer(now)
            due = self.next_timer()
            pause = HOUSEKEEPING_S if due is None else max(0.0, due - now)
            if self._journal.waiting:
                pause = min(pause, RETRY_STORE_S)
            try:
                await asyncio.wait_for(self._wake.wait(), pause)
            except TimeoutError:
                continue
            finally:
                self._wake.clear()

    async def _tidy(self) -> None:
        """Hold the log to its retention bound."""
        before = self._clock.utcnow() - RETENTION
        await self._store.events.prune(before, RETENTION_EVENTS)
        self._hub.pruned_seq = await self._store.events.pruned_seq()


def _record(state: ConferenceState) -> ConferenceRecord:
    return ConferenceRecord(state.id, state.name, state.unit, state.started_at, state.ended_at)
