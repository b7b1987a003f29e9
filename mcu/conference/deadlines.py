"""What of a conference has a time, and what is to be noted when it has come. Pure."""

from collections.abc import Iterator
from datetime import datetime

from mcu.conference.agenda_commands import NoteItemOver
from mcu.conference.agenda_record import overruns_at
from mcu.conference.commands import Fact, NoteMessageOver
from mcu.conference.convening import convening_due
from mcu.conference.convening_model import NoteConveningDue
from mcu.conference.drill import deadlines_of
from mcu.conference.drill_model import NoteDrillDue
from mcu.conference.floor_model import NoteFloorOver
from mcu.conference.overlay_model import NoteOverlayOver
from mcu.conference.polling_model import NotePollingDue
from mcu.conference.roll_call_model import NoteRollCallDue
from mcu.conference.roll_call_rules import missing
from mcu.conference.state import ConferenceState


def deadlines(state: ConferenceState) -> Iterator[tuple[datetime, Fact]]:
    """Every time that is set now, with its fact. What the fact means is decided when it comes."""
    if state.message is not None and state.message.until is not None:
        yield state.message.until, NoteMessageOver()
    for overlay in state.overlays:
        if overlay.until is not None:
            yield overlay.until, NoteOverlayOver()
    holder = state.floor.holder
    if holder is not None and holder.until is not None:
        yield holder.until, NoteFloorOver()
    over = None if state.agenda is None else overruns_at(state.agenda)
    if over is not None:
        yield over, NoteItemOver()
    if state.polling is not None and state.polling.due is not None:
        yield state.polling.due, NotePollingDue()
    called = None if state.convening is None else convening_due(state.convening)
    if called is not None:
        yield called, NoteConveningDue()
    if state.drill is not None:
        for at in deadlines_of(state.drill):
            yield at, NoteDrillDue()
    for roll_call in state.roll_calls:
        if roll_call.status == "open" and roll_call.due is not None and missing(roll_call):
            yield roll_call.due, NoteRollCallDue()
