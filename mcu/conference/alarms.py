"""Which troubles become alarms of a conference, how bad each is, and who takes note. Pure."""

from collections.abc import Sequence
from datetime import datetime

from mcu.conference.alarm_model import (
    DISTURBS,
    AcknowledgeAlarm,
    AlarmAcknowledged,
    AlarmCleared,
    AlarmEnding,
    AlarmKind,
    AlarmRaised,
    ConferenceAlarm,
    NoteTroubles,
    Severity,
    TroubleBegan,
)
from mcu.conference.events import (
    ConferenceEnded,
    Event,
    ParticipantLeft,
    ParticipantLost,
    ParticipantRemoved,
)
from mcu.conference.roll_call_model import calling
from mcu.conference.state import ConferenceState, Refused
from mcu.sentences import sentence

_SLIGHT: frozenset[AlarmKind] = frozenset({"clipping", "loss", "drift"})


def decide_alarms(
    state: ConferenceState, command: AcknowledgeAlarm | NoteTroubles, now: datetime
) -> list[Event]:
    """Decide what is asked of the alarms, or take note of what was found.

    Raises:
        Refused: an alarm that is not known.
    Cost: O(alarms + changes).
    """
    if isinstance(command, AcknowledgeAlarm):
        found = next((one for one in state.alarms if one.number == command.number), None)
        if found is None:
            raise Refused(sentence("alarm.unknown", number=command.number), "number")
        if found.acknowledged_by is not None:
            return []
        return [AlarmAcknowledged(found.number, command.by, now)]
    lasting = {(one.participant, one.kind): one for one in state.alarms if one.open}
    number = state.alarms_raised
    events: list[Event] = []
    for change in command.changes:
        key = (change.participant, change.kind)
        if isinstance(change, TroubleBegan):
            if key in lasting or not _may_be_raised(state, change):
                continue
            number += 1
            lasting[key] = ConferenceAlarm(
                number,
                change.participant,
                change.kind,
                severity(state, change.participant, change.kind),
                change.since,
                now,
                dict(change.detail),
            )
            events.append(AlarmRaised(lasting[key]))
        elif key in lasting:
            over = lasting.pop(key)
            events.append(AlarmCleared(over.number, over.participant, over.kind, now))
    return events


def follow(state: ConferenceState, events: Sequence[Event], now: datetime) -> list[Event]:
    """Events, and the alarms that they end: of rooms that are lost, leave or are taken off.

    A room that is lost is in that trouble alone, also when it is taken for gone: nobody has said
    goodbye, and somebody has to call. One that left is in none. What else was found of it can be
    neither heard nor seen any more, and is found anew if it lasts when the room is back.

    Args:
        state: before ``events``.
    """
    followed = list(events)
    lasting = [one for one in state.alarms if one.open]
    if not lasting or any(isinstance(one, ConferenceEnded) for one in events):
        return followed
    for event in events:
        ending: AlarmEnding
        match event:
            case ParticipantLost():
                ending = "lost"
            case ParticipantLeft():
                ending = "lost" if event.participant.is_missing else "left"
            case ParticipantRemoved():
                ending = "removed"
            case _:
                continue
        who = event.participant.id
        over = [
            one
            for one in lasting
            if one.participant == who and not (ending == "lost" and one.kind == "lost")
        ]
        lasting = [one for one in lasting if one not in over]
        followed += [
            AlarmCleared(one.number, one.participant, one.kind, now, ending) for one in over
        ]
    return followed


def expected_to_speak(state: ConferenceState) -> frozenset[str]:
    """Whose silence is trouble: who has the floor, is called, or presents, and is not muted."""
    expected = {state.presenter}
    if state.floor.holder is not None and state.floor.holder.interrupted_at is None:
        expected.add(state.floor.holder.participant)
    roll_call = calling(state.roll_calls)
    if roll_call is not None:
        expected.add(roll_call.on_air)
    return frozenset(
        who.id
        for who in state.participants.values()
        if who.id in expected and not who.audio_muted and who.presence == "connected"
    )


def in_focus(state: ConferenceState) -> frozenset[str]:
    """Whose troubles everybody sees: the chair, who is shown to all, and who should speak."""
    named = {state.chair, state.broadcast, state.presenter}
    if state.floor.holder is not None:
        named.add(state.floor.holder.participant)
    known = frozenset(who for who in named if who is not None and who in state.participants)
    return known | expected_to_speak(state)


def severity(state: ConferenceState, participant: str, kind: AlarmKind) -> Severity:
    """How bad: what disturbs all is critical; what troubles who is in focus is worse than else."""
    if kind in DISTURBS:
        return "critical"
    focused = participant in in_focus(state)
    if kind in _SLIGHT:
        return "major" if focused else "minor"
    return "critical" if focused else "major"


def _may_be_raised(state: ConferenceState, trouble: TroubleBegan) -> bool:
    """A room that is lost or missing can only be in that trouble, and one that has left in none."""
    who = state.participants.get(trouble.participant)
    if who is None:
        return False
    if who.presence == "lost" or who.is_missing:
        return trouble.kind == "lost"
    return who.presence != "left"
