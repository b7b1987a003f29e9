"""What the API and the event stream show of the procedure of a meeting."""

from datetime import datetime

from mcu.conference.codec import Json, time_to_text
from mcu.conference.floor_model import (
    Floor,
    FloorEnded,
    FloorGranted,
    FloorHolder,
    FloorInterrupted,
    FloorRequested,
    FloorResumed,
    FloorWithdrawn,
)
from mcu.conference.procedure_model import ProcedureEvent


def floor_resource(floor: Floor) -> Json:
    """``Floor`` of the API: who has it, until when, and who waits in which place."""
    return {
        "holder": None if floor.holder is None else holder_resource(floor.holder),
        "requests": [
            {"participant": each.participant, "place": place, "at": time_to_text(each.at)}
            for place, each in enumerate(floor.requests, 1)
        ],
        "previous": floor.previous,
    }


def holder_resource(holder: FloorHolder) -> Json:
    """Who has the floor; ``left_s`` only while the chair speaks in between."""
    return {
        "participant": holder.participant,
        "since": time_to_text(holder.since),
        "until": _time(holder.until),
        "time_limit_s": holder.limit_s,
        "picture": holder.picture,
        "interrupted_at": _time(holder.interrupted_at),
        "left_s": holder.left_s,
    }


def procedure_data(event: ProcedureEvent) -> Json:
    """The ``data`` of an event of the procedure on the stream."""
    match event:
        case FloorRequested():
            return {"participant": event.participant, "at": time_to_text(event.at)}
        case FloorWithdrawn():
            return {"participant": event.participant}
        case FloorGranted() | FloorInterrupted() | FloorResumed():
            return holder_resource(event.holder)
        case FloorEnded():
            return {
                "participant": event.participant,
                "reason": event.reason,
                "at": time_to_text(event.at),
            }


def _time(time: datetime | None) -> str | None:
    return None if time is None else time_to_text(time)
