"""Bridges: the registered meeting rooms, one by one or a whole table at once."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from mcu.api.bridge_table import TABLE_TYPES, read_table, table_of
from mcu.api.call import Call, json_response, no_content
from mcu.api.csv_table import CSV_TYPE, every, long_csv, wants_csv
from mcu.api.host import is_loopback
from mcu.api.openapi import ETAG_HEADER, LOCATION_HEADER
from mcu.api.problem import conflict, forbidden, invalid
from mcu.api.rights import Action
from mcu.api.route import BASE, Answer, Body, Route
from mcu.api.schemas.base import Page
from mcu.api.schemas.registry import (
    Bridge,
    BridgeChange,
    BridgeQuery,
    BridgeSip,
    BridgeToken,
    Contact,
    Imported,
    NewBridge,
    NewBridgeToken,
    Whereabouts,
)
from mcu.api.withdrawal import enforce
from mcu.conference.state import ConferenceState
from mcu.sentences import sentence
from mcu.store import paging, records
from mcu.store.bridges import ImportRow

TAG: Final = "bridges"
READINGS: Final = frozenset({"sip", "conference"})
"""Of a bridge: how it stands now."""


async def list_bridges(call: Call) -> web.Response:
    """One page of those within reach, a room's token sees its own; as CSV what import takes."""
    query = call.query(BridgeQuery)
    token = call.who.token
    bridges = call.services.store.bridges
    if token.role == "bridge":
        own = (await bridges.get_many([token.bridge or ""])).values()
        if wants_csv(call):
            return await long_csv("bridges", *table_of(list(own)))
        return json_response(Page[Bridge](items=await _documents(call, list(own))))
    within = token.unit
    if query.unit is not None:
        call.reach.require_unit(Action.READ_BRIDGES, query.unit, "read bridges")
        within = query.unit
    if wants_csv(call):
        found = await every(
            lambda cursor: bridges.list(within=within, limit=paging.MAX_LIMIT, cursor=cursor)
        )
        return await long_csv("bridges", *table_of(found))
    page = await bridges.list(within=within, limit=query.limit, cursor=query.cursor)
    items = await _documents(call, page.items)
    return json_response(Page[Bridge](items=items, next_cursor=page.next_cursor))


async def create_bridge(call: Call) -> web.Response:
    """Register a room."""
    new = call.body(NewBridge)
    call.reach.require_unit(Action.WRITE_BRIDGES, new.unit, "add a bridge")
    record = _with_address(call, record_of(new))
    return await _answer(call, await call.services.store.bridges.create(record), 201)


async def import_bridges(call: Call) -> web.Response:
    """Register a whole table of rooms, all or none."""
    rows = await asyncio.to_thread(
        read_table, call.text(), call.request.content_type, call.services.bridge_address
    )
    imported = await call.services.store.bridges.import_all(
        [ImportRow(row.line, record_of(row.bridge)) for row in rows],
        within=call.who.token.unit,
    )
    return json_response(Imported(created=len(imported)), 201)


async def read_bridge(call: Call) -> web.Response:
    """One room."""
    return await _answer(call, await bridge_of(call, Action.READ_BRIDGES, "read"))


async def change_bridge(call: Call) -> web.Response:
    """Change a room's record, or move it to another unit."""
    bridge = await bridge_of(call, Action.WRITE_BRIDGES, "change")
    call.refuse_other_echo(_document(call, bridge, None))
    change = call.body(BridgeChange)
    changes: dict[str, Any] = {}
    for field in change.model_fields_set:
        value = getattr(change, field)
        if field == "contact":
            value = records.Contact() if value is None else _contact(change.contact)
        elif field == "address":
            value = value or ""
        elif value is None:
            raise invalid(f"$.{field}", sentence("empty"))
        changes[field] = value
    if "unit" in changes:
        call.reach.require_unit(Action.WRITE_BRIDGES, changes["unit"], "move a bridge")
    version = call.if_version(bridge.version)
    if changes.get("kind") == "webrtc" != bridge.kind:
        changes.setdefault("address", "")
    after = replace(bridge, **changes)
    if (after.address, after.kind) != (bridge.address, bridge.kind):
        after = _with_address(call, after)
    if after == bridge:
        return await _answer(call, bridge)
    changed = await call.services.store.bridges.update(after, if_version=version)
    if bridge.kind == "sip" and changed.kind != "sip":
        await call.services.sip.clear_outbound(bridge.id)
        await call.services.sip.revoke(bridge.id)
    call.services.bridge_changed(bridge.id)
    return await _answer(call, changed)


