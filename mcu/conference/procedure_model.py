"""What the procedure of a meeting adds to its commands, facts and events: a noun in each module."""

from mcu.conference.alarm_model import AlarmCommand, AlarmEvent, NoteTroubles
from mcu.conference.chair_view_model import ChairViewCommand, ChairViewEvent
from mcu.conference.conflict_model import ConflictCommand, ConflictEvent, ConflictFact
from mcu.conference.convening_model import ConveningCommand, ConveningEvent, ConveningFact
from mcu.conference.drill_model import DrillCommand, DrillEvent, DrillFact
from mcu.conference.floor_model import FloorCommand, FloorEvent, NoteFloorOver
from mcu.conference.overlay_model import NoteOverlayOver, OverlayCommand, OverlayEvent
from mcu.conference.polling_model import NotePollingDue, PollingCommand, PollingEvent
from mcu.conference.recording_model import RecordingCommand, RecordingEvent, RecordingFact
from mcu.conference.roll_call_model import NoteRollCallDue, RollCallCommand, RollCallEvent

ProcedureCommand = (
    FloorCommand
    | ChairViewCommand
    | PollingCommand
    | RollCallCommand
    | ConveningCommand
    | ConflictCommand
    | AlarmCommand
    | RecordingCommand
    | OverlayCommand
    | DrillCommand
)
ProcedureFact = (
    NoteFloorOver
    | NotePollingDue
    | NoteRollCallDue
    | ConveningFact
    | ConflictFact
    | NoteTroubles
    | RecordingFact
    | NoteOverlayOver
    | DrillFact
)
ProcedureEvent = (
    FloorEvent
    | ChairViewEvent
    | PollingEvent
    | RollCallEvent
    | ConveningEvent
    | ConflictEvent
    | AlarmEvent
    | RecordingEvent
    | OverlayEvent
    | DrillEvent
)
