"""The conferences that run now: events become true here, without anything being awaited."""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import count
from typing import Protocol

import structlog

from mcu.conference.clock import Clock
from mcu.conference.codec import event_to_json, state_to_json
from mcu.conference.commands import Fact
from mcu.conference.decide import decide
from mcu.conference.events import Event
from mcu.conference.evolve import evolve_all
from mcu.conference.feed import EventHub, RecordedEvent
from mcu.conference.for_checks import check_of, is_for_check
from mcu.conference.plan import media_plan
from mcu.conference.resources import event_data
from mcu.conference.state import ConferenceState, Refused, RosterEntry
from mcu.engine.plan import MediaPlan
from mcu.sentences import sentence
from mcu.store.records import Snapshot, StoredEvent

FIRST_NUMBER = 1001
"""Numbers that are given out begin here: four digits, and none of them a service's."""

log = structlog.get_logger(__name__)


class MediaControl(Protocol):
    """The media plane, as conferences steer it. Called on the loop; must not block.

    It may call ``Conferences.note`` from within: such facts are applied right after.
    """

    def start(self, conference_id: str) -> None:
        """Make the media of a conference; ``apply`` follows at once."""

    def apply(self, conference_id: str, plan: MediaPlan) -> None:
        """Make the media follow the plan. Legs of participants it does not name are closed."""

    def end(self, conference_id: str) -> None:
        """Close all legs of the conference and free its media."""


Listener = Callable[[ConferenceState, Event], None]
"""Called for every event right after it was applied, with the state after its command."""


