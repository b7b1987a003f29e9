"""Units of the administrative tree."""

from dataclasses import replace
from typing import Final

from aiohttp import web

from mcu.api.call import Call, json_response, no_content
from mcu.api.csv_table import CSV_TYPE, csv_response, every, long_csv, wants_csv
from mcu.api.openapi import ETAG_HEADER, LOCATION_HEADER
from mcu.api.problem import forbidden, invalid
from mcu.api.rights import Action
from mcu.api.route import BASE, Answer, Body, Route
from mcu.api.schemas.base import Page
from mcu.api.schemas.registry import (
    NewUnit,
    Unit,
    UnitChange,
    UnitHistory,
    UnitQuery,
    Units,
    UnitSplit,
)
from mcu.api.withdrawal import enforce
from mcu.sentences import sentence
from mcu.store import paging, records
from mcu.store.unit_reform import UnitPart

TAG: Final = "units"
COLUMNS: Final = ("id", "name", "level", "parent")
PERIODS: Final = ("name", "level", "parent", "since", "until", "change")


async def list_units(call: Call) -> web.Response:
    """One page of the units within reach; as CSV all of them."""
    query = call.query(UnitQuery)
    within = call.who.token.unit
    if query.within is not None:
        call.reach.require_unit(Action.READ_UNITS, query.within, "read units")
        within = query.within
    units = call.services.store.units
    if wants_csv(call):
        found = await every(
            lambda cursor: units.list(within=within, limit=paging.MAX_LIMIT, cursor=cursor)
        )
        rows = ((unit.id, unit.name, unit.level, unit.parent) for unit in found)
        return await long_csv("units", COLUMNS, rows)
    page = await units.list(within=within, limit=query.limit, cursor=query.cursor)
    items = [Unit.model_validate(unit) for unit in page.items]
    return json_response(Page[Unit](items=items, next_cursor=page.next_cursor))


async def create_unit(call: Call) -> web.Response:
    """Add a unit under one within reach."""
    new = call.body(NewUnit)
    call.reach.require_unit(Action.WRITE_UNITS, new.parent, "add a unit")
    unit = await call.services.store.units.create(
        records.Unit(id=new.id, name=new.name, level=new.level, parent=new.parent)
    )
    call.api.directory.forget()
    return _answer(unit, 201)


async def read_unit(call: Call) -> web.Response:
    """One unit."""
    return _answer(await _unit(call, Action.READ_UNITS, "read units"))


async def change_unit(call: Call) -> web.Response:
    """Rename it, or move it with everything under it."""
    unit = await _unit(call, Action.WRITE_UNITS, "change units")
    call.refuse_other_echo(Unit.model_validate(unit))
    change = call.body(UnitChange)
    given = change.model_fields_set
    if change.merged_into is not None:
        return await _merge(call, unit, change)
    if "keep_tokens" in given or "merged_into" in given:
        raise invalid("$.merged_into", sentence("unit.merge-target"))
    for field in ("name", "level"):
        if field in given and getattr(change, field) is None:
            raise invalid(f"$.{field}", sentence("empty"))
    if "parent" in given and change.parent != unit.parent:
        # Both ends must be within reach, else a room could be pulled from or pushed to others.
        call.reach.require_unit(Action.WRITE_UNITS, unit.parent, "move units")
        call.reach.require_unit(Action.WRITE_UNITS, change.parent, "move units")
    changes = {field: getattr(change, field) for field in given}
    version = call.if_version(unit.version)
    after = replace(unit, **changes)
    if after == unit:
        return _answer(unit)
    changed = await call.services.store.units.update(after, if_version=version)
    call.api.directory.forget()
    return _answer(changed)


async def _merge(call: Call, unit: records.Unit, change: UnitChange) -> web.Response:
    """Let it go up in another; answers with that one."""
    into = change.merged_into
    assert into is not None  # noqa: S101 - the caller looked
    if change.model_fields_set - {"merged_into", "keep_tokens"}:
        raise invalid("$.merged_into", sentence("unit.merge-alone"))
    call.reach.require_unit(Action.WRITE_UNITS, into, "merge units")
    call.reach.require_unit(Action.WRITE_UNITS, unit.parent, "merge units")
    if change.keep_tokens:
        call.reach.require_unit(Action.MANAGE_TOKENS, into, "give tokens a wider reach")
    version = call.if_version(unit.version)
    after = await call.services.store.unit_reform.merge(
        unit.id, into, keep_tokens=change.keep_tokens, if_version=version
    )
    call.api.directory.forget()
    await enforce(call.api)
    return _answer(after)


