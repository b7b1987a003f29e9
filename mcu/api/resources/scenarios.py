"""Scenarios: prepared, checked, copied, exported."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from mcu.api.body import MAX_ERRORS, invalid_input, parse_model, read_json
from mcu.api.call import Call, json_response, no_content
from mcu.api.csv_table import CSV_TYPE, csv_response, every, long_csv, wants_csv
from mcu.api.openapi import ETAG_HEADER, LOCATION_HEADER
from mcu.api.problem import FieldError, Problem, invalid
from mcu.api.rights import Action
from mcu.api.route import BASE, Answer, Body, Route
from mcu.api.scenario_checks import Checked, as_of_now, check_document, fault_errors
from mcu.api.scenario_documents import (
    document_of,
    duration_s,
    of_conference,
    read_record,
    record_of,
    to_yaml,
)
from mcu.api.scenario_tables import (
    AGENDA_COLUMNS,
    CONTINGENCY_COLUMNS,
    DUTY_COLUMNS,
    agenda_rows,
    contingency_rows,
    duty_rows,
)
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
    ScenarioTemplate,
    Validation,
)
from mcu.api.yaml_text import YAML_TYPES, read_yaml
from mcu.conference import scenario as domain
from mcu.conference.actor import new_id
from mcu.conference.scenario_rules import faults
from mcu.sentences import sentence
from mcu.store import paging
from mcu.store.errors import InvalidRecord
from mcu.store.scenarios import ScenarioRecord, checked

TAG: Final = "scenarios"
PATH: Final = f"{BASE}/scenarios"
MAX_IMPORT: Final = 50
COLUMNS: Final = ("id", "name", "unit", "begins_at", "items", "duration_s", "changed_at")
HEAD: Final = ("id", "template")
"""What stands beside a new scenario's own members."""


async def list_scenarios(call: Call) -> web.Response:
    """One page of the scenarios within reach; as CSV all of them."""
    query = call.query(ScenarioQuery)
    within = call.who.token.unit
    if query.unit is not None:
        call.reach.require_unit(Action.READ_SCENARIOS, query.unit, "read scenarios")
        within = query.unit
    scenarios = call.services.store.scenarios
    if wants_csv(call):
        found = await every(
            lambda cursor: scenarios.list(within=within, limit=paging.MAX_LIMIT, cursor=cursor)
        )
        return await long_csv("scenarios", COLUMNS, map(_row, found))
    page = await scenarios.list(within=within, limit=query.limit, cursor=query.cursor)
    items = [_summary(record, read_record(record)) for record in page.items]
    return json_response(Page[ScenarioSummary](items=items, next_cursor=page.next_cursor))


async def create_scenario(call: Call) -> web.Response:
    """Keep a scenario, from nothing or from a template."""
    found = await _new(call)
    if found.errors and found.taken is not None:
        raise invalid_input([*found.errors, found.taken][:MAX_ERRORS])
    scenario = found.usable()
    (record,) = await call.services.store.scenarios.create(
        [record_of(found.id or new_id("s-"), scenario, call.services.now())]
    )
    call.target = f"{PATH}/{record.id}"
    return _answer(record, 201)


async def import_scenarios(call: Call) -> web.Response:
    """Keep the scenarios of a YAML file, all or none."""
    document = await asyncio.to_thread(read_yaml, call.text())
    many = isinstance(document, dict) and set(document) == {"scenarios"}
    found = document["scenarios"] if many else [document]
    if not isinstance(found, list) or not 1 <= len(found) <= MAX_IMPORT:
        raise invalid("$.scenarios", sentence("scenarios.list", most=MAX_IMPORT))
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
    """Say what is wrong with a scenario that is to be kept, and keep nothing."""
    found = await _new(call)
    errors = found.errors if found.taken is None else [*found.errors, found.taken]
    if not found.well_formed or found.scenario is None:
        raise invalid_input(errors[:MAX_ERRORS])
    return json_response(
        Validation(
            valid=not errors,
            errors=[ScenarioFault(**error.to_json()) for error in errors[:MAX_ERRORS]],
            items=len(found.scenario.items),
            duration_s=duration_s(found.scenario),
            expected=found.expected,
        )
    )


async def read_scenario(call: Call) -> web.Response:
    """One scenario."""
    return _answer(await scenario_record(call, call.path("scenario")))


async def replace_scenario(call: Call) -> web.Response:
    """Write it anew, whole."""
    record = await scenario_record(call, call.path("scenario"), Action.WRITE_SCENARIOS)
    return await _write(call, record, read_json(call.data))


async def change_scenario(call: Call) -> web.Response:
    """Change what is given."""
    record = await scenario_record(call, call.path("scenario"), Action.WRITE_SCENARIOS)
    given = read_json(call.data)
    if isinstance(given, dict):
        given = document_of(read_record(record)) | given
    return await _write(call, record, given)


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


async def export_contingencies(call: Call) -> web.Response:
    """What is done when something fails, as a table."""
    record = await scenario_record(call, call.path("scenario"))
    rows = contingency_rows(read_record(record).contingencies)
    return csv_response(f"contingencies-{record.id}", CONTINGENCY_COLUMNS, rows)


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
    scenario, registry = await as_of_now(call, read_record(await scenario_record(call, id_)))
    found = faults(scenario, registry)
    if found:
        raise invalid_input(fault_errors(found, "$.scenario"))
    return scenario


@dataclass(frozen=True, slots=True)
class _New(Checked):
    """A scenario that is to be kept; ``taken``: its id is, which is no fault of its form."""

    id: str | None = None
    taken: FieldError | None = None


async def _new(call: Call) -> _New:
    return await _checked_new(call, read_json(call.data))


