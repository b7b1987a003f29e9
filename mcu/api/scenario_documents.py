"""Scenarios between their forms: what clients send, what is stored, what is decided with."""

import json
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Any, Final

import yaml

from mcu.api.body import parse_model
from mcu.api.problem import Problem
from mcu.api.schemas.scenario import NewAgenda, NewAgendaItem, ScenarioBody
from mcu.conference import scenario as domain
from mcu.conference.agenda_resources import (
    contingency_resource,
    duty_resource,
    item_resource,
    planned,
)
from mcu.conference.codec import Json, time_to_text
from mcu.conference.state import ConferenceState
from mcu.sentences import sentence
from mcu.store.scenarios import ScenarioRecord

SUBTREE: Final = "subtree"


def items_of(agenda: NewAgenda, used: Collection[str] = ()) -> tuple[domain.AgendaItem, ...]:
    """The items; those without an id get one that is neither given nor ``used`` before."""
    taken = {*(item.id for item in agenda.items), *used}
    free = (f"i{number}" for number in count(1) if f"i{number}" not in taken)
    return tuple(_item(item, item.id or next(free)) for item in agenda.items)


def duties_of(agenda: NewAgenda) -> tuple[domain.Duty, ...]:
    """The duty roster."""
    return tuple(
        domain.Duty(each.role, each.name, each.phone, each.bridge) for each in agenda.duties
    )


def contingencies_of(agenda: NewAgenda) -> tuple[domain.Contingency, ...]:
    """What is done when something fails."""
    return tuple(domain.Contingency(each.when, each.then) for each in agenda.contingencies)


def scenario_of(body: ScenarioBody) -> domain.Scenario:
    """A scenario as it is decided with."""
    return domain.Scenario(
        name=body.name,
        unit=body.unit,
        expected=None if body.expected == SUBTREE else tuple(body.expected),
        chair=body.chair,
        layout=body.layout,
        begins_at=body.begins_at,
        items=items_of(body),
        duties=duties_of(body),
        contingencies=contingencies_of(body),
    )


def document_of(scenario: domain.Scenario) -> Json:
    """A scenario as clients read and send it, without its id."""
    return {
        "name": scenario.name,
        "unit": scenario.unit,
        "expected": SUBTREE if scenario.expected is None else list(scenario.expected),
        "chair": scenario.chair,
        "layout": scenario.layout,
        "begins_at": None if scenario.begins_at is None else time_to_text(scenario.begins_at),
        "items": [item_resource(each) for each in scenario.items],
        "duties": [duty_resource(each) for each in scenario.duties],
        "contingencies": [contingency_resource(each) for each in scenario.contingencies],
    }


def duration_s(scenario: domain.Scenario) -> int:
    """From the beginning to the planned end of the last item."""
    return max((plan.ends_s for plan in planned(scenario.items)), default=0)


def record_of(id_: str, scenario: domain.Scenario, now: datetime) -> ScenarioRecord:
    """What is stored of it."""
    text = json.dumps(document_of(scenario), ensure_ascii=False)
    return ScenarioRecord(id_, scenario.name, scenario.unit, text, now)


def read_record(record: ScenarioRecord) -> domain.Scenario:
    """What was stored.

    Raises:
        Problem: the store is damaged, or a newer version wrote it.
    """
    try:
        body = parse_model(record.document.encode(), ScenarioBody)
    except Problem as problem:
        raise Problem(
            "internal-error",
            sentence("scenario.unreadable", id=record.id, detail=problem.detail),
        ) from problem
    # Name and unit follow the registry: a unit that is merged takes its scenarios along.
    return replace(scenario_of(body), name=record.name, unit=record.unit)


def of_conference(state: ConferenceState) -> Json:
    """A scenario's document made from a conference as it is."""
    bridges = [who.bridge for who in state.participants.values() if who.bridge is not None]
    agenda = state.agenda or domain.Agenda()
    return document_of(
        domain.Scenario(
            name=state.name,
            unit=state.unit,
            expected=tuple(bridges),
            chair=state.chair if state.chair in bridges else None,
            layout=state.views["main"].layout,
            items=agenda.items,
            duties=agenda.duties,
            contingencies=agenda.contingencies,
        )
    )


def to_yaml(id_: str, scenario: domain.Scenario) -> str:
    """A scenario as a file that can be imported again; what says nothing is left out."""
    document = {"id": id_, **document_of(scenario)}
    return str(yaml.safe_dump(_said(document), allow_unicode=True, sort_keys=False, width=100))


def _said(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _said(each)
            for name, each in value.items()
            if each is not None and each is not False and (each != [] or name in KEPT_EMPTY)
        }
    return [_said(each) for each in value] if isinstance(value, list) else value


KEPT_EMPTY: Final = frozenset({"unmuted", "expected"})
"""An empty list says something else than none."""


def _item(item: NewAgendaItem, id_: str) -> domain.AgendaItem:
    polling = item.polling
    return domain.AgendaItem(
        id=id_,
        title=item.title,
        duration_s=item.duration_s,
        starts_s=item.starts_s,
        speaker=item.speaker,
        layout=item.layout,
        broadcast=item.broadcast,
        unmuted=None if item.unmuted is None else tuple(item.unmuted),
        presentation=item.presentation,
        polling=None if polling is None else domain.ItemPolling(polling.scope, polling.interval_s),
        message=item.message,
        note=item.note or "",
    )
