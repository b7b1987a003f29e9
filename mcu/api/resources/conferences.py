"""Conferences: started, read, changed, ended."""

from collections.abc import Sequence
from typing import Final

from aiohttp import hdrs, web

from mcu.api import orders
from mcu.api.body import invalid_input
from mcu.api.call import Call, json_response, no_content
from mcu.api.csv_table import CSV_TYPE, every, long_csv, wants_csv
from mcu.api.documents import conference_document
from mcu.api.openapi import ETAG_HEADER, LOCATION_HEADER
from mcu.api.problem import FieldError, Problem, forbidden, invalid
from mcu.api.reach import require_running
from mcu.api.resources.scenarios import usable_scenario
from mcu.api.rights import Action
from mcu.api.route import BASE, Answer, Body, Route
from mcu.api.schemas.base import Page
from mcu.api.schemas.conference import (
    Conference,
    ConferenceChange,
    ConferenceQuery,
    NewConference,
)
from mcu.conference.commands import (
    ChangeConference,
    Command,
    EndConference,
    StartConference,
)
from mcu.conference.for_checks import is_for_check
from mcu.conference.scenario import agenda_of
from mcu.conference.state import ConferenceState
from mcu.sentences import sentence
from mcu.store import paging
from mcu.store.records import ConferenceRecord

TAG: Final = "conferences"
COLUMNS: Final = ("id", "name", "unit", "state", "drill", "started_at", "ended_at")

CONFERENCE_NOW: Final = (Answer(200, "the conference now", Conference, headers=(ETAG_HEADER,)),)
"""The answer of what is done to a conference as a whole; see ``conference_answer``."""


async def list_conferences(call: Call) -> web.Response:
    """One page of the conferences within reach, by id; as CSV all of them."""
    query = call.query(ConferenceQuery)
    if query.unit is not None:
        call.reach.require_unit(Action.READ_CONFERENCES, query.unit, "read conferences")
    checks = _checks(call, query)
    if query.state == "ended":
        return await _list_ended(call, query, checks)
    after = "" if wants_csv(call) else paging.read_cursor(query.cursor)
    states = sorted(
        (
            state
            for state in call.services.conferences.running()
            if state.id > after
            and checks in (None, is_for_check(state.id))
            and call.reach.conference(Action.READ_CONFERENCES, state)
            and (query.unit is None or call.reach.tree.is_within(state.unit, query.unit))
        ),
        key=lambda state: state.id,
    )
    if wants_csv(call):
        return await long_csv("conferences", COLUMNS, [_row(state) for state in states])
    page = paging.page(states, query.limit, lambda state: state.id)
    items = [conference_document(state, call.reach) for state in page.items]
    return json_response(Page[Conference](items=items, next_cursor=page.next_cursor))


def _checks(call: Call, query: ConferenceQuery) -> bool | None:
    """Whether conferences of readiness checks are listed alone (True), left out, or both (None)."""
    kind = query.kind or ("all" if call.who.token.role == "bridge" else "meeting")
    return None if kind == "all" else kind == "check"


async def _list_ended(call: Call, query: ConferenceQuery, checks: bool | None) -> web.Response:
    """Ended ones are read from the store; rooms have none."""
    token = call.who.token
    nothing = token.role == "bridge" or token.conference is not None
    rows, within = call.services.store.conferences, query.unit or token.unit
    if wants_csv(call):
        found: list[ConferenceRecord] = []
        if not nothing:
            found = await every(
                lambda cursor: rows.list(
                    within=within,
                    running=False,
                    checks=checks,
                    limit=paging.MAX_LIMIT,
                    cursor=cursor,
                )
            )
        return await long_csv("conferences", COLUMNS, map(_row, found))
    if nothing:
        return json_response(Page[Conference](items=[]))
    page = await rows.list(
        within=within, running=False, checks=checks, limit=query.limit, cursor=query.cursor
    )
    states = [await call.services.conferences.read(record.id) for record in page.items]
    items = [conference_document(state, call.reach) for state in states]
    return json_response(Page[Conference](items=items, next_cursor=page.next_cursor))


