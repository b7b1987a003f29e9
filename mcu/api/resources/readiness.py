"""Readiness checks: begun, followed, confirmed by rooms, repeated for one; history of a room."""

import json
from collections.abc import Sequence
from typing import Final

from aiohttp import web

from mcu.api.call import Call, json_response, no_content
from mcu.api.csv_table import CSV_TYPE, csv_response, every, long_csv, wants_csv
from mcu.api.openapi import LOCATION_HEADER
from mcu.api.problem import invalid, not_found
from mcu.api.resources.bridges import bridge_of
from mcu.api.resources.scenarios import usable_scenario
from mcu.api.rights import Action
from mcu.api.route import BASE, Answer, Body, Route
from mcu.api.schemas.base import Page, PageQuery
from mcu.api.schemas.readiness import (
    NewConfirmation,
    NewReadinessCheck,
    ReadinessCheck,
    ReadinessCounts,
    ReadinessHistory,
    ReadinessNow,
    ReadinessQuery,
    ReadinessRoom,
    ReadinessSummary,
    RecordedConfiguration,
)
from mcu.conference.scenario import Duty
from mcu.readiness.entries import entries_of
from mcu.readiness.model import (
    MAX_ROOMS,
    AcceptConfiguration,
    CancelCheck,
    Check,
    Command,
    ConfirmSound,
    RecheckRoom,
)
from mcu.readiness.resources import COLUMNS, check_resource, row_of
from mcu.readiness.service import NewCheck
from mcu.sentences import sentence
from mcu.store import paging, records
from mcu.store.readiness import CheckRow

TAG: Final = "readiness checks"
PATH: Final = f"{BASE}/readiness-checks"
ONE: Final = f"{PATH}/{{check}}"
ROOM: Final = f"{ONE}/rooms/{{bridge}}"
HISTORY: Final = f"{BASE}/bridges/{{bridge}}/readiness"
SUMMARY: Final = (
    "id", "name", "unit", "scenario", "due", "began_at", "ended_at", "go", "no_go",
)  # fmt: skip


async def list_checks(call: Call) -> web.Response:
    """One page of the checks within reach, the newest first; as CSV all of them."""
    query = call.query(ReadinessQuery)
    within = call.who.token.unit
    if call.who.token.role == "bridge":
        if wants_csv(call):
            return csv_response("readiness-checks", SUMMARY, [])
        return json_response(Page[ReadinessSummary](items=[]))
    if query.unit is not None:
        call.reach.require_unit(Action.READ_READINESS, query.unit, "read readiness checks")
        within = query.unit
    checks = call.services.store.readiness
    if wants_csv(call):
        found = await every(
            lambda cursor: checks.list(within=within, limit=paging.MAX_LIMIT, cursor=cursor)
        )
        return await long_csv("readiness-checks", SUMMARY, map(_row, found))
    page = await checks.list(within=within, limit=query.limit, cursor=query.cursor)
    items = [_summary(row) for row in page.items]
    return json_response(Page[ReadinessSummary](items=items, next_cursor=page.next_cursor))


async def begin_check(call: Call) -> web.Response:
    """Check some bridges, those of a running conference, or those a scenario expects."""
    new = call.body(NewReadinessCheck)
    store = call.services.store
    name, unit, conference = new.name, new.unit, None
    duties: Sequence[Duty] = ()
    if new.conference is not None:
        state = call.services.conferences.get(new.conference)
        call.reach.require_conference(Action.CONTROL_CONFERENCES, state, "check the rooms")
        name, unit, conference = name or state.name, unit or state.unit, state.id
        wanted = [who.bridge for who in state.participants.values() if who.bridge is not None]
        duties = () if state.agenda is None else state.agenda.duties
        field = "$.conference"
    elif new.scenario is not None:
        scenario = await usable_scenario(call, new.scenario)
        name, unit = name or scenario.name, unit or scenario.unit
        wanted = list(scenario.expected or ())
        if scenario.expected is None:
            wanted = [each.id for each in await store.bridges.of_subtree(scenario.unit)]
        conference, duties = _held_from(call, new.scenario), scenario.duties
        field = "$.scenario"
    else:
        wanted = list(dict.fromkeys(new.bridges or ()))
        field = "$.bridges"
    if not wanted:
        raise invalid(field, sentence("check.no-rooms"))
    if len(wanted) > MAX_ROOMS:
        raise invalid(field, sentence("check.too-many-rooms", count=len(wanted), most=MAX_ROOMS))
    bridges = await _bridges(call, wanted, field)
    if unit is None:
        unit = call.who.token.unit or (await store.units.path(bridges[0].unit))[0]
    call.reach.require_unit(Action.CONTROL_CONFERENCES, unit, "check rooms")
    check = await call.services.readiness.begin(
        NewCheck(
            name=name or bridges[0].name,
            unit=unit,
            by=_name(call),
            rooms=entries_of(bridges, duties),
            conference=conference,
            scenario=new.scenario,
        )
    )
    call.target = f"{PATH}/{check.id}"
    return _answer(check, 201, call.target)


