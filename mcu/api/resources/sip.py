"""Hardware rooms: what they sign in with, and what was said in their calls."""

from typing import Final

from aiohttp import web

from mcu.api.call import Call, json_response, no_content
from mcu.api.csv_table import CSV_TYPE, csv_response, wants_csv
from mcu.api.documents import caller_document
from mcu.api.problem import invalid, not_found
from mcu.api.reach import participant_of
from mcu.api.resources.bridges import bridge_of
from mcu.api.resources.conferences import conference_of
from mcu.api.rights import Action
from mcu.api.route import BASE, Answer, Body, Route
from mcu.api.schemas.registry import NewSipSecret, SipAccount, SipOutbound
from mcu.api.schemas.sip import SipCaller, SipCallers, SipTrace, SipTraceEntry
from mcu.api.services import SipServer
from mcu.sentences import sentence
from mcu.store import records
from signalling.sip.uri import DEFAULT_PORTS

TAG: Final = "sip"
CALLER_COLUMNS: Final = (
    "name", "address", "source", "bridge", "since", "tries_left", "call", "call_id",
)  # fmt: skip


async def issue_sip_secret(call: Call) -> web.Response:
    """A new secret for the room's devices, which makes the one before void."""
    bridge = await _sip_bridge(call, Action.ISSUE_SIP_SECRET, "issue a SIP secret for")
    secret = await call.services.sip.set_secret(bridge.id, call.body(NewSipSecret).secret)
    server = call.services.sip_server
    host = _with_port(server)
    document = SipAccount(
        user_name=bridge.id,
        secret=secret,
        server=host,
        realm=server.realm,
        ports=dict(server.ports),
        address=f"sip:{bridge.id}@{host}",
    )
    return json_response(document, 201)


async def revoke_sip_secret(call: Call) -> web.Response:
    """Take the secret away; doing it twice is harmless."""
    bridge = await bridge_of(call, Action.ISSUE_SIP_SECRET, "revoke the SIP secret of")
    await call.services.sip.revoke(bridge.id)
    return no_content()


async def set_sip_outbound(call: Call) -> web.Response:
    """With what we sign in at the room; it is never shown again."""
    bridge = await _sip_bridge(call, Action.WRITE_BRIDGES, "set a SIP login for")
    wanted = call.body(SipOutbound)
    await call.services.sip.set_outbound(bridge.id, wanted.user_name, wanted.secret)
    return no_content()


async def clear_sip_outbound(call: Call) -> web.Response:
    """Forget it; doing it twice is harmless."""
    bridge = await bridge_of(call, Action.WRITE_BRIDGES, "clear the SIP login of")
    await call.services.sip.clear_outbound(bridge.id)
    return no_content()


async def read_sip_trace(call: Call) -> web.Response:
    """The messages of a participant's calls; an empty list where it was never called by SIP.

    Of one who is off the roster they can be read as long as they are kept, by who may read those
    of the whole conference.
    """
    state = await call.services.conferences.read(call.path("conference"))
    name = call.path("participant")
    entries = call.services.sip_trace(state.id, name) or ()
    if entries and name not in state.participants:
        call.reach.require_conference(Action.READ_SIP_TRACE, state, "read SIP traces")
    else:
        who = participant_of(state, name)
        call.reach.require_participant(Action.READ_SIP_TRACE, state, who, "read the SIP trace of")
    return json_response(SipTrace(items=[SipTraceEntry.model_validate(one) for one in entries]))


def _with_port(server: SipServer) -> str:
    """What is typed for the server: with its port where a device would not try that by itself.

    It is UDP's, else TCP's, else TLS's; devices have a line of its own for those of others.
    """
    host = f"[{server.host}]" if ":" in server.host else server.host
    for transport, usual in DEFAULT_PORTS.items():
        port = server.ports.get(transport)
        if port is not None:
            return host if port == usual else f"{host}:{port}"
    return host


