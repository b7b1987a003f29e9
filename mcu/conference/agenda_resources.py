"""What the API and the stream show of an agenda, and the clock: planned against actual.

The planned times hang on one point, the session's planned beginning where it was within
``ANCHOR`` of the real one, else the beginning of the first item (a scenario that is used every
month keeps the date of its first use).
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from mcu.conference.agenda_events import AgendaAdvanced, AgendaEvent, AgendaOverrun
from mcu.conference.codec import Json, time_to_text
from mcu.conference.scenario import Agenda, AgendaItem, Contingency, Duty, Visit

ANCHOR = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Planned:
    """An item's planned times, seconds after the session's beginning."""

    item: AgendaItem
    starts_s: int
    ends_s: int


def planned(items: Sequence[AgendaItem]) -> Iterator[Planned]:
    """The items with their planned times; one without a time of its own follows at once."""
    at = 0
    for item in items:
        starts = at if item.starts_s is None else item.starts_s
        at = starts + item.duration_s
        yield Planned(item, starts, at)


def anchor(agenda: Agenda) -> datetime | None:
    """What planned times count from; None where nothing is planned and nothing has begun."""
    begins, began = agenda.begins_at, agenda.began_at
    if begins is None or (began is not None and abs(began - begins) > ANCHOR):
        return began
    return begins


def behind_s(agenda: Agenda, now: datetime) -> float | None:
    """How far behind the plan the session is; below 0: ahead. None: not begun, or finished.

    It is what the current item will end too late, if it ends on time or has overrun until now.
    """
    start = anchor(agenda)
    if agenda.current is None or start is None:
        return None
    plan = next(each for each in planned(agenda.items) if each.item.id == agenda.current)
    ends = agenda.visits[-1].started_at + timedelta(seconds=plan.item.duration_s)
    return (max(now, ends) - (start + timedelta(seconds=plan.ends_s))).total_seconds()


def agenda_resource(agenda: Agenda, now: datetime) -> Json:
    """``Agenda`` of the API. Cost: O(items + visits)."""
    start = anchor(agenda)
    visits: dict[str, list[Visit]] = {}
    for visit in agenda.visits:
        visits.setdefault(visit.item, []).append(visit)
    return {
        "scenario": agenda.scenario,
        "state": _state(agenda),
        "current": agenda.current,
        "begins_at": _time(agenda.begins_at),
        "began_at": _time(agenda.began_at),
        "finished_at": _time(agenda.finished_at),
        "behind_s": behind_s(agenda, now),
        "now": time_to_text(now),
        "items": [
            {
                **item_resource(plan.item),
                "planned_start": _after(start, plan.starts_s),
                "planned_end": _after(start, plan.ends_s),
                "held": [_visit(each) for each in visits.get(plan.item.id, ())],
            }
            for plan in planned(agenda.items)
        ],
        "duties": [duty_resource(each) for each in agenda.duties],
        "contingencies": [contingency_resource(each) for each in agenda.contingencies],
        "version": agenda.version,
    }


def item_resource(item: AgendaItem) -> Json:
    """An item as it is written."""
    polling = None if item.polling is None else asdict(item.polling)
    return {
        "id": item.id,
        "title": item.title,
        "duration_s": item.duration_s,
        "starts_s": item.starts_s,
        "speaker": item.speaker,
        "layout": item.layout,
        "broadcast": item.broadcast,
        "unmuted": None if item.unmuted is None else list(item.unmuted),
        "presentation": item.presentation,
        "polling": polling,
        "message": item.message,
        "note": item.note or None,
    }


def duty_resource(duty: Duty) -> Json:
    """Somebody on duty."""
    return {"role": duty.role, "name": duty.name, "phone": duty.phone, "bridge": duty.bridge}


def contingency_resource(contingency: Contingency) -> Json:
    """What is done when something fails."""
    return {"when": contingency.when, "then": contingency.then}


def agenda_event_data(event: AgendaEvent) -> Json:
    """The ``data`` of an agenda's event. Rooms read it too: no phone numbers, no notes."""
    match event:
        case AgendaAdvanced():
            return {"item": event.item, "title": event.title, "missing": list(event.missing)}
        case AgendaOverrun():
            return {"item": event.item, "title": event.title}
        case _:
            return {"items": len(event.items)}


def _state(agenda: Agenda) -> str:
    if agenda.current is not None:
        return "running"
    return "waiting" if agenda.finished_at is None else "finished"


def _visit(visit: Visit) -> Json:
    return {
        "started_at": time_to_text(visit.started_at),
        "ended_at": _time(visit.ended_at),
        "overran": visit.overran,
    }


def _after(start: datetime | None, seconds: int) -> str | None:
    return None if start is None else time_to_text(start + timedelta(seconds=seconds))


def _time(time: datetime | None) -> str | None:
    return None if time is None else time_to_text(time)
