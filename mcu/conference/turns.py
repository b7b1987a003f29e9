"""Commands in turn: each is decided on what those before it made, written, and only then true.

One turn for the whole installation, so the order of decisions, of ``seq``, of the stream and of
the store is the same. Commands that come while others are being written are decided one after the
other and written together: however many wait, it takes one transaction. When that fails none of
them has happened.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import structlog

from mcu.conference.actor import Actor
from mcu.conference.clock import Clock
from mcu.conference.codec import UnreadableRecord, state_to_json
from mcu.conference.commands import (
    AddParticipant,
    ChangeConference,
    Command,
    EndConference,
    Fact,
    RemoveParticipant,
    StartConference,
)
from mcu.conference.conflict_model import Conflict
from mcu.conference.decide import decide, decide_start
from mcu.conference.events import ConferenceChanged, ConferenceEnded, ConferenceStarted, Event
from mcu.conference.evolve import evolve_all
from mcu.conference.feed import RecordedEvent
from mcu.conference.history import list_entry, load, read_conference, was_used
from mcu.conference.invitation_model import InvitationCommand
from mcu.conference.journal import Journal
from mcu.conference.keeper import Keeper
from mcu.conference.live import LiveConferences
from mcu.conference.roll_call_model import LateRollCallCommand
from mcu.conference.state import ConferenceState, Refused, RosterEntry, UnknownConference
from mcu.sentences import sentence
from mcu.store.commits import Write
from mcu.store.errors import DamagedRecord, StoreUnavailable, UnknownRecord
from mcu.store.records import Snapshot, StoredEvent
from mcu.store.store import Store

log = structlog.get_logger(__name__)

Condition = Callable[[ConferenceState], None]
"""Raises what a command is to be refused with, seeing the state that it would change."""

Also = Callable[[ConferenceState], Sequence[Write]]
"""What is written together with a command's events, seeing the state after it. Not asked where the
command changes nothing."""

_ALONE = AddParticipant | RemoveParticipant | ChangeConference | EndConference | InvitationCommand
"""Change who may be where, or what may be dialled: decided when all before them is true."""

_LATE = LateRollCallCommand
"""May be asked of a conference that has ended. It is read for that, so it is decided alone then."""

_LISTED = ConferenceStarted | ConferenceChanged | ConferenceEnded
"""What changes the list of conferences."""


@dataclass(slots=True)
class _Order:
    """A command, and what becomes of it."""

    conference: str
    command: Command | Fact
    actor: Actor
    only_if: Condition | None
    also: Also | None
    done: "asyncio.Future[Sequence[RecordedEvent]]"


@dataclass(slots=True)
class _Decided:
    """What a command makes, once it is written; ``late``: of a conference that has ended."""

    after: ConferenceState
    events: Sequence[Event]
    rows: Sequence[StoredEvent]
    also: Sequence[Write] = ()
    late: bool = False
    recorded: Sequence[RecordedEvent] = field(default=())


class Turns:
    """Decides, writes and applies the commands of one daemon."""

    def __init__(
        self, store: Store, live: LiveConferences, journal: Journal, keeper: Keeper, clock: Clock
    ) -> None:
        self._store = store
        self._live = live
        self._journal = journal
        self._keeper = keeper
        self._clock = clock
        self._turn = asyncio.Lock()
        self._orders: deque[_Order] = deque()

    async def start(
        self,
        conference: str,
        command: StartConference,
        entries: Sequence[RosterEntry],
        actor: Actor,
        also: Also | None,
    ) -> ConferenceState:
        """Start a conference whose roster is known; see ``Conferences.start``."""
        async with self._turn:
            if await was_used(self._store, conference):
                raise Refused(sentence("conference.id-used", id=conference), "id")
            conflicts: list[Conflict] = []
            if command.busy == "ask":
                conflicts, entries = self._asked_for(entries, command, actor)
                if any(each.is_chair for each in conflicts):
                    command = replace(command, chair=None)
            for entry in entries:
                self._live.check_free(entry, conference, "bridges")
            number = self._live.free_number(command.number, conference)
            command = replace(command, number=number)
            events = decide_start(conference, command, entries, self._clock.utcnow(), conflicts)
            decided = self._decided(None, events, conference, actor, also, 0)
            await self._write_and_apply([decided])
            return decided.after

    async def read_again(self, conference: str) -> None:
        """Make a running conference of what its log says of it, as when a server is started.

        Who was here gets the same time to come back. A log that cannot be read is told, and the
        conference goes on as it is known.
        """
        async with self._turn:
            self._live.hold()
            try:
                await self._journal.flush()
                if conference in self._live.states:
                    self._live.adopt(await load(self._store, conference))
                    self._keeper.expect_back(conference)
                    log.info("conference_restored", conference=conference)
            except (StoreUnavailable, UnreadableRecord, UnknownRecord) as error:
                log.error("conference_not_restored", conference=conference, error=str(error))
            finally:
                self._live.release()
        self._keeper.wake()

    def _asked_for(
        self, entries: Sequence[RosterEntry], command: StartConference, actor: Actor
    ) -> tuple[list[Conflict], Sequence[RosterEntry]]:
        """Who is in another conference and is asked for, and who is free."""
        conflicts, free = [], []
        now = self._clock.utcnow()
        for entry in entries:
            holder = self._live.by_bridge.get(entry.bridge or "")
            if holder is None:
                free.append(entry)
                continue
            conflicts.append(
                Conflict(
                    entry.id,
                    entry.name,
                    "asking",
                    holder,
                    self._live.states[holder].name,
                    now,
                    actor.name,
                    is_chair=entry.id == command.chair,
                )
            )
        return conflicts, free

    async def execute(
        self,
        conference: str,
        command: Command | Fact,
        actor: Actor,
        only_if: Condition | None,
        also: Also | None,
    ) -> Sequence[RecordedEvent]:
        """Carry a command out, perhaps together with others; see ``Conferences.execute``."""
        done: asyncio.Future[Sequence[RecordedEvent]] = asyncio.get_running_loop().create_future()
        self._orders.append(_Order(conference, command, actor, only_if, also, done))
        async with self._turn:
            if not done.done():  # else somebody ahead has carried it out along with theirs
                await self._carry_out_to(done)
        return await done

    async def _carry_out_to(self, last: "asyncio.Future[Sequence[RecordedEvent]]") -> None:
        """Carry out what waits, in its order, until this one is done; and all that fits along."""
        while not last.done():
            group = [self._orders.popleft()]
            if not self._goes_alone(group[0]):
                while self._orders and not self._goes_alone(self._orders[0]):
                    group.append(self._orders.popleft())
            try:
                await self._carry_out(group)
            finally:
                for order in group:
                    order.done.cancel()  # does nothing to those that have their answer

    def _goes_alone(self, order: _Order) -> bool:
        if isinstance(order.command, _LATE):
            return order.conference not in self._live.states
        return isinstance(order.command, _ALONE)

    async def _carry_out(self, group: Sequence[_Order]) -> None:
        """Decide in order, write together, apply in order, and answer each."""
        tentative: dict[str, ConferenceState] = {}
        made: list[tuple[_Order, _Decided]] = []
        numbers = 0
        for order in group:
            try:
                state = tentative.get(order.conference) or await self._state(order)
                if state is None:
                    order.done.set_result(())
                    continue
                if order.only_if is not None:
                    order.only_if(state)
                events = decide(state, order.command, self._clock.utcnow())
                if not events:
                    order.done.set_result(())
                    continue
                decided = self._decided(state, events, state.id, order.actor, order.also, numbers)
            except Exception as error:
                order.done.set_exception(error)
                continue
            numbers += len(events)
            tentative[state.id] = decided.after
            made.append((order, decided))
        if not made:
            return
        try:
            await self._write_and_apply([decided for _, decided in made])
        except StoreUnavailable as error:
            for order, _ in made:
                order.done.set_exception(StoreUnavailable(error.reason))
            return
        except Exception as error:
            for order, _ in made:
                order.done.set_exception(error)
            return
        for order, decided in made:
            order.done.set_result(decided.recorded)
        self._keeper.wake()  # something may have a time now

    async def _state(self, order: _Order) -> ConferenceState | None:
        """What is true of a conference now; None: it has ended, and that is what was asked for.

        Only what goes alone may wait here.
        """
        state = self._live.states.get(order.conference)
        if state is None and isinstance(order.command, _LATE):
            return await self._ended(order.conference)
        if state is None:
            ends = isinstance(order.command, EndConference)
            if ends and await was_used(self._store, order.conference):
                return None
            raise UnknownConference(order.conference)
        if isinstance(order.command, AddParticipant):
            self._live.check_free(order.command.entry, order.conference, "bridge")
        if isinstance(order.command, ChangeConference) and order.command.number:
            self._live.free_number(order.command.number, order.conference)
        return state

    async def _ended(self, conference: str) -> ConferenceState:
        try:
            state = await read_conference(self._store, conference)
        except (UnknownRecord, DamagedRecord, UnreadableRecord) as error:
            raise UnknownConference(conference) from error
        if state.running:  # by the list, but it could not be restored
            raise UnknownConference(conference)
        return state

    def _decided(
        self,
        before: ConferenceState | None,
        events: Sequence[Event],
        conference: str,
        actor: Actor,
        also: Also | None,
        numbers: int,
    ) -> _Decided:
        """``numbers``: so many events go before, not applied yet."""
        after = evolve_all(before, events)
        now = self._clock.utcnow()
        rows = self._live.numbered(conference, events, now, actor.token, numbers)
        late = before is not None and not before.running
        return _Decided(after, events, rows, () if also is None else also(after), late)

    async def _write_and_apply(self, made: Sequence[_Decided]) -> None:
        """Write first; only what is written becomes true.

        Raises:
            StoreUnavailable: nothing was written, and nothing changed.
        """
        listed = [
            list_entry(each.after)
            for each in made
            if any(isinstance(event, _LISTED) for event in each.events)
        ]
        final = [
            Snapshot(each.after.id, each.rows[-1].seq, state_to_json(each.after))
            for each in made
            if not each.after.running
        ]
        self._live.hold()
        try:
            await self._journal.write(
                [row for each in made for row in each.rows],
                conferences=listed,
                snapshots=final,
                also=[write for each in made for write in each.also],
            )
            self._keeper.store_answered(None)
            for each in made:
                make = self._live.tell_late if each.late else self._live.apply
                each.recorded = make(each.after, each.events, each.rows)
        except StoreUnavailable as error:
            self._keeper.store_answered(error)
            raise
        finally:
            self._live.release()