async def delete_bridge(call: Call) -> web.Response:
    """Take a room out of the registry, and its tokens with it."""
    bridge = await bridge_of(call, Action.WRITE_BRIDGES, "delete")
    version = call.if_version(bridge.version)
    conference = call.services.conferences.conference_of(bridge.id)
    if conference is not None:
        name = call.services.conferences.get(conference).name
        raise conflict(
            sentence(
                "room.in-conference",
                room=bridge.name,
                id=bridge.id,
                name=name,
                conference=conference,
            ),
            conference=conference,
        )
    await call.services.store.bridges.delete(bridge.id, if_version=version)
    call.services.sip.forget(bridge.id)
    await enforce(call.api)
    return no_content()


async def issue_bridge_token(call: Call) -> web.Response:
    """A new secret for the room, and the link that carries it."""
    bridge = await bridge_of(call, Action.ISSUE_BRIDGE_TOKEN, "issue a join link for")
    wanted = call.body(NewBridgeToken)
    token, secret = await call.services.store.tokens.create(
        "bridge",
        name=bridge.name,
        bridge=bridge.id,
        conference=wanted.conference,
        expires_at=wanted.expires_at,
    )
    document = BridgeToken(
        token=secret,
        join_url=f"{_link_base(call)}/join#token={quote(secret, safe='')}",
        id=token.id,
        expires_at=token.expires_at,
    )
    return json_response(document, 201, location=f"{BASE}/tokens/{token.id}")


def _link_base(call: Call) -> str:
    """Where rooms reach this server.

    As configured; or as the request addressed it (``real_hosts`` has seen to it that this is an
    address), unless that leads nowhere from another machine and others can connect.
    """
    services, request = call.services, call.request
    if services.public_url is not None:
        return services.public_url
    if is_loopback(request.host):
        reachable = services.reachable_url()
        if reachable is not None:
            return reachable
    return f"{request.scheme}://{request.host}"


def record_of(new: NewBridge) -> records.Bridge:
    """The store's record of a bridge that is to be added."""
    return records.Bridge(
        id=new.id,
        name=new.name,
        unit=new.unit,
        kind=new.kind,
        address=new.address or "",
        contact=_contact(new.contact),
        importance=new.importance,
        standard=new.standard,
    )


def _with_address(call: Call, bridge: records.Bridge) -> records.Bridge:
    """A bridge with its address as it is called; raises ``Problem`` if it cannot be."""
    if not bridge.address:
        return bridge
    if bridge.kind != "sip":
        raise invalid("$.address", sentence("address.without-sip"))
    try:
        return replace(bridge, address=call.services.bridge_address(bridge.address))
    except ValueError as error:
        raise invalid("$.address", error.args[0]) from error


def _contact(contact: Any) -> records.Contact:
    return records.Contact(name=contact.name or "", phone=contact.phone or "")


async def bridge_of(call: Call, action: Action, what: str) -> records.Bridge:
    """The bridge of the path, to which the token may do this; raises ``Problem``."""
    bridge = await call.services.store.bridges.get(call.path("bridge"))
    if not call.reach.bridge(action, bridge.id, bridge.unit):
        raise forbidden(sentence("room.out-of-reach", what=what, room=bridge.id, unit=bridge.unit))
    return bridge


async def _documents(call: Call, bridges: Sequence[records.Bridge]) -> list[Bridge]:
    """Bridges with how their devices stand and where they are now."""
    conferences = call.services.conferences
    held = {
        bridge.id: conferences.get(conference)
        for bridge in bridges
        if (conference := conferences.conference_of(bridge.id)) is not None
    }
    units = {state.unit for state in held.values()}
    names = await call.services.store.units.names(units) if units else {}
    # Once for each conference: it looks through the roster.
    read = {
        state.id: call.reach.conference(Action.READ_CONFERENCES, state)
        for state in {state.id: state for state in held.values()}.values()
    }
    found = []
    for bridge in bridges:
        state = held.get(bridge.id)
        where = None
        if state is not None:
            name = names.get(state.unit, state.unit)
            where = _whereabouts(state, bridge, name, may_read=read[state.id])
        found.append(_document(call, bridge, where))
    return found