def _row(one: ConferenceState | ConferenceRecord) -> Sequence[object]:
    """One conference in a table."""
    drill = one.drill if isinstance(one, ConferenceRecord) else one.drill is not None
    state = "running" if one.ended_at is None else "ended"
    return one.id, one.name, one.unit, state, drill, one.started_at, one.ended_at


async def start_conference(call: Call) -> web.Response:
    """Start one and expect its bridges."""
    command = await _wanted(call, call.body(NewConference))
    call.reach.require_unit(Action.CONTROL_CONFERENCES, command.unit, "start a conference")
    if isinstance(command.bridges, tuple):
        await _require_bridges(call, command.bridges)

    def answer(state: ConferenceState) -> web.Response:
        call.target = f"{BASE}/conferences/{state.id}"
        return conference_answer(call, state, 201, call.target)

    # One start at a time, else many at once would all find the last place free.
    async with call.api.starting:
        reason = call.services.not_ready()
        if reason is not None:
            raise Problem(
                "unavailable",
                reason,
                headers={hdrs.RETRY_AFTER: "5"},
            )
        return await orders.start(call, command, answer)


async def _wanted(call: Call, new: NewConference) -> StartConference:
    """What was asked for; what a scenario says stands where nothing else was given."""
    given = new.model_fields_set
    scenario = None
    if new.scenario is not None:
        scenario = await usable_scenario(call, new.scenario)
    name, unit = new.name, new.unit
    if scenario is not None:
        name, unit = name or scenario.name, unit or scenario.unit
    if name is None or unit is None:
        missing = [field for field, value in (("name", name), ("unit", unit)) if value is None]
        message = sentence("start.needed")
        raise invalid_input([FieldError(f"$.{field}", message) for field in missing])
    bridges = new.bridges if new.bridges == "subtree" else tuple(new.bridges)
    chair: str | None = new.chair
    layout: str = new.layout
    if scenario is not None:
        if "bridges" not in given:
            bridges = "subtree" if scenario.expected is None else scenario.expected
        chair = new.chair if "chair" in given else scenario.chair
        layout = new.layout if "layout" in given else scenario.layout
    return StartConference(
        name=name,
        unit=unit,
        bridges=bridges,
        chair=chair,
        layout=layout,
        pin=new.pin,
        number=new.number,
        agenda=None if scenario is None else agenda_of(scenario, new.scenario),
        calls_when_convened=new.calls == "when_convened",
        busy=new.busy,
        drill=new.drill,
    )


async def read_conference(call: Call) -> web.Response:
    """One conference, running or ended."""
    state = await conference_of(call)
    return conference_answer(call, state)


async def change_conference(call: Call) -> web.Response:
    """A new name, chair, PIN or number."""
    call.refuse_other_echo(conference_document(await controlled(call), call.reach))
    change = call.body(ConferenceChange)
    if "name" in change.model_fields_set and change.name is None:
        raise invalid("$.name", sentence("empty"))
    # None leaves as is, an empty text takes away.
    chair, pin, number = (
        value or "" if name in change.model_fields_set else None
        for name, value in (
            ("chair", change.chair),
            ("pin", change.pin),
            ("number", change.number),
        )
    )
    command = ChangeConference(name=change.name, chair=chair, pin=pin, number=number)
    return await steer(call, command, lambda now: conference_answer(call, now))


async def end_conference(call: Call) -> web.Response:
    """End it for all, and answer when all have been told; ending it twice is harmless."""
    state = await call.services.conferences.read(call.path("conference"))
    call.reach.require_conference(Action.CONTROL_CONFERENCES, state, "control anything")
    answer = await orders.order(
        call, state.id, EndConference(), lambda _: no_content(), lambda now: now.version
    )
    await call.services.legs.parted()
    return answer


async def steer_whole(call: Call, command: Command) -> web.Response:
    """``steer``, answered with the conference as it is then."""
    return await steer(call, command, lambda now: conference_answer(call, now))


