"""What has become of an agenda: which items were held, and how long the current may be."""

from dataclasses import replace
from datetime import datetime, timedelta

from mcu.conference.agenda_events import (
    AgendaAdvanced,
    AgendaChanged,
    AgendaEvent,
    AgendaOverrun,
)
from mcu.conference.scenario import Agenda, Visit

MAX_VISITS = 1_000
"""Kept on record; more is no agenda any more but somebody who plays with the keys."""


def overruns_at(agenda: Agenda) -> datetime | None:
    """When the current item will have taken longer than planned; None: it has, or there is none."""
    item = agenda.item
    if item is None or not agenda.visits or agenda.visits[-1].overran:
        return None
    return agenda.visits[-1].started_at + timedelta(seconds=item.duration_s)


def evolve_agenda(agenda: Agenda | None, event: AgendaEvent) -> Agenda:
    """The agenda after an event of its own."""
    agenda = agenda or Agenda(version=0)
    visits = agenda.visits
    match event:
        case AgendaChanged():
            agenda = replace(
                agenda,
                items=event.items,
                duties=event.duties,
                contingencies=event.contingencies,
                begins_at=event.begins_at,
            )
            item = agenda.item
            if item is not None and visits:
                over = event.at - visits[-1].started_at >= timedelta(seconds=item.duration_s)
                last = replace(visits[-1], overran=visits[-1].overran and over)
                agenda = replace(agenda, visits=(*visits[:-1], last))
        case AgendaAdvanced():
            held = event.item is not None and event.item == agenda.current
            if visits and visits[-1].ended_at is None and not held:
                visits = (*visits[:-1], replace(visits[-1], ended_at=event.at))
            if event.item is not None and not held:
                visits = (*visits, Visit(event.item, event.title, event.at))[-MAX_VISITS:]
            agenda = replace(
                agenda,
                current=event.item,
                began_at=agenda.began_at or event.at,
                finished_at=event.at if event.item is None else None,
                visits=visits,
                before=event.before,
            )
        case AgendaOverrun():
            agenda = replace(agenda, visits=(*visits[:-1], replace(visits[-1], overran=True)))
    return replace(agenda, version=agenda.version + 1)
