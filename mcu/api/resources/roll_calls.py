"""Roll calls: begun, gone through, marked, signed off; read as JSON or as a table."""

import asyncio
from typing import Any, Final

import structlog
from aiohttp import hdrs, web

from mcu.api import orders
from mcu.api.call import Call, json_response, no_content
from mcu.api.csv_table import CSV_TYPE, csv_response, wants_csv
from mcu.api.etag import content_tag
from mcu.api.openapi import ETAG_HEADER, LOCATION_HEADER
from mcu.api.problem import forbidden, not_found
from mcu.api.reach import participant_of, require_running
from mcu.api.resources.conferences import conference_of, controlled
from mcu.api.resources.pictures import JPEG
from mcu.api.rights import Action
from mcu.api.route import BASE, Answer, Body, Route
from mcu.api.schemas.base import Page
from mcu.api.schemas.roll_call import (
    NewMark,
    NewRollCall,
    RollCall,
    RollCallChange,
    RollCallSummary,
    SignOff,
)
from mcu.conference import roll_call_model as domain
from mcu.conference.commands import Command
from mcu.conference.procedure_resources import roll_call_resource, with_pictures
from mcu.conference.roll_call_model import (
    CallRoom,
    CancelRollCall,
    MarkRoom,
    PauseRollCall,
    SignRollCall,
    SkipRoom,
    StartRollCall,
)
from mcu.conference.state import ConferenceState, Participant
from mcu.sentences import sentence
from mcu.store.commits import Write
from mcu.store.roll_call_pictures import MAX_PICTURE_BYTES

TAG: Final = "roll calls"
PATH: Final = f"{BASE}/conferences/{{conference}}/roll-calls"
ONE: Final = f"{PATH}/{{number}}"
PICTURE_S: Final = 2.0
"""A mark does not wait longer for the room's picture; then it has none."""
ROWS: Final = (
    "participant", "label", "unit", "status", "at", "source", "by", "note", "entry", "picture",
)  # fmt: skip
SUMMARY: Final = (
    "number", "mode", "state", "started_at", "by", "ended_at", "ended_by",
    "present", "late", "absent", "lost", "unmarked",
)  # fmt: skip
log = structlog.get_logger(__name__)


async def list_roll_calls(call: Call) -> web.Response:
    """All of a conference; as JSON or CSV."""
    state = await _readable(call)
    found = [roll_call_resource(each, running=state.running) for each in state.roll_calls]
    if wants_csv(call):
        flat = ({**each, **each["counts"]} for each in found)
        rows = [[each[name] for name in SUMMARY] for each in flat]
        return csv_response(f"roll-calls-{state.id}", SUMMARY, rows)
    return json_response(
        Page[RollCallSummary](items=[RollCallSummary.model_validate(each) for each in found])
    )


async def start_roll_call(call: Call) -> web.Response:
    """Begin one."""
    state = await controlled(call)
    new = call.body(NewRollCall)
    expected = None if new.expected is None else tuple(new.expected)
    command = StartRollCall(new.mode, expected, new.starts_at, new.grace_s, _name(call))

    def answer(now: ConferenceState) -> web.Response:
        found = now.roll_calls[-1]
        call.target = f"{BASE}/conferences/{state.id}/roll-calls/{found.number}"
        return _answer(now, found, frozenset(), 201, call.target)

    return await orders.order(call, state.id, command, answer, lambda now: now.version)


async def read_roll_call(call: Call) -> web.Response:
    """One with its rooms and entries; as JSON, or its rooms as CSV."""
    state = await _readable(call)
    found = _roll_call(call, state)
    pictures = await _pictures(call, state, found)
    if wants_csv(call):
        rows = [[row[name] for name in ROWS] for row in _document(state, found, pictures)["rows"]]
        return csv_response(f"roll-call-{state.id}-{found.number}", ROWS, rows)
    return _answer(state, found, pictures)


async def change_roll_call(call: Call) -> web.Response:
    """Pause it, go on, call one room, or leave one without a mark."""
    state = await controlled(call)
    found = _roll_call(call, state)
    change = call.body(RollCallChange)
    command: Command
    if change.paused is not None:
        command = PauseRollCall(found.number, change.paused)
    elif change.calling is not None:
        command = CallRoom(found.number, change.calling)
    else:
        command = SkipRoom(found.number, change.skip or "")
    return await _order(call, state, found, command)


