"""Agendas and duty rosters as rows of a table."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from mcu.conference.agenda_resources import anchor, planned
from mcu.conference.codec import time_to_text
from mcu.conference.scenario import Agenda, Contingency, Duty

AGENDA_COLUMNS: Final = (
    "place", "id", "title", "planned_start", "planned_end", "duration_s", "speaker", "layout",
    "broadcast", "unmuted", "presentation", "polling", "polling_s", "message", "note",
    "started_at", "ended_at", "actual_s", "overran",
)  # fmt: skip
"""Planned times without a date are times after the session's beginning."""
DUTY_COLUMNS: Final = ("role", "name", "phone", "bridge")
CONTINGENCY_COLUMNS: Final = ("when", "then")


def agenda_rows(agenda: Agenda, now: datetime | None = None) -> Iterator[tuple[object, ...]]:
    """One row for each time an item was held, one for each that was not.

    Args:
        now: for how long the current item has been held; None: that stays empty.
    """
    start = anchor(agenda)
    for place, plan in enumerate(planned(agenda.items), 1):
        item = plan.item
        planned_row = (
            place,
            item.id,
            item.title,
            _time(start, plan.starts_s),
            _time(start, plan.ends_s),
            item.duration_s,
            item.speaker,
            item.layout,
            "yes" if item.broadcast else None,
            None if item.unmuted is None else " ".join(item.unmuted),
            item.presentation,
            None if item.polling is None else item.polling.scope,
            None if item.polling is None else item.polling.interval_s,
            item.message,
            item.note,
        )
        visits = [each for each in agenda.visits if each.item == item.id]
        for visit in visits:
            ended = visit.ended_at or now
            yield (
                *planned_row,
                time_to_text(visit.started_at),
                None if visit.ended_at is None else time_to_text(visit.ended_at),
                None if ended is None else round((ended - visit.started_at).total_seconds()),
                "yes" if visit.overran else "no",
            )
        if not visits:
            yield (*planned_row, None, None, None, None)


def duty_rows(duties: Iterable[Duty]) -> Iterator[tuple[object, ...]]:
    """One row for each; the centre has no bridge."""
    return ((each.role, each.name, each.phone, each.bridge) for each in duties)


def contingency_rows(contingencies: Iterable[Contingency]) -> Iterator[tuple[object, ...]]:
    """One row for each."""
    return ((each.when, each.then) for each in contingencies)


def _time(start: datetime | None, seconds: int) -> str:
    if start is None:
        return str(timedelta(seconds=seconds))
    return time_to_text(start.astimezone(UTC) + timedelta(seconds=seconds))
