"""The agenda of a conference: read with its clock, gone through, edited while it runs."""

from dataclasses import replace
from typing import Final

from aiohttp import web

from mcu.api import orders
from mcu.api.body import invalid_input
from mcu.api.call import Call, json_response
from mcu.api.csv_table import CSV_TYPE, csv_response
from mcu.api.openapi import ETAG_HEADER
from mcu.api.problem import Problem, forbidden
from mcu.api.resources.conferences import conference_of, controlled
from mcu.api.rights import Action
from mcu.api.route import BASE, Answer, Body, Route
from mcu.api.scenario_checks import fault_errors, registry_of
from mcu.api.scenario_documents import contingencies_of, duties_of, items_of
from mcu.api.scenario_tables import (
    AGENDA_COLUMNS,
    CONTINGENCY_COLUMNS,
    DUTY_COLUMNS,
    agenda_rows,
    contingency_rows,
    duty_rows,
)
from mcu.api.schemas.scenario import Agenda, AgendaJump, NewAgenda
from mcu.conference import scenario as domain
from mcu.conference.agenda_commands import (
    AgendaCommand,
    ChangeAgenda,
    JumpToItem,
    NextItem,
    PreviousItem,
)
from mcu.conference.agenda_resources import agenda_resource
from mcu.conference.scenario_rules import Registry, faults
from mcu.conference.scenario_units import named_units, succeeded
from mcu.conference.state import ConferenceState
from mcu.sentences import sentence

TAG: Final = "agenda"
PATH: Final = f"{BASE}/conferences/{{conference}}/agenda"


async def read_agenda(call: Call) -> web.Response:
    """What was planned, what has become of it."""
    state = await conference_of(call)
    _agenda(state)
    return _answer(call, state)


async def change_agenda(call: Call) -> web.Response:
    """Write the items anew, also while they are gone through; what else is given, too."""
    new = call.body(NewAgenda)
    state = await controlled(call)
    before = state.agenda or domain.Agenda()
    used = {*(each.id for each in before.items), *(each.item for each in before.visits)}
    given = new.model_fields_set
    command = ChangeAgenda(
        items_of(new, used),
        duties_of(new) if "duties" in given else None,
        contingencies_of(new) if "contingencies" in given else None,
        new.begins_at if "begins_at" in given else "kept",
    )
    roster = tuple(state.participants)
    # Units as they were when its rooms were put on the roster are known to it, living or not.
    held = {unit for who in state.participants.values() for unit in who.unit_path}
    plan = domain.Scenario(
        name=state.name,
        unit=state.unit,
        expected=roster,
        items=command.items,
        duties=command.duties or (),
    )
    after = await call.services.store.units.successors(named_units(plan) - held)
    plan = succeeded(plan, {unit: each for unit, each in after.items() if unit != state.unit})
    command = replace(command, items=plan.items)
    registry = await registry_of(call, plan)
    # Whoever is on the roster may be named, guests and rooms of other units too.
    known = Registry({*registry.bridges, *roster}, (), {*registry.units, *held}, after)
    found = faults(plan, known)
    if found:
        raise invalid_input(fault_errors(found))
    return await _ordered(call, state, command)


async def next_item(call: Call) -> web.Response:
    """Go on to the next item, or to the end."""
    return await _ordered(call, await controlled(call), NextItem())


async def previous_item(call: Call) -> web.Response:
    """Go back by one item."""
    return await _ordered(call, await controlled(call), PreviousItem())


async def jump_to_item(call: Call) -> web.Response:
    """Go to an item."""
    return await _ordered(call, await controlled(call), JumpToItem(call.body(AgendaJump).item))


async def export_agenda(call: Call) -> web.Response:
    """The agenda as a table, planned and actual."""
    state = await conference_of(call)
    agenda = _agenda(state)
    _require_whole(call, state)
    rows = agenda_rows(agenda, call.services.conferences.utcnow())
    return csv_response(f"agenda-{state.id}", AGENDA_COLUMNS, rows)


