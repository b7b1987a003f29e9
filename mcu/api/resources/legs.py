"""Media connections over HTTP: offer in, answer out, in the manner of WHIP (RFC 9725) and WHEP.

The ETag of a leg is its ICE session: our ICE user name fragment, new after every restart.
"""

import re
from dataclasses import asdict
from typing import Final

from aiohttp import hdrs, web

from mcu.api.call import Call, json_response, no_content
from mcu.api.etag import read_if_match
from mcu.api.problem import Problem, forbidden, invalid, not_found
from mcu.api.reach import participant_of, require_running
from mcu.api.rights import Action
from mcu.api.route import BASE, MAX_SDP_BYTES, Answer, Body, Route
from mcu.api.schemas.leg import JoinQuery, Leg, WatchQuery
from mcu.api.security import preflight_response
from mcu.api.services import LegInfo
from mcu.conference.commands import RemoveParticipant
from mcu.conference.state import ConferenceState, UnknownConference
from mcu.legs.leg import LegKind
from mcu.sentences import sentence

TAG: Final = "legs"
SDP: Final = "application/sdp"
FRAGMENT: Final = "application/trickle-ice-sdpfrag"
ACCEPT_PATCH: Final = "Accept-Patch"
ACCEPT_POST: Final = "Accept-Post"
_UFRAG: Final = re.compile(r"^a=ice-ufrag:(\S{4,256})\s*$", re.MULTILINE)


async def join(call: Call) -> web.Response:
    """A room joins, both ways."""
    return await _accept(call, "join")


async def publish(call: Call) -> web.Response:
    """A WHIP publisher: sends only, as a participant."""
    return await _accept(call, "publish")


async def watch(call: Call) -> web.Response:
    """A WHEP viewer: receives one view, outside of the roster."""
    state = await _conference(call)
    call.reach.require_conference(Action.WATCH, state, "watch")
    _check_accept(call)
    view = call.query(WatchQuery).view
    if view not in state.views:
        raise invalid("query.view", sentence("view.one-of", views=", ".join(state.views)))
    return await _answer(call, state, None, "view", view)


async def read_leg(call: Call) -> web.Response:
    """Statistics of one leg."""
    leg = _leg(call, Action.READ_LEG, "read")
    statistics = asdict(leg.statistics)
    document = Leg.model_validate(
        statistics
        | {
            "id": leg.id,
            "conference": leg.conference,
            "participant": leg.participant,
            "kind": leg.kind,
            "state": leg.state,
            "view": leg.view,
            "receives": asdict(leg.receives) if leg.receives is not None else None,
        }
    )
    response = json_response(document)
    response.headers[hdrs.ETAG] = f'"{leg.ice_ufrag}"'
    return response


async def change_leg(call: Call) -> web.Response:
    """Trickle or restart ICE (RFC 9725 section 4.3).

    Clients mark a restart with ``If-Match: *``, but some send that with mere candidates too: what
    tells them apart is new credentials in the fragment. WHEP, which is no standard yet, has clients
    in use that send no If-Match; one viewer has nobody to overtake.
    """
    leg = _leg(call, Action.CHANGE_LEG, "change")
    if hdrs.IF_MATCH not in call.request.headers and leg.kind != "view":
        raise Problem(
            "precondition-required", "Send If-Match: the leg's ETag, or * to restart ICE."
        )
    tags = read_if_match(call.request.headers.getall(hdrs.IF_MATCH, ["*"]))
    if tags is not None and leg.ice_ufrag not in tags:
        raise Problem(
            "precondition-failed",
            "ICE has been restarted in between; use the ETag of the latest answer.",
            headers={hdrs.ETAG: f'"{leg.ice_ufrag}"'},
        )
    try:
        answer = await call.services.legs.restart_ice(leg.id, call.text())
    except KeyError:
        raise not_found("leg", leg.id) from None
    if not answer:
        return no_content()
    headers = {hdrs.ETAG: f'"{ice_ufrag(answer) or leg.id}"'}
    return web.Response(body=answer.encode(), content_type=FRAGMENT, headers=headers)


