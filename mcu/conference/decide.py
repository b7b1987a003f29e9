"""What happens when something is asked of a conference: commands and facts in, events out.

Pure: nothing is read but the arguments. Either all events of a command hold or, when it is
refused, none. A command whose outcome is already there gives no events.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from mcu.conference import (
    agenda,
    alarms,
    drill,
    facts,
    invitation,
    mutes,
    presentation,
    procedure,
    roll_call,
    roster,
    waiting,
)
from mcu.conference.agenda_commands import ChangeAgenda, JumpToItem, NextItem, PreviousItem
from mcu.conference.commands import (
    AddParticipant,
    AdmitWaiting,
    ChangeConference,
    ChangeParticipant,
    ClearMessage,
    Command,
    EndConference,
    Fact,
    Lock,
    MediaFact,
    MuteAll,
    PlainCommand,
    RefuseWaiting,
    RemoveParticipant,
    SetLayout,
    ShowMessage,
    StartBroadcast,
    StartConference,
    StartPresentation,
    StopBroadcast,
    StopPresentation,
    Unlock,
    UnmuteAll,
)
from mcu.conference.conflict_model import Conflict, ConflictRaised
from mcu.conference.events import (
    BroadcastStarted,
    BroadcastStopped,
    ConferenceChanged,
    ConferenceEnded,
    ConferenceLocked,
    ConferenceStarted,
    ConferenceUnlocked,
    Event,
    LayoutChanged,
    MessageCleared,
    MessageShown,
)
from mcu.conference.invitation_model import AnswerInvitation, InviteRoom, WithdrawInvitation
from mcu.conference.layouts import checked_layout, checked_slots
from mcu.conference.procedure_model import ProcedureCommand, ProcedureFact
from mcu.conference.roll_call_model import LateRollCallCommand, MarkRoom
from mcu.conference.state import ConferenceState, Message, Refused, RosterEntry, ViewSetting
from mcu.conference.texts import (
    MAX_MESSAGE,
    checked_name,
    checked_number,
    checked_pin,
    checked_text,
)
from mcu.sentences import sentence

MAX_MESSAGE_S = 86_400.0
"""A message stays a day at most; one without an end stays until it is cleared."""


def decide_start(
    conference: str,
    command: StartConference,
    entries: Sequence[RosterEntry],
    now: datetime,
    conflicts: Sequence[Conflict] = (),
) -> list[Event]:
    """Start a conference.

    Args:
        conference: its id. entries: the roster that ``command.bridges`` stands for, in order.
        conflicts: about those of them that another conference has.

    Raises:
        Refused: empty name, unknown layout, somebody named twice, chair not in the roster, a PIN
            or number that is none.
    """
    name = checked_name(command.name, "name")
    layout = checked_layout(command.layout, "layout")
    participants = roster.enlist(entries, command.chair, "bridges")
    if command.chair is not None and all(each.id != command.chair for each in participants):
        raise Refused(sentence("chair.not-listed", room=command.chair), "chair")
    return [
        ConferenceStarted(
            conference,
            name,
            command.unit,
            command.chair,
            layout,
            participants,
            now,
            None if command.pin is None else checked_pin(command.pin),
            None if command.number is None else checked_number(command.number),
            command.agenda,
            command.calls_when_convened,
            command.drill,
        ),
        *(ConflictRaised(each) for each in conflicts),
    ]


def decide(state: ConferenceState, command: Command | Fact, now: datetime) -> list[Event]:
    """Decide a command, or take note of a fact.

    Args:
        now: UTC wall time, timezone-aware.

    Raises:
        Refused: with the reason, what to do next, and the field at fault.
    Cost: O(participants).
    """
    if not state.running:
        return _after_the_end(state, command, now)
    if isinstance(command, ProcedureCommand | ProcedureFact):
        events = procedure.decide_procedure(state, command, now)
    else:
        events = procedure.follow(state, _decide(state, command, now), now)
    return drill.follow(state, alarms.follow(state, events, now), now)


def _decide(
    state: ConferenceState, command: PlainCommand | MediaFact, now: datetime
) -> list[Event]:
    match command:
        case EndConference():
            return [ConferenceEnded(command.reason, now)]
        case ChangeConference():
            return _change(state, command)
        case AddParticipant():
            return roster.add(state, command)
        case RemoveParticipant():
            return presentation.given_back(state, roster.remove(state, command))
        case ChangeParticipant():
            return [*roster.change(state, command), *roll_call.keep_mutes(state, command)]
        case MuteAll() | UnmuteAll():
            return [*mutes.mute(state, command), *roll_call.keep_mutes(state, command)]
        case SetLayout():
            return _set_layout(state, command)
        case StartBroadcast():
            roster.find(state, command.participant, "participant")
            if state.broadcast == command.participant:
                return []
            return [BroadcastStarted(command.participant)]
        case StopBroadcast():
            return [] if state.broadcast is None else [BroadcastStopped(state.broadcast)]
        case StartPresentation():
            return presentation.start(state, command)
        case StopPresentation():
            return presentation.stop(state, command)
        case ShowMessage():
            return _show_message(state, command, now)
        case ClearMessage():
            return [] if state.message is None else [MessageCleared()]
        case Lock():
            return [] if state.locked else [ConferenceLocked()]
        case Unlock():
            if not state.locked:
                return []
            return [ConferenceUnlocked(), *waiting.admit(state, AdmitWaiting())]
        case AdmitWaiting():
            return waiting.admit(state, command)
        case RefuseWaiting():
            return waiting.refuse(state, command)
        case InviteRoom() | AnswerInvitation() | WithdrawInvitation():
            return presentation.given_back(state, invitation.decide_invitation(state, command, now))
        case NextItem() | PreviousItem() | JumpToItem() | ChangeAgenda():
            return agenda.decide_agenda(state, command, now)
        case _:
            return presentation.given_back(state, facts.note(state, command, now))


def _after_the_end(state: ConferenceState, command: Command | Fact, now: datetime) -> list[Event]:
    if isinstance(command, EndConference | facts.LATE_FACTS):
        return []
    by_room = isinstance(command, MarkRoom) and command.source == "room"
    if isinstance(command, LateRollCallCommand) and not by_room:
        return roll_call.decide_roll_call(state, command, now)
    raise Refused(sentence("conference.over", conference=state.name), None)


def _change(state: ConferenceState, command: ChangeConference) -> list[Event]:
    name = state.name if command.name is None else checked_name(command.name, "name")
    chair = state.chair if command.chair is None else command.chair or None
    pin, number = state.pin, state.number
    if command.pin is not None:
        pin = checked_pin(command.pin) if command.pin else None
    if command.number is not None:
        number = checked_number(command.number) if command.number else None
    events: list[Event] = []
    if chair != state.chair:
        if chair is not None:
            roster.find(state, chair, "chair")
        events += roster.change_roles(state, chair)
    if (name, chair, pin, number) != (state.name, state.chair, state.pin, state.number):
        events.append(ConferenceChanged(name, chair, pin, number))
    return events


def _set_layout(state: ConferenceState, command: SetLayout) -> list[Event]:
    if command.view not in state.views:
        known = ", ".join(state.views)
        raise Refused(sentence("view.unknown", view=command.view, known=known), "view")
    layout = checked_layout(command.layout, "layout")
    slots = command.slots
    if slots is not None:
        slots = checked_slots(state, layout, slots)
    now = state.views[command.view]
    fit = now.fit if command.fit is None else command.fit
    if now == ViewSetting(layout, slots, fit):
        return []
    return [LayoutChanged(command.view, layout, slots, fit)]


def _show_message(state: ConferenceState, command: ShowMessage, now: datetime) -> list[Event]:
    text = checked_text(command.text, "text", MAX_MESSAGE)
    if not text:
        raise Refused(sentence("message.empty"), "text")
    until = None
    if command.duration_s is not None:
        if not 0 < command.duration_s <= MAX_MESSAGE_S:
            raise Refused(
                sentence("message.time", longest_s=MAX_MESSAGE_S),
                "duration_s",
            )
        until = now + timedelta(seconds=command.duration_s)
    if state.message == replace(Message(text), until=until):
        return []
    return [MessageShown(text, until)]
