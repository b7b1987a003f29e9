"""What the API and the event stream show of a drill."""

from datetime import datetime
from typing import Final

from mcu.conference.codec import Json, time_to_text
from mcu.conference.drill_model import (
    Drill,
    DrillEvent,
    DrillStep,
    Fault,
    FaultEnded,
    FaultInjected,
    FaultMark,
    FaultMarked,
    FaultWish,
    MarkKind,
    ScriptChanged,
    ScriptStarted,
    ScriptStopped,
    StepSkipped,
)
from mcu.conference.state import ConferenceState

MARKS: Final[tuple[MarkKind, ...]] = ("detected", "noticed", "acted", "recovered")
FAULT_COLUMNS: Final = (
    "number", "kind", "participants", "labels", "loss_percent", "jitter_ms", "rate_kbps", "by",
    "step", "began_at", "until", "ended_at", "ending",
    *(f"{mark}_{what}" for mark in MARKS for what in ("at", "s", "by", "what")),
)  # fmt: skip
"""Of a table of faults; see ``fault_row``."""


def drill_resource(state: ConferenceState, drill: Drill) -> Json:
    """``Drill`` of the API."""
    return {
        "conference": state.id,
        "faults": [fault_resource(state, one) for one in drill.faults],
        "script": {
            "state": "idle" if drill.script_started_at is None else "running",
            "started_at": _time(drill.script_started_at),
            "by": drill.script_by if drill.script_started_at is not None else None,
            "next_step": drill.next_step + 1 if drill.step_due is not None else None,
            "next_at": _time(drill.step_due),
            "steps": [step_resource(one) for one in drill.script],
        },
    }


def fault_resource(state: ConferenceState, fault: Fault) -> Json:
    """``DrillFault`` of the API: what it is, and how long people took, in seconds."""
    labels = {who.id: who.label for who in state.participants.values()}
    return {
        "number": fault.number,
        **wish_resource(fault.wish),
        "labels": [labels.get(who, who) for who in fault.wish.participants],
        "state": "active" if fault.active else "ended",
        "by": fault.by,
        "step": fault.step,
        "began_at": time_to_text(fault.began_at),
        "until": time_to_text(fault.until),
        "ended_at": _time(fault.ended_at),
        "ending": fault.ending,
        "marks": [mark_resource(fault, one) for one in fault.marks],
        **{f"{kind}_s": took_s(fault, kind) for kind in MARKS},
    }


def mark_resource(fault: Fault, mark: FaultMark) -> Json:
    """``DrillMark`` of the API."""
    return {
        "kind": mark.kind,
        "at": time_to_text(mark.at),
        "after_s": _seconds(fault, mark),
        "by": mark.by,
        "what": mark.what,
    }


def took_s(fault: Fault, kind: MarkKind) -> float | None:
    """How long after its beginning something was done about a fault; None: it was not."""
    found = fault.mark(kind)
    return None if found is None else _seconds(fault, found)


def fault_row(fault: Json) -> list[object]:
    """A fault as a row of ``FAULT_COLUMNS``, from what ``fault_resource`` gives."""
    marks = {one["kind"]: one for one in fault["marks"]}
    flat = fault | {
        "participants": " ".join(fault["participants"]),
        "labels": "; ".join(fault["labels"]),
    }
    for kind in MARKS:
        one = marks.get(kind, {"at": None, "after_s": None, "by": None, "what": None})
        flat |= {
            f"{kind}_at": one["at"],
            f"{kind}_s": one["after_s"],
            f"{kind}_by": one["by"],
            f"{kind}_what": one["what"],
        }
    return [flat[name] for name in FAULT_COLUMNS]


def wish_resource(wish: FaultWish) -> Json:
    """What is the same of a fault and of a step of the script."""
    return {
        "kind": wish.kind,
        "participants": list(wish.participants),
        "duration_s": wish.duration_s,
        "loss_percent": wish.loss_percent,
        "jitter_ms": wish.jitter_ms,
        "rate_kbps": wish.rate_kbps,
    }


def step_resource(step: DrillStep) -> Json:
    """``DrillStep`` of the API."""
    return {"at_s": step.at_s, **wish_resource(step.fault)}


def drill_data(event: DrillEvent) -> Json:
    """The ``data`` of an event of the drill on the stream."""
    match event:
        case FaultInjected():
            fault = event.fault
            return {
                "number": fault.number,
                **wish_resource(fault.wish),
                "by": fault.by,
                "step": fault.step,
                "at": time_to_text(fault.began_at),
                "until": time_to_text(fault.until),
            }
        case FaultEnded():
            return {
                "number": event.number,
                "kind": event.kind,
                "reason": event.reason,
                "at": time_to_text(event.at),
                "by": event.by,
            }
        case FaultMarked():
            mark = event.mark
            return {
                "number": event.number,
                "mark": mark.kind,
                "at": time_to_text(mark.at),
                "by": mark.by,
                "what": mark.what,
            }
        case ScriptChanged():
            return {"steps": [step_resource(one) for one in event.steps], "by": event.by}
        case ScriptStarted() | ScriptStopped():
            return {"at": time_to_text(event.at), "by": event.by}
        case StepSkipped():
            return {"step": event.step, "why": event.why, "at": time_to_text(event.at)}


def _seconds(fault: Fault, mark: FaultMark) -> float:
    return round(max(0.0, (mark.at - fault.began_at).total_seconds()), 1)


def _time(time: datetime | None) -> str | None:
    return None if time is None else time_to_text(time)
