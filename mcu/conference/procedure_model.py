"""What the procedure of a meeting adds to its commands, facts and events: a noun in each module."""

from mcu.conference.floor_model import FloorCommand, FloorEvent, NoteFloorOver

ProcedureCommand = FloorCommand
ProcedureFact = NoteFloorOver
ProcedureEvent = FloorEvent