async def read_check(call: Call) -> web.Response:
    """One with its rooms; as JSON, or its rooms as CSV."""
    check = await _check(call)
    if wants_csv(call):
        rows = [row_of(room) for room in check_resource(check)["rooms"]]
        return csv_response(f"readiness-{check.id}", COLUMNS, rows)
    return _answer(check)


async def cancel_check(call: Call) -> web.Response:
    """End it now; what was found so far stays."""
    check = await _check(call, Action.CONTROL_CONFERENCES)
    await call.services.readiness.order(check.id, CancelCheck(_name(call)))
    return no_content()


async def recheck_room(call: Call) -> web.Response:
    """Check one room once more."""
    return await _order(call, RecheckRoom(call.path("bridge"), _name(call)))


async def accept_configuration(call: Call) -> web.Response:
    """Record a room's configuration as it was measured."""
    return await _order(call, AcceptConfiguration(call.path("bridge"), _name(call)))


async def confirm_sound(call: Call) -> web.Response:
    """A room says whether it hears the test tone; also an operator, who has called it."""
    bridge = await bridge_of(call, Action.CONFIRM_SOUND, "confirm the sound of")
    new = call.body(NewConfirmation)
    command = ConfirmSound(bridge.id, new.heard, new.loopback, _name(call))
    if await call.services.readiness.order(call.path("check"), command) is None:
        raise not_found("readiness check", call.path("check"))
    return no_content()


async def read_history(call: Call) -> web.Response:
    """What came of a room's checks; whether it is in one now."""
    bridge = await bridge_of(call, Action.READ_READINESS, "read the readiness of")
    query = call.query(PageQuery)
    store = call.services.store.readiness
    if wants_csv(call):
        found = await every(
            lambda cursor: store.history(bridge.id, limit=paging.MAX_LIMIT, cursor=cursor)
        )
        told = map(json.loads, [row.document for row in found])
        table = ([room["check"], *row_of(room)] for room in told)
        return await long_csv(f"readiness-{bridge.id}", ("check", *COLUMNS), table)
    page = await store.history(bridge.id, limit=query.limit, cursor=query.cursor)
    rooms = [json.loads(row.document) for row in page.items]
    recorded = await store.recorded_row(bridge.id)
    return json_response(
        ReadinessHistory(
            current=_now(call, bridge.id),
            recorded=None
            if recorded is None
            else RecordedConfiguration(
                accepted_at=recorded.accepted_at,
                accepted_by=recorded.accepted_by,
                configuration=json.loads(recorded.document),
            ),
            items=[ReadinessRoom.model_validate(room) for room in rooms],
            next_cursor=page.next_cursor,
        )
    )


async def _order(call: Call, command: Command) -> web.Response:
    check = await _check(call, Action.CONTROL_CONFERENCES)
    after = await call.services.readiness.order(check.id, command)
    return _answer(after or check)


async def _check(call: Call, action: Action = Action.READ_READINESS) -> Check:
    check = await call.services.readiness.read(call.path("check"))
    if check is None:
        raise not_found("readiness check", call.path("check"))
    reading = action == Action.READ_READINESS
    call.reach.require_unit(action, check.unit, f"{'read' if reading else 'steer'} this check")
    return check


async def _bridges(call: Call, wanted: list[str], field: str) -> list[records.Bridge]:
    """The records of bridges, all within reach; raises ``Problem``."""
    known = await call.services.store.bridges.get_many(wanted)
    for index, id_ in enumerate(wanted):
        bridge = known.get(id_)
        where = f"{field}[{index}]" if field == "$.bridges" else field
        if bridge is None:
            raise invalid(where, sentence("unknown-room", room=id_))
        if not call.reach.bridge(Action.CONTROL_CONFERENCES, bridge.id, bridge.unit):
            call.reach.require_unit(Action.CONTROL_CONFERENCES, bridge.unit, "check rooms")
    return [known[id_] for id_ in wanted]


def _held_from(call: Call, scenario: str) -> str | None:
    """The running conference that was started from a scenario: its rooms are checked in it."""
    return next(
        (
            state.id
            for state in call.services.conferences.running()
            if state.agenda is not None and state.agenda.scenario == scenario
        ),
        None,
    )


