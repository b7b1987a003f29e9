"""Participants of one conference: called in, changed, disconnected."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from mcu.api import orders
from mcu.api.call import Call, json_response, no_content
from mcu.api.csv_table import CSV_TYPE, csv_response, wants_csv
from mcu.api.documents import participant_document
from mcu.api.openapi import ETAG_HEADER, LOCATION_HEADER
from mcu.api.problem import forbidden, invalid
from mcu.api.reach import participant_of, require_running
from mcu.api.resources.conferences import conference_of, controlled
from mcu.api.rights import Action
from mcu.api.route import BASE, Answer, Body, Route
from mcu.api.schemas.base import Page
from mcu.api.schemas.conference import (
    NewParticipant,
    NewTransfer,
    Participant,
    ParticipantChange,
    ParticipantQuery,
    Removal,
)
from mcu.api.slices import in_slices
from mcu.conference import state as domain
from mcu.conference.commands import ChangeParticipant, RemoveParticipant
from mcu.conference.move import move
from mcu.sentences import sentence
from mcu.store import paging

TAG: Final = "participants"
PATH: Final = f"{BASE}/conferences/{{conference}}/participants"
SELF_SERVICE: Final = frozenset({"audio_muted", "video_muted"})
"""What a room may change of itself."""
READINGS: Final = frozenset({"level_db", "speaking", "visible", "quality"})
COLUMNS: Final = (
    "id", "label", "name", "bridge", "unit", "role", "importance", "state", "call_failure",
    "audio_muted", "video_muted", "deafened", "volume_db", "joined_at", "lost_at",
)  # fmt: skip
QUALITY: Final = ("grade", "loss_percent", "jitter_ms", "round_trip_ms")
"""Of its line; these columns follow."""


async def list_participants(call: Call) -> web.Response:
    """One page of the roster, in its order; as CSV all of it."""
    query = call.query(ParticipantQuery)
    state = await conference_of(call)
    after = None if wants_csv(call) else paging.read_number_cursor(query.cursor)
    roster = sorted(
        (
            who
            for who in state.participants.values()
            if (after is None or who.order > after)
            and (query.state is None or who.presence == query.state)
        ),
        key=lambda who: who.order,
    )
    if wants_csv(call):
        rows = await in_slices(roster, lambda who: _row(_document(call, state, who)))
        return csv_response(f"participants-{state.id}", (*COLUMNS, *QUALITY), rows)
    page = paging.page(roster, query.limit, lambda who: str(who.order))
    items = await in_slices(page.items, lambda who: _document(call, state, who))
    return json_response(Page[Participant](items=items, next_cursor=page.next_cursor))


def _row(who: Participant) -> Sequence[object]:
    """Somebody in a table."""
    document = who.model_dump(mode="json")
    line = document["quality"] or {}
    return [*(document[name] for name in COLUMNS), *(line.get(name) for name in QUALITY)]


async def add_participant(call: Call) -> web.Response:
    """Put a bridge or a guest on the roster."""
    state = await controlled(call)
    new = call.body(NewParticipant)
    conferences = call.services.conferences
    if new.bridge is not None:
        bridge = await call.services.store.bridges.get(new.bridge)
        if not call.reach.may_call(state, bridge.id, bridge.unit):
            raise forbidden(sentence("room.invite-instead", room=bridge.id, unit=bridge.unit))
        who = await conferences.add_bridge(
            state.id, bridge.id, call.actor, importance=new.importance
        )
        call.services.call_again(state.id, who.id)
    else:
        who = await _guest(call, state, new)
    if new.role != who.role and new.role == "chair":
        await conferences.execute(state.id, ChangeParticipant(who.id, role="chair"), call.actor)
    conferences.hand_on(state.id, who.id, call.actor, "called", acts=True)
    call.target = f"{BASE}/conferences/{state.id}/participants/{who.id}"
    state = conferences.get(state.id)
    return _answer(call, state, participant_of(state, who.id), 201, call.target)


async def _guest(
    call: Call, state: domain.ConferenceState, new: NewParticipant
) -> domain.Participant:
    """A guest on the roster; one whose address is there already is called again."""
    address = None
    if new.address is not None:
        try:
            address = call.services.outside_address(new.address)
        except ValueError as error:
            raise invalid("$.address", error.args[0]) from error
        for known in state.participants.values():
            if known.address == address:
                call.services.call_again(state.id, known.id)
                return known
    return await call.services.conferences.add_guest(
        state.id,
        new.name or _user_of(address or ""),
        call.actor,
        importance=new.importance or 0,
        address=address,
    )


def _user_of(address: str) -> str:
    """How somebody is called whom nobody has named: what stands before the @, or the address."""
    rest = address.partition(":")[2]
    return rest.partition("@")[0] if "@" in rest else rest


async def read_participant(call: Call) -> web.Response:
    """One participant with its present readings."""
    state = await conference_of(call)
    return _answer(call, state, participant_of(state, call.path("participant")))


async def change_participant(call: Call) -> web.Response:
    """Change how it is heard, seen and labelled; a room may only mute itself."""
    state = await call.services.conferences.read(call.path("conference"))
    call.reach.require_conference(Action.READ_CONFERENCES, state, "change anything")
    who = participant_of(state, call.path("participant"))
    change = call.body(ParticipantChange)
    given = change.model_fields_set
    call.reach.require_participant(Action.MUTE_PARTICIPANT, state, who, "change")
    beyond = given - SELF_SERVICE
    if beyond and not call.reach.participant(Action.CONTROL_CONFERENCES, state, who):
        raise forbidden(
            sentence(
                "room.self-only",
                self_service=" and ".join(sorted(SELF_SERVICE)),
                beyond=", ".join(sorted(beyond)),
            )
        )
    require_running(state)
    call.refuse_other_echo(_document(call, state, who))
    for field in given:
        if getattr(change, field) is None:
            raise invalid(f"$.{field}", sentence("empty"))
    return await orders.order(
        call,
        state.id,
        ChangeParticipant(who.id, **change.model_dump()),
        lambda after: _answer(call, after, participant_of(after, who.id)),
        lambda now: participant_of(now, who.id).version,
    )


async def transfer_participant(call: Call) -> web.Response:
    """Move it to another conference, both of which the token may control."""
    services = call.services
    state = await controlled(call)
    who = participant_of(state, call.path("participant"))
    wanted = call.body(NewTransfer).conference
    other = await services.conferences.read(wanted)
    call.reach.require_conference(Action.CONTROL_CONFERENCES, other, "move anybody", "to")
    require_running(other)
    if who.bridge is not None and not call.reach.may_call(other, who.bridge, who.unit):
        raise forbidden(sentence("transfer.guest", label=who.label))
    if services.transfer is None:
        moved = await move(services.conferences, state.id, who.id, other.id, call.actor)
    else:
        moved = await services.transfer(state.id, who.id, other.id, call.actor)
    call.target = f"{BASE}/conferences/{other.id}/participants/{moved.id}"
    other = services.conferences.get(other.id)
    return _answer(call, other, participant_of(other, moved.id), 201, call.target)


async def remove_participant(call: Call) -> web.Response:
    """Disconnect it and take it off the roster; the room is told why."""
    state = await controlled(call)
    who = participant_of(state, call.path("participant"))
    reason = call.query(Removal).reason
    if reason:
        call.target += f"?reason={reason}"  # for people, who read what is written there
    return await orders.order(
        call,
        state.id,
        RemoveParticipant(who.id, reason),
        lambda _: no_content(),
        lambda now: participant_of(now, who.id).version,
    )


def _document(call: Call, state: domain.ConferenceState, who: domain.Participant) -> Participant:
    return participant_document(state, who, call.services.live, call.reach)


def _answer(
    call: Call,
    state: domain.ConferenceState,
    who: domain.Participant,
    status: int = 200,
    location: str | None = None,
) -> web.Response:
    return json_response(
        _document(call, state, who), status, version=who.version, location=location
    )


ROUTES: Final = (
    Route(
        "GET", PATH, "list_participants", list_participants,
        "The roster, in its order", TAG, Action.READ_CONFERENCES,
        (Answer(200, "one page", Page[Participant], other_types=(CSV_TYPE,)),),
        query=ParticipantQuery,
    ),
    Route(
        "GET", f"{PATH}.csv", "export_participants", list_participants,
        "The roster as a table", TAG, Action.READ_CONFERENCES,
        (Answer(200, "a row for each participant", media_type=CSV_TYPE),), query=ParticipantQuery,
    ),
    Route(
        "POST", PATH, "add_participant", add_participant,
        "Call in a bridge or an address, or reserve a place for a guest", TAG,
        Action.CONTROL_CONFERENCES,
        (Answer(201, "on the roster", Participant, headers=(LOCATION_HEADER, ETAG_HEADER)),),
        body=Body(NewParticipant),
    ),
    Route(
        "GET", f"{PATH}/{{participant}}", "read_participant", read_participant,
        "One participant with levels and quality", TAG, Action.READ_CONFERENCES,
        (Answer(200, "the participant", Participant, headers=(ETAG_HEADER,)),),
    ),
    Route(
        "PATCH", f"{PATH}/{{participant}}", "change_participant", change_participant,
        "Mute, label, weigh or promote a participant", TAG, Action.MUTE_PARTICIPANT,
        (Answer(200, "as it is now", Participant, headers=(ETAG_HEADER,)),),
        body=Body(ParticipantChange, echo=Participant, readings=READINGS), conditional=True,
        problems=("conflict",),
    ),
    Route(
        "POST", f"{PATH}/{{participant}}/transfer", "transfer_participant", transfer_participant,
        "Move a participant to another running conference", TAG, Action.CONTROL_CONFERENCES,
        (Answer(
            201, "on the other roster", Participant, headers=(LOCATION_HEADER, ETAG_HEADER)
        ),),
        body=Body(NewTransfer), problems=("conflict",),
    ),
    Route(
        "DELETE", f"{PATH}/{{participant}}", "remove_participant", remove_participant,
        "Disconnect a participant and take it off the roster", TAG, Action.CONTROL_CONFERENCES,
        (Answer(204, "gone"),), query=Removal, conditional=True, problems=("conflict",),
    ),
)  # fmt: skip
