"""What the API and the event stream show of the procedure of a meeting."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime
from typing import Final

from mcu.conference.alarm_model import (
    AlarmAcknowledged,
    AlarmCleared,
    AlarmRaised,
    ConferenceAlarm,
)
from mcu.conference.chair_view_model import ChairViewStarted, ChairViewStopped
from mcu.conference.codec import Json, time_to_text
from mcu.conference.conflict_model import ConflictEvent
from mcu.conference.conflict_resources import conflict_data
from mcu.conference.convening_model import ConveningEvent
from mcu.conference.convening_resources import convening_data
from mcu.conference.drill_model import DrillEvent
from mcu.conference.drill_resources import drill_data
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
from mcu.conference.overlay_model import Overlay, OverlayPinned, OverlayRemoved
from mcu.conference.polling_model import (
    Polling,
    PollingMoved,
    PollingPaused,
    PollingResumed,
    PollingSkipped,
    PollingStarted,
    PollingStopped,
)
from mcu.conference.procedure_model import ProcedureEvent
from mcu.conference.recording_model import (
    Recording,
    RecordingInterrupted,
    RecordingStarted,
    RecordingStopped,
    RecordingTroubled,
)
from mcu.conference.roll_call_model import (
    RollCall,
    RollCallCalled,
    RollCallCancelled,
    RollCallMark,
    RollCallMarked,
    RollCallMutesKept,
    RollCallPaused,
    RollCallResumed,
    RollCallSigned,
    RollCallSkipped,
    RollCallStarted,
)

COUNTED: Final = ("present", "late", "absent", "lost", "unmarked")


def overlay_resource(overlay: Overlay) -> Json:
    """``Overlay`` of the API."""
    return {
        "number": overlay.number,
        "kind": overlay.kind,
        "text": overlay.text,
        "position": overlay.position,
        "view": overlay.view,
        "until": None if overlay.until is None else time_to_text(overlay.until),
        "pinned_at": time_to_text(overlay.pinned_at),
    }


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


def alarm_resource(alarm: ConferenceAlarm) -> Json:
    """``Alarm`` of the API, without the room's contact."""
    return {
        "number": alarm.number,
        "participant": alarm.participant,
        "kind": alarm.kind,
        "severity": alarm.severity,
        "state": "raised" if alarm.open else "cleared",
        "since": time_to_text(alarm.since),
        "raised_at": time_to_text(alarm.raised_at),
        "cleared_at": _time(alarm.cleared_at),
        "ending": alarm.ending,
        "detail": dict(alarm.detail),
        "acknowledged_by": alarm.acknowledged_by,
        "acknowledged_at": _time(alarm.acknowledged_at),
    }


def procedure_data(event: ProcedureEvent) -> Json:
    """The ``data`` of an event of the procedure on the stream."""
    if isinstance(event, ConflictEvent):
        return conflict_data(event)
    if isinstance(event, ConveningEvent):
        return convening_data(event)
    if isinstance(event, DrillEvent):
        return drill_data(event)
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
        case AlarmRaised():
            return {"alarm": alarm_resource(event.alarm)}
        case AlarmCleared():
            return {
                "number": event.number,
                "participant": event.participant,
                "kind": event.kind,
                "ending": event.ending,
                "at": time_to_text(event.at),
            }
        case AlarmAcknowledged():
            return {"number": event.number, "by": event.by, "at": time_to_text(event.at)}
        case OverlayPinned():
            return {"overlay": overlay_resource(event.overlay)}
        case OverlayRemoved():
            return {"number": event.number, "reason": event.reason}
        case ChairViewStarted() | ChairViewStopped():
            return {"participant": event.participant}
        case PollingStarted():
            return polling_resource(event.polling)
        case PollingMoved():
            return {
                "participant": event.participant,
                "due": _time(event.due),
                "left_s": event.left_s,
            }
        case PollingSkipped():
            return {"participant": event.participant, "due": time_to_text(event.due)}
        case PollingPaused():
            return {"left_s": event.left_s}
        case PollingResumed():
            return {"due": time_to_text(event.due)}
        case PollingStopped():
            return {}
        case RecordingStarted():
            return running_recording(event.recording)
        case RecordingStopped():
            return {
                "id": event.id,
                "reason": event.reason,
                "at": time_to_text(event.at),
                "by": event.by,
            }
        case RecordingInterrupted():
            return {"id": event.id, "at": time_to_text(event.at)}
        case RecordingTroubled():
            return {
                "id": event.id,
                "trouble": event.trouble,
                "dropped": event.dropped,
                "free_bytes": event.free_bytes,
            }
        case RollCallStarted():
            return {"roll_call": roll_call_resource(event.roll_call)}
        case RollCallMarked():
            return {"number": event.number, "marks": [mark_resource(each) for each in event.marks]}
        case RollCallCalled():
            return {
                "number": event.number,
                "participant": event.participant,
                "at": time_to_text(event.at),
            }
        case RollCallSkipped():
            return {"number": event.number, "participant": event.participant}
        case RollCallPaused() | RollCallResumed():
            return {"number": event.number}
        case RollCallMutesKept():
            return {
                "number": event.number,
                "heard": list(event.heard),
                "entry_muted": list(event.entry_muted),
            }
        case RollCallSigned() | RollCallCancelled():
            return {"number": event.number, "at": time_to_text(event.at), "by": event.by}