async def mark_room(call: Call) -> web.Response:
    """Mark a room; a room itself while it is called."""
    state = await call.services.conferences.read(call.path("conference"))
    call.reach.require_conference(Action.READ_CONFERENCES, state, "answer a roll call")
    found = _roll_call(call, state)
    new = call.body(NewMark)
    who = state.participants.get(new.participant)
    is_operator = call.reach.conference(Action.CONTROL_CONFERENCES, state)
    if not is_operator:
        require_running(state)
        who = participant_of(state, new.participant)
        call.reach.require_participant(Action.ANSWER_ROLL_CALL, state, who, "answer for")
        if new.status != "present" or new.note:
            raise forbidden(sentence("roll-call.room-present-only"))
    source: domain.MarkSource = "operator" if is_operator else "room"
    command = MarkRoom(found.number, new.participant, new.status, _name(call), new.note, source)
    jpeg = await _picture(call, state, who)

    def besides(after: ConferenceState) -> list[Write]:
        if jpeg is None:
            return []
        entry = _entry(_numbered(after, found.number), new.participant)
        store = call.services.store.roll_call_pictures
        return [store.row(state.id, found.number, entry, call.services.now(), jpeg)]

    if not is_operator:
        return await orders.order(
            call, state.id, command, lambda _: no_content(), _tag_of(found.number), besides
        )
    pictured = None if jpeg is None else new.participant
    return await _order(call, state, found, command, besides, pictured)


async def sign_roll_call(call: Call) -> web.Response:
    """End it as a record; also after the conference."""
    state = await _record_of(call)
    found = _roll_call(call, state)
    rest_absent = call.body(SignOff).rest == "absent"
    return await _order(call, state, found, SignRollCall(found.number, _name(call), rest_absent))


async def cancel_roll_call(call: Call) -> web.Response:
    """End it as one that does not count."""
    state = await _record_of(call)
    found = _roll_call(call, state)
    command = CancelRollCall(found.number, _name(call))
    return await orders.order(
        call, state.id, command, lambda _: no_content(), _tag_of(found.number)
    )


async def mark_picture(call: Call) -> web.Response:
    """How the room looked when it was marked."""
    state = await _readable(call)
    found = _roll_call(call, state)
    entry = call.path("entry")
    jpeg = None
    if entry.isdecimal() and len(entry) < 10:
        store = call.services.store.roll_call_pictures
        jpeg = await store.get(state.id, found.number, int(entry))
    if jpeg is None:
        raise not_found("picture of entry", entry)
    # The record is never changed, but it is for those only who may read it.
    headers = {hdrs.CACHE_CONTROL: "private, max-age=3600"}
    return web.Response(body=jpeg, content_type=JPEG, headers=headers)


async def _order(
    call: Call,
    state: ConferenceState,
    found: domain.RollCall,
    command: Command,
    besides: orders.Besides | None = None,
    pictured: str | None = None,
) -> web.Response:
    """``pictured``: whose entry gets a picture, along with the command."""
    pictures = await _pictures(call, state, found)

    def answer(now: ConferenceState) -> web.Response:
        after = _numbered(now, found.number)
        new = set() if pictured is None else {_entry(after, pictured)}
        return _answer(now, after, pictures | {entry for entry in new if entry > len(found.marks)})

    return await orders.order(call, state.id, command, answer, _tag_of(found.number), besides)


async def _record_of(call: Call) -> ConferenceState:
    """The conference, running or not, whose records the token may write."""
    state = await call.services.conferences.read(call.path("conference"))
    call.reach.require_conference(Action.CONTROL_CONFERENCES, state, "write records")
    return state


async def _readable(call: Call) -> ConferenceState:
    """The conference, whose records the token may read: not a room."""
    state = await conference_of(call)
    call.reach.require_conference(Action.SEE_VIEW, state, "read roll calls")
    return state


async def _picture(call: Call, state: ConferenceState, who: Participant | None) -> bytes | None:
    """What a room that is here sends now; a picture that does not come delays no mark."""
    if who is None or who.presence != "connected":
        return None
    try:
        async with asyncio.timeout(PICTURE_S):
            jpeg = await call.services.pictures.participant_picture(state.id, who.id)
    except TimeoutError:
        log.info("roll_call_picture_late", conference=state.id, participant=who.id)
        return None
    return jpeg if jpeg is not None and len(jpeg) <= MAX_PICTURE_BYTES else None


