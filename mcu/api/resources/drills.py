"""Drills: faults injected on purpose, by hand or by a script, and what came of them."""

from typing import Final

from aiohttp import web

from mcu.api import orders
from mcu.api.call import Call, json_response, no_content
from mcu.api.csv_table import CSV_TYPE, csv_response, wants_csv
from mcu.api.openapi import ETAG_HEADER, LOCATION_HEADER
from mcu.api.problem import not_found
from mcu.api.resources.alarms import operator_name
from mcu.api.resources.conferences import conference_of, controlled, steer
from mcu.api.rights import Action
from mcu.api.route import BASE, Answer, Body, Route
from mcu.api.schemas.drill import Drill, DrillFault, NewFault, NewScript
from mcu.conference.commands import Command
from mcu.conference.drill import drill_of
from mcu.conference.drill_model import (
    ClearFaults,
    InjectFault,
    SetScript,
    StartScript,
    StopScript,
)
from mcu.conference.drill_resources import (
    FAULT_COLUMNS,
    drill_resource,
    fault_resource,
    fault_row,
)
from mcu.conference.state import ConferenceState

TAG: Final = "drills"
PATH: Final = f"{BASE}/conferences/{{conference}}/drill"
NOT_A_DRILL: Final = ("not-a-drill", "conflict")


async def read_drill(call: Call) -> web.Response:
    """All of it as JSON, or its faults as CSV."""
    state = await conference_of(call)
    call.reach.require_conference(Action.SEE_VIEW, state, "read the drill")
    document = drill_resource(state, drill_of(state))
    if wants_csv(call):
        rows = [fault_row(each) for each in document["faults"]]
        return csv_response(f"drill-{state.id}", FAULT_COLUMNS, rows)
    return json_response(Drill.model_validate(document), version=state.version)


async def inject_fault(call: Call) -> web.Response:
    """Put a fault into legs, from now on."""
    state = await controlled(call)
    command = InjectFault(call.body(NewFault).wish(), operator_name(call))

    def answer(now: ConferenceState) -> web.Response:
        made = drill_of(now).faults[-1]
        call.target = f"{BASE}/conferences/{now.id}/drill/faults/{made.number}"
        return json_response(
            DrillFault.model_validate(fault_resource(now, made)),
            201,
            version=now.version,
            location=call.target,
        )

    return await orders.order(call, state.id, command, answer, lambda now: now.version)


async def clear_fault(call: Call) -> web.Response:
    """End one; one that is over already stays as it is."""
    text = call.path("number")
    state = await controlled(call)
    number = int(text) if text.isdecimal() and len(text) < 10 else 0
    if all(one.number != number for one in drill_of(state).faults):
        raise not_found("fault", text)
    return await _clear(call, number)


async def clear_faults(call: Call) -> web.Response:
    """End all that last."""
    return await _clear(call, None)


async def set_script(call: Call) -> web.Response:
    """Replace the script, which must not run."""
    steps = tuple(one.step() for one in call.body(NewScript).steps)
    return await _steer(call, SetScript(steps, operator_name(call)))


async def start_script(call: Call) -> web.Response:
    """Run it from its beginning."""
    return await _steer(call, StartScript(operator_name(call)))


async def stop_script(call: Call) -> web.Response:
    """No more steps; faults that last go on."""
    return await _steer(call, StopScript(operator_name(call)))


async def _clear(call: Call, number: int | None) -> web.Response:
    return await steer(call, ClearFaults(number, operator_name(call)), lambda _: no_content())


async def _steer(call: Call, command: Command) -> web.Response:
    def answer(now: ConferenceState) -> web.Response:
        document = drill_resource(now, drill_of(now))
        return json_response(Drill.model_validate(document), version=now.version)

    return await steer(call, command, answer)


_DRILL_NOW: Final = (Answer(200, "the drill now", Drill, headers=(ETAG_HEADER,)),)

ROUTES: Final = (
    Route(
        "GET", PATH, "read_drill", read_drill,
        "Faults of a drill with the times of the staff, and its script", TAG, Action.SEE_VIEW,
        (Answer(200, "the drill", Drill, headers=(ETAG_HEADER,), other_types=(CSV_TYPE,)),),
        problems=("not-a-drill",),
    ),
    Route(
        "GET", f"{PATH}.csv", "export_drill", read_drill,
        "Faults of a drill as a table", TAG, Action.SEE_VIEW,
        (Answer(200, "a row for each fault", media_type=CSV_TYPE),), problems=("not-a-drill",),
    ),
    Route(
        "POST", f"{PATH}/faults", "inject_fault", inject_fault,
        "Put a fault into legs of a drill", TAG, Action.CONTROL_CONFERENCES,
        (Answer(201, "in effect", DrillFault, headers=(LOCATION_HEADER, ETAG_HEADER)),),
        body=Body(NewFault), conditional=True, problems=NOT_A_DRILL,
    ),
    Route(
        "DELETE", f"{PATH}/faults", "clear_faults", clear_faults,
        "End all faults of a drill", TAG, Action.CONTROL_CONFERENCES,
        (Answer(204, "none is left"),), conditional=True, problems=NOT_A_DRILL,
    ),
    Route(
        "DELETE", f"{PATH}/faults/{{number}}", "clear_fault", clear_fault,
        "End a fault of a drill", TAG, Action.CONTROL_CONFERENCES,
        (Answer(204, "over"),), conditional=True, problems=NOT_A_DRILL,
    ),
    Route(
        "PUT", f"{PATH}/script", "set_drill_script", set_script,
        "Write the script of a drill", TAG, Action.CONTROL_CONFERENCES,
        _DRILL_NOW, body=Body(NewScript), conditional=True, problems=NOT_A_DRILL,
    ),
    Route(
        "POST", f"{PATH}/script/start", "start_drill_script", start_script,
        "Run the script of a drill from its beginning", TAG, Action.CONTROL_CONFERENCES,
        _DRILL_NOW, conditional=True, problems=NOT_A_DRILL,
    ),
    Route(
        "POST", f"{PATH}/script/stop", "stop_drill_script", stop_script,
        "Stop the script of a drill", TAG, Action.CONTROL_CONFERENCES,
        _DRILL_NOW, conditional=True, problems=NOT_A_DRILL,
    ),
)  # fmt: skip