class LiveConferences:
    """States by id, and what follows from a change: media, listeners, readers.

    Facts go through one queue, so that one that is brought about by applying another waits for
    its turn, and ``hold`` keeps all of them back while a command is being stored.

    Args:
        waiting: takes the events of facts, which are applied before they are stored.
    """

    def __init__(
        self,
        media: MediaControl,
        hub: EventHub,
        clock: Clock,
        waiting: Callable[[StoredEvent], None],
    ) -> None:
        self.states: dict[str, ConferenceState] = {}
        self.by_bridge: dict[str, str] = {}
        self.listeners: list[Listener] = []
        self._media = media
        self._hub = hub
        self._clock = clock
        self._waiting = waiting
        self._facts: deque[tuple[str, Fact]] = deque()
        self._held = False
        self._draining = False

    def adopt(self, state: ConferenceState) -> None:
        """Take a restored conference in and start its media."""
        self.states[state.id] = state
        self._index(state, None)
        self._guarded(lambda: self._media.start(state.id), state.id)
        self._apply_plan(state)

    def note(self, conference: str, fact: Fact) -> None:
        """Queue a fact, and apply it now unless facts are held back."""
        self._facts.append((conference, fact))
        if not self._held:
            self._drain()

    def hold(self) -> None:
        """Keep facts back: a command was decided and is being stored."""
        self._held = True

    def release(self) -> None:
        """Apply what was kept back, in order."""
        self._held = False
        self._drain()

    def numbered(
        self,
        conference: str,
        events: Sequence[Event],
        time: datetime,
        actor: str | None,
        ahead: int = 0,
    ) -> list[StoredEvent]:
        """The rows of events that come next; they must be applied before others are numbered.

        Args:
            ahead: so many numbered ones are to be applied before these.
        """
        return [
            StoredEvent(seq, time, event.type, conference, event_to_json(event), actor)
            for seq, event in enumerate(events, self._hub.last_seq + ahead + 1)
        ]

    def apply(
        self, after: ConferenceState, events: Sequence[Event], rows: Sequence[StoredEvent]
    ) -> Sequence[RecordedEvent]:
        """Make events true. Cost: O(participants + events * readers)."""
        before = self.states.get(after.id)
        self.states[after.id] = after
        self._index(after, before)
        if before is None:
            self._guarded(lambda: self._media.start(after.id), after.id)
        if after.running:
            self._apply_plan(after)
        recorded = [
            self._publish(after, event, row) for event, row in zip(events, rows, strict=True)
        ]
        if not after.running:
            del self.states[after.id]
            self._guarded(lambda: self._media.end(after.id), after.id)
        return recorded

    def tell_late(
        self, after: ConferenceState, events: Sequence[Event], rows: Sequence[StoredEvent]
    ) -> Sequence[RecordedEvent]:
        """Publish what happened to the record of a conference that has ended.

        Nobody acts on it: its media is gone, and listeners have seen its end.
        """
        return [self._published(after, *each) for each in zip(events, rows, strict=True)]

    def snapshot(self, conference: str) -> Snapshot | None:
        """A running conference as of the newest event."""
        state = self.states.get(conference)
        if state is None:
            return None
        return Snapshot(conference, self._hub.last_seq, state_to_json(state))

    def check_free(self, entry: RosterEntry, conference: str, field: str) -> None:
        """See to it that a bridge is in one conference at a time.

        Raises:
            Refused: it is on another one's roster.
        """
        other = self.by_bridge.get(entry.bridge or "")
        if other is not None and other != conference:
            if is_for_check(other):
                check = check_of(other)
                raise Refused(
                    sentence("room.in-check", room=entry.name, id=entry.id, check=check), field
                )
            raise Refused(
                sentence(
                    "room.in-other-conference",
                    room=entry.name,
                    id=entry.id,
                    name=self.states[other].name,
                    conference=other,
                ),
                field,
            )

    def free_number(self, wanted: str | None, conference: str) -> str:
        """The number that a conference gets; without a wish the lowest that is free.

        Raises:
            Refused: another one that runs has it.
        """
        taken = {
            state.number: state
            for state in self.states.values()
            if state.number is not None and state.id != conference
        }
        if wanted is None:
            return next(str(n) for n in count(FIRST_NUMBER) if str(n) not in taken)
        if wanted in taken:
            other = taken[wanted]
            raise Refused(
                sentence("number.taken", number=wanted, conference=other.name, id=other.id),
                "number",
            )
        return wanted

    def _publish(self, after: ConferenceState, event: Event, row: StoredEvent) -> RecordedEvent:
        published = self._published(after, event, row)
        self._tell(after, event)
        return published

    def _published(self, after: ConferenceState, event: Event, row: StoredEvent) -> RecordedEvent:
        published = RecordedEvent(row.seq, row.time, row.type, after.id, event_data(event))
        self._hub.publish(published)
        return published

    def _drain(self) -> None:
        if self._draining:
            return
        self._draining = True
        try:
            while self._facts:
                self._apply_fact(*self._facts.popleft())
        finally:
            self._draining = False

    def _apply_fact(self, conference: str, fact: Fact) -> None:
        state = self.states.get(conference)
        if state is None:
            log.debug("late_fact", conference=conference, fact=type(fact).__name__)
            return
        now = self._clock.utcnow()
        try:
            events = decide(state, fact, now)
        except Refused as refused:
            log.warning("fact_dropped", conference=conference, reason=refused.reason)
            return
        if events:
            rows = self.numbered(conference, events, now, None)
            for row in rows:
                self._waiting(row)
            self.apply(evolve_all(state, events), events, rows)

    def _index(self, after: ConferenceState, before: ConferenceState | None) -> None:
        """Keep ``by_bridge`` true. Cost: O(participants), only when the roster changed."""
        if (
            before is not None
            and before.running == after.running
            and before.participants.keys() == after.participants.keys()
        ):
            return
        for each in before.participants.values() if before is not None else ():
            if each.bridge is not None and self.by_bridge.get(each.bridge) == after.id:
                del self.by_bridge[each.bridge]
        for each in after.participants.values() if after.running else ():
            if each.bridge is not None:
                self.by_bridge.setdefault(each.bridge, after.id)

    def _apply_plan(self, state: ConferenceState) -> None:
        plan = media_plan(state)
        self._guarded(lambda: self._media.apply(state.id, plan), state.id)

    def _tell(self, state: ConferenceState, event: Event) -> None:
        for listener in self.listeners:
            self._guarded(_bound(listener, state, event), state.id)

    @staticmethod
    def _guarded(call: Callable[[], None], conference: str) -> None:
        """The state is the truth: what the media plane could not do, the next plan repairs."""
        try:
            call()
        except Exception:
            log.exception("media_failed", conference=conference)


def _bound(listener: Listener, state: ConferenceState, event: Event) -> Callable[[], None]:
    return lambda: listener(state, event)
