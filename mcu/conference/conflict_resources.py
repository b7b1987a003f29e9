"""What the API and the event stream show of conflicts about bridges."""

from mcu.conference.codec import Json, time_to_text
from mcu.conference.conflict_model import Conflict, ConflictEvent, ConflictRaised
from mcu.conference.state import ConferenceState


def conflict_resource(conflict: Conflict) -> Json:
    """``Conflict`` of the API."""
    decided = conflict.decided_at
    return {
        "bridge": conflict.bridge,
        "name": conflict.name,
        "side": conflict.side,
        "conference": conflict.other,
        "conference_name": conflict.other_name,
        "status": conflict.status,
        "at": time_to_text(conflict.at),
        "by": conflict.by,
        "decided_at": None if decided is None else time_to_text(decided),
        "decided_by": conflict.decided_by,
    }


def conflict_data(event: ConflictEvent) -> Json:
    """The ``data`` of an event on the stream."""
    if isinstance(event, ConflictRaised):
        return conflict_resource(event.conflict)
    return {
        "bridge": event.bridge,
        "side": event.side,
        "conference": event.other,
        "status": event.status,
        "by": event.by,
        "at": time_to_text(event.at),
    }


def open_conflicts(state: ConferenceState) -> int:
    """How many wait for a decision, or for the bridge."""
    return sum(each.is_open for each in state.conflicts)
