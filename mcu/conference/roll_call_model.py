"""Roll call: its record, commands, fact and events.

The record only grows: each mark is an entry, and the last one of a room is what counts. All times
are timezone-aware UTC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Literal

RollCallMode = Literal["presence", "called"]
MarkStatus = Literal["present", "late", "absent", "lost"]
"""``lost``: its line was lost when it was called."""
MarkSource = Literal["rule", "operator", "room"]
RollCallStatus = Literal["open", "signed", "cancelled"]


@dataclass(frozen=True, slots=True)
class ExpectedRoom:
    """Who is called, under the name that it had then."""

    participant: str
    label: str
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class RollCallMark:
    """One entry of the record, never changed.

    Args:
        entry: its number, from 1.
        by: the operator's name; empty for a rule.
        correction: it was made after the sign-off.
    """

    entry: int
    participant: str
    status: MarkStatus
    at: datetime
    source: MarkSource = "rule"
    by: str = ""
    note: str = ""
    correction: bool = False


@dataclass(frozen=True, slots=True)
class RollCall:
    """One roll call of a conference.

    Args:
        number: from 1, in the conference.
        starts_at, due: of ``presence``: when the meeting begins, and until when one is in time.
        calling: who is called now. skipped: who is called last.
        heard: who was not muted before; is so again afterwards, unless muted meanwhile.
        entry_muted: whose newcomers came in muted before.
    """

    number: int
    mode: RollCallMode
    started_at: datetime
    expected: tuple[ExpectedRoom, ...]
    by: str = ""
    starts_at: datetime | None = None
    due: datetime | None = None
    marks: tuple[RollCallMark, ...] = ()
    calling: str | None = None
    called_at: datetime | None = None
    paused: bool = False
    skipped: tuple[str, ...] = ()
    heard: tuple[str, ...] = ()
    entry_muted: tuple[str, ...] = ()
    status: RollCallStatus = "open"
    ended_at: datetime | None = None
    ended_by: str = ""

    @property
    def calls(self) -> bool:
        """Whether rooms are called one by one, and it is not over."""
        return self.mode == "called" and self.status == "open"

    @property
    def on_air(self) -> str | None:
        """Who is shown to everybody."""
        return self.calling if self.calls and not self.paused else None

    def last_marks(self) -> Mapping[str, RollCallMark]:
        """What counts, by participant; absent: not marked yet. O(marks)."""
        return {mark.participant: mark for mark in self.marks}


def calling(roll_calls: Sequence[RollCall]) -> RollCall | None:
    """The one that calls rooms now; there is one at most, and it is the last that was begun."""
    return next((each for each in roll_calls if each.calls), None)


@dataclass(frozen=True, slots=True)
class StartRollCall:
    """Begin a roll call.

    Args:
        expected: participants, in the order in which they are called; None: all but the chair.
        starts_at: of ``presence``: when the meeting begins; None: now.
        grace_s: of ``presence``: who comes so long after it is still in time.
        by: the operator's name.
    """

    mode: RollCallMode
    expected: tuple[str, ...] | None = None
    starts_at: datetime | None = None
    grace_s: float = 600.0
    by: str = ""


@dataclass(frozen=True, slots=True)
class CallRoom:
    """Call one room now, out of its turn or once more."""

    number: int
    participant: str


@dataclass(frozen=True, slots=True)
class SkipRoom:
    """Leave the room that is called without a mark and go on; others change nothing."""

    number: int
    participant: str


@dataclass(frozen=True, slots=True)
class PauseRollCall:
    """Call nobody for a while, or go on."""

    number: int
    paused: bool


@dataclass(frozen=True, slots=True)
class MarkRoom:
    """Mark one room; when it is called, the next one is.

    Args:
        note: needed after the sign-off: why it is corrected.
        source: ``room``: it says itself that it is here, while it is called.
    """

    number: int
    participant: str
    status: MarkStatus
    by: str = ""
    note: str = ""
    source: MarkSource = "operator"


@dataclass(frozen=True, slots=True)
class SignRollCall:
    """End it, as a record.

    Args:
        rest_absent: who is not marked is absent; else nobody may be without a mark.
    """

    number: int
    by: str = ""
    rest_absent: bool = False


@dataclass(frozen=True, slots=True)
class CancelRollCall:
    """End it, as one that does not count; what was marked stays readable."""

    number: int
    by: str = ""


@dataclass(frozen=True, slots=True)
class NoteRollCallDue:
    """The time to come may be over; decided by the clock."""


RollCallCommand = (
    StartRollCall | CallRoom | SkipRoom | PauseRollCall | MarkRoom | SignRollCall | CancelRollCall
)


LateRollCallCommand = MarkRoom | SignRollCall | CancelRollCall
"""What may be asked of the record of a conference that has ended."""


@dataclass(frozen=True, slots=True)
class RollCallStarted:
    """A roll call has begun; carries what is marked from the first."""

    type: ClassVar[str] = "roll-call.started"
    roll_call: RollCall


@dataclass(frozen=True, slots=True)
class RollCallMarked:
    """Rooms were marked; many at once by a rule."""

    type: ClassVar[str] = "roll-call.marked"
    number: int
    marks: tuple[RollCallMark, ...]


@dataclass(frozen=True, slots=True)
class RollCallCalled:
    """``participant`` is called; None: nobody is left who was not."""

    type: ClassVar[str] = "roll-call.called"
    number: int
    participant: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class RollCallSkipped:
    """``participant`` was left without a mark."""

    type: ClassVar[str] = "roll-call.skipped"
    number: int
    participant: str


@dataclass(frozen=True, slots=True)
class RollCallPaused:
    """Nobody is called for a while; who was called is called again afterwards."""

    type: ClassVar[str] = "roll-call.paused"
    number: int


@dataclass(frozen=True, slots=True)
class RollCallResumed:
    """It goes on."""

    type: ClassVar[str] = "roll-call.resumed"
    number: int


@dataclass(frozen=True, slots=True)
class RollCallMutesKept:
    """Operators muted or unmuted meanwhile: that holds afterwards; see ``RollCall``."""

    type: ClassVar[str] = "roll-call.mutes-kept"
    number: int
    heard: tuple[str, ...]
    entry_muted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RollCallSigned:
    """It is a record now."""

    type: ClassVar[str] = "roll-call.signed"
    number: int
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class RollCallCancelled:
    """It does not count."""

    type: ClassVar[str] = "roll-call.cancelled"
    number: int
    at: datetime
    by: str


RollCallEvent = (
    RollCallStarted
    | RollCallMarked
    | RollCallCalled
    | RollCallSkipped
    | RollCallPaused
    | RollCallResumed
    | RollCallMutesKept
    | RollCallSigned
    | RollCallCancelled
)


def evolve_roll_calls(
    roll_calls: tuple[RollCall, ...], event: RollCallEvent
) -> tuple[RollCall, ...]:
    """The roll calls after an event."""
    if isinstance(event, RollCallStarted):
        return (*roll_calls, event.roll_call)
    return tuple(
        _evolve(each, event) if each.number == event.number else each for each in roll_calls
    )


def _evolve(before: RollCall, event: RollCallEvent) -> RollCall:
    match event:
        case RollCallMarked():
            marked = {mark.participant for mark in event.marks}
            skipped = tuple(each for each in before.skipped if each not in marked)
            return replace(before, marks=(*before.marks, *event.marks), skipped=skipped)
        case RollCallCalled():
            skipped = tuple(each for each in before.skipped if each != event.participant)
            return replace(before, calling=event.participant, called_at=event.at, skipped=skipped)
        case RollCallSkipped():
            return replace(before, skipped=(*before.skipped, event.participant), calling=None)
        case RollCallPaused():
            return replace(before, paused=True)
        case RollCallResumed():
            return replace(before, paused=False)
        case RollCallMutesKept():
            return replace(before, heard=event.heard, entry_muted=event.entry_muted)
        case RollCallSigned():
            status: RollCallStatus = "signed"
        case RollCallCancelled():
            status = "cancelled"
        case RollCallStarted():
            return event.roll_call
    return replace(
        before,
        status=status,
        calling=None,
        called_at=None,
        paused=False,
        ended_at=event.at,
        ended_by=event.by,
    )
