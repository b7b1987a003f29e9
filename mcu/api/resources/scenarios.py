"""Scenarios: prepared, checked, copied, exported."""

import asyncio
import json
from typing import Any, Final

from aiohttp import web

from mcu.api.body import MAX_ERRORS, invalid_input, parse_model
from mcu.api.call import Call, json_response, no_content
from mcu.api.csv_table import CSV_TYPE, csv_response
from mcu.api.errors import body_path
from mcu.api.openapi import ETAG_HEADER, LOCATION_HEADER
from mcu.api.problem import FieldError, Problem, invalid
from mcu.api.rights import Action
from mcu.api.route import BASE, Answer, Body, Route
from mcu.api.scenario_documents import (
    document_of,
    duration_s,
    of_conference,
    read_record,
    record_of,
    scenario_of,
    to_yaml,
)
from mcu.api.scenario_tables import AGENDA_COLUMNS, DUTY_COLUMNS, agenda_rows, duty_rows
from mcu.api.schemas.base import Page
from mcu.api.schemas.scenario import (
    ImportedScenarios,
    NewScenario,
    Scenario,
    ScenarioBody,
    ScenarioChange,
    ScenarioFault,
    ScenarioQuery,
    ScenarioSummary,
    Validation,
)
from mcu.api.yaml_text import YAML_TYPES, read_yaml
from mcu.conference import scenario as domain
from mcu.conference.actor import new_id
from mcu.conference.scenario_rules import (
    Fault,
    Registry,
    faults,
    named_bridges,
    named_units,
)
from mcu.store.scenarios import ScenarioRecord

TAG: Final = "scenarios"
PATH: Final = f"{BASE}/scenarios"
MAX_IMPORT: Final = 50


async def list_scenarios(call: Call) -> web.Response:
    """One page of the scenarios within reach."""
    query = call.query(ScenarioQuery)
    within = call.who.token.unit
    if query.unit is not None:
        call.reach.require_unit(Action.READ_SCENARIOS, query.unit, "read scenarios")
        within = query.unit
    page = await call.services.store.scenarios.list(
        within=within, limit=query.limit, cursor=query.cursor
    )
    items = [_summary(record, read_record(record)) for record in page.items]
    return json_response(Page[ScenarioSummary](items=items, next_cursor=page.next_cursor))


async def create_scenario(call: Call) -> web.Response:
    """Keep a scenario, from nothing or from a template."""
    new = call.body(NewScenario)
    given = _given(new, "id", "template")
    if new.template is not None:
        given = await _template(call, new) | given
    scenario = await _checked(call, _parsed(given))
    id_ = new.id or new_id("s-")
    (record,) = await call.services.store.scenarios.create(
        [record_of(id_, scenario, call.services.now())]
    )
    call.target = f"{PATH}/{record.id}"
    return _answer(record, 201)


async def import_scenarios(call: Call) -> web.Response:
    """Keep the scenarios of a YAML file, all or none."""
    document = await asyncio.to_thread(read_yaml, call.text())
    many = isinstance(document, dict) and set(document) == {"scenarios"}
    found = document["scenarios"] if many else [document]
    if not isinstance(found, list) or not 1 <= len(found) <= MAX_IMPORT:
        raise invalid("$.scenarios", f"must be a list of 1 to {MAX_IMPORT} scenarios")
    records: list[ScenarioRecord] = []
    errors: list[FieldError] = []
    for index, each in enumerate(found):
        try:
            records.append(await _imported(call, each))
        except Problem as problem:
            if problem.kind != "invalid-input":
                raise
            prefix = f"$.scenarios[{index}]" if many else "$"
            errors += [
                FieldError(prefix + error.field.removeprefix("$"), error.message)
                for error in problem.errors
            ]
    if errors:
        raise invalid_input(errors[:MAX_ERRORS])
    made = await call.services.store.scenarios.create(records)
    return json_response(ImportedScenarios(created=[each.id for each in made]), 201)


async def validate_scenario(call: Call) -> web.Response:
    """Say what is wrong with a scenario, and keep nothing."""
    body = _parsed(_given(call.body(ScenarioChange)))
    call.reach.require_unit(Action.READ_SCENARIOS, body.unit, "check scenarios")
    scenario = scenario_of(body)
    registry = await registry_of(call, scenario)
    found = faults(scenario, registry)
    expected = registry.subtree if scenario.expected is None else scenario.expected
    return json_response(
        Validation(
            valid=not found,
            errors=[
                ScenarioFault(field=body_path(fault.field), message=fault.message)
                for fault in found
            ],
            items=len(scenario.items),
            duration_s=duration_s(scenario),
            expected=len(expected),
        )
    )


async def read_scenario(call: Call) -> web.Response:
    """One scenario."""
    return _answer(await scenario_record(call, call.path("scenario")))


