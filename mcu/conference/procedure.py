"""The procedure of a meeting: to whom each of its commands goes, and what follows from others."""

from collections.abc import Sequence
from datetime import datetime

from mcu.conference import (
    alarms,
    chair_view,
    conflict,
    convening,
    drill,
    floor,
    overlays,
    polling,
    recording,
    roll_call,
)
from mcu.conference.alarm_model import AcknowledgeAlarm, NoteTroubles
from mcu.conference.chair_view_model import ChairViewCommand
from mcu.conference.conflict_model import ConflictCommand, ConflictFact
from mcu.conference.convening_model import ConveningCommand, ConveningFact
from mcu.conference.drill_model import DrillCommand, DrillFact
from mcu.conference.events import Event
from mcu.conference.floor_model import FloorCommand, NoteFloorOver
from mcu.conference.overlay_model import NoteOverlayOver, OverlayCommand
from mcu.conference.polling_model import NotePollingDue, PollingCommand
from mcu.conference.procedure_model import ProcedureCommand, ProcedureFact
from mcu.conference.recording_model import RecordingCommand, RecordingFact
from mcu.conference.state import ConferenceState


def decide_procedure(
    state: ConferenceState, command: ProcedureCommand | ProcedureFact, now: datetime
) -> list[Event]:
    """Decide a command or a fact of the procedure.

    Raises:
        Refused: see the module of its noun.
    """
    if isinstance(command, FloorCommand | NoteFloorOver):
        return floor.decide_floor(state, command, now)
    if isinstance(command, ChairViewCommand):
        return chair_view.decide_chair_view(state, command)
    if isinstance(command, PollingCommand | NotePollingDue):
        return polling.decide_polling(state, command, now)
    if isinstance(command, ConflictCommand | ConflictFact):
        return conflict.decide_conflict(state, command, now)
    if isinstance(command, ConveningCommand | ConveningFact):
        return convening.decide_convening(state, command, now)
    if isinstance(command, AcknowledgeAlarm | NoteTroubles):
        return alarms.decide_alarms(state, command, now)
    if isinstance(command, RecordingCommand | RecordingFact):
        return recording.decide_recording(state, command, now)
    if isinstance(command, OverlayCommand | NoteOverlayOver):
        return overlays.decide_overlays(state, command, now)
    if isinstance(command, DrillCommand | DrillFact):
        return drill.decide_drill(state, command, now)
    return roll_call.decide_roll_call(state, command, now)


def follow(state: ConferenceState, events: Sequence[Event], now: datetime) -> list[Event]:
    """Events, and what they end or move on: rooms go while they have the floor, are called, ...

    Args:
        state: before ``events``.
    """
    if not events:
        return []
    events = roll_call.follow(state, events, now)
    events = floor.follow(state, events, now)
    events = polling.follow(state, events, now)
    events = conflict.follow(state, events, now)
    events = convening.follow(state, events, now)
    events = chair_view.follow(state, events)
    return recording.follow(state, events, now)