def _now(call: Call, bridge: str) -> ReadinessNow | None:
    for check in call.services.readiness.running():
        room = check.rooms.get(bridge)
        if room is not None and room.phase != "done":
            return ReadinessNow(
                check=check.id,
                phase=room.phase,
                confirmation=room.confirmation,
                loopback=room.loopback,
            )
    return None


def _row(row: CheckRow) -> Sequence[object]:
    """A check in a table."""
    summary = _summary(row)
    document = summary.model_dump(mode="json") | summary.counts.model_dump()
    return [document[name] for name in SUMMARY]


def _summary(row: CheckRow) -> ReadinessSummary:
    counts = {name.replace("-", "_"): value for name, value in json.loads(row.counts).items()}
    return ReadinessSummary(
        id=row.id,
        name=row.name,
        unit=row.unit,
        scenario=row.scenario,
        due=row.due,
        began_at=row.began_at,
        ended_at=row.ended_at,
        running=row.ended_at is None,
        counts=ReadinessCounts(**counts),
    )


def _name(call: Call) -> str:
    """What the record says of who acts."""
    token = call.who.token
    return token.name or token.bridge or token.role


def _answer(check: Check, status: int = 200, location: str | None = None) -> web.Response:
    document = ReadinessCheck.model_validate(check_resource(check))
    return json_response(document, status, location=location)


_ONE: Final = (Answer(200, "the check", ReadinessCheck),)

ROUTES: Final = (
    Route(
        "GET", PATH, "list_readiness_checks", list_checks,
        "Readiness checks within reach, the newest first", TAG, Action.READ_READINESS,
        (Answer(200, "one page", Page[ReadinessSummary], other_types=(CSV_TYPE,)),),
        query=ReadinessQuery,
    ),
    Route(
        "GET", f"{PATH}.csv", "export_readiness_checks", list_checks,
        "Readiness checks within reach as a table", TAG, Action.READ_READINESS,
        (Answer(200, "a row for each check", media_type=CSV_TYPE),), query=ReadinessQuery,
    ),
    Route(
        "POST", PATH, "begin_readiness_check", begin_check,
        "Check whether rooms are ready", TAG, Action.CONTROL_CONFERENCES,
        (Answer(201, "begun", ReadinessCheck, headers=(LOCATION_HEADER,)),),
        body=Body(NewReadinessCheck), problems=("not-found", "conflict"),
    ),
    Route(
        "GET", f"{ONE}.csv", "export_readiness_check", read_check,
        "The go / no-go table of a check", TAG, Action.READ_READINESS,
        (Answer(200, "a row for each room", media_type=CSV_TYPE),),
    ),
    Route(
        "GET", ONE, "read_readiness_check", read_check,
        "One check with its rooms", TAG, Action.READ_READINESS,
        (Answer(200, "the check", ReadinessCheck, other_types=(CSV_TYPE,)),),
    ),
    Route(
        "DELETE", ONE, "cancel_readiness_check", cancel_check,
        "End a check now; what was found stays", TAG, Action.CONTROL_CONFERENCES,
        (Answer(204, "ended"),),
    ),
    Route(
        "POST", f"{ROOM}/recheck", "recheck_room", recheck_room,
        "Check one room once more", TAG, Action.CONTROL_CONFERENCES, _ONE, problems=("conflict",),
    ),
    Route(
        "POST", f"{ROOM}/confirmation", "confirm_sound", confirm_sound,
        "Say whether the test tone is heard, or declare a loopback test", TAG,
        Action.CONFIRM_SOUND, (Answer(204, "taken"),),
        body=Body(NewConfirmation), problems=("conflict",),
    ),
    Route(
        "POST", f"{ROOM}/acceptance", "accept_configuration", accept_configuration,
        "Record a room's configuration as it was measured", TAG, Action.CONTROL_CONFERENCES,
        _ONE, problems=("conflict",),
    ),
    Route(
        "GET", f"{HISTORY}.csv", "export_readiness_history", read_history,
        "What came of a room's checks, as a table", TAG, Action.READ_READINESS,
        (Answer(200, "a row for each check", media_type=CSV_TYPE),), query=PageQuery,
    ),
    Route(
        "GET", HISTORY, "read_readiness_history", read_history,
        "What came of a room's checks, and whether it is in one now", TAG, Action.READ_READINESS,
        (Answer(200, "one page", ReadinessHistory, other_types=(CSV_TYPE,)),), query=PageQuery,
    ),
)  # fmt: skip