async def list_callers(call: Call) -> web.Response:
    """Who calls the conference and is to enter its PIN; as JSON or CSV."""
    state = await conference_of(call)
    call.reach.require_conference(Action.SEE_VIEW, state, "see who calls")
    callers = call.services.sip_callers(state.id)
    if wants_csv(call):
        rows = [caller_document(one) for one in callers]
        table = [[row[name] for name in CALLER_COLUMNS] for row in rows]
        return csv_response(f"callers-{state.id}", CALLER_COLUMNS, table)
    return json_response(SipCallers(items=[SipCaller.model_validate(one) for one in callers]))


async def read_caller_trace(call: Call) -> web.Response:
    """The messages of one call that is at the PIN prompt, or was lately."""
    state = await call.services.conferences.read(call.path("conference"))
    call.reach.require_conference(Action.READ_SIP_TRACE, state, "read SIP traces")
    name = call.path("call")
    entries = call.services.sip_caller_trace(state.id, name)
    if entries is None:
        raise not_found("caller", name)
    return json_response(SipTrace(items=[SipTraceEntry.model_validate(one) for one in entries]))


async def _sip_bridge(call: Call, action: Action, what: str) -> records.Bridge:
    bridge = await bridge_of(call, action, what)
    if bridge.kind != "sip":
        raise invalid("path.bridge", sentence("sip.not-sip"))
    return bridge


_BRIDGE: Final = f"{BASE}/bridges/{{bridge}}"

ROUTES: Final = (
    Route(
        "POST", f"{_BRIDGE}/sip-secret", "issue_sip_secret", issue_sip_secret,
        "Issue what the room's devices sign in with; the one before is void", TAG,
        Action.ISSUE_SIP_SECRET,
        (Answer(201, "shown this once", SipAccount),),
        body=Body(NewSipSecret, required=False), secret=True,
    ),
    Route(
        "DELETE", f"{_BRIDGE}/sip-secret", "revoke_sip_secret", revoke_sip_secret,
        "Revoke it; the room's registrations and its calls by it end at once", TAG,
        Action.ISSUE_SIP_SECRET,
        (Answer(204, "revoked"),),
    ),
    Route(
        "PUT", f"{_BRIDGE}/sip-outbound", "set_sip_outbound", set_sip_outbound,
        "Set with what this server signs in at the room, where the room asks for it", TAG,
        Action.WRITE_BRIDGES,
        (Answer(204, "stored, encrypted"),), body=Body(SipOutbound),
    ),
    Route(
        "DELETE", f"{_BRIDGE}/sip-outbound", "clear_sip_outbound", clear_sip_outbound,
        "Forget with what this server signs in at the room", TAG, Action.WRITE_BRIDGES,
        (Answer(204, "forgotten"),),
    ),
    Route(
        "GET", f"{BASE}/conferences/{{conference}}/callers", "list_callers", list_callers,
        "Callers by SIP who are to enter the PIN, and are on no roster yet", TAG,
        Action.SEE_VIEW,
        (Answer(200, "all of them", SipCallers, other_types=(CSV_TYPE,)),),
    ),
    Route(
        "GET", f"{BASE}/conferences/{{conference}}/callers.csv", "export_callers", list_callers,
        "The same as a table", TAG, Action.SEE_VIEW,
        (Answer(200, "CSV", media_type=CSV_TYPE),),
    ),
    Route(
        "GET", f"{BASE}/conferences/{{conference}}/callers/{{call}}/sip-trace",
        "read_caller_trace", read_caller_trace,
        "SIP messages of a call that is at the PIN prompt, or was sent away there; as long as they "
        "are kept", TAG, Action.READ_SIP_TRACE,
        (Answer(200, "the newest ones, the oldest first", SipTrace),),
    ),
    Route(
        "GET", f"{BASE}/conferences/{{conference}}/participants/{{participant}}/sip-trace",
        "read_sip_trace", read_sip_trace,
        "SIP messages of a participant's calls, secrets masked; also once it is gone, as long as "
        "they are kept (300 calls)", TAG, Action.READ_SIP_TRACE,
        (Answer(200, "the newest ones, the oldest first", SipTrace),),
    ),
)  # fmt: skip
