"""What the API and the event stream show of a convening."""

from datetime import datetime
from typing import Literal

from mcu.conference.codec import Json, time_to_text
from mcu.conference.convening_model import (
    MILESTONES,
    ConvenedRoom,
    Convening,
    ConveningCalled,
    ConveningChanged,
    ConveningEvent,
    ConveningFailed,
    ConveningJoined,
    ConveningOverrun,
    ConveningPassed,
    ConveningReached,
    ConveningStarted,
)
from mcu.conference.state import ConferenceState

RoomState = Literal["expected", "called", "failed", "stopped", "joined"]


def convening_summary(convening: Convening) -> Json:
    """How far it is, in a few numbers; part of the conference. O(rooms)."""
    return {
        "number": convening.number,
        "state": "open"
        if convening.is_open
        else "complete"
        if convening.joined == len(convening.rooms)
        else "stopped",
        "started_at": time_to_text(convening.started_at),
        "target_at": time_to_text(convening.target_at),
        "ended_at": _time(convening.ended_at),
        "rooms": len(convening.rooms),
        "joined": convening.joined,
        "within_target": within_target(convening),
    }


def within_target(convening: Convening) -> bool | None:
    """Whether all came in time; None: it is not known yet."""
    complete = next((one.at for one in convening.milestones if one.percent == 100), None)
    if complete is not None:
        return complete <= convening.target_at
    return None if convening.is_open and convening.overdue_at is None else False


def convening_resource(state: ConferenceState, convening: Convening) -> Json:
    """``Convening`` of the API, without what the registry knows of the rooms. O(rooms)."""
    reached = {one.percent: one.at for one in convening.milestones}
    return {
        **convening_summary(convening),
        "by": convening.by,
        "ended_by": convening.ended_by,
        "order": convening.order,
        "at_once": convening.at_once,
        "target_s": convening.target_s,
        "overdue_at": _time(convening.overdue_at),
        "milestones": [
            {
                "percent": percent,
                "at": _time(reached.get(percent)),
                "after_s": _seconds(convening, reached.get(percent)),
            }
            for percent in MILESTONES
        ],
        "rows": [
            _row(state, convening, place, room) for place, room in enumerate(convening.rooms, 1)
        ],
    }


def room_state(convening: Convening, room: ConvenedRoom) -> RoomState:
    """How it stands with one room."""
    if room.joined_at is not None:
        return "joined"
    if room.stopped or not convening.is_open:
        return "stopped"
    if room.due is not None:
        return "called"
    return "expected" if room.failure is None else "failed"


def convening_data(event: ConveningEvent) -> Json:
    """The ``data`` of an event of a convening on the stream; rows are read at the API."""
    match event:
        case ConveningStarted():
            return convening_summary(event.convening)
        case ConveningCalled():
            return {"participants": list(event.participants), "at": time_to_text(event.at)}
        case ConveningReached():
            return {"participants": list(event.participants), "until": time_to_text(event.until)}
        case ConveningFailed():
            return {
                "participant": event.participant,
                "cause": event.failure,
                "at": time_to_text(event.at),
                "next_at": time_to_text(event.next_at),
            }
        case ConveningJoined():
            return {"participant": event.participant, "at": time_to_text(event.at)}
        case ConveningPassed():
            return {
                "percent": event.percent,
                "at": time_to_text(event.at),
                "after_s": event.after_s,
            }
        case ConveningOverrun():
            return {"at": time_to_text(event.at), "missing": list(event.missing)}
        case ConveningChanged():
            return {"added": list(event.added), "removed": list(event.removed)}
        case _:
            return {
                "participant": event.participant,
                "by": event.by,
                "at": time_to_text(event.at),
            }


def _row(state: ConferenceState, convening: Convening, place: int, room: ConvenedRoom) -> Json:
    who = state.participants.get(room.participant)
    joined_at = room.joined_at
    return {
        "participant": room.participant,
        "place": place,
        "label": room.participant if who is None else who.label,
        "unit": None if who is None else who.unit,
        "bridge": None if who is None else who.bridge,
        "state": room_state(convening, room),
        "presence": "left" if who is None else who.presence,
        "attempts": room.attempts,
        "called_at": _time(room.called_at),
        "joined_at": _time(joined_at),
        "after_s": _seconds(convening, joined_at),
        "late": joined_at is not None and joined_at > convening.target_at,
        "cause": None if joined_at is not None else room.failure,
        "next_at": _time(room.next_at) if convening.is_open and room.is_wanted else None,
    }


def _seconds(convening: Convening, at: datetime | None) -> float | None:
    return None if at is None else (at - convening.started_at).total_seconds()


def _time(time: datetime | None) -> str | None:
    return None if time is None else time_to_text(time)
