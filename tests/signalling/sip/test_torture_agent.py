"""Messages of RFC 4475 that only an agent can judge, and all of them in a row."""

import pytest
from sipmessage import Response

from signalling.sip.digest import DigestVerifier
from signalling.sip.effects import CallReceived
from signalling.sip.registrar import BindingsChanged, Registrar
from tests.signalling.sip.scripted import Scripted
from tests.signalling.sip.torture import message, names

ANSWERED = {
    # section 3.3 of RFC 4475, and what of 3.1 an endpoint answers
    "unkscm": 416,
    "novelsc": 416,
    "unksm2": 404,
    "bext01": 420,
    "invut": 415,
    "regaut01": 401,
    "multi01": 400,
    "mcl01": 400,
    "zeromf": 200,  # the end of its way: nothing is passed on
    "intmeth": 501,
    "esc02": 501,
    "mismatch02": 400,
    "badvers": 505,
    "semiuri": 200,
    "transports": 200,
    "lwsdisp": 200,
    "trws": 200,
    "badbranch": 200,
    "mpart01": 501,
    "cparam01": 200,
    "cparam02": 200,
    "regescrt": 200,
    "escnull": 200,
    "dblreq": 200,
    "scalar02": 400,
}


def codes(peer: Scripted, data: bytes) -> list[int]:
    return [one.code for one in peer.receive(data) if isinstance(one, Response)]


@pytest.mark.parametrize("name", sorted(ANSWERED))
def test_answered(name: str) -> None:
    verifier = DigestVerifier("r", lambda *_: None) if name == "regaut01" else None
    peer = Scripted(verifier=verifier, registrar=Registrar())
    assert codes(peer, message("rfc4475", name)) == [ANSWERED[name]]


def test_registered_contacts_keep_their_headers() -> None:
    peer = Scripted(registrar=Registrar())
    peer.receive(message("rfc4475", "regescrt"))
    (binding,) = peer.one(BindingsChanged).bindings
    assert str(binding.contact) == "sip:user@example.com?Route=%3Csip:sip.example.com%3E"


def test_responses_to_nobody() -> None:
    for name in ("bcast", "unreason", "noreason", "scalarlg", "bigcode"):
        peer = Scripted()
        assert peer.receive(message("rfc4475", name)) == []
        assert peer.agent.is_idle


def test_an_invite_of_rfc_2543_rings() -> None:
    peer = Scripted()
    assert codes(peer, message("rfc4475", "inv2543")) == [100]
    call = peer.one(CallReceived).call
    assert peer.agent.ring(call, peer.now)
    assert peer.agent.reject(call, 486, peer.now)


@pytest.mark.parametrize("name", ["wsinv", "esc01", "longreq", "lwsstart", "baddate", "sdp01"])
def test_invites_that_ring(name: str) -> None:
    peer = Scripted()
    first = codes(peer, message("rfc4475", name))
    if name == "wsinv":
        assert first == [481]  # it has a tag in To, of a dialog that never was
        return
    assert first == [100]
    peer.one(CallReceived)


@pytest.mark.parametrize("standard", ["rfc4475", "rfc5118"])
def test_all_in_a_row_leave_the_agent_unharmed(standard: str) -> None:
    peer = Scripted(registrar=Registrar())
    for _ in range(2):
        for name in names(standard):
            peer.receive(message(standard, name))
    for event in list(peer.events):
        if isinstance(event, CallReceived):
            peer.agent.reject(event.call, 486, peer.now)
    peer.taken()
    peer.run(4_000.0)
    assert peer.agent.is_idle
