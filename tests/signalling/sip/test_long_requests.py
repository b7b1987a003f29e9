"""Requests too long for a datagram go by TCP (RFC 3261 section 18.1.1), and how that fails."""

from dataclasses import replace

from sipmessage import Request

from signalling.sip.core import NO_STREAMS_S
from signalling.sip.effects import CallAnswered, CallEnded
from signalling.sip.hop import Hop
from signalling.sip.settings import AgentSettings, Listener
from tests.signalling.sip.messages import response
from tests.signalling.sip.scripted import OWN, Scripted, requests
from tests.signalling.sip.virtual_link import OFFER

LONG = OFFER + b"a=x-long:" + b"0" * 1_300 + b"\r\n"
BOTH = AgentSettings((OWN, Listener("tcp", "192.0.2.1", 5070)))
CALLER = "<sip:hn01@192.0.2.1>"
CONTACT = "Contact: <sip:room@192.0.2.7:5070>"


def call(peer: Scripted, sdp: bytes, no_answer_s: float | None = None) -> tuple[str, Request]:
    name = peer.agent.call(
        "sip:room@192.0.2.7", sdp, peer.now, caller=CALLER, no_answer_s=no_answer_s
    )
    (invite,) = requests(peer.taken())
    return name, invite


def fail(peer: Scripted) -> list[Request]:
    peer.agent.transport_failed(peer.sent[-1], peer.now)
    return requests(peer.taken())


def test_a_long_request_goes_by_tcp_and_says_so() -> None:
    peer = Scripted(BOTH)
    _, invite = call(peer, LONG)
    assert peer.sent[-1].hop == Hop("tcp", "192.0.2.7")
    assert invite.headers["Via"].startswith("SIP/2.0/TCP 192.0.2.1:5070;branch=z9hG4bK")
    assert "rport" not in invite.headers["Via"]


def test_a_short_one_goes_as_the_address_says() -> None:
    peer = Scripted(BOTH)
    call(peer, OFFER)
    assert peer.sent[-1].hop.transport == "udp"


def test_who_cannot_be_reached_by_tcp_gets_it_by_udp() -> None:
    peer = Scripted(BOTH)
    name, first = call(peer, LONG)
    branch = first.headers["Via"].partition("branch=")[2]
    (again,) = fail(peer)
    assert peer.sent[-1].hop.transport == "udp"
    assert again.headers["Via"] == f"SIP/2.0/UDP 192.0.2.1;branch={branch};rport"
    # It is now repeated as UDP wants it, and what answers it is taken.
    peer.now = 0.5
    peer.agent.handle_timer(peer.now)
    assert len(requests(peer.taken())) == 1
    peer.answer(again, 486)
    assert peer.events == [CallEnded(name, "busy", 486)]


def test_that_is_remembered_for_a_while() -> None:
    peer = Scripted(BOTH)
    call(peer, LONG)
    fail(peer)
    call(peer, LONG)
    assert peer.sent[-1].hop.transport == "udp"
    peer.now += NO_STREAMS_S + 1
    peer.agent.handle_timer(peer.now)
    peer.taken()
    call(peer, LONG)
    assert peer.sent[-1].hop.transport == "tcp"


def test_where_udp_fails_too_the_call_is_unreachable() -> None:
    peer = Scripted(BOTH)
    name, _ = call(peer, LONG)
    fail(peer)
    fail(peer)
    assert peer.events == [CallEnded(name, "unreachable")]


def test_cancel_goes_the_way_of_its_invite() -> None:
    peer = Scripted(BOTH)
    name, invite = call(peer, LONG)
    peer.answer(invite, 180, CONTACT)
    peer.agent.hang_up(name, peer.now)
    (cancel,) = requests(peer.taken())
    assert cancel.method == "CANCEL"
    assert peer.sent[-1].hop.transport == "tcp"
    assert cancel.headers["Via"] == invite.headers["Via"]


def test_without_a_place_for_tcp_it_goes_by_udp() -> None:
    peer = Scripted()
    call(peer, LONG)
    assert peer.sent[-1].hop.transport == "udp"


def test_our_address_is_the_one_that_the_peer_reached() -> None:
    reached = replace(Hop("udp", "192.0.2.7", 5060), local="192.0.2.99")
    for tells, host in ((True, "192.0.2.99"), (False, "192.0.2.1")):
        peer = Scripted(AgentSettings((OWN,), tell_local=tells), source=reached)
        peer.agent.call("sip:room@192.0.2.7", OFFER, 0.0, caller=CALLER, hop=reached)
        (invite,) = requests(peer.taken())
        assert invite.headers["Via"].startswith(f"SIP/2.0/UDP {host};")
        assert invite.headers["Contact"].startswith(f"<sip:hn01@{host}:5060>")


def test_who_is_behind_address_translation_is_reached_where_it_came_from() -> None:
    seen = Hop("udp", "198.51.100.9", 40_000)
    peer = Scripted()
    peer.agent.call("sip:room@10.0.0.5", OFFER, 0.0, caller=CALLER, hop=seen)
    (invite,) = requests(peer.taken())
    ok = response(
        invite, 200, "Contact: <sip:room@10.0.0.5>", "Content-Type: application/sdp"
    ).message
    ok.body = OFFER
    ok.headers.set("Content-Length", str(len(OFFER)))
    peer.source = seen
    (ack,) = requests(peer.receive(bytes(ok)))
    assert str(ack.uri) == "sip:room@10.0.0.5"
    assert peer.sent[-1].hop == seen
    assert isinstance(peer.events[-1], CallAnswered)


def test_only_what_could_go_another_way_is_a_trial() -> None:
    peer = Scripted(BOTH)
    call(peer, LONG)
    assert peer.sent[-1].is_trial
    fail(peer)
    assert not peer.sent[-1].is_trial
    call(peer, OFFER)
    assert not peer.sent[-1].is_trial


def test_who_has_registered_over_udp_is_called_over_udp() -> None:
    peer = Scripted(BOTH)
    flow = Hop("udp", "192.0.2.7", 5070)
    target = "sip:room@10.0.0.7:5070"
    peer.agent.call(target, LONG, peer.now, caller=CALLER, hop=flow, is_flow=True)
    peer.taken()
    assert peer.sent[-1].hop == flow
    # Over TCP it stays on its connection; a place that was looked up is tried by TCP first.
    stream = Hop("tcp", "192.0.2.8", 5070, connection=1)
    peer.agent.call(target, LONG, peer.now, caller=CALLER, hop=stream, is_flow=True)
    peer.taken()
    assert peer.sent[-1].hop == stream
    found = Hop("udp", "192.0.2.9", 5070)
    peer.agent.call(target, LONG, peer.now, caller=CALLER, hop=found)
    peer.taken()
    assert peer.sent[-1].hop.transport == "tcp"
