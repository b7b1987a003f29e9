"""Decisions of a readiness check: ``decide(check, command, now)`` gives events, ``evolve`` makes
them true. Pure: where rooms are, what was measured and the time are handed in.

Each room goes waiting, reaching, reached, measuring, confirming, done; ``NoteSeen`` moves all
that can be moved. Important rooms come first, then in the order in which they were named.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from mcu.readiness.assessment import Finding, assess, verdict
from mcu.readiness.measurements import Standard
from mcu.readiness.model import (
    AcceptConfiguration,
    CancelCheck,
    Check,
    CheckBegun,
    CheckEnded,
    CheckInterrupted,
    CheckRefused,
    Command,
    ConfigurationAccepted,
    ConfirmSound,
    EndReason,
    Event,
    MeasuringBegun,
    NoteMeasured,
    NoteRestarted,
    NoteSeen,
    RecheckRoom,
    RoomCalled,
    RoomCheck,
    RoomDropped,
    RoomJudged,
    RoomMeasured,
    RoomReached,
    RoomReopened,
    Seen,
    SoundConfirmed,
)
from mcu.sentences import sentence

MAX_DROPS = 1
"""A room whose connection is lost twice in one check is not ready."""
UNKNOWN = Seen("absent")


def decide(check: Check, command: Command, now: datetime) -> Sequence[Event]:
    """What follows from a command; nothing if it changes nothing.

    Raises:
        CheckRefused: it cannot be carried out.
    """
    if isinstance(command, NoteSeen):
        return _go_on(check, command, now)
    if isinstance(command, NoteMeasured):
        return _measured(check, command, now)
    if isinstance(command, ConfirmSound):
        return _confirmed(check, command, now)
    if isinstance(command, RecheckRoom):
        room = _room(check, command.bridge)
        if room.phase != "done":
            raise CheckRefused(sentence("check.running", name=room.entry.name))
        return (RoomReopened(command.bridge, command.by),)
    if isinstance(command, AcceptConfiguration):
        return _accepted(check, command)
    if isinstance(command, CancelCheck):
        return tuple(_end(check, "cancelled", "cancelled")) if check.running else ()
    return (CheckInterrupted(),) if check.running else ()


def _room(check: Check, bridge: str) -> RoomCheck:
    room = check.rooms.get(bridge)
    if room is None:
        raise CheckRefused(sentence("check.no-room", room=bridge), "bridge")
    return room


def _judged(check: Check, room: RoomCheck, more: Iterable[Finding] = ()) -> RoomJudged:
    findings = (*more, *_findings(check, room))
    return RoomJudged(room.entry.bridge, verdict(findings), findings)


def _findings(check: Check, room: RoomCheck) -> tuple[Finding, ...]:
    if room.measured is None:
        return ()
    told = [Finding("incidents", "note", "incident", {"text": each}) for each in room.incidents]
    found = assess(
        room.measured,
        Standard.of(room.entry.standard),
        check.rules,
        confirmation=room.confirmation,
        loopback=room.loopback,
        recorded=room.recorded,
    )
    return (*found, *told)


def _waits_for_confirmation(check: Check, room: RoomCheck) -> bool:
    """Whether nothing but the word of somebody in the room is missing."""
    refusing = [each for each in _findings(check, room) if each.refuses]
    return bool(refusing) and all(each.code == "unconfirmed" for each in refusing)


def _measured(check: Check, command: NoteMeasured, now: datetime) -> Sequence[Event]:
    room = check.rooms.get(command.bridge)
    if room is None or room.phase != "measuring":
        return ()  # it was dropped or the check cancelled meanwhile
    event = RoomMeasured(command.bridge, command.measured, command.recorded, command.incidents)
    after = evolve(check, event, now)
    room = after.rooms[command.bridge]
    if _waits_for_confirmation(after, room):
        return (event,)
    return _with_end(after, (event, _judged(after, room)), now)


def _confirmed(check: Check, command: ConfirmSound, now: datetime) -> Sequence[Event]:
    room = _room(check, command.bridge)
    if not check.running or room.phase == "done":
        raise CheckRefused(sentence("check.over"))
    confirmation = room.confirmation
    if command.heard is not None:
        confirmation = "heard" if command.heard else "not-heard"
    loopback = room.loopback if command.loopback is None else command.loopback
    if (confirmation, loopback) == (room.confirmation, room.loopback):
        return ()
    event = SoundConfirmed(command.bridge, confirmation, loopback, command.by)
    after = evolve(check, event, now)
    room = after.rooms[command.bridge]
    if room.phase != "confirming" or _waits_for_confirmation(after, room):
        return (event,)
    return _with_end(after, (event, _judged(after, room)), now)


def _accepted(check: Check, command: AcceptConfiguration) -> Sequence[Event]:
    room = _room(check, command.bridge)
    if room.measured is None or room.phase != "done":
        raise CheckRefused(sentence("check.not-measured", name=room.entry.name))
    event = ConfigurationAccepted(command.bridge, command.by)
    accepted = replace(room, recorded=room.measured.configuration)
    # What was found beside the measurements (an incident) stays.
    measured = {(each.topic, each.code) for each in _findings(check, room)}
    more = [each for each in room.findings if (each.topic, each.code) not in measured]
    return (event, _judged(check, accepted, more))


def _go_on(check: Check, seen: NoteSeen, now: datetime) -> Sequence[Event]:
    """Move all rooms that can be moved, within the budget."""
    if not check.running:
        return ()
    began = check.resumed_at or check.began_at
    if (now - began).total_seconds() >= check.budget.limit_s:
        return tuple(_end(check, "time", "late"))
    events: list[Event] = []
    for event in _moves(check, seen, now):
        events.append(event)
        check = evolve(check, event, now)
    return _with_end(check, events, now)


def _moves(check: Check, seen: NoteSeen, now: datetime) -> Iterator[Event]:
    budget = check.budget
    rooms = sorted(
        (room for room in check.rooms.values() if room.phase != "done"),
        key=lambda room: (-room.entry.importance, room.order),
    )
    measuring = seen.elsewhere + sum(room.phase == "measuring" for room in rooms)
    reaching = sum(room.phase == "reaching" for room in rooms)
    for room in rooms:
        bridge = room.entry.bridge
        at = seen.rooms.get(bridge, UNKNOWN)
        waited = (now - room.since).total_seconds()
        phase = room.phase
        if at.presence == "gone":
            yield _judged(check, room, [Finding("reach", "fault", "gone")])
        elif at.presence == "busy" and phase in ("waiting", "reaching"):
            values = {"name": at.name, "conference": at.conference}
            yield _judged(check, room, [Finding("reach", "fault", "busy", values)])
            reaching -= phase == "reaching"
        elif phase in ("waiting", "reaching") and at.presence == "connected":
            reaching -= phase == "reaching"
            yield RoomReached(bridge)
            if measuring < budget.measured_at_once:
                measuring += 1
                yield MeasuringBegun(bridge)
        elif phase == "waiting" and reaching < budget.reached_at_once:
            reaching += 1
            yield RoomCalled(bridge)
        elif phase == "reaching" and waited >= budget.reach_s:
            reaching -= 1
            values = {"cause": at.cause or "no answer"}
            yield _judged(check, room, [Finding("reach", "missing", "unreached", values)])
        elif phase in ("reached", "measuring", "confirming") and at.presence != "connected":
            measuring -= phase == "measuring"
            if phase == "confirming" or room.drops >= MAX_DROPS:
                yield _judged(check, room, [Finding("reach", "fault", "dropped")])
            else:
                yield RoomDropped(bridge)
        elif phase == "reached" and measuring < budget.measured_at_once:
            measuring += 1
            yield MeasuringBegun(bridge)
        elif phase == "confirming" and waited >= budget.confirm_s:
            yield _judged(check, room)


def _end(check: Check, reason: EndReason, code: str) -> Iterator[Event]:
    for room in check.rooms.values():
        if room.phase != "done":
            yield _judged(check, room, [Finding("reach", "missing", code)])
    yield CheckEnded(reason)


def _with_end(check: Check, events: Sequence[Event], now: datetime) -> Sequence[Event]:
    """``check`` may not know the last of the events yet."""
    for event in events:
        if isinstance(event, RoomJudged) and check.rooms[event.bridge].phase != "done":
            check = evolve(check, event, now)
    if check.running and all(room.phase == "done" for room in check.rooms.values()):
        return (*events, CheckEnded("complete"))
    return tuple(events)


def begin(event: CheckBegun, now: datetime) -> Check:
    """The state that the first event makes."""
    return Check(
        id=event.id,
        name=event.name,
        unit=event.unit,
        by=event.by,
        began_at=now,
        rules=event.rules,
        budget=event.budget,
        rooms={
            entry.bridge: RoomCheck(entry, order, now) for order, entry in enumerate(event.rooms)
        },
        conference=event.conference,
        scenario=event.scenario,
        due=event.due,
    )


def evolve(check: Check, event: Event, now: datetime) -> Check:
    """The check after an event. Cost: O(rooms)."""
    if isinstance(event, CheckBegun):
        return begin(event, now)
    if isinstance(event, CheckEnded):
        return replace(check, ended_at=now, reason=event.reason)
    if isinstance(event, CheckInterrupted):
        rooms = {
            bridge: room if room.phase == "done" else _anew(room, now)
            for bridge, room in check.rooms.items()
        }
        return replace(check, rooms=rooms, resumed_at=now)
    room = check.rooms[event.bridge]
    if isinstance(event, RoomReopened):
        reopened = replace(_anew(room, now), order=len(check.rooms) + room.order, drops=0)
        rooms = {**check.rooms, event.bridge: reopened}
        if check.running:
            return replace(check, rooms=rooms)
        return replace(check, rooms=rooms, ended_at=None, reason=None, resumed_at=now)
    return replace(check, rooms={**check.rooms, event.bridge: _evolved(room, event, now)})


def _anew(room: RoomCheck, now: datetime) -> RoomCheck:
    return RoomCheck(room.entry, room.order, now, drops=room.drops)


def _evolved(room: RoomCheck, event: Event, now: datetime) -> RoomCheck:
    if isinstance(event, RoomCalled):
        return replace(room, phase="reaching", since=now)
    if isinstance(event, RoomReached):
        return replace(room, phase="reached", since=now)
    if isinstance(event, MeasuringBegun):
        return replace(room, phase="measuring", since=now)
    if isinstance(event, RoomMeasured):
        return replace(
            room,
            phase="confirming",
            since=now,
            measured=event.measured,
            recorded=event.recorded,
            incidents=event.incidents,
        )
    if isinstance(event, SoundConfirmed):
        return replace(room, confirmation=event.confirmation, loopback=event.loopback)
    if isinstance(event, RoomDropped):
        return replace(_anew(room, now), drops=room.drops + 1)
    if isinstance(event, ConfigurationAccepted):
        found = room.measured
        return room if found is None else replace(room, recorded=found.configuration)
    if isinstance(event, RoomJudged):
        return replace(
            room, phase="done", since=now, findings=event.findings, verdict=event.verdict
        )
    raise TypeError(type(event).__name__)


def counts(check: Check) -> Mapping[str, int]:
    """Rooms by verdict, and by phase where they have none yet."""
    found = {"go": 0, "no-go": 0, "waiting": 0, "reaching": 0, "reached": 0}
    found |= {"measuring": 0, "confirming": 0}
    for room in check.rooms.values():
        found[room.verdict or room.phase] += 1
    return found


__all__ = ["NoteRestarted", "begin", "counts", "decide", "evolve"]
