"""Convening, all expected rooms called together: its value, commands, fact and events.

A room has its *turn* while it is called: a hardware room is dialed, a page that waits is told. It
keeps the turn until it has come or has not; so many have one at once as ``at_once`` says. Who has
not come is called again later (``retry_s``), those who were never called before them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar, Final, Literal

from mcu.conference.call_failure import CallFailure

CallOrder = Literal["importance", "units", "scenario"]

MILESTONES: Final = (50, 90, 100)
"""Percent of the rooms whose arrival is recorded."""
TARGET_S: Final = 600.0
"""All are to be here 10 minutes after they were called."""
AT_ONCE: Final = 16
NOTICE_S: Final = 5.0
"""After so long it is looked whether a room that has its turn is reached at all."""
ANSWER_S: Final = 45.0
"""So long a room that was reached may take to come before it is another's turn."""
RETRY_FIRST_S: Final = 10.0
RETRY_LONGEST_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class ConvenedRoom:
    """One room that is to come.

    Args:
        attempts: how often it was called. called_at: the last time.
        due: has its turn, and is looked at then; None: it is not its turn.
        joined_at: when it first came; a room that is lost later has come nevertheless.
        failure: of the last attempt. next_at: not called before; None: as soon as there is a turn.
        stopped: an operator wants it called no more.
    """

    participant: str
    attempts: int = 0
    called_at: datetime | None = None
    due: datetime | None = None
    joined_at: datetime | None = None
    failure: CallFailure | None = None
    next_at: datetime | None = None
    stopped: bool = False

    @property
    def is_wanted(self) -> bool:
        """Whether it is still to be called."""
        return self.joined_at is None and not self.stopped