async def split_unit(call: Call) -> web.Response:
    """Make new units out of one."""
    unit = await _unit(call, Action.WRITE_UNITS, "split units")
    call.reach.require_unit(Action.WRITE_UNITS, unit.parent, "split units")
    split = call.body(UnitSplit)
    parts = [
        UnitPart(
            part.id, part.name, part.level,
            tuple(part.units), tuple(part.bridges), tuple(part.scenarios),
        )
        for part in split.into
    ]  # fmt: skip
    version = call.if_version(unit.version)
    made = await call.services.store.unit_reform.split(
        unit.id, parts, dissolve=split.dissolve, if_version=version
    )
    call.api.directory.forget()
    await enforce(call.api)
    return json_response(Units(items=[Unit.model_validate(each) for each in made]), 201)


async def read_history(call: Call) -> web.Response:
    """What a unit was before; also of one that is no more. As CSV its periods."""
    history = await call.services.store.units.history(call.path("unit"))
    call.reach.require_unit(Action.READ_UNITS, history.unit, "read units")
    if wants_csv(call):
        periods = UnitHistory.model_validate(history).model_dump(mode="json")["periods"]
        rows = [[period[name] for name in PERIODS] for period in periods]
        return csv_response(f"unit-{history.unit}", PERIODS, rows)
    return json_response(UnitHistory.model_validate(history))


async def delete_unit(call: Call) -> web.Response:
    """Delete a unit that holds nothing."""
    unit = await _unit(call, Action.WRITE_UNITS, "delete units")
    if unit.id == call.who.token.unit:
        raise forbidden(sentence("unit.own"))
    version = call.if_version(unit.version)
    await call.services.store.units.delete(unit.id, if_version=version)
    call.api.directory.forget()
    return no_content()


async def _unit(call: Call, action: Action, what: str) -> records.Unit:
    unit = await call.services.store.units.get(call.path("unit"))
    call.reach.require_unit(action, unit.id, what)
    return unit


def _answer(unit: records.Unit, status: int = 200) -> web.Response:
    return json_response(
        Unit.model_validate(unit),
        status,
        version=unit.version,
        location=f"{BASE}/units/{unit.id}" if status == 201 else None,
    )


ROUTES: Final = (
    Route(
        "GET", f"{BASE}/units", "list_units", list_units,
        "Units within reach, by id", TAG, Action.READ_UNITS,
        (Answer(200, "one page", Page[Unit], other_types=(CSV_TYPE,)),), query=UnitQuery,
    ),
    Route(
        "GET", f"{BASE}/units.csv", "export_units", list_units,
        "Units within reach as a table", TAG, Action.READ_UNITS,
        (Answer(200, "a row for each unit", media_type=CSV_TYPE),), query=UnitQuery,
    ),
    Route(
        "POST", f"{BASE}/units", "create_unit", create_unit,
        "Add a unit", TAG, Action.WRITE_UNITS,
        (Answer(201, "added", Unit, headers=(LOCATION_HEADER, ETAG_HEADER)),),
        body=Body(NewUnit),
    ),
    Route(
        "GET", f"{BASE}/units/{{unit}}", "read_unit", read_unit,
        "One unit", TAG, Action.READ_UNITS,
        (Answer(200, "the unit", Unit, headers=(ETAG_HEADER,)),),
    ),
    Route(
        "PATCH", f"{BASE}/units/{{unit}}", "change_unit", change_unit,
        "Rename, move or merge a unit", TAG, Action.WRITE_UNITS,
        (Answer(200, "as it is now", Unit, headers=(ETAG_HEADER,)),),
        body=Body(UnitChange, echo=Unit), conditional=True, problems=("conflict",),
    ),
    Route(
        "POST", f"{BASE}/units/{{unit}}/split", "split_unit", split_unit,
        "Make new units out of one", TAG, Action.WRITE_UNITS,
        (Answer(201, "what was made", Units),), body=Body(UnitSplit), conditional=True,
    ),
    Route(
        "GET", f"{BASE}/units/{{unit}}/history", "read_unit_history", read_history,
        "What a unit, living or not, was before", TAG, Action.READ_UNITS,
        (Answer(200, "its history", UnitHistory, other_types=(CSV_TYPE,)),),
    ),
    Route(
        "GET", f"{BASE}/units/{{unit}}/history.csv", "export_unit_history", read_history,
        "What a unit, living or not, was before, as a table", TAG, Action.READ_UNITS,
        (Answer(200, "a row for each period", media_type=CSV_TYPE),),
    ),
    Route(
        "DELETE", f"{BASE}/units/{{unit}}", "delete_unit", delete_unit,
        "Delete an empty unit", TAG, Action.WRITE_UNITS,
        (Answer(204, "deleted"),), conditional=True, problems=("conflict",),
    ),
)  # fmt: skip