async def _checked_new(call: Call, document: Any) -> _New:
    """A scenario with its id, or what it is made from; raises as ``check_document``."""
    form, id_, template = _head(document)
    if isinstance(document, dict):
        document = {name: each for name, each in document.items() if name not in HEAD}
        if template is not None:
            document = await _template(call, template) | document
    found = await check_document(call, document, form)
    errors, taken = list(found.errors), None
    if id_ is not None:
        try:
            checked(ScenarioRecord(id_, "x", "x", "", call.services.now()))
        except InvalidRecord as error:
            errors.append(FieldError("$.id", error.reason))
        if await call.services.store.scenarios.exists(id_):
            taken = FieldError("$.id", sentence("scenario.taken", id=id_))
    return _New(found.scenario, errors, found.well_formed, found.expected, id_, taken)


def _head(document: Any) -> tuple[list[FieldError], str | None, ScenarioTemplate | None]:
    """What is no member of a scenario but said with one: what is wrong with it, and what it is."""
    if not isinstance(document, dict):
        return [], None, None
    errors: list[FieldError] = []
    read: list[NewScenario] = []
    for name in HEAD:
        try:
            read.append(parse_model(json.dumps({name: document.get(name)}).encode(), NewScenario))
        except Problem as problem:
            errors += problem.errors
            read.append(NewScenario())
    return errors, read[0].id, read[1].template


async def _write(call: Call, record: ScenarioRecord, document: Any) -> web.Response:
    call.refuse_other_echo(_document(record))
    version = call.if_version(record.version)
    scenario = (await check_document(call, document)).usable()
    if scenario == read_record(record):
        return _answer(record)
    written = await call.services.store.scenarios.update(
        record_of(record.id, scenario, call.services.now()), if_version=version
    )
    return _answer(written)


async def _template(call: Call, template: ScenarioTemplate) -> dict[str, Any]:
    if template.scenario is not None:
        return document_of(read_record(await scenario_record(call, template.scenario)))
    state = await call.services.conferences.read(template.conference or "")
    call.reach.require_conference(Action.CONTROL_CONFERENCES, state, "make a scenario")
    return of_conference(state)


async def _imported(call: Call, document: Any) -> ScenarioRecord:
    # Times that YAML knows become text again: bodies are read as JSON is.
    document = read_json(json.dumps(document, default=str).encode())
    if isinstance(document, dict) and document.get("template") is not None:
        raise invalid("$.template", sentence("scenarios.no-template"))
    found = await _checked_new(call, document)
    return record_of(found.id or new_id("s-"), found.usable(), call.services.now())


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


def _row(record: ScenarioRecord) -> Sequence[object]:
    """A scenario in a table."""
    document = _summary(record, read_record(record)).model_dump(mode="json")
    return [document[name] for name in COLUMNS]


def _document(record: ScenarioRecord) -> Scenario:
    document = document_of(read_record(record)) | {
        "id": record.id,
        "changed_at": record.changed_at,
        "version": record.version,
    }
    return Scenario.model_validate(document)


def _answer(record: ScenarioRecord, status: int = 200) -> web.Response:
    return json_response(
        _document(record),
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
        (Answer(200, "one page", Page[ScenarioSummary], other_types=(CSV_TYPE,)),),
        query=ScenarioQuery,
    ),
    Route(
        "GET", f"{PATH}.csv", "export_scenarios", list_scenarios,
        "Scenarios within reach as a table", TAG, Action.READ_SCENARIOS,
        (Answer(200, "a row for each scenario", media_type=CSV_TYPE),), query=ScenarioQuery,
    ),
    Route(
        "POST", PATH, "create_scenario", create_scenario,
        "Keep a scenario, from nothing or from a template", TAG, Action.WRITE_SCENARIOS,
        (Answer(201, "kept", Scenario, headers=(LOCATION_HEADER, ETAG_HEADER)),),
        body=Body(NewScenario, parsed=False), problems=("not-found",),
    ),
    Route(
        "POST", f"{PATH}:import", "import_scenarios", import_scenarios,
        "Keep the scenarios of a YAML file, all or none", TAG, Action.WRITE_SCENARIOS,
        (Answer(201, "all kept", ImportedScenarios),), body=Body(media_types=YAML_TYPES),
    ),
    Route(
        "POST", f"{PATH}:validate", "validate_scenario", validate_scenario,
        "Say what is wrong with a scenario, and keep nothing", TAG, Action.WRITE_SCENARIOS,
        (Answer(200, "what is wrong", Validation),), body=Body(NewScenario, parsed=False),
        problems=("not-found",),
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
        "GET", f"{_ONE}/contingencies.csv", "export_scenario_contingencies", export_contingencies,
        "What a scenario says is done when something fails, as a table", TAG,
        Action.READ_SCENARIOS, (Answer(200, "CSV", media_type=CSV_TYPE),),
    ),
    Route(
        "GET", _ONE, "read_scenario", read_scenario,
        "One scenario", TAG, Action.READ_SCENARIOS, _SCENARIO,
    ),
    Route(
        "PUT", _ONE, "replace_scenario", replace_scenario,
        "Write a scenario anew", TAG, Action.WRITE_SCENARIOS,
        _SCENARIO, body=Body(ScenarioBody, parsed=False, echo=Scenario), conditional=True,
    ),
    Route(
        "PATCH", _ONE, "change_scenario", change_scenario,
        "Change what is given of a scenario", TAG, Action.WRITE_SCENARIOS,
        _SCENARIO, body=Body(ScenarioChange, parsed=False, echo=Scenario), conditional=True,
    ),
    Route(
        "DELETE", _ONE, "delete_scenario", delete_scenario,
        "Delete a scenario; conferences keep their copy", TAG, Action.WRITE_SCENARIOS,
        (Answer(204, "deleted"),), conditional=True,
    ),
)  # fmt: skip
