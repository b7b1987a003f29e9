"""Who was in a conference and when, from its events; what went wrong for whom.

Pure. Times are those of the events, timezone-aware UTC; a clock that was set back meanwhile makes
no time negative.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from mcu.conference.alarm_model import AlarmCleared, AlarmKind, AlarmRaised, Detail
from mcu.conference.events import (
    ConferenceEnded,
    ConferenceStarted,
    Event,
    ParticipantAdded,
    ParticipantChanged,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantLost,
    ParticipantRemoved,
    ParticipantReturned,
)
from mcu.conference.floor_model import FloorEnded, FloorGranted, FloorInterrupted, FloorResumed
from mcu.conference.state import Participant

FaultKind = Literal["left", "call_failed"] | AlarmKind


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of a conference's log; ``actor``: the token behind it, None for a rule."""

    at: datetime
    event: Event
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class Attendance:
    """One participant, as it was named last.

    Args:
        first_joined_at, last_left_at: None: it never came; it is here.
        present_s: connected, in all. lost_s, lost_count: lost, in all.
        floor_s: it had the floor, without interruptions by the chair.
    """

    participant: str
    label: str
    unit: str | None
    bridge: str | None
    first_joined_at: datetime | None
    last_left_at: datetime | None
    present_s: float
    lost_s: float
    lost_count: int
    floor_s: float


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that went wrong for a participant.

    Args:
        kind: ``lost`` as the roster says; the other kinds of alarms as they were raised.
        until: when it was here again, or the trouble was over; None: not any more.
        detail: why it left, why the call to it came to nothing, or what was measured.
    """

    kind: FaultKind
    participant: str
    label: str
    at: datetime
    until: datetime | None = None
    detail: str = ""


@dataclass(slots=True)
class _Room:
    who: Participant
    here_since: datetime | None = None
    lost_since: datetime | None = None
    floor_since: datetime | None = None
    first: datetime | None = None
    left: datetime | None = None
    present_s: float = 0.0
    lost_s: float = 0.0
    lost_count: int = 0
    floor_s: float = 0.0
    faults: list[Fault] = field(default_factory=list)
    given_up: datetime | None = None
    """It was lost, and taken for gone then: missed until it comes again."""

    def joined(self, at: datetime) -> None:
        self.first = self.first or at
        self._found(at)
        if self.given_up is not None:
            self.lost_s += _seconds(self.given_up, at)
            self.given_up = None
            found = max(n for n, fault in enumerate(self.faults) if fault.kind == "lost")
            self.faults[found] = replace(self.faults[found], until=at)
        self.here_since = self.here_since or at
        self.left = None

    def lost(self, at: datetime) -> None:
        self._not_here(at)
        self.lost_since, self.given_up = at, None
        self.lost_count += 1

    def gone(self, at: datetime, reason: str) -> None:
        if self.lost_since is not None:
            self._found(at, back=False)
            self.given_up = at if reason else None  # who was taken off the roster is not missed
        elif self.here_since is not None and reason:
            self.faults.append(Fault("left", self.who.id, self.who.label, at, None, reason))
        self._not_here(at)
        self.left = at

    def over(self, at: datetime) -> None:
        """The conference ends, or the report is made while it runs."""
        self._not_here(at)
        if self.lost_since is not None:
            self._found(at, back=False)
        self.floor(at, None)

    def floor(self, at: datetime, since: datetime | None) -> None:
        if self.floor_since is not None:
            self.floor_s += _seconds(self.floor_since, at)
        self.floor_since = since

    def _found(self, at: datetime, *, back: bool = True) -> None:
        since, self.lost_since = self.lost_since, None
        if since is not None:
            self.lost_s += _seconds(since, at)
            until = at if back else None
            self.faults.append(Fault("lost", self.who.id, self.who.label, since, until))

    def _not_here(self, at: datetime) -> None:
        if self.here_since is not None:
            self.present_s += _seconds(self.here_since, at)
        self.here_since = None

    def attendance(self) -> Attendance:
        who = self.who
        return Attendance(
            who.id, who.label, who.unit, who.bridge, self.first, self.left,
            round(self.present_s, 1), round(self.lost_s, 1), self.lost_count,
            round(self.floor_s, 1),
        )  # fmt: skip


def attend(happened: Iterable[Happened], until: datetime) -> tuple[list[Attendance], list[Fault]]:
    """Go through a conference's events, oldest first.

    Args:
        until: who is here then was here until then: now, where the conference runs.

    Returns: participants in the order in which they were put on the roster, those who were taken
        off it included; faults in order of time. Cost: O(events).
    """
    rooms: dict[str, _Room] = {}
    troubles: dict[int, tuple[_Room, Fault]] = {}
    ended = False
    for each in happened:
        event, at = each.event, each.at
        match event:
            case ConferenceStarted():
                rooms = {who.id: _Room(who) for who in event.participants}
            case ParticipantAdded():
                _room(rooms, event.participant)
            case ParticipantJoined() | ParticipantReturned():
                _room(rooms, event.participant).joined(at)
            case ParticipantLost():
                # Who was here when the server died is lost since then, not since it is back.
                since = event.participant.lost_at
                _room(rooms, event.participant).lost(at if since is None else min(at, since))
            case ParticipantLeft():
                _room(rooms, event.participant).gone(at, event.reason)
            case ParticipantRemoved():
                _room(rooms, event.participant).gone(at, "")
            case ParticipantChanged():
                _called(_room(rooms, event.participant, keep=True), event.participant, at)
            case FloorGranted() | FloorResumed():
                _holds(rooms, event.holder.participant, at, at)
            case FloorInterrupted():
                _holds(rooms, event.holder.participant, at, None)
            case FloorEnded():
                _holds(rooms, event.participant, at, None)
            case AlarmRaised():
                _troubled(rooms, troubles, event)
            case AlarmCleared():
                _relieved(troubles, event)
            case ConferenceEnded():
                ended = True
                for room in rooms.values():
                    room.over(at)
    if not ended:
        for room in rooms.values():
            room.over(until)
    for room, trouble in troubles.values():
        room.faults.append(trouble)
    faults = sorted((each for room in rooms.values() for each in room.faults), key=_time)
    return [room.attendance() for room in rooms.values()], faults


def _room(rooms: dict[str, _Room], who: Participant, *, keep: bool = False) -> _Room:
    room = rooms.setdefault(who.id, _Room(who))
    if not keep:
        room.who = who
    return room


def _called(room: _Room, who: Participant, at: datetime) -> None:
    """Its first call of this kind that failed; the next tries that fail alike are no news."""
    failure = who.call_failure
    if failure is not None and failure != room.who.call_failure:
        room.faults.append(Fault("call_failed", who.id, who.label, at, None, failure))
    room.who = who


def _holds(rooms: dict[str, _Room], participant: str, at: datetime, since: datetime | None) -> None:
    room = rooms.get(participant)
    if room is not None:
        room.floor(at, since)


def _troubled(
    rooms: dict[str, _Room], troubles: dict[int, tuple[_Room, Fault]], event: AlarmRaised
) -> None:
    """A lost signal is told by the roster already."""
    alarm = event.alarm
    room = rooms.get(alarm.participant)
    if room is not None and alarm.kind != "lost":
        who = room.who
        fault = Fault(alarm.kind, who.id, who.label, alarm.since, None, _measured(alarm.detail))
        troubles[alarm.number] = room, fault


def _relieved(troubles: dict[int, tuple[_Room, Fault]], event: AlarmCleared) -> None:
    found = troubles.get(event.number)
    if found is not None:
        room, fault = found
        troubles[event.number] = room, replace(fault, until=event.at)


def _measured(detail: Detail) -> str:
    return ", ".join(f"{name} {value}" for name, value in detail.items())


def _seconds(since: datetime, until: datetime) -> float:
    return max(0.0, (until - since).total_seconds())


def _time(fault: Fault) -> datetime:
    return fault.at
