"""Facts from the media plane: legs come, are lost, return, go. A stale fact changes nothing."""

from dataclasses import replace
from datetime import datetime

from mcu.conference.agenda import note_item_over
from mcu.conference.agenda_commands import NoteItemOver
from mcu.conference.commands import (
    MediaFact,
    NoteAbsent,
    NoteCallFailed,
    NoteCalling,
    NoteJoined,
    NoteLeft,
    NoteLost,
    NoteMessageOver,
    NoteRestarted,
    NoteReturned,
)
from mcu.conference.events import (
    Event,
    MessageCleared,
    ParticipantChanged,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantLost,
    ParticipantReturned,
)
from mcu.conference.presence import Fact as PresenceFact
from mcu.conference.presence import failed_call, next_presence
from mcu.conference.procedure_model import ProcedureFact
from mcu.conference.recording import interrupted
from mcu.conference.roster import find
from mcu.conference.state import ConferenceState, LegUse, Participant, ParticipantLeg
from mcu.conference.waiting import must_wait

LATE_FACTS = (
    NoteCallFailed
    | NoteLost
    | NoteReturned
    | NoteLeft
    | NoteRestarted
    | NoteAbsent
    | NoteMessageOver
    | ProcedureFact
    | NoteItemOver
)
"""What may still arrive after the end and then means nothing."""

MAX_DETAIL = 500
"""Characters of why a call came to nothing."""

DIRECTIONS: dict[LegUse, frozenset[str]] = {
    "join": frozenset({"sends", "receives"}),
    "publish": frozenset({"sends"}),
    "view": frozenset({"receives"}),
}
"""A new leg replaces every older one that shares a direction with it."""


def note(state: ConferenceState, fact: MediaFact, now: datetime) -> list[Event]:
    """Take note of one fact.

    Raises:
        Refused: somebody joined, or is called, who is not on the roster.
    """
    match fact:
        case NoteRestarted(since):
            lost_at = now if since is None else min(since, now)
            return [*_restarted(state, lost_at), *interrupted(state, now)]
        case NoteMessageOver():
            until = None if state.message is None else state.message.until
            return [MessageCleared()] if until is not None and until <= now else []
        case NoteItemOver():
            return note_item_over(state, now)
        case NoteJoined():
            return _joined(state, find(state, fact.participant, "participant"), fact, now)
        case NoteCalling():
            called = find(state, fact.participant, "participant")
            return _called(_addressed(called), "called")
    who = state.participants.get(fact.participant)
    if who is None:
        return []  # removed meanwhile
    match fact:
        case NoteCallFailed(reason="no_address"):
            return _cannot_be_called(who)
        case NoteCallFailed(reason=None) if who.presence != "calling":
            found = _addressed(who)
            return [] if found is who else [_changed(found)]
        case NoteCallFailed():
            return _called(
                replace(who, call_failure=fact.reason, call_failure_detail=_detail(fact.detail)),
                failed_call(was_here=who.left_at is not None),
            )
        case NoteAbsent():
            if who.legs or who.presence != "lost":
                return []
            return [ParticipantLeft(_left(who, now, who.lost_at), "timeout")]
        case _:
            return _leg(who, fact, now)


def _joined(
    state: ConferenceState, who: Participant, fact: NoteJoined, now: datetime
) -> list[Event]:
    if ParticipantLeg(fact.leg, fact.kind) in who.legs:
        return []
    taken = DIRECTIONS[fact.kind]
    kept = tuple(leg for leg in who.legs if leg.id != fact.leg and not DIRECTIONS[leg.use] & taken)
    replaced = tuple(leg.id for leg in who.legs if leg not in kept and leg.id != fact.leg)
    after = replace(
        who,
        presence=next_presence(who.presence, "joined"),
        legs=(*kept, ParticipantLeg(fact.leg, fact.kind)),
        join_order=state.arrivals if who.join_order is None else who.join_order,
        joined_at=who.joined_at or now,
        lost_at=None,
        left_at=None,
        call_failure=None,
        call_failure_detail=None,
        waiting=must_wait(state, who),
        version=who.version + 1,
    )
    return [ParticipantJoined(after, fact.leg, replaced)]


def _leg(who: Participant, fact: NoteLost | NoteReturned | NoteLeft, now: datetime) -> list[Event]:
    """Something happened to one leg; the participant's presence follows from all of them."""
    leg = next((leg for leg in who.legs if leg.id == fact.leg), None)
    if leg is None:
        return []  # it was replaced, or never joined
    if isinstance(fact, NoteLeft):
        legs = tuple(each for each in who.legs if each is not leg)
        if not legs:
            missed = who.lost_at if fact.reason == "timeout" else None
            return [ParticipantLeft(_left(who, now, missed), fact.reason)]
    else:
        lost = isinstance(fact, NoteLost)
        if leg.lost == lost:
            return []
        legs = tuple(replace(leg, lost=lost) if each is leg else each for each in who.legs)
    after = replace(who, legs=legs, version=who.version + 1)
    nothing_heard = all(each.lost for each in legs)
    presence = next_presence(who.presence, "lost" if nothing_heard else "returned")
    if presence == who.presence:
        return [ParticipantChanged(after)]
    if nothing_heard:
        return [ParticipantLost(replace(after, presence=presence, lost_at=now))]
    return [ParticipantReturned(replace(after, presence=presence, lost_at=None))]


def _left(who: Participant, now: datetime, lost_at: datetime | None) -> Participant:
    """``lost_at``: since when it is missed; None: it has left on purpose."""
    return replace(
        who,
        presence=next_presence(who.presence, "left"),
        legs=(),
        lost_at=lost_at,
        left_at=now,
        version=who.version + 1,
    )


def _called(who: Participant, fact: PresenceFact) -> list[Event]:
    presence = next_presence(who.presence, fact)
    if presence == who.presence or (fact != "called" and who.presence != "calling"):
        return []
    return [ParticipantChanged(replace(who, presence=presence, version=who.version + 1))]


def _cannot_be_called(who: Participant) -> list[Event]:
    """There is nowhere to call it: it stays as it is, and the reason stands beside it."""
    if who.legs or who.presence == "calling" or who.call_failure == "no_address":
        return []
    return [_changed(replace(who, call_failure="no_address", call_failure_detail=None))]


def _addressed(who: Participant) -> Participant:
    """It can be called, or is none that is."""
    return replace(who, call_failure=None) if who.call_failure == "no_address" else who


def _detail(text: str) -> str | None:
    """A peer may have written it: without control characters, and not too long for a roster."""
    shown = "".join(character for character in text if character.isprintable())
    return shown[:MAX_DETAIL] or None


def _changed(after: Participant) -> ParticipantChanged:
    return ParticipantChanged(replace(after, version=after.version + 1))


def _restarted(state: ConferenceState, lost_at: datetime) -> list[Event]:
    """No leg is left; who was connected is lost until the room rejoins."""
    events: list[Event] = []
    for who in state.participants.values():
        fact: PresenceFact = "restarted"
        if who.presence == "calling":
            fact = failed_call(was_here=who.left_at is not None)
        presence = next_presence(who.presence, fact)
        if presence == who.presence and not who.legs:
            continue
        after = replace(who, presence=presence, legs=(), version=who.version + 1)
        if presence != who.presence and presence == "lost":
            events.append(ParticipantLost(replace(after, lost_at=lost_at)))
        else:
            events.append(ParticipantChanged(after))
    return events
