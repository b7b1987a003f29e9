"""What a roll call marks by itself: present who is here or comes in time, late, absent.

Pure. Marks of one moment are one event, however many they are.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from mcu.conference.roll_call_model import (
    ExpectedRoom,
    MarkStatus,
    RollCall,
    RollCallMark,
    RollCallMarked,
    StartRollCall,
)
from mcu.conference.state import ConferenceState, Refused
from mcu.sentences import sentence

MAX_GRACE_S = 86_400.0


def missing(roll_call: RollCall) -> list[ExpectedRoom]:
    """Who has no mark yet, in order."""
    counted = roll_call.last_marks()
    return [each for each in roll_call.expected if each.participant not in counted]


def begun_by_presence(
    state: ConferenceState, made: RollCall, command: StartRollCall, now: datetime
) -> RollCall:
    """A roll call by presence, with what is known already."""
    if not 0 <= command.grace_s <= MAX_GRACE_S:
        raise Refused(sentence("roll-call.grace", longest_s=MAX_GRACE_S), "grace_s")
    starts_at = command.starts_at or now
    if abs((starts_at - now).total_seconds()) > MAX_GRACE_S:
        raise Refused(sentence("roll-call.starts"), "starts_at")
    made = replace(made, starts_at=starts_at, due=starts_at + timedelta(seconds=command.grace_s))
    made = _with(made, arrived(state, made, now, begins=True))
    return _with(made, too_late(made, now))


def arrived(
    state: ConferenceState, found: RollCall, now: datetime, *, begins: bool = False
) -> list[RollCallMarked]:
    """Who is here and was not marked, or only as absent by the rule.

    Args:
        begins: who is here may have come long ago; else they come now.
    """
    counted = found.last_marks()
    here: list[tuple[str, MarkStatus]] = []
    for room in found.expected:
        who = state.participants.get(room.participant)
        mark = counted.get(room.participant)
        if who is None or not who.takes_part:
            continue
        if mark is None:
            came = who.joined_at if begins and who.joined_at is not None else now
            in_time = found.due is None or came <= found.due
            here.append((room.participant, "present" if in_time else "late"))
        elif mark.status == "absent" and mark.source == "rule":
            here.append((room.participant, "late"))
    return marked(found, here, now)


def too_late(found: RollCall, now: datetime) -> list[RollCallMarked]:
    """The time is over: who has not come is absent."""
    if found.status != "open" or found.due is None or found.due > now:
        return []
    return marked(found, [(each.participant, "absent") for each in missing(found)], now)


def marked(
    found: RollCall, statuses: Collection[tuple[str, MarkStatus]], now: datetime
) -> list[RollCallMarked]:
    """Marks by rule, as one event; none for nobody."""
    if not statuses:
        return []
    first = len(found.marks) + 1
    marks = (
        RollCallMark(entry, participant, status, now)
        for entry, (participant, status) in enumerate(statuses, first)
    )
    return [RollCallMarked(found.number, tuple(marks))]


def _with(found: RollCall, events: Iterable[RollCallMarked]) -> RollCall:
    marks = (mark for event in events for mark in event.marks)
    return replace(found, marks=(*found.marks, *marks))