async def of_participants(call: Call, what: str) -> ConferenceState:
    """The running conference of the path, which the token may at least read; raises ``Problem``.

    For what rooms do for themselves and operators for all: who may do it is for the caller.

    Args:
        what: is refused to others, for the message.
    """
    state = await call.services.conferences.read(call.path("conference"))
    call.reach.require_conference(Action.READ_CONFERENCES, state, what)
    require_running(state)
    return state


def _version(state: ConferenceState) -> int:
    return state.version


async def steer(
    call: Call,
    command: Command,
    answer: orders.Answering,
    version: orders.Version = _version,
) -> web.Response:
    """Execute a command on the conference of the path, under If-Match."""
    state = await controlled(call)
    return await orders.order(call, state.id, command, answer, version)


async def controlled(call: Call) -> ConferenceState:
    """The running conference of the path, which the token may control; raises ``Problem``."""
    state = await call.services.conferences.read(call.path("conference"))
    call.reach.require_conference(Action.CONTROL_CONFERENCES, state, "control anything")
    require_running(state)
    return state


async def conference_of(call: Call) -> ConferenceState:
    """The conference of the path, which the token may read; raises ``Problem``."""
    state = await call.services.conferences.read(call.path("conference"))
    call.reach.require_conference(Action.READ_CONFERENCES, state, "read anything")
    return state


async def _require_bridges(call: Call, bridges: tuple[str, ...]) -> None:
    """A token may call only rooms within its reach."""
    known = await call.services.store.bridges.get_many(bridges)
    for bridge in known.values():
        if not call.reach.bridge(Action.CONTROL_CONFERENCES, bridge.id, bridge.unit):
            raise forbidden(sentence("start.invite-instead", room=bridge.id, unit=bridge.unit))


def conference_answer(
    call: Call, state: ConferenceState, status: int = 200, location: str | None = None
) -> web.Response:
    """A conference as this token sees it, with its ETag."""
    return json_response(
        conference_document(state, call.reach), status, version=state.version, location=location
    )


ROUTES: Final = (
    Route(
        "GET", f"{BASE}/conferences", "list_conferences", list_conferences,
        "Conferences within reach", TAG, Action.READ_CONFERENCES,
        (Answer(200, "one page", Page[Conference], other_types=(CSV_TYPE,)),),
        query=ConferenceQuery,
    ),
    Route(
        "GET", f"{BASE}/conferences.csv", "export_conferences", list_conferences,
        "Conferences within reach as a table", TAG, Action.READ_CONFERENCES,
        (Answer(200, "a row for each conference", media_type=CSV_TYPE),), query=ConferenceQuery,
    ),
    Route(
        "POST", f"{BASE}/conferences", "start_conference", start_conference,
        "Start a conference", TAG, Action.CONTROL_CONFERENCES,
        (Answer(201, "started", Conference, headers=(LOCATION_HEADER, ETAG_HEADER)),),
        body=Body(NewConference), problems=("not-found",),
    ),
    Route(
        "GET", f"{BASE}/conferences/{{conference}}", "read_conference", read_conference,
        "One conference", TAG, Action.READ_CONFERENCES,
        (Answer(200, "the conference", Conference, headers=(ETAG_HEADER,)),),
    ),
    Route(
        "PATCH", f"{BASE}/conferences/{{conference}}", "change_conference", change_conference,
        "Change a conference's name, chair, PIN or number", TAG, Action.CONTROL_CONFERENCES,
        (Answer(200, "as it is now", Conference, headers=(ETAG_HEADER,)),),
        body=Body(ConferenceChange, echo=Conference), conditional=True, problems=("conflict",),
    ),
    Route(
        "DELETE", f"{BASE}/conferences/{{conference}}", "end_conference", end_conference,
        "End a conference for all", TAG, Action.CONTROL_CONFERENCES,
        (Answer(204, "ended"),), conditional=True,
    ),
)  # fmt: skip