async def export_duties(call: Call) -> web.Response:
    """The duty roster as a table."""
    state = await conference_of(call)
    agenda = _agenda(state)
    _require_whole(call, state)
    return csv_response(f"duties-{state.id}", DUTY_COLUMNS, duty_rows(agenda.duties))


async def export_contingencies(call: Call) -> web.Response:
    """What is done when something fails, as a table."""
    state = await conference_of(call)
    agenda = _agenda(state)
    _require_whole(call, state)
    rows = contingency_rows(agenda.contingencies)
    return csv_response(f"contingencies-{state.id}", CONTINGENCY_COLUMNS, rows)


def _agenda(state: ConferenceState) -> domain.Agenda:
    if state.agenda is None:
        raise Problem("not-found", sentence("agenda.none-of", conference=state.id))
    return state.agenda


def _require_whole(call: Call, state: ConferenceState) -> None:
    if not call.reach.whole(state):
        raise forbidden(sentence("tables.not-for-rooms"))


async def _ordered(call: Call, state: ConferenceState, command: AgendaCommand) -> web.Response:
    return await orders.order(call, state.id, command, lambda now: _answer(call, now), _version)


def _version(state: ConferenceState) -> int:
    return 0 if state.agenda is None else state.agenda.version


def _answer(call: Call, state: ConferenceState) -> web.Response:
    agenda = state.agenda or domain.Agenda(version=0)
    document = agenda_resource(agenda, state.ended_at or call.services.conferences.utcnow())
    if not call.reach.whole(state):
        # Phone numbers and the operator's notes are nothing to other rooms.
        document |= {"duties": [], "contingencies": []}
        document["items"] = [each | {"note": None} for each in document["items"]]
    return json_response(Agenda.model_validate(document), version=agenda.version)


_AGENDA: Final = (Answer(200, "the agenda now", Agenda, headers=(ETAG_HEADER,)),)
_CSV: Final = (Answer(200, "CSV", media_type=CSV_TYPE),)

ROUTES: Final = (
    Route(
        "GET", PATH, "read_agenda", read_agenda,
        "A conference's agenda, planned and actual", TAG, Action.READ_CONFERENCES, _AGENDA,
    ),
    Route(
        "PUT", PATH, "change_agenda", change_agenda,
        "Write the agenda anew, also while it is gone through", TAG, Action.CONTROL_CONFERENCES,
        _AGENDA, body=Body(NewAgenda), conditional=True, problems=("conflict",),
    ),
    Route(
        "POST", f"{PATH}/next", "next_agenda_item", next_item,
        "Go on to the next item, or to the end", TAG, Action.CONTROL_CONFERENCES,
        _AGENDA, conditional=True,
    ),
    Route(
        "POST", f"{PATH}/back", "previous_agenda_item", previous_item,
        "Go back by one item", TAG, Action.CONTROL_CONFERENCES, _AGENDA, conditional=True,
    ),
    Route(
        "POST", f"{PATH}/jump", "jump_to_agenda_item", jump_to_item,
        "Go to an item; to the current one: set it once more", TAG, Action.CONTROL_CONFERENCES,
        _AGENDA, body=Body(AgendaJump), conditional=True,
    ),
    Route(
        "GET", f"{PATH}.csv", "export_agenda", export_agenda,
        "The agenda as a table, planned and actual", TAG, Action.READ_CONFERENCES, _CSV,
    ),
    Route(
        "GET", f"{PATH}/duties.csv", "export_duties", export_duties,
        "The duty roster as a table", TAG, Action.READ_CONFERENCES, _CSV,
    ),
    Route(
        "GET", f"{PATH}/contingencies.csv", "export_contingencies", export_contingencies,
        "What is done when something fails, as a table", TAG, Action.READ_CONFERENCES, _CSV,
    ),
)  # fmt: skip