async def leave(call: Call) -> web.Response:
    """Hang up."""
    leg = _leg(call, Action.CHANGE_LEG, "disconnect")
    own = leg.opened_by == call.who.token.id
    await call.services.legs.leave(leg.id, "bye" if own else "disconnected")
    return no_content()


async def endpoint_options(call: Call) -> web.Response:
    """CORS preflight, and what may be posted here (RFC 9725 section 4.2)."""
    response = preflight_response()
    response.headers[ACCEPT_POST] = SDP
    return response


async def leg_options(call: Call) -> web.Response:
    """CORS preflight, and what may be patched here."""
    response = preflight_response()
    response.headers[ACCEPT_PATCH] = FRAGMENT
    return response


def ice_ufrag(sdp: str) -> str | None:
    """The first ICE user name fragment of a description or fragment."""
    match = _UFRAG.search(sdp)
    return match[1] if match else None


async def _accept(call: Call, kind: LegKind) -> web.Response:
    """Find out who joins, put a guest on the roster, and answer the offer."""
    state = await _conference(call)
    _check_accept(call)
    query = call.query(JoinQuery)
    if query.name is None:
        participant = await _room(call, state, query.bridge)
        return await _answer(call, state, participant, kind, None)
    if query.bridge is not None:
        raise invalid("query.name", sentence("name-or-room"))
    call.reach.require_conference(Action.CONTROL_CONFERENCES, state, "let guests in")
    guest = await call.services.conferences.add_guest(state.id, query.name, call.actor)
    try:
        return await _answer(call, state, guest.id, kind, None)
    except Exception:
        # A guest whose offer was refused must not stay on the roster as somebody expected.
        await call.services.conferences.execute(state.id, RemoveParticipant(guest.id), call.actor)
        raise


async def _room(call: Call, state: ConferenceState, bridge: str | None) -> str:
    """The participant for whom the token joins; an operator's bridge is called in on the way."""
    token = call.who.token
    if token.role == "bridge":
        if bridge not in (None, token.bridge):
            raise forbidden(sentence("join.as-room", room=token.bridge))
        bridge = token.bridge
    if bridge is None:
        raise invalid("query.bridge", sentence("room-or-guest"))
    if bridge not in state.participants:
        if token.role not in ("admin", "operator"):
            raise forbidden(sentence("join.not-called", room=bridge))
        record = await call.services.store.bridges.get(bridge)
        call.reach.require_conference(Action.CONTROL_CONFERENCES, state, "call bridges")
        if not call.reach.bridge(Action.CONTROL_CONFERENCES, record.id, record.unit):
            raise forbidden(sentence("room.not-callable", room=bridge, unit=record.unit))
        await call.services.conferences.add_bridge(state.id, bridge, call.actor)
        return bridge
    who = participant_of(state, bridge)
    call.reach.require_participant(Action.JOIN, state, who, "join for")
    return who.id


async def _answer(
    call: Call, state: ConferenceState, participant: str | None, kind: LegKind, view: str | None
) -> web.Response:
    joined = await call.services.legs.join(
        conference=state.id,
        participant=participant,
        kind=kind,
        view=view,
        offer_sdp=call.text(),
        actor=call.actor,
    )
    call.services.leg_opened(joined.id, call.request.headers.get(hdrs.USER_AGENT, ""))
    location = f"{BASE}/legs/{joined.id}"
    call.target = location
    headers = {
        hdrs.LOCATION: location,
        hdrs.ETAG: f'"{ice_ufrag(joined.answer_sdp) or joined.id}"',
        ACCEPT_PATCH: FRAGMENT,
    }
    return web.Response(
        status=201, body=joined.answer_sdp.encode(), content_type=SDP, headers=headers
    )


async def _conference(call: Call) -> ConferenceState:
    state = await call.services.conferences.read(call.path("conference"))
    require_running(state)
    return state