async def replace_scenario(call: Call) -> web.Response:
    """Write it anew, whole."""
    record = await scenario_record(call, call.path("scenario"), Action.WRITE_SCENARIOS)
    return await _write(call, record, call.body(ScenarioBody))


async def change_scenario(call: Call) -> web.Response:
    """Change what is given."""
    record = await scenario_record(call, call.path("scenario"), Action.WRITE_SCENARIOS)
    given = _given(call.body(ScenarioChange))
    return await _write(call, record, _parsed(document_of(read_record(record)) | given))


async def delete_scenario(call: Call) -> web.Response:
    """Delete it; conferences started from it keep their copy."""
    record = await scenario_record(call, call.path("scenario"), Action.WRITE_SCENARIOS)
    version = call.if_version(record.version)
    await call.services.store.scenarios.delete(record.id, if_version=version)
    return no_content()


async def export_scenario(call: Call) -> web.Response:
    """A file that can be imported again."""
    record = await scenario_record(call, call.path("scenario"))
    text = to_yaml(record.id, read_record(record))
    return web.Response(
        body=text.encode(),
        content_type=YAML_TYPES[0],
        charset="utf-8",
        headers={"Content-Disposition": f'attachment; filename="{record.id}.yaml"'},
    )


async def export_agenda(call: Call) -> web.Response:
    """The agenda as a table."""
    record = await scenario_record(call, call.path("scenario"))
    scenario = read_record(record)
    agenda = domain.agenda_of(scenario, record.id)
    return csv_response(f"agenda-{record.id}", AGENDA_COLUMNS, agenda_rows(agenda))


async def export_duties(call: Call) -> web.Response:
    """The duty roster as a table."""
    record = await scenario_record(call, call.path("scenario"))
    return csv_response(f"duties-{record.id}", DUTY_COLUMNS, duty_rows(read_record(record).duties))


async def scenario_record(
    call: Call, id_: str, action: Action = Action.READ_SCENARIOS
) -> ScenarioRecord:
    """A scenario to which the token may do this; raises ``Problem``, ``UnknownRecord``."""
    record = await call.services.store.scenarios.get(id_)
    what = "read scenarios" if action == Action.READ_SCENARIOS else "change scenarios"
    call.reach.require_unit(action, record.unit, what)
    return record


async def usable_scenario(call: Call, id_: str) -> domain.Scenario:
    """A scenario that a conference is to be started from.

    Raises:
        Problem: out of reach, or it cannot be carried out (any more): with every fault.
        UnknownRecord, StoreUnavailable.
    """
    scenario = read_record(await scenario_record(call, id_))
    found = faults(scenario, await registry_of(call, scenario))
    if found:
        raise invalid_input(field_errors(found, "$.scenario"))
    return scenario


async def registry_of(call: Call, scenario: domain.Scenario) -> Registry:
    """What a scenario refers to, as far as the token reaches. Cost: three queries."""
    store = call.services.store
    known = await store.bridges.get_many(named_bridges(scenario))
    bridges = {
        bridge.id
        for bridge in known.values()
        if call.reach.bridge(Action.CONTROL_CONFERENCES, bridge.id, bridge.unit)
    }
    subtree: list[str] = []
    if scenario.expected is None:
        subtree = [bridge.id for bridge in await store.bridges.of_subtree(scenario.unit)]
    units = await store.units.paths(named_units(scenario))
    return Registry(bridges, subtree, set(units))


def field_errors(found: list[Fault], prefix: str = "$") -> list[FieldError]:
    """Faults as an answer names them."""
    return [
        FieldError(prefix + body_path(fault.field).removeprefix("$"), fault.message)
        for fault in found
    ][:MAX_ERRORS]


async def _checked(call: Call, body: ScenarioBody) -> domain.Scenario:
    call.reach.require_unit(Action.WRITE_SCENARIOS, body.unit, "keep a scenario")
    scenario = scenario_of(body)
    found = faults(scenario, await registry_of(call, scenario))
    if found:
        raise invalid_input(field_errors(found))
    return scenario


async def _write(call: Call, record: ScenarioRecord, body: ScenarioBody) -> web.Response:
    version = call.if_version(record.version)
    scenario = await _checked(call, body)
    written = await call.services.store.scenarios.update(
        record_of(record.id, scenario, call.services.now()), if_version=version
    )
    return _answer(written)


async def _template(call: Call, new: NewScenario) -> dict[str, Any]:
    template = new.template
    assert template is not None  # noqa: S101 - the caller looked
    if template.scenario is not None:
        return document_of(read_record(await scenario_record(call, template.scenario)))
    state = await call.services.conferences.read(template.conference or "")
    call.reach.require_conference(Action.CONTROL_CONFERENCES, state, "make a scenario")
    return of_conference(state)