def running_recording(recording: Recording) -> Json:
    """``RunningRecording`` of the API: what a conference shows of one."""
    return {
        "id": recording.id,
        "name": recording.name,
        "view": recording.view,
        "by": recording.by,
        "started_at": time_to_text(recording.started_at),
        "interruptions": recording.interruptions,
        "trouble": recording.trouble,
    }


def polling_resource(polling: Polling) -> Json:
    """``PollingRun`` of the API."""
    scope = polling.scope
    return {
        "interval_s": polling.interval_s,
        "scope": scope if isinstance(scope, str) else list(scope),
        "except": list(polling.except_),
        "view": polling.view,
        "participant": polling.participant,
        "due": _time(polling.due),
        "paused": polling.paused,
        "left_s": polling.left_s,
    }


def roll_call_resource(found: RollCall, *, running: bool = True) -> Json:
    """``RollCall`` of the API: what counts for each room, and every entry. O(expected + marks)."""
    last = found.last_marks()
    rows = []
    for room in found.expected:
        mark = last.get(room.participant)
        rows.append(
            {
                "participant": room.participant,
                "label": room.label,
                "unit": room.unit,
                "status": None if mark is None else mark.status,
                "at": None if mark is None else time_to_text(mark.at),
                "source": None if mark is None else mark.source,
                "by": None if mark is None else mark.by,
                "note": None if mark is None else mark.note,
                "entry": None if mark is None else mark.entry,
                "skipped": room.participant in found.skipped,
            }
        )
    counted = Counter(row["status"] or "unmarked" for row in rows)
    return {
        "number": found.number,
        "mode": found.mode,
        "state": found.status if running or found.status != "open" else "unsigned",
        "started_at": time_to_text(found.started_at),
        "by": found.by,
        "starts_at": _time(found.starts_at),
        "due": _time(found.due),
        "calling": found.calling if running else None,
        "called_at": _time(found.called_at) if running else None,
        "paused": found.paused,
        "ended_at": _time(found.ended_at),
        "ended_by": found.ended_by,
        "counts": {status: counted[status] for status in COUNTED},
        "rows": rows,
        "marks": [mark_resource(each) for each in found.marks],
    }


def with_pictures(roll_call: Json, address: str, entries: Collection[int]) -> Json:
    """A roll call whose rows and marks say where their pictures are.

    Args:
        address: of the roll call. entries: that have one.
    """
    for each in (*roll_call["rows"], *roll_call["marks"]):
        entry = each["entry"]
        each["picture"] = f"{address}/marks/{entry}.jpg" if entry in entries else None
    return roll_call


def called_resource(found: RollCall | None) -> Json | None:
    """What a conference shows of the roll call that is open."""
    if found is None or found.status != "open":
        return None
    return {
        "number": found.number,
        "mode": found.mode,
        "calling": found.calling,
        "paused": found.paused,
    }


def mark_resource(mark: RollCallMark) -> Json:
    """One entry of a roll call."""
    return {
        "entry": mark.entry,
        "participant": mark.participant,
        "status": mark.status,
        "at": time_to_text(mark.at),
        "source": mark.source,
        "by": mark.by,
        "note": mark.note,
        "correction": mark.correction,
    }


def _time(time: datetime | None) -> str | None:
    return None if time is None else time_to_text(time)