async def _pictures(call: Call, state: ConferenceState, found: domain.RollCall) -> frozenset[int]:
    return await call.services.store.roll_call_pictures.entries(state.id, found.number)


def _roll_call(call: Call, state: ConferenceState) -> domain.RollCall:
    number = call.path("number")
    found = next((each for each in state.roll_calls if str(each.number) == number), None)
    if found is None:
        raise not_found("roll call", number)
    return found


def _entry(found: domain.RollCall, participant: str) -> int:
    return found.last_marks()[participant].entry


def _name(call: Call) -> str:
    """What the record says of who acts."""
    token = call.who.token
    return token.name or token.bridge or token.role


def _document(
    state: ConferenceState, found: domain.RollCall, pictures: frozenset[int]
) -> dict[str, Any]:
    address = f"{BASE}/conferences/{state.id}/roll-calls/{found.number}"
    return with_pictures(roll_call_resource(found, running=state.running), address, pictures)


def _answer(
    state: ConferenceState,
    found: domain.RollCall,
    pictures: frozenset[int],
    status: int = 200,
    location: str | None = None,
) -> web.Response:
    document = RollCall.model_validate(_document(state, found, pictures))
    return json_response(document, status, version=_tag(state, found), location=location)


def _tag(state: ConferenceState, found: domain.RollCall) -> str:
    """Of one roll call alone: nothing else that happens in the conference changes it."""
    return content_tag(roll_call_resource(found, running=state.running))


def _tag_of(number: int) -> orders.Version:
    return lambda now: _tag(now, _numbered(now, number))


def _numbered(state: ConferenceState, number: int) -> domain.RollCall:
    return next(each for each in state.roll_calls if each.number == number)


_ONE: Final = (Answer(200, "the roll call", RollCall, headers=(ETAG_HEADER,)),)

ROUTES: Final = (
    Route(
        "GET", PATH, "list_roll_calls", list_roll_calls,
        "Roll calls of a conference", TAG, Action.SEE_VIEW,
        (Answer(200, "all of them", Page[RollCallSummary], other_types=(CSV_TYPE,)),),
    ),
    Route(
        "POST", PATH, "start_roll_call", start_roll_call,
        "Begin a roll call", TAG, Action.CONTROL_CONFERENCES,
        (Answer(201, "begun", RollCall, headers=(LOCATION_HEADER, ETAG_HEADER)),),
        body=Body(NewRollCall), conditional=True,
    ),
    Route(
        "GET", f"{ONE}.csv", "export_roll_call", read_roll_call,
        "One roll call as a table", TAG, Action.SEE_VIEW,
        (Answer(200, "a row for each room", media_type=CSV_TYPE),),
    ),
    Route(
        "GET", ONE, "read_roll_call", read_roll_call,
        "One roll call with its rooms and entries", TAG, Action.SEE_VIEW,
        (Answer(200, "the roll call", RollCall, headers=(ETAG_HEADER,), other_types=(CSV_TYPE,)),),
    ),
    Route(
        "PATCH", ONE, "change_roll_call", change_roll_call,
        "Pause it, call one room, or skip one", TAG, Action.CONTROL_CONFERENCES,
        _ONE, body=Body(RollCallChange), conditional=True, problems=("conflict",),
    ),
    Route(
        "DELETE", ONE, "cancel_roll_call", cancel_roll_call,
        "Cancel a roll call; it stays readable", TAG, Action.CONTROL_CONFERENCES,
        (Answer(204, "cancelled"),), conditional=True, problems=("conflict",),
    ),
    Route(
        "POST", f"{ONE}/marks", "mark_room", mark_room,
        "Mark a room, or answer for the own", TAG, Action.ANSWER_ROLL_CALL,
        (*_ONE, Answer(204, "the room has answered")), body=Body(NewMark), conditional=True,
    ),
    Route(
        "GET", f"{ONE}/marks/{{entry}}.jpg", "mark_picture", mark_picture,
        "How the room looked when it was marked", TAG, Action.SEE_VIEW,
        (Answer(200, "the picture", media_type=JPEG),),
    ),
    Route(
        "POST", f"{ONE}/sign-off", "sign_roll_call", sign_roll_call,
        "Sign a roll call off", TAG, Action.CONTROL_CONFERENCES,
        _ONE, body=Body(SignOff, required=False), conditional=True,
    ),
)  # fmt: skip