def _document(call: Call, bridge: records.Bridge, where: Whereabouts | None) -> Bridge:
    status = None
    if bridge.kind == "sip":
        status = call.services.sip.status(bridge.id).with_address(bridge.address)
    return Bridge(
        id=bridge.id,
        name=bridge.name,
        unit=bridge.unit,
        kind=bridge.kind,
        address=bridge.address,
        contact=Contact.model_validate(bridge.contact),
        importance=bridge.importance,
        standard=dict(bridge.standard),
        sip=None if status is None else BridgeSip.model_validate(status),
        conference=where,
        version=bridge.version,
    )


def _whereabouts(
    state: ConferenceState, bridge: records.Bridge, unit_name: str, *, may_read: bool
) -> Whereabouts:
    """Where a room is, for whoever may read it: its own side has to know, whoever has called it."""
    who = state.participants[bridge.id]
    return Whereabouts(
        id=state.id,
        name=state.name,
        unit=state.unit,
        unit_name=unit_name,
        state=who.presence,
        joined_at=who.joined_at,
        may_read=may_read,
    )


async def _answer(call: Call, bridge: records.Bridge, status: int = 200) -> web.Response:
    (document,) = await _documents(call, [bridge])
    return json_response(
        document,
        status,
        version=bridge.version,
        location=f"{BASE}/bridges/{bridge.id}" if status == 201 else None,
    )


ROUTES: Final = (
    Route(
        "GET", f"{BASE}/bridges", "list_bridges", list_bridges,
        "Bridges within reach, by id", TAG, Action.READ_BRIDGES,
        (Answer(200, "one page", Page[Bridge], other_types=(CSV_TYPE,)),), query=BridgeQuery,
    ),
    Route(
        "GET", f"{BASE}/bridges.csv", "export_bridges", list_bridges,
        "Bridges within reach as a table that `/bridges:import` takes", TAG, Action.READ_BRIDGES,
        (Answer(200, "a row for each bridge", media_type=CSV_TYPE),), query=BridgeQuery,
    ),
    Route(
        "POST", f"{BASE}/bridges", "create_bridge", create_bridge,
        "Register a bridge", TAG, Action.WRITE_BRIDGES,
        (Answer(201, "registered", Bridge, headers=(LOCATION_HEADER, ETAG_HEADER)),),
        body=Body(NewBridge),
    ),
    Route(
        "POST", f"{BASE}/bridges:import", "import_bridges", import_bridges,
        "Register a table of bridges (CSV or YAML), all or none", TAG, Action.WRITE_BRIDGES,
        (Answer(201, "all registered", Imported),),
        body=Body(media_types=TABLE_TYPES),
    ),
    Route(
        "GET", f"{BASE}/bridges/{{bridge}}", "read_bridge", read_bridge,
        "One bridge", TAG, Action.READ_BRIDGES,
        (Answer(200, "the bridge", Bridge, headers=(ETAG_HEADER,)),),
    ),
    Route(
        "PATCH", f"{BASE}/bridges/{{bridge}}", "change_bridge", change_bridge,
        "Change or move a bridge", TAG, Action.WRITE_BRIDGES,
        (Answer(200, "as it is now", Bridge, headers=(ETAG_HEADER,)),),
        body=Body(BridgeChange, echo=Bridge, readings=READINGS), conditional=True,
    ),
    Route(
        "DELETE", f"{BASE}/bridges/{{bridge}}", "delete_bridge", delete_bridge,
        "Delete a bridge that is in no running conference, and its tokens", TAG,
        Action.WRITE_BRIDGES,
        (Answer(204, "deleted"),), conditional=True, problems=("conflict",),
    ),
    Route(
        "POST", f"{BASE}/bridges/{{bridge}}/token", "issue_bridge_token", issue_bridge_token,
        "Issue the room's token and join link", TAG, Action.ISSUE_BRIDGE_TOKEN,
        (Answer(201, "shown this once", BridgeToken, headers=(LOCATION_HEADER,)),),
        body=Body(NewBridgeToken, required=False), secret=True,
    ),
)  # fmt: skip
