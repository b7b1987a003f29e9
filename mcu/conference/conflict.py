"""A bridge that two conferences want: asked for, decided, settled. Pure decisions.

Nothing is taken by deciding here: who moves a bridge is ``mcu.conference.conflicts``.
"""

from collections.abc import Sequence
from datetime import datetime

from mcu.conference.conflict_model import (
    STATUS_OF,
    Conflict,
    ConflictCommand,
    ConflictDecided,
    ConflictFact,
    ConflictRaised,
    DecideConflict,
    NoteConflict,
    NoteConflictStatus,
    RaiseConflict,
    find_conflict,
)
from mcu.conference.events import Event, ParticipantAdded
from mcu.conference.state import ConferenceState, Refused
from mcu.sentences import sentence


def decide_conflict(
    state: ConferenceState, command: ConflictCommand | ConflictFact, now: datetime
) -> list[Event]:
    """Decide what is asked, or take note of what the other side did.

    Raises:
        Refused: the bridge is here, or nobody asks for it.
    """
    match command:
        case RaiseConflict():
            return _raise(state, command, now)
        case DecideConflict():
            return _decide(state, command, now)
        case NoteConflict():
            known = command.conflict in state.conflicts
            return [] if known else [ConflictRaised(command.conflict)]
        case NoteConflictStatus():
            return _note(state, command, now)


def follow(state: ConferenceState, events: Sequence[Event], now: datetime) -> list[Event]:
    """Events, and the end of conflicts about bridges that have come."""
    if not any(each.is_open for each in state.conflicts):
        return list(events)
    settled = []
    for event in events:
        if isinstance(event, ParticipantAdded) and event.participant.bridge is not None:
            found = find_conflict(state.conflicts, event.participant.bridge, "asking")
            if found is not None and found.is_open:
                settled.append(_decided(found, "settled", found.decided_by, now))
    return [*events, *settled]


def given_up(state: ConferenceState, bridge: str, by: str, now: datetime) -> list[Event]:
    """The end of asking for a bridge that may not come any more."""
    found = find_conflict(state.conflicts, bridge, "asking")
    if found is None or not found.is_open:
        return []
    return [_decided(found, "declined", by, now)]


def _raise(state: ConferenceState, command: RaiseConflict, now: datetime) -> list[Event]:
    if command.bridge in state.participants:
        raise Refused(sentence("conference.has-room", name=command.name), "bridge")
    if state.locked:
        raise Refused(sentence("locked.to-ask"))
    before = find_conflict(state.conflicts, command.bridge, "asking")
    if before is not None and before.is_open and before.other == command.other:
        return []
    asked = Conflict(
        command.bridge,
        command.name,
        "asking",
        command.other,
        command.other_name,
        now,
        command.by,
    )
    return [ConflictRaised(asked)]


def _decide(state: ConferenceState, command: DecideConflict, now: datetime) -> list[Event]:
    found = find_conflict(state.conflicts, command.bridge, "asking")
    if found is None or not found.is_open:
        raise Refused(sentence("conflict.over", room=command.bridge))
    if found.status == "moving":
        raise Refused(sentence("conflict.moving", name=found.name, by=_by(found.decided_by)))
    status = STATUS_OF[command.decision]
    return [] if found.status == status else [_decided(found, status, command.by, now)]


def _note(state: ConferenceState, fact: NoteConflictStatus, now: datetime) -> list[Event]:
    for each in state.conflicts:
        if (each.bridge, each.other) != (fact.bridge, fact.other):
            continue
        if each.is_open and each.status != fact.status:
            return [_decided(each, fact.status, fact.by, now)]
    return []


def _decided(found: Conflict, status: str, by: str, now: datetime) -> ConflictDecided:
    return ConflictDecided(found.bridge, found.side, found.other, status, by, now)  # type: ignore[arg-type]


def _by(name: str) -> str:
    return f" by {name}" if name else ""
