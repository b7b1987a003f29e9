"""Alarms of a conference: what troubles its rooms, since when, and who has taken note of it.

When a reading is trouble is said by ``mcu.watch``; here is what a conference keeps of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar, Final, Literal

AlarmKind = Literal[
    "lost", "black", "frozen", "silent", "clipping", "echo", "howl", "loss", "drift"
]
Severity = Literal["critical", "major", "minor"]
SEVERITIES: Final[tuple[Severity, ...]] = ("critical", "major", "minor")
"""The worst first."""

AlarmEnding = Literal["well", "lost", "left", "removed", "ended"]
"""Why an alarm is over: the trouble is, the room was lost or left or was taken off the roster, or
the conference ended. A room that is not here has no trouble but that."""

DISTURBS: Final = frozenset({"echo", "howl"})
"""Heard by everybody."""
KEPT_CLEARED: Final = 200
"""So many that are over stay in the state; the event log has them all."""

Detail = Mapping[str, float | str]


@dataclass(frozen=True, slots=True)
class ConferenceAlarm:
    """One trouble of one room.

    Args:
        number: from 1, in the order they were raised in this conference.
        since: when the trouble began; raised_at: when it had lasted long enough.
        detail: what was measured, by name with its unit (``delay_ms``, ``level_db``).
        cleared_at: when it was over, and ``ending``: why; None while it lasts.
        acknowledged_by: the operator who has taken note of it.
    """

    number: int
    participant: str
    kind: AlarmKind
    severity: Severity
    since: datetime
    raised_at: datetime
    detail: Detail = field(default_factory=dict)
    cleared_at: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    ending: AlarmEnding | None = None

    @property
    def open(self) -> bool:
        """Whether it lasts."""
        return self.cleared_at is None


@dataclass(frozen=True, slots=True)
class TroubleBegan:
    """What was found: a trouble that has lasted long enough."""

    participant: str
    kind: AlarmKind
    since: datetime
    detail: Detail = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TroubleEnded:
    """What was found: it is over."""

    participant: str
    kind: AlarmKind


@dataclass(frozen=True, slots=True)
class NoteTroubles:
    """What was found of a conference's rooms since the note before."""

    changes: tuple[TroubleBegan | TroubleEnded, ...]


@dataclass(frozen=True, slots=True)
class AcknowledgeAlarm:
    """An operator has taken note of an alarm.

    Args:
        by: the operator's name.
    """

    number: int
    by: str


@dataclass(frozen=True, slots=True)
class AlarmRaised:
    """A room is in trouble."""

    type: ClassVar[str] = "alarm.raised"
    alarm: ConferenceAlarm


@dataclass(frozen=True, slots=True)
class AlarmCleared:
    """It is not any more."""

    type: ClassVar[str] = "alarm.cleared"
    number: int
    participant: str
    kind: AlarmKind
    at: datetime
    ending: AlarmEnding = "well"


@dataclass(frozen=True, slots=True)
class AlarmAcknowledged:
    """An operator has taken note."""

    type: ClassVar[str] = "alarm.acknowledged"
    number: int
    by: str
    at: datetime


AlarmCommand = AcknowledgeAlarm
AlarmEvent = AlarmRaised | AlarmCleared | AlarmAcknowledged


def open_alarms(alarms: Sequence[ConferenceAlarm]) -> list[ConferenceAlarm]:
    """Those that last, the worst first, then the oldest."""
    found = [alarm for alarm in alarms if alarm.open]
    return sorted(found, key=lambda one: (SEVERITIES.index(one.severity), one.since, one.number))


def evolve_alarms(
    alarms: tuple[ConferenceAlarm, ...], event: AlarmEvent
) -> tuple[ConferenceAlarm, ...]:
    """The alarms after an event."""
    match event:
        case AlarmRaised():
            return (*alarms, event.alarm)
        case AlarmCleared():
            after = (
                replace(one, cleared_at=event.at, ending=event.ending)
                if one.number == event.number
                else one
                for one in alarms
            )
            return _bounded(tuple(after))
        case AlarmAcknowledged():
            return tuple(
                replace(one, acknowledged_by=event.by, acknowledged_at=event.at)
                if one.number == event.number
                else one
                for one in alarms
            )


def end_alarms(alarms: tuple[ConferenceAlarm, ...], at: datetime) -> tuple[ConferenceAlarm, ...]:
    """The alarms when the conference is over: all are."""
    return tuple(replace(one, cleared_at=at, ending="ended") if one.open else one for one in alarms)


def _bounded(alarms: tuple[ConferenceAlarm, ...]) -> tuple[ConferenceAlarm, ...]:
    over = [one.number for one in alarms if not one.open]
    if len(over) <= KEPT_CLEARED:
        return alarms
    gone = set(over[: len(over) - KEPT_CLEARED])
    return tuple(one for one in alarms if one.number not in gone)