def _leg(call: Call, action: Action, what: str) -> LegInfo:
    leg = call.services.legs.get(call.path("leg"))
    if leg is None:
        raise not_found("leg", call.path("leg"))
    try:
        state = call.services.conferences.get(leg.conference)
    except UnknownConference:
        state = None
    if not call.reach.leg(action, leg, state):
        raise forbidden(sentence("leg.out-of-reach", what=what, leg=leg.id))
    return leg


def _check_accept(call: Call) -> None:
    """406 where the client takes anything but SDP."""
    accepted = call.request.headers.get(hdrs.ACCEPT, "*/*").lower()
    kinds = {part.partition(";")[0].strip() for part in accepted.split(",")}
    if kinds.isdisjoint({SDP, "application/*", "*/*", ""}):
        raise Problem("not-acceptable", f"The answer is {SDP}; accept it.")


_ANSWERED: Final = (
    Answer(
        201, "the answer", media_type=SDP,
        headers=(
            (hdrs.LOCATION, "address of the leg"),
            (hdrs.ETAG, "the ICE session, for If-Match"),
            (ACCEPT_PATCH, FRAGMENT),
        ),
    ),
)  # fmt: skip
_OFFER: Final = Body(media_types=(SDP,), limit=MAX_SDP_BYTES)
_JOIN_PROBLEMS: Final = ("not-acceptable", "offer-refused", "conflict")
_OPTIONS: Final = (
    Answer(204, "allowed", headers=((ACCEPT_POST, SDP), (hdrs.ACCESS_CONTROL_ALLOW_METHODS, ""))),
)
_LEG_OPTIONS: Final = (
    Answer(
        204, "allowed", headers=((ACCEPT_PATCH, FRAGMENT), (hdrs.ACCESS_CONTROL_ALLOW_METHODS, ""))
    ),
)

ROUTES: Final = (
    Route(
        "POST", f"{BASE}/conferences/{{conference}}/legs", "join", join,
        "Join with a WebRTC offer", TAG, Action.JOIN, _ANSWERED,
        body=_OFFER, query=JoinQuery, problems=_JOIN_PROBLEMS,
    ),
    Route(
        "POST", "/whip/{conference}", "publish", publish,
        "WHIP: publish into a conference (RFC 9725)", TAG, Action.JOIN, _ANSWERED,
        body=_OFFER, query=JoinQuery, problems=_JOIN_PROBLEMS,
    ),
    Route(
        "POST", "/whep/{conference}", "watch", watch,
        "WHEP: watch a view of a conference", TAG, Action.WATCH, _ANSWERED,
        body=_OFFER, query=WatchQuery, problems=_JOIN_PROBLEMS,
    ),
    Route(
        "OPTIONS", "/whip/{conference}", "whip_options", endpoint_options,
        "CORS preflight", TAG, None, _OPTIONS,
    ),
    Route(
        "OPTIONS", "/whep/{conference}", "whep_options", endpoint_options,
        "CORS preflight", TAG, None, _OPTIONS,
    ),
    Route(
        "OPTIONS", f"{BASE}/legs/{{leg}}", "leg_options", leg_options,
        "CORS preflight", TAG, None, _LEG_OPTIONS,
    ),
    Route(
        "GET", f"{BASE}/legs/{{leg}}", "read_leg", read_leg,
        "Statistics of a leg", TAG, Action.READ_LEG,
        (Answer(200, "the leg", Leg, headers=((hdrs.ETAG, "the ICE session"),)),),
    ),
    Route(
        "PATCH", f"{BASE}/legs/{{leg}}", "change_leg", change_leg,
        "Trickle or restart ICE", TAG, Action.CHANGE_LEG,
        (
            Answer(200, "ICE restarted: our fragment", media_type=FRAGMENT,
                   headers=((hdrs.ETAG, "the new ICE session"),)),
            Answer(204, "candidates taken"),
        ),
        body=Body(media_types=(FRAGMENT,), limit=MAX_SDP_BYTES), conditional=True,
        problems=("precondition-required",),
    ),
    Route(
        "DELETE", f"{BASE}/legs/{{leg}}", "leave", leave,
        "Hang up", TAG, Action.CHANGE_LEG, (Answer(204, "gone"),),
    ),
)  # fmt: skip
