"""Drills: faults that are injected on purpose, and how long people take to deal with them.

Only a conference that was started as a drill has one of these; in any other there is nothing that
a fault could be put into. A fault is a wish of the operator's until it ends: what it does to legs
follows from the media plan, so it cannot reach what the plan of its own conference does not name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar, Final, Literal

from mcu.conference.alarm_model import AlarmKind, ConferenceAlarm

FaultKind = Literal["lost", "loss", "overload", "muted", "black", "frozen", "codec", "restart"]
"""No packet passes; packets are lost and late; the line carries little; no sound, a black or a
standing picture; what is sent is not understood; the conference's media is dropped and restored."""

FaultEnding = Literal["over", "cleared", "ended"]
"""Its time was over; an operator ended it; the conference ended."""

MarkKind = Literal["detected", "noticed", "acted", "recovered"]
"""The machine raised an alarm; a person took the room in hand; did something about it; the fault
itself has ended and nothing of it is left."""

DEFAULT_DURATION_S: Final = 60.0
LONGEST_S: Final = 3_600.0
LONGEST_RESTART_S: Final = 120.0
MAX_FAULTS: Final = 200
"""In one conference; more are refused, so that every one of them stays in its record."""
MAX_STEPS: Final = 100
LATEST_STEP_S: Final = 86_400.0

ALARMS: Final[Mapping[FaultKind, frozenset[AlarmKind]]] = {
    "lost": frozenset({"lost"}),
    "loss": frozenset({"loss"}),
    "overload": frozenset({"loss"}),
    "muted": frozenset({"silent"}),
    "black": frozenset({"black"}),
    "frozen": frozenset({"frozen"}),
    "codec": frozenset({"drift", "black", "frozen", "silent"}),
    "restart": frozenset({"lost"}),
}
"""By which alarms the machine shows each."""

UNWATCHED: Final = timedelta(seconds=15)
"""So long after a restart an alarm may begin and be of it."""


@dataclass(frozen=True, slots=True)
class FaultWish:
    """A fault as it is asked for.

    Args:
        participants: whose legs; empty: of the whole conference, also of those who come later.
        loss_percent: of packets, each way. jitter_ms: each packet takes up to so much longer.
        rate_kbps: what the line carries, each way.
    """

    kind: FaultKind
    participants: tuple[str, ...] = ()
    duration_s: float = DEFAULT_DURATION_S
    loss_percent: float = 0.0
    jitter_ms: float = 0.0
    rate_kbps: float = 0.0


@dataclass(frozen=True, slots=True)
class DrillStep:
    """A fault of a script, ``at_s`` after the script was started."""

    at_s: float
    fault: FaultWish


@dataclass(frozen=True, slots=True)
class FaultMark:
    """Something that was done about a fault, for the first time.

    Args:
        by: the operator's name; empty: the machine. what: the alarm's kind, or what was done.
    """

    kind: MarkKind
    at: datetime
    by: str = ""
    what: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that was injected.

    Args:
        number: from 1, in the order they were injected.
        step: of the script, from 1; None: by hand.
        until: when it ends by itself. ended_at: when it did end; None while it lasts.
        marks: at most one of each kind, the oldest first.
    """

    number: int
    wish: FaultWish
    by: str
    began_at: datetime
    until: datetime
    step: int | None = None
    ended_at: datetime | None = None
    ending: FaultEnding | None = None
    marks: tuple[FaultMark, ...] = ()

    @property
    def active(self) -> bool:
        """Whether it lasts."""
        return self.ended_at is None

    def concerns(self, participant: str) -> bool:
        """Whether it is put into a participant's legs."""
        return not self.wish.participants or participant in self.wish.participants

    def mark(self, kind: MarkKind) -> FaultMark | None:
        """When that was, if it was."""
        return next((one for one in self.marks if one.kind == kind), None)

    def shown_by(self, alarm: ConferenceAlarm) -> bool:
        """Whether an alarm is of this fault: of one of its rooms, its kind and its time."""
        return (
            alarm.kind in ALARMS[self.wish.kind]
            and self.concerns(alarm.participant)
            and alarm.raised_at >= self.began_at
            and (self.ended_at is None or alarm.since <= self.ended_at + self._unwatched)
        )

    @property
    def _unwatched(self) -> timedelta:
        """While there is no media nothing is watched: what a restart took away is told after it."""
        return UNWATCHED if self.wish.kind == "restart" else timedelta()