async def _imported(call: Call, document: Any) -> ScenarioRecord:
    # Times that YAML knows become text again: bodies are read as JSON is.
    text = json.dumps(document, default=str)
    new = parse_model(text.encode(), NewScenario)
    if new.template is not None:
        raise invalid("$.template", "is not known in files")
    scenario = await _checked(call, _parsed(_given(new, "id", "template")))
    return record_of(new.id or new_id("s-"), scenario, call.services.now())


def _given(new: ScenarioChange, *but: str) -> dict[str, Any]:
    """What was given, as JSON."""
    return new.model_dump(mode="json", include=new.model_fields_set - set(but))


def _parsed(document: dict[str, Any]) -> ScenarioBody:
    return parse_model(json.dumps(document).encode(), ScenarioBody)


def _summary(record: ScenarioRecord, scenario: domain.Scenario) -> ScenarioSummary:
    return ScenarioSummary(
        id=record.id,
        name=record.name,
        unit=record.unit,
        begins_at=scenario.begins_at,
        items=len(scenario.items),
        duration_s=duration_s(scenario),
        changed_at=record.changed_at,
        version=record.version,
    )


def _answer(record: ScenarioRecord, status: int = 200) -> web.Response:
    document = document_of(read_record(record)) | {
        "id": record.id,
        "changed_at": record.changed_at,
        "version": record.version,
    }
    return json_response(
        Scenario.model_validate(document),
        status,
        version=record.version,
        location=f"{PATH}/{record.id}" if status == 201 else None,
    )


_SCENARIO: Final = (Answer(200, "the scenario", Scenario, headers=(ETAG_HEADER,)),)
_ONE: Final = f"{PATH}/{{scenario}}"

ROUTES: Final = (
    Route(
        "GET", PATH, "list_scenarios", list_scenarios,
        "Scenarios within reach, by id", TAG, Action.READ_SCENARIOS,
        (Answer(200, "one page", Page[ScenarioSummary]),), query=ScenarioQuery,
    ),
    Route(
        "POST", PATH, "create_scenario", create_scenario,
        "Keep a scenario, from nothing or from a template", TAG, Action.WRITE_SCENARIOS,
        (Answer(201, "kept", Scenario, headers=(LOCATION_HEADER, ETAG_HEADER)),),
        body=Body(NewScenario), problems=("not-found",),
    ),
    Route(
        "POST", f"{PATH}:import", "import_scenarios", import_scenarios,
        "Keep the scenarios of a YAML file, all or none", TAG, Action.WRITE_SCENARIOS,
        (Answer(201, "all kept", ImportedScenarios),), body=Body(media_types=YAML_TYPES),
    ),
    Route(
        "POST", f"{PATH}:validate", "validate_scenario", validate_scenario,
        "Say what is wrong with a scenario, and keep nothing", TAG, Action.READ_SCENARIOS,
        (Answer(200, "what is wrong", Validation),), body=Body(ScenarioChange),
    ),
    Route(
        "GET", f"{_ONE}.yaml", "export_scenario", export_scenario,
        "A scenario as a file that can be imported again", TAG, Action.READ_SCENARIOS,
        (Answer(200, "YAML", media_type=YAML_TYPES[0]),),
    ),
    Route(
        "GET", f"{_ONE}/agenda.csv", "export_scenario_agenda", export_agenda,
        "A scenario's agenda as a table", TAG, Action.READ_SCENARIOS,
        (Answer(200, "CSV", media_type=CSV_TYPE),),
    ),
    Route(
        "GET", f"{_ONE}/duties.csv", "export_scenario_duties", export_duties,
        "A scenario's duty roster as a table", TAG, Action.READ_SCENARIOS,
        (Answer(200, "CSV", media_type=CSV_TYPE),),
    ),
    Route(
        "GET", _ONE, "read_scenario", read_scenario,
        "One scenario", TAG, Action.READ_SCENARIOS, _SCENARIO,
    ),
    Route(
        "PUT", _ONE, "replace_scenario", replace_scenario,
        "Write a scenario anew", TAG, Action.WRITE_SCENARIOS,
        _SCENARIO, body=Body(ScenarioBody), conditional=True,
    ),
    Route(
        "PATCH", _ONE, "change_scenario", change_scenario,
        "Change what is given of a scenario", TAG, Action.WRITE_SCENARIOS,
        _SCENARIO, body=Body(ScenarioChange), conditional=True,
    ),
    Route(
        "DELETE", _ONE, "delete_scenario", delete_scenario,
        "Delete a scenario; conferences keep their copy", TAG, Action.WRITE_SCENARIOS,
        (Answer(204, "deleted"),), conditional=True,
    ),
)  # fmt: skip