@dataclass(frozen=True, slots=True)
class Milestone:
    """When so many percent of the rooms were here."""

    percent: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Convening:
    """Rooms that are called together.

    Args:
        number: from 1, the latest counts; rooms may be convened again after a break.
        order: in which ``rooms`` were put. at_once: how many are called at the same time.
        target_s: all are to be here so long after ``started_at``.
        overdue_at: when that was found to be missed.
        ended_at: all are here, or an operator has stopped it (``ended_by``).
    """

    number: int
    started_at: datetime
    by: str
    order: CallOrder
    at_once: int
    target_s: float
    rooms: tuple[ConvenedRoom, ...]
    milestones: tuple[Milestone, ...] = ()
    overdue_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether rooms are still called."""
        return self.ended_at is None

    @property
    def target_at(self) -> datetime:
        """When all are to be here."""
        return self.started_at + timedelta(seconds=self.target_s)

    @property
    def joined(self) -> int:
        """How many have come."""
        return sum(room.joined_at is not None for room in self.rooms)

    def room(self, participant: str) -> ConvenedRoom | None:
        """A room by its participant. O(rooms)."""
        return next((room for room in self.rooms if room.participant == participant), None)


@dataclass(frozen=True, slots=True)
class StartConvening:
    """Call all that are expected and not here; those who are here count as come.

    Args:
        participants: these alone, in this order; None: the whole roster, in ``order``.
        by: the operator's name, for the record.
    """

    order: CallOrder = "importance"
    at_once: int = AT_ONCE
    target_s: float = TARGET_S
    participants: tuple[str, ...] | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class StopConvening:
    """Call a room no more, or none of them."""

    participant: str | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class RetryConvening:
    """Call a room now, whosever turn it is; without one: all that have failed, in their order."""

    participant: str | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class NoteConveningDue:
    """Something of a convening may be due; decided by the clock.

    Args:
        pages: rooms whose join page is open and shows that they are called.
    """

    pages: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class NoteReachable:
    """A room that could not be reached can be: its device has registered, its page is open."""

    participant: str


ConveningCommand = StartConvening | StopConvening | RetryConvening
ConveningFact = NoteConveningDue | NoteReachable


@dataclass(frozen=True, slots=True)
class ConveningStarted:
    """Rooms are called together from now on."""

    type: ClassVar[str] = "convening.started"
    convening: Convening


@dataclass(frozen=True, slots=True)
class ConveningCalled:
    """It is these rooms' turn."""

    type: ClassVar[str] = "convening.called"
    participants: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class ConveningReached:
    """These rooms know that they are called: they ring, or their page says so."""

    type: ClassVar[str] = "convening.reached"
    participants: tuple[str, ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class ConveningFailed:
    """A room was called and has not come; it is called again at ``next_at``."""

    type: ClassVar[str] = "convening.failed"
    participant: str
    failure: CallFailure
    at: datetime
    next_at: datetime


@dataclass(frozen=True, slots=True)
class ConveningJoined:
    """A room has come."""

    type: ClassVar[str] = "convening.joined"
    participant: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ConveningPassed:
    """So many percent are here, ``after_s`` seconds after the beginning; 100 ends the convening."""

    type: ClassVar[str] = "convening.passed"
    percent: int
    at: datetime
    after_s: float


@dataclass(frozen=True, slots=True)
class ConveningOverrun:
    """The time is over and these are not here; they are called further on."""

    type: ClassVar[str] = "convening.overrun"
    at: datetime
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConveningStopped:
    """A room (None: no room any more) is called no longer."""

    type: ClassVar[str] = "convening.stopped"
    participant: str | None
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ConveningRetried:
    """A room (None: all that have failed) is to be called again at once; also a stopped one."""

    type: ClassVar[str] = "convening.retried"
    participant: str | None
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ConveningChanged:
    """Rooms were put on the roster, and are called too; or taken off it, and do not count."""

    type: ClassVar[str] = "convening.changed"
    added: tuple[str, ...]
    removed: tuple[str, ...]


ConveningEvent = (
    ConveningStarted
    | ConveningCalled
    | ConveningReached
    | ConveningFailed
    | ConveningJoined
    | ConveningPassed
    | ConveningOverrun
    | ConveningStopped
    | ConveningRetried
    | ConveningChanged
)


def evolve_convening(before: Convening | None, event: ConveningEvent) -> Convening | None:
    """The convening after an event. O(rooms)."""
    if isinstance(event, ConveningStarted):
        return event.convening
    if before is None:
        return None
    match event:
        case ConveningPassed():
            milestone = Milestone(event.percent, event.at)
            over = event.percent == 100
            return replace(
                before,
                milestones=(*before.milestones, milestone),
                ended_at=event.at if over else before.ended_at,
            )
        case ConveningOverrun():
            return replace(before, overdue_at=event.at)
        case ConveningStopped(None):
            return replace(
                _each(before, lambda room: replace(room, due=None)),
                ended_at=event.at,
                ended_by=event.by,
            )
        case ConveningRetried(None):
            again = _each(before, lambda room: replace(room, next_at=None, stopped=False))
            return replace(again, ended_at=None, ended_by=None)
        case ConveningChanged():
            kept = tuple(room for room in before.rooms if room.participant not in event.removed)
            return replace(before, rooms=(*kept, *(ConvenedRoom(each) for each in event.added)))
        case ConveningRetried():
            before = replace(before, ended_at=None, ended_by=None)
    return _each(before, lambda room: _room_after(room, event), _concerned(event))


def _concerned(event: ConveningEvent) -> frozenset[str] | None:
    if isinstance(event, ConveningCalled | ConveningReached):
        return frozenset(event.participants)
    participant = getattr(event, "participant", None)
    return None if participant is None else frozenset({participant})


def _room_after(room: ConvenedRoom, event: ConveningEvent) -> ConvenedRoom:
    match event:
        case ConveningCalled():
            due = event.at + timedelta(seconds=NOTICE_S)
            return replace(
                room, attempts=room.attempts + 1, called_at=event.at, due=due, next_at=None
            )
        case ConveningReached():
            return replace(room, due=event.until)
        case ConveningFailed():
            return replace(room, failure=event.failure, due=None, next_at=event.next_at)
        case ConveningJoined():
            return replace(room, joined_at=event.at, due=None, failure=None, next_at=None)
        case ConveningStopped():
            return replace(room, stopped=True, due=None)
        case ConveningRetried():
            return replace(room, stopped=False, next_at=None)
        case _:
            return room


def _each(
    convening: Convening,
    change: Callable[[ConvenedRoom], ConvenedRoom],
    only: Iterable[str] | None = None,
) -> Convening:
    rooms = tuple(
        change(room)
        if room.joined_at is None and (only is None or room.participant in only)
        else room
        for room in convening.rooms
    )
    return replace(convening, rooms=rooms)