@dataclass(frozen=True, slots=True)
class Drill:
    """What makes a conference a drill.

    Args:
        faults: all, in order. script: sorted by time. next_step: index of the one to come.
        script_started_at: None: it does not run.
    """

    faults: tuple[Fault, ...] = ()
    script: tuple[DrillStep, ...] = ()
    script_started_at: datetime | None = None
    script_by: str = ""
    next_step: int = 0

    @property
    def active(self) -> tuple[Fault, ...]:
        """Those that last."""
        return tuple(one for one in self.faults if one.active)

    @property
    def step_due(self) -> datetime | None:
        """When the script's next step is due; None: it does not run."""
        if self.script_started_at is None or self.next_step >= len(self.script):
            return None
        return self.script_started_at + timedelta(seconds=self.script[self.next_step].at_s)


@dataclass(frozen=True, slots=True)
class InjectFault:
    """Put a fault into legs of this conference, from now on."""

    wish: FaultWish
    by: str


@dataclass(frozen=True, slots=True)
class ClearFaults:
    """End a fault, or all (None)."""

    number: int | None
    by: str


@dataclass(frozen=True, slots=True)
class SetScript:
    """Replace the script, which must not run; in any order."""

    steps: tuple[DrillStep, ...]
    by: str


@dataclass(frozen=True, slots=True)
class StartScript:
    """Run it from its beginning."""

    by: str


@dataclass(frozen=True, slots=True)
class StopScript:
    """No more steps; faults that last go on."""

    by: str


@dataclass(frozen=True, slots=True)
class NoteDrillDue:
    """A fault's time may be over, or a step's may have come."""


@dataclass(frozen=True, slots=True)
class NoteHand:
    """Somebody of the staff has done something about a room.

    Args:
        what: the command, in words of the API. acts: it may help; otherwise it only looks.
    """

    participant: str
    by: str
    what: str
    acts: bool


DrillCommand = InjectFault | ClearFaults | SetScript | StartScript | StopScript
DrillFact = NoteDrillDue | NoteHand


@dataclass(frozen=True, slots=True)
class FaultInjected:
    """A fault begins; a step of the script is done with it."""

    type: ClassVar[str] = "drill.fault-injected"
    fault: Fault


@dataclass(frozen=True, slots=True)
class FaultEnded:
    """It is over. ``by`` empty: nobody asked for it."""

    type: ClassVar[str] = "drill.fault-ended"
    number: int
    kind: FaultKind
    reason: FaultEnding
    at: datetime
    by: str = ""


@dataclass(frozen=True, slots=True)
class FaultMarked:
    """See ``FaultMark``."""

    type: ClassVar[str] = "drill.fault-marked"
    number: int
    mark: FaultMark


@dataclass(frozen=True, slots=True)
class ScriptChanged:
    """There is another script."""

    type: ClassVar[str] = "drill.script-changed"
    steps: tuple[DrillStep, ...]
    by: str


@dataclass(frozen=True, slots=True)
class ScriptStarted:
    """Its steps come from now on."""

    type: ClassVar[str] = "drill.script-started"
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class ScriptStopped:
    """No more come. ``by`` empty: all have come."""

    type: ClassVar[str] = "drill.script-stopped"
    at: datetime
    by: str = ""


@dataclass(frozen=True, slots=True)
class StepSkipped:
    """A step was due, and could not be done."""

    type: ClassVar[str] = "drill.step-skipped"
    step: int
    why: str
    at: datetime


DrillEvent = (
    FaultInjected
    | FaultEnded
    | FaultMarked
    | ScriptChanged
    | ScriptStarted
    | ScriptStopped
    | StepSkipped
)


def evolve_drill(drill: Drill | None, event: DrillEvent) -> Drill:
    """The drill after an event."""
    drill = drill or Drill()
    match event:
        case FaultInjected():
            step = drill.next_step if event.fault.step is None else event.fault.step
            return replace(drill, faults=(*drill.faults, event.fault), next_step=step)
        case FaultEnded():
            return _changed(drill, event.number, ended_at=event.at, ending=event.reason)
        case FaultMarked():
            known = next(one for one in drill.faults if one.number == event.number)
            return _changed(drill, event.number, marks=(*known.marks, event.mark))
        case ScriptChanged():
            return replace(drill, script=event.steps, next_step=0)
        case ScriptStarted():
            return replace(drill, script_started_at=event.at, script_by=event.by, next_step=0)
        case ScriptStopped():
            return replace(drill, script_started_at=None)
        case StepSkipped():
            return replace(drill, next_step=event.step)


def _changed(drill: Drill, number: int, **values: object) -> Drill:
    return replace(
        drill,
        faults=tuple(
            replace(one, **values) if one.number == number else one  # type: ignore[arg-type]
            for one in drill.faults
        ),
    )
