"""Which commands show, in a drill, that somebody has taken a room in hand. Pure.

A room is *noticed* when somebody looks at it on purpose or takes note of its alarm, and *acted* on
when it is muted, changed, taken off or called in again. What concerns all rooms at once, or gives
one the floor, is part of any meeting and shows nothing.
"""

from mcu.conference.alarm_model import AcknowledgeAlarm
from mcu.conference.chair_view_model import StartChairView
from mcu.conference.commands import (
    AddParticipant,
    ChangeParticipant,
    Command,
    Fact,
    RemoveParticipant,
    StartBroadcast,
)
from mcu.conference.drill_model import NoteHand
from mcu.conference.state import ConferenceState


def hand_of(state: ConferenceState, command: Command | Fact, by: str) -> NoteHand | None:
    """What a command of the staff's says of a room; None: nothing.

    Args:
        by: the operator's name.
    """
    match command:
        case AcknowledgeAlarm(number):
            found = next((one for one in state.alarms if one.number == number), None)
            if found is None:
                return None
            return NoteHand(found.participant, by, "acknowledged", acts=False)
        case StartChairView(who):
            return NoteHand(who, by, "chair-view", acts=False)
        case StartBroadcast(who):
            return NoteHand(who, by, "broadcast", acts=False)
        case ChangeParticipant():
            return NoteHand(command.participant, by, "changed", acts=True)
        case RemoveParticipant(who):
            return NoteHand(who, by, "removed", acts=True)
        case AddParticipant(entry):
            return NoteHand(entry.id, by, "called", acts=True)
    return None
