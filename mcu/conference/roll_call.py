"""Roll call: who is marked by rule, who is called next, and who is heard meanwhile.

Pure decisions. ``presence`` marks by itself: present who is here or comes in time, late who comes
after it, absent who has not come when the time is over. ``called`` mutes everybody but the chair,
puts one room after the other on air (``on_air``) and unmutes it; who is not here at its turn is
absent, whose line is lost while it is called is marked so, and it goes on. Both may be returned
to. When nobody is here any more (a restart), it pauses. Who is taken off the roster while it is
called is absent, whoever else is here.

A record outlives its conference: it is signed off, cancelled and corrected after the end too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from mcu.conference import mutes
from mcu.conference.commands import ChangeParticipant, MuteAll, UnmuteAll
from mcu.conference.events import Event, ParticipantsChanged
from mcu.conference.evolve import evolve_all
from mcu.conference.roll_call_model import (
    CallRoom,
    CancelRollCall,
    ExpectedRoom,
    MarkRoom,
    MarkStatus,
    NoteRollCallDue,
    PauseRollCall,
    RollCall,
    RollCallCalled,
    RollCallCancelled,
    RollCallCommand,
    RollCallMark,
    RollCallMarked,
    RollCallMutesKept,
    RollCallPaused,
    RollCallResumed,
    RollCallSigned,
    RollCallSkipped,
    RollCallStarted,
    SignRollCall,
    SkipRoom,
    StartRollCall,
    calling,
)
from mcu.conference.roll_call_rules import (
    arrived,
    begun_by_presence,
    marked,
    missing,
    too_late,
)
from mcu.conference.roster import find
from mcu.conference.state import EVERYONE, ConferenceState, Refused
from mcu.conference.texts import checked_text
from mcu.sentences import sentence

MAX_ROLL_CALLS = 20
MAX_MARKS = 5_000
"""Of one roll call: five for each of the longest roster."""
MAX_NOTE = 500


def decide_roll_call(
    state: ConferenceState, command: RollCallCommand | NoteRollCallDue, now: datetime
) -> list[Event]:
    """Decide what is asked of a roll call.

    Raises:
        Refused: no such roll call, it is over, a room that is not on its list, ...
    Cost: O(participants + marks).
    """
    if isinstance(command, NoteRollCallDue):
        due = (each for each in state.roll_calls if each.due is not None and each.due <= now)
        return [event for each in due for event in too_late(each, now)]
    if isinstance(command, StartRollCall):
        return _start(state, command, now)
    found = _find(state, command.number)
    if isinstance(command, MarkRoom):
        return _mark(state, found, command, now)
    if isinstance(command, SignRollCall | CancelRollCall):
        return _end(state, found, command, now)
    if found.status != "open":
        raise Refused(sentence("roll-call.over", number=found.number))
    if found.mode != "called":
        raise Refused(sentence("roll-call.calls-nobody", number=found.number))
    match command:
        case PauseRollCall():
            return _pause(state, found, command.paused, now)
        case SkipRoom():
            if found.calling != command.participant:
                return []
            skipped = [RollCallSkipped(found.number, command.participant)]
            return _then_next(state, skipped, found.number, now)
        case CallRoom():
            return _call(state, found, command.participant, now)


def follow(state: ConferenceState, events: Sequence[Event], now: datetime) -> list[Event]:
    """Events, and what they are to a roll call: rooms come in time or late, drop while called."""
    if all(each.status != "open" for each in state.roll_calls):
        return list(events)
    all_events = list(events)
    after = evolve_all(state, events)
    if not after.running:
        return all_events
    for each in after.roll_calls:
        if each.status == "open" and each.mode == "presence":
            all_events += arrived(after, each, now)
        elif each.calls and each.calling is not None and each.calling not in after.participants:
            all_events += _removed(after, each, each.calling, now)
        elif each.on_air is not None and not _is_here(after, each.on_air):
            all_events += _dropped(after, each, each.on_air, now)
    return all_events


def keep_mutes(
    state: ConferenceState, command: MuteAll | UnmuteAll | ChangeParticipant
) -> list[Event]:
    """What is muted while rooms are called stays so; as all are muted then, only this tells.

    Raises:
        Refused: see ``mutes.mute``.
    """
    found = calling(state.roll_calls)
    if found is None:
        return []
    heard, entry_muted = found.heard, found.entry_muted
    if isinstance(command, ChangeParticipant):
        muted = command.audio_muted is True
        who = [command.participant]
    else:
        muted = isinstance(command, MuteAll)
        who = mutes.meant(state, command)
        entry_muted = mutes.newcomers(entry_muted, command.scope, muted)
    if muted:
        heard = tuple(each for each in heard if each not in who)
    if (heard, entry_muted) == (found.heard, found.entry_muted):
        return []
    return [RollCallMutesKept(found.number, heard, entry_muted)]


def _start(state: ConferenceState, command: StartRollCall, now: datetime) -> list[Event]:
    if len(state.roll_calls) >= MAX_ROLL_CALLS:
        raise Refused(sentence("roll-call.too-many", most=MAX_ROLL_CALLS))
    is_open = next((each for each in state.roll_calls if each.status == "open"), None)
    if is_open is not None:
        raise Refused(sentence("roll-call.open", number=is_open.number))
    expected = _expected(state, command)
    number = len(state.roll_calls) + 1
    made = RollCall(number, command.mode, now, expected, command.by)
    if command.mode == "presence":
        return [RollCallStarted(begun_by_presence(state, made, command, now))]
    _require_free_floor(state)
    _require_anybody(state, expected)
    heard = tuple(
        each.id
        for each in state.participants.values()
        if not each.audio_muted and each.id != state.chair
    )
    made = replace(made, heard=heard, entry_muted=state.entry_muted)
    begun: list[Event] = [RollCallStarted(made)]
    if heard or state.entry_muted != (EVERYONE,):
        begun.append(ParticipantsChanged(heard, True, (EVERYONE,)))
    return _then_next(state, begun, number, now)


def _expected(state: ConferenceState, command: StartRollCall) -> tuple[ExpectedRoom, ...]:
    ids = command.expected
    if ids is None:
        ids = tuple(each for each in state.participants if each != state.chair)
    if not ids:
        raise Refused(sentence("nobody-expected"), "expected")
    if len(set(ids)) != len(ids):
        twice = next(each for each in ids if ids.count(each) > 1)
        raise Refused(sentence("roll-call.twice", room=twice), "expected")
    rooms = (find(state, id_, f"expected.{index}") for index, id_ in enumerate(ids))
    return tuple(ExpectedRoom(each.id, each.label, each.unit) for each in rooms)


def _dropped(state: ConferenceState, found: RollCall, who: str, now: datetime) -> list[Event]:
    """Who is called is heard no more: say so, and go on; with nobody left, wait."""
    if not any(_is_here(state, each.participant) for each in found.expected):
        return [RollCallPaused(found.number)]
    return _then_next(state, marked(found, [(who, "lost")], now), found.number, now)


def _removed(state: ConferenceState, found: RollCall, who: str, now: datetime) -> list[Event]:
    """Who is called was taken off the roster: it cannot come back to answer."""
    events: list[Event] = [*marked(found, [(who, "absent")], now)]
    if found.paused:
        return [*events, RollCallCalled(found.number, None, now)]
    if any(_is_here(state, each.participant) for each in found.expected):
        return _then_next(state, events, found.number, now)
    return [*events, RollCallCalled(found.number, None, now), RollCallPaused(found.number)]


def _mark(state: ConferenceState, found: RollCall, command: MarkRoom, now: datetime) -> list[Event]:
    who = command.participant
    if all(each.participant != who for each in found.expected):
        raise Refused(
            sentence("roll-call.not-listed", room=who, number=found.number),
            "participant",
        )
    if command.source == "room" and found.on_air != who:
        before = found.last_marks().get(who)
        if before is not None and before.source == "room":
            return []
        raise Refused(sentence("roll-call.not-called-now"))
    if found.status == "cancelled":
        raise Refused(sentence("roll-call.cancelled", number=found.number))
    note = checked_text(command.note, "note", MAX_NOTE)
    signed = found.status == "signed"
    if signed and not note:
        raise Refused(sentence("roll-call.note-needed"), "note")
    before = found.last_marks().get(who)
    same = before is not None and (before.status, before.note, before.source) == (
        command.status,
        note,
        command.source,
    )
    if same and found.calling != who:
        return []
    if len(found.marks) >= MAX_MARKS:
        raise Refused(sentence("roll-call.full", number=found.number, most=MAX_MARKS))
    mark = RollCallMark(
        len(found.marks) + 1, who, command.status, now, command.source, command.by, note, signed
    )
    events: list[Event] = [RollCallMarked(found.number, (mark,))]
    if found.calling != who or not state.running:
        return events
    if found.paused:
        return [*events, RollCallCalled(found.number, None, now)]
    return _then_next(state, events, found.number, now)


def _call(state: ConferenceState, found: RollCall, who: str, now: datetime) -> list[Event]:
    if all(each.participant != who for each in found.expected):
        raise Refused(
            sentence("roll-call.not-listed", room=who, number=found.number),
            "calling",
        )
    if not _is_here(state, who):
        raise Refused(sentence("roll-call.not-connected", label=_label(found, who)))
    if found.on_air == who:
        return []
    _require_free_floor(state)
    resumed: list[Event] = [RollCallResumed(found.number)] if found.paused else []
    return [*resumed, *_switch(state, found.number, who, found.calling, now)]


def _pause(state: ConferenceState, found: RollCall, paused: bool, now: datetime) -> list[Event]:
    if found.paused == paused:
        return []
    called = found.calling
    if paused:
        quiet = [] if called is None else _muted(state, called, muted=True)
        return [RollCallPaused(found.number), *quiet]
    _require_free_floor(state)
    _require_anybody(state, found.expected)
    resumed: list[Event] = [RollCallResumed(found.number)]
    if called is not None and _is_here(state, called):
        return [*resumed, *_muted(state, called, muted=False)]
    return _then_next(state, resumed, found.number, now)


def _end(
    state: ConferenceState,
    found: RollCall,
    command: SignRollCall | CancelRollCall,
    now: datetime,
) -> list[Event]:
    wanted = "signed" if isinstance(command, SignRollCall) else "cancelled"
    if found.status == wanted:
        return []
    if found.status != "open":
        raise Refused(sentence("roll-call.correct-singly", number=found.number))
    events: list[Event] = []
    if isinstance(command, SignRollCall):
        rest = missing(found)
        if rest and not command.rest_absent:
            some = ", ".join(each.label for each in rest[:3])
            raise Refused(
                sentence(
                    "roll-call.unmarked",
                    count=len(rest),
                    some=some,
                    more=", ..." if len(rest) > 3 else "",
                ),
            )
        marks = marked(found, [(each.participant, "absent") for each in rest], now)
        events += [
            replace(each, marks=tuple(replace(mark, by=command.by) for mark in each.marks))
            for each in marks
        ]
        events.append(RollCallSigned(found.number, now, command.by))
    else:
        events.append(RollCallCancelled(found.number, now, command.by))
    if found.mode == "called" and state.running:
        events += _as_before(state, found)
    return events


def _as_before(state: ConferenceState, found: RollCall) -> list[Event]:
    """Have those heard again who were, and newcomers as before."""
    back = tuple(
        id_
        for id_ in found.heard
        if id_ in state.participants and state.participants[id_].audio_muted
    )
    events: list[Event] = []
    called = found.on_air
    if called is not None and called not in found.heard:
        events += _muted(state, called, muted=True)
    if back or state.entry_muted != found.entry_muted:
        events.append(ParticipantsChanged(back, False, found.entry_muted))
    return events


def _then_next(
    state: ConferenceState, events: Iterable[Event], number: int, now: datetime
) -> list[Event]:
    """Events of this roll call, and the call of the next room that is here."""
    done = list(events)
    after = evolve_all(state, done)
    found = _find(after, number)
    gone: list[tuple[str, MarkStatus]] = []
    following: str | None = None
    pending = [each.participant for each in missing(found) if each.participant not in found.skipped]
    for id_ in pending:
        if _is_here(after, id_):
            following = id_
            break
        who = after.participants.get(id_)
        gone.append((id_, "lost" if who is not None and who.presence == "lost" else "absent"))
    before = next((each.calling for each in state.roll_calls if each.number == number), None)
    passed = marked(found, gone, now)
    after = evolve_all(after, passed)
    return [*done, *passed, *_switch(after, number, following, before, now)]


def _switch(
    state: ConferenceState, number: int, who: str | None, before: str | None, now: datetime
) -> list[Event]:
    """Have ``who`` on air and heard in place of ``before``."""
    events: list[Event] = [RollCallCalled(number, who, now)]
    if before is not None and before != who:
        events += _muted(state, before, muted=True)
    if who is not None:
        events += _muted(state, who, muted=False)
    return events


def _muted(state: ConferenceState, who: str, *, muted: bool) -> list[ParticipantsChanged]:
    found = state.participants.get(who)
    if found is None or found.audio_muted == muted or (muted and who == state.chair):
        return []
    return [ParticipantsChanged((who,), muted, state.entry_muted)]


def _find(state: ConferenceState, number: int) -> RollCall:
    found = next((each for each in state.roll_calls if each.number == number), None)
    if found is None:
        raise Refused(sentence("roll-call.unknown", number=number), "number")
    return found


def _require_free_floor(state: ConferenceState) -> None:
    holder = state.floor.holder
    if holder is not None:
        label = state.participants[holder.participant].label
        raise Refused(sentence("roll-call.floor", label=label))


def _require_anybody(state: ConferenceState, expected: Iterable[ExpectedRoom]) -> None:
    if not any(_is_here(state, each.participant) for each in expected):
        raise Refused(sentence("roll-call.nobody-connected"))


def _is_here(state: ConferenceState, participant: str) -> bool:
    who = state.participants.get(participant)
    return who is not None and who.presence == "connected" and not who.waiting


def _label(found: RollCall, participant: str) -> str:
    return next(each.label for each in found.expected if each.participant == participant)
