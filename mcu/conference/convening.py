"""Convening: whose turn it is, who has come, who is called again and when. Pure decisions.

What is due is decided when its time has come (``NoteConveningDue``), since only then it is known
whose join page is open; what a call came to follows from the facts about the participant.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from math import ceil

from mcu.conference.call_failure import CallFailure
from mcu.conference.convening_model import (
    ANSWER_S,
    MILESTONES,
    RETRY_FIRST_S,
    RETRY_LONGEST_S,
    CallOrder,
    ConvenedRoom,
    Convening,
    ConveningCalled,
    ConveningChanged,
    ConveningCommand,
    ConveningEvent,
    ConveningFact,
    ConveningFailed,
    ConveningJoined,
    ConveningOverrun,
    ConveningPassed,
    ConveningReached,
    ConveningRetried,
    ConveningStarted,
    ConveningStopped,
    NoteConveningDue,
    NoteReachable,
    RetryConvening,
    StartConvening,
    StopConvening,
    evolve_convening,
)
from mcu.conference.events import (
    Event,
    ParticipantAdded,
    ParticipantChanged,
    ParticipantJoined,
    ParticipantRemoved,
)
from mcu.conference.evolve import evolve_all
from mcu.conference.roster import find
from mcu.conference.state import ConferenceState, Participant, Refused
from mcu.sentences import sentence

MOST_AT_ONCE = 200
TARGET_RANGE_S = (30.0, 86_400.0)


def decide_convening(
    state: ConferenceState, command: ConveningCommand | ConveningFact, now: datetime
) -> list[Event]:
    """Decide what is asked of the convening, or what is due.

    Raises:
        Refused: one runs already, nobody is expected, none runs, or the room is no part of it.
    Cost: O(participants).
    """
    if isinstance(command, StartConvening):
        return _start(state, command, now)
    convening = state.convening
    if isinstance(command, ConveningFact):
        if convening is None or not convening.is_open:
            return []
        if isinstance(command, NoteReachable):
            room = convening.room(command.participant)
            if room is None or not room.is_wanted or room.next_at is None:
                return []
            return _with_turns(convening, [ConveningRetried(room.participant, "", now)], now)
        return _with_turns(convening, _due(state, convening, command, now), now)
    if convening is None:
        raise Refused(sentence("convening.none"))
    if isinstance(command, StopConvening):
        return _stop(convening, command, now)
    return _retry(state, convening, command, now)


def follow(state: ConferenceState, events: Sequence[Event], now: datetime) -> list[Event]:
    """Events, and what they mean for a convening that is open.

    Args:
        state: before ``events``.
    """
    convening = state.convening
    if convening is None or not events:
        return list(events)
    after = evolve_all(state, events)
    if not after.running:
        return list(events)
    is_open = convening.is_open
    more: list[ConveningEvent] = []
    added = tuple(
        each.participant.id
        for each in events
        if is_open and isinstance(each, ParticipantAdded) and _is_called(each.participant)
    )
    removed = tuple(
        each.participant.id
        for each in events
        if isinstance(each, ParticipantRemoved) and convening.room(each.participant.id) is not None
    )
    if added or removed:
        more.append(ConveningChanged(added, removed))
    for each in events if is_open else ():
        if isinstance(each, ParticipantJoined):
            room = convening.room(each.participant.id)
            if room is not None and room.joined_at is None:
                more.append(ConveningJoined(room.participant, now))
        elif isinstance(each, ParticipantChanged):
            room = convening.room(each.participant.id)
            if room is not None and _has_failed(state, room, each.participant):
                failure = each.participant.call_failure or "failed"
                more.append(_failed(room, failure, now))
    return [*events, *_with_turns(convening, more, now)] if more else list(events)


def convening_due(convening: Convening) -> datetime | None:
    """When ``NoteConveningDue`` is next wanted; None: not before something else happens."""
    if not convening.is_open:
        return None
    times = [room.due for room in convening.rooms if room.due is not None]
    if len(times) < convening.at_once:
        times += [room.next_at for room in _queue(convening) if room.next_at is not None]
    if convening.overdue_at is None:
        times.append(convening.target_at)
    return min(times, default=None)


def may_call(state: ConferenceState, participant: str) -> bool:
    """Whether a room that is not here may be called by itself now, as far as convening goes."""
    convening = state.convening
    if convening is None:
        return not state.calls_when_convened
    room = convening.room(participant)
    return room is None or room.joined_at is not None or room.due is not None


def reserved_seats(state: ConferenceState) -> frozenset[str]:
    """Rooms that are still to come and whose places in automatic pictures are kept for them."""
    convening = state.convening
    if convening is None or not convening.is_open:
        return frozenset()
    return frozenset(room.participant for room in convening.rooms if room.is_wanted)


def call_order(state: ConferenceState, order: CallOrder) -> list[Participant]:
    """Whom a convening calls, the first first; who comes by itself as a guest is not called.

    The chair goes first. ``importance``: then by importance and level of the unit; ``units``: by
    level, from the top of the tree, and importance; ``scenario``: by the agenda's speakers.
    """
    speakers: dict[str, int] = {}
    if state.agenda is not None and order == "scenario":
        for place, item in enumerate(state.agenda.items):
            if item.speaker is not None:
                speakers.setdefault(item.speaker, place)

    def rank(who: Participant) -> tuple[bool, int, int, int]:
        level, weight = len(who.unit_path), -who.importance
        if order == "scenario":
            place = speakers.get(who.id, len(speakers) + len(state.participants))
            return who.role != "chair", place, weight, who.order
        first, second = (level, weight) if order == "units" else (weight, level)
        return who.role != "chair", first, second, who.order

    return sorted((each for each in state.participants.values() if _is_called(each)), key=rank)


def _start(state: ConferenceState, command: StartConvening, now: datetime) -> list[Event]:
    before = state.convening
    if before is not None and before.is_open:
        raise Refused(
            sentence(
                "convening.running",
                by=f" by {before.by}" if before.by else "",
                since=before.started_at,
            )
        )
    if not 1 <= command.at_once <= MOST_AT_ONCE:
        raise Refused(sentence("convening.at-once", most=MOST_AT_ONCE), "at_once")
    shortest, longest = TARGET_RANGE_S
    if not shortest <= command.target_s <= longest:
        raise Refused(
            sentence("convening.target", shortest_s=shortest, longest_s=longest), "target_s"
        )
    if command.participants is None:
        people = call_order(state, command.order)
    else:
        people = [
            find(state, each, f"participants.{index}")
            for index, each in enumerate(dict.fromkeys(command.participants))
        ]
    if not people:
        raise Refused(sentence("nobody-expected"))
    rooms = tuple(ConvenedRoom(each.id, joined_at=now if each.legs else None) for each in people)
    convening = Convening(
        1 if before is None else before.number + 1,
        now,
        command.by,
        command.order,
        command.at_once,
        float(command.target_s),
        rooms,
    )
    # Who is being called keeps its call, whosever turn it is.
    under_way = tuple(each.id for each in people if each.presence == "calling")
    more: list[ConveningEvent] = [ConveningCalled(under_way, now)] if under_way else []
    return [ConveningStarted(convening), *_with_turns(convening, more, now)]


def _stop(convening: Convening, command: StopConvening, now: datetime) -> list[Event]:
    if not convening.is_open:
        return []
    if command.participant is not None:
        room = _required(convening, command.participant)
        if not room.is_wanted:
            return []
    stopped = ConveningStopped(command.participant, command.by, now)
    return _with_turns(convening, [stopped], now)


def _retry(
    state: ConferenceState, convening: Convening, command: RetryConvening, now: datetime
) -> list[Event]:
    retried = ConveningRetried(command.participant, command.by, now)
    # Who came while nobody was called was not taken note of.
    came = [
        ConveningJoined(room.participant, now)
        for room in convening.rooms
        if room.joined_at is None and state.participants[room.participant].legs
    ]
    if command.participant is None:
        waiting = [room for room in convening.rooms if room.joined_at is None]
        idle = all(not room.stopped and room.next_at is None for room in waiting)
        if not waiting or (convening.is_open and idle):
            return []
        return _with_turns(convening, [retried, *came], now)
    room = _required(convening, command.participant)
    if room.joined_at is not None or room.due is not None:
        return []
    if any(each.participant == room.participant for each in came):
        return _with_turns(convening, [retried, *came], now)
    called = ConveningCalled((room.participant,), now)
    return _with_turns(convening, [retried, *came, called], now)


def _due(
    state: ConferenceState, convening: Convening, note: NoteConveningDue, now: datetime
) -> list[ConveningEvent]:
    events: list[ConveningEvent] = []
    reached = []
    for room in convening.rooms:
        if room.due is None or room.due > now:
            continue
        who = state.participants[room.participant]
        is_told = room.participant in note.pages
        waited_s = (now - (room.called_at or now)).total_seconds()
        if who.presence == "calling" or (is_told and waited_s < ANSWER_S):
            reached.append(room.participant)
        else:
            failure: CallFailure = "no_answer" if is_told else "unreachable"
            events.append(_failed(room, who.call_failure or failure, now))
    if reached:
        events.append(ConveningReached(tuple(reached), now + timedelta(seconds=ANSWER_S)))
    if convening.overdue_at is None and convening.target_at <= now:
        missing = tuple(room.participant for room in convening.rooms if room.joined_at is None)
        events.append(ConveningOverrun(now, missing))
    return events


def _with_turns(
    before: Convening,
    events: Sequence[ConveningEvent],
    now: datetime,
) -> list[Event]:
    """Events, the milestones that they pass, and the turns that have become free."""
    found: list[Event] = list(events)
    after = before
    for event in events:
        after = evolve_convening(after, event) or after
    for percent in _passed(after):
        passed = ConveningPassed(percent, now, (now - after.started_at).total_seconds())
        found.append(passed)
        after = evolve_convening(after, passed) or after
    if not after.is_open:
        return found
    free = after.at_once - sum(room.due is not None for room in after.rooms)
    ready = [
        room.participant for room in _queue(after) if (room.next_at is None or room.next_at <= now)
    ]
    called = tuple(ready[: max(0, free)])
    return [*found, ConveningCalled(called, now)] if called else found


def _queue(convening: Convening) -> list[ConvenedRoom]:
    """Who waits for a turn: those never called first, in the order of calling."""
    waiting = [room for room in convening.rooms if room.is_wanted and room.due is None]
    return sorted(waiting, key=lambda room: room.attempts > 0)


def _passed(convening: Convening) -> Iterable[int]:
    known = {milestone.percent for milestone in convening.milestones}
    joined, total = convening.joined, len(convening.rooms)
    return (
        percent
        for percent in MILESTONES
        if percent not in known and joined >= ceil(total * percent / 100)
    )


def _failed(room: ConvenedRoom, failure: CallFailure, now: datetime) -> ConveningFailed:
    wait_s = min(RETRY_LONGEST_S, RETRY_FIRST_S * 2 ** min(room.attempts - 1, 10))
    return ConveningFailed(room.participant, failure, now, now + timedelta(seconds=wait_s))


def _has_failed(state: ConferenceState, room: ConvenedRoom, after: Participant) -> bool:
    """Whether the call of a room that has its turn has come to nothing."""
    before = state.participants[room.participant]
    was_called = before.presence == "calling" and after.presence != "calling"
    return was_called and not after.legs and room.due is not None


def _is_called(who: Participant) -> bool:
    return who.bridge is not None or who.address is not None


def _required(convening: Convening, participant: str) -> ConvenedRoom:
    room = convening.room(participant)
    if room is None:
        raise Refused(sentence("convening.no-room", room=participant), "participant")
    return room
