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
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import structlog

from mcu.conference.actor import Actor as Actor
from mcu.conference.actor import new_id
from mcu.conference.clock import Clock, SystemClock
from mcu.conference.codec import UnreadableRecord
from mcu.conference.commands import (
    AddParticipant,
    Command,
    Fact,
    NoteRestarted,
    StartConference,
)
from mcu.conference.conflicts import Conflicts
from mcu.conference.drill_hands import hand_of
from mcu.conference.drill_model import FaultEnded, NoteHand
from mcu.conference.events import Event
from mcu.conference.feed import Accepts, EventFeed, EventHub, RecordedEvent
from mcu.conference.history import (
    NothingLeft,
    end_in_list,
    load,
    read_conference,
    read_events,
)
from mcu.conference.invitation_resources import tell_invited
from mcu.conference.invitations import Invitations
from mcu.conference.journal import Journal
from mcu.conference.keeper import KEPT, Keeper, Retention
from mcu.conference.live import Listener, LiveConferences, MediaControl
from mcu.conference.polling_model import SkipPolling
from mcu.conference.state import (
    ConferenceState,
    Participant,
    Refused,
    UnknownConference,
)
from mcu.conference.turns import Also, Condition, Turns
from mcu.sentences import sentence
from mcu.store.errors import DamagedRecord, StoreUnavailable, UnknownRecord
from mcu.store.identifiers import GUEST_PREFIX
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
        self._turns = Turns(store, self._live, self._journal, self._keeper, self._clock)
        self.conflicts = Conflicts(self)
        self.listen(self.conflicts.changed)
        self.listen(partial(tell_invited, self._hub.publish_ephemeral))
        self.listen(self._restarted)
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
            since = await self._store.conferences.last_trace(state.id)
            self._live.adopt(state)
            self._live.note(state.id, NoteRestarted(since))
            self._keeper.expect_back(state.id)
        self.conflicts.look_again()
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
        await self.conflicts.close()
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

    def utcnow(self) -> datetime:
        """The time by which things come due in conferences."""
        return self._clock.utcnow()

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
                sentence("roster.not-here", participant=participant),
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

    async def start(
        self, command: StartConference, actor: Actor, *, also: Also | None = None
    ) -> ConferenceState:
        """Start a conference: resolve its bridges, decide, store, publish, start its media.

        Args:
            also: see ``Also``.

        Raises:
            Refused: unknown unit or bridge, a bridge that is in another running conference, an
                id that was used before, a number that is taken, and all of ``decide_start``.
            StoreUnavailable: nothing was started.
        """
        conference = command.id or self._new_id("c-")
        entries = await self._invitations.for_start(command)
        return await self._to_its_end(self._turns.start(conference, command, entries, actor, also))

    async def execute(
        self,
        conference_id: str,
        command: Command | Fact,
        actor: Actor,
        *,
        only_if: Condition | None = None,
        also: Also | None = None,
    ) -> Sequence[RecordedEvent]:
        """Decide a command, store, publish and apply it; gives its events, none if idle.

        It runs to its end even if the caller is cancelled. Commands that come at once are stored
        together.

        Args:
            only_if: asked with the state that the command would change, which no other command
                changes in between. also: see ``Also``.

        Raises:
            UnknownConference, Refused, and what ``only_if`` raises: nothing changed.
            StoreUnavailable: it cannot be stored, and nothing changed.
        """
        if isinstance(command, SkipPolling):
            # Whose turn is next is known at once, as it is when the clock turns the page.
            command = replace(command, dark=self._keeper.dark(conference_id))
        recorded = await self._to_its_end(
            self._turns.execute(conference_id, command, actor, only_if, also)
        )
        state = self._live.states.get(conference_id)
        if recorded and state is not None and state.drill is not None:
            self._note_hand(state, hand_of(state, command, actor.name), actor)
        return recorded

    def hand_on(
        self, conference_id: str, participant: str, actor: Actor, what: str, *, acts: bool
    ) -> None:
        """Note that somebody has taken a room in hand by other means than a command; in drills.

        Args:
            what, acts: see ``NoteHand``.
        """
        state = self._live.states.get(conference_id)
        if state is not None and state.drill is not None:
            self._note_hand(state, NoteHand(participant, actor.name, what, acts), actor)

    def _note_hand(self, state: ConferenceState, hand: NoteHand | None, actor: Actor) -> None:
        # What a room does for itself, and what happens by itself, is nobody's of the staff.
        if hand is not None and actor.token and actor.role != "bridge":
            self.note(state.id, replace(hand, by=hand.by or actor.role))

    async def add_bridge(
        self,
        conference_id: str,
        bridge_id: str,
        actor: Actor,
        *,
        importance: int | None = None,
        knocks: bool = False,
    ) -> Participant:
        """Put a registered bridge on the roster; one that is on it already is given back.

        Args:
            knocks: see ``AddParticipant``.

        Raises:
            Refused: unknown bridge, in another running conference, locked or full.
            UnknownConference, StoreUnavailable.
        """
        self.get(conference_id)
        entry = await self._invitations.for_bridge(bridge_id)
        if importance is not None:
            entry = replace(entry, importance=importance)
        await self.execute(conference_id, AddParticipant(entry, knocks), actor)
        return self.participant(conference_id, bridge_id)

    async def add_guest(
        self,
        conference_id: str,
        name: str,
        actor: Actor,
        *,
        unit: str | None = None,
        importance: int = 0,
        address: str | None = None,
        knocks: bool = False,
    ) -> Participant:
        """Put a guest on the roster under a new id (``guest-…``).

        Args:
            unit: mutes by unit count the guest to it; None: the conference's own unit.
            address: where it is called, by SIP; None: it comes by itself.
            knocks: see ``AddParticipant``.

        Raises:
            Refused: locked, full, or a name that cannot be shown.
            UnknownConference, StoreUnavailable.
        """
        guest = await self._invitations.for_guest(
            self._new_id(GUEST_PREFIX),
            name,
            unit or self.get(conference_id).unit,
            importance,
            address,
        )
        await self.execute(conference_id, AddParticipant(guest, knocks), actor)
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

    def look_for_pictures(self, dark: Callable[[str], frozenset[str]]) -> None:
        """Ask ``dark(conference)`` who sends no picture, before the next room is polled."""
        self._keeper.dark = dark

    def look_for_pages(self, pages: Callable[[], frozenset[str]]) -> None:
        """Ask ``pages()`` which bridges' join pages are open, when rooms are convened."""
        self._keeper.pages = pages

    # Timers

    def next_timer(self) -> float | None:
        """When ``handle_timer`` is next needed (monotonic seconds), or None."""
        return self._keeper.next_timer()

    def handle_timer(self, now: float) -> None:
        """Note what is due (see ``deadlines``); let those leave who have not come back."""
        self._keeper.handle_timer(now)

    async def flush(self) -> None:
        """Write what waits for the store.

        Raises:
            StoreUnavailable: it goes on waiting.
        """
        await self._journal.flush()

    # Inside

    def _restarted(self, state: ConferenceState, event: Event) -> None:
        """A drill's restart is over: what the conference is comes out of its log again."""
        if isinstance(event, FaultEnded) and event.kind == "restart" and not self._closed:
            task = asyncio.create_task(self._turns.read_again(state.id))
            self._work.add(task)
            task.add_done_callback(self._work.discard)

    async def _to_its_end(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run to the end even if the caller goes away: stored and applied must not part."""
        if self._closed:
            work.close()
            raise StoreUnavailable(sentence("server.stopping"))
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(_told(work, done))
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return await done  # as shield(task) does, a turn of the loop earlier


async def _told(work: Coroutine[Any, Any, Result], done: "asyncio.Future[Result]") -> None:
    """Do it, and tell who waits, if anybody still does."""
    try:
        result = await work
    except Exception as error:
        if not done.cancelled():
            done.set_exception(error)
    except BaseException:
        done.cancel()
        raise
    else:
        if not done.cancelled():
            done.set_result(result)
