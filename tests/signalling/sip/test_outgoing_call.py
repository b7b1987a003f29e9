"""Calls of ours against peers that behave in ways two of our own agents do not."""

import pytest
from sipmessage import Request

from signalling.sip.core import Core
from signalling.sip.digest import Credentials, DigestVerifier, ha1
from signalling.sip.effects import CallAnswered, CallEnded, CallProgressed, OptionsAnswered
from signalling.sip.errors import SipError
from signalling.sip.hop import Hop
from signalling.sip.settings import AgentSettings, Listener
from tests.signalling.sip.messages import response
from tests.signalling.sip.scripted import OWN, Scripted, requests
from tests.signalling.sip.virtual_link import ANSWER, OFFER

CALLER = '"Hội nghị" <sip:hn01@192.0.2.1>'
CONTACT = "Contact: <sip:room@192.0.2.7:5070>"
ROOM = Credentials("mcu", "secret")


def with_body(peer: Scripted, sent: Request, code: int, *extra: str, tag: str = "far") -> list:  # type: ignore[type-arg]
    """An answer with a session description."""
    message = response(sent, code, "Content-Type: application/sdp", *extra, to_tag=tag).message
    message.body = ANSWER
    message.headers.set("Content-Length", str(len(ANSWER)))
    return peer.receive(bytes(message))


def calling(sdp: bytes | None = OFFER, **options: object) -> tuple[Scripted, str, Request]:
    peer = Scripted()
    call = peer.agent.call("sip:room@192.0.2.7", sdp, peer.now, caller=CALLER, **options)  # type: ignore[arg-type]
    (invite,) = requests(peer.taken())
    return peer, call, invite


def test_the_invite() -> None:
    _, _, invite = calling(fields={"X-Conference": "hn01"})
    headers = invite.headers
    assert str(invite.uri) == "sip:room@192.0.2.7"
    assert headers["From"].startswith('"Hội nghị" <sip:hn01@192.0.2.1>;tag=')
    assert headers["To"] == "<sip:room@192.0.2.7>"
    assert headers["Contact"] == "<sip:hn01@192.0.2.1:5060>;isfocus"
    assert headers["Via"].startswith("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK")
    assert headers["Via"].endswith(";rport")
    assert headers["Session-Expires"] == "1800"
    assert headers["Supported"] == "100rel, timer, norefersub"
    assert headers["X-Conference"] == "hn01"
    assert invite.body == OFFER


@pytest.mark.parametrize(
    ("target", "caller"),
    [
        ("tel:+84", CALLER),
        ("sip:a@b;transport=ws", CALLER),
        ("nonsense", CALLER),
        ("sip:a@b", "sip:a@b"),
        ("sip:a@b", "<sip:a@b>;tag=x"),
        ("sip:a@b", "<sip:a@b>\r\nX: y"),
        ("sip:a@b", "<tel:+84>"),
    ],
)
def test_who_cannot_be_called(target: str, caller: str) -> None:
    peer = Scripted()
    with pytest.raises(SipError):
        peer.agent.call(target, OFFER, 0.0, caller=caller)
    assert peer.agent.is_idle


def test_by_way_of_a_proxy() -> None:
    settings = AgentSettings((OWN,), outbound_proxy="sip:192.0.2.99:5080;lr;transport=tcp")
    peer = Scripted(settings)
    peer.agent.call("sip:room@example.com", OFFER, 0.0, caller=CALLER)
    (invite,) = requests(peer.taken())
    assert peer.sent[0].hop == Hop("tcp", "192.0.2.99", 5080)
    assert invite.headers["Route"] == "<sip:192.0.2.99:5080;lr;transport=tcp>"
    assert str(invite.uri) == "sip:room@example.com"


def test_on_the_connection_of_a_device() -> None:
    peer = Scripted()
    way_back = Hop("tcp", "198.51.100.9", 40_000, connection=3)
    peer.agent.call("sip:room@10.0.0.7", OFFER, 0.0, caller=CALLER, hop=way_back)
    peer.taken()
    assert peer.sent[0].hop == way_back


def test_our_own_place_by_transport_and_family() -> None:
    core = Core(
        AgentSettings(
            (
                Listener("udp", "192.0.2.1", 5060),
                Listener("tls", "mcu.example.vn", 5061),
                Listener("udp", "2001:db8::1", 5070),
            )
        )
    )
    assert core.contact(Hop("udp", "192.0.2.7"), "a") == "<sip:a@192.0.2.1:5060>;isfocus"
    assert core.contact(Hop("udp", "2001:db8::7"), "a") == "<sip:a@[2001:db8::1]:5070>;isfocus"
    contact = core.contact(Hop("tls", "192.0.2.7"), "")
    assert contact == "<sip:mcu.example.vn:5061;transport=tls>;isfocus"
    assert core.listener(Hop("tcp", "192.0.2.7")).transport == "udp"
    with pytest.raises(ValueError, match="place"):
        AgentSettings(())


def test_who_has_come_by_itself_is_not_sent_through_the_proxy() -> None:
    proxy = "sip:proxy.example.vn;lr"
    peer = Scripted(AgentSettings((Listener("udp", "192.0.2.1", 5060),), outbound_proxy=proxy))
    device, far = Hop("udp", "192.0.2.7", 5090), Hop("udp", "192.0.2.20", 5060)
    peer.agent.call("sip:room@10.0.0.7", OFFER, 0.0, caller=CALLER, hop=device, is_flow=True)
    peer.agent.call("sip:room@far.example", OFFER, 0.0, caller=CALLER, hop=far)
    here, there = requests(peer.taken())
    assert here.headers.get("Route") is None
    assert there.headers["Route"] == f"<{proxy}>"
    assert [one.hop for one in peer.sent] == [device, far]


@pytest.mark.parametrize(("code", "field"), [(401, "WWW"), (407, "Proxy")])
def test_credentials_are_given_once(code: int, field: str) -> None:
    peer, _, invite = calling(credentials=ROOM)
    verifier = DigestVerifier("r", lambda user, algorithm: ha1(user, "r", ROOM.password, algorithm))
    challenges = [f"{field}-Authenticate: {value}" for value in verifier.challenges(0.0)]
    sent = requests(peer.answer(invite, code, *challenges))
    ack, again = sent
    assert ack.method == "ACK"
    assert again.headers["Call-ID"] == invite.headers["Call-ID"]
    assert again.headers["Via"] != invite.headers["Via"]
    number = int(invite.headers["CSeq"].split()[0])
    assert again.headers["CSeq"] == f"{number + 1} INVITE"
    name = "Authorization" if code == 401 else "Proxy-Authorization"
    assert 'username="mcu"' in again.headers[name]
    # The ACK of the 2xx carries them too (RFC 3261 section 22.1).
    (ack,) = requests(with_body(peer, again, 200, CONTACT))
    assert ack.headers[name] == again.headers[name]
    peer.one(CallAnswered)


def test_wrong_credentials_are_not_tried_again() -> None:
    peer, _, invite = calling(credentials=ROOM)
    challenge = 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"'
    _, again = requests(peer.answer(invite, 401, challenge))
    peer.answer(again, 401, challenge)
    assert peer.one(CallEnded).cause == "unauthorized"
    peer.run(40.0)
    assert peer.agent.is_idle


def test_a_stale_nonce_is_tried_again_but_not_for_ever() -> None:
    peer, _, invite = calling(credentials=ROOM)
    sent = invite
    for nonce in "abc":
        challenge = f'WWW-Authenticate: Digest realm="r", nonce="{nonce}", qop="auth", stale=true'
        sent = requests(peer.answer(sent, 401, challenge))[-1]
    assert peer.one(CallEnded).cause == "unauthorized"


@pytest.mark.parametrize("challenge", ["Basic realm=x", "Digest", 'Digest nonce="n", qop="other"'])
def test_challenges_we_cannot_answer(challenge: str) -> None:
    peer, _, invite = calling(credentials=ROOM)
    peer.answer(invite, 401, f"WWW-Authenticate: {challenge}")
    assert peer.one(CallEnded).cause == "unauthorized"


def test_several_places_ring_and_two_answer() -> None:
    peer, call, invite = calling()
    for tag in ("one", "two", "three"):
        peer.answer(invite, 180, CONTACT, tag=tag)
    assert len([event for event in peer.events if isinstance(event, CallProgressed)]) == 3
    (ack,) = requests(with_body(peer, invite, 200, CONTACT, tag="two"))
    assert ack.method == "ACK"
    assert ack.headers["To"].endswith("tag=two")
    ack, bye = requests(with_body(peer, invite, 200, CONTACT, tag="one"))
    assert (ack.method, bye.method) == ("ACK", "BYE")
    assert bye.headers["To"].endswith("tag=one")
    peer.answer(bye, 200)
    # Repetitions get their ACK again, each its own.
    for tag in ("one", "two"):
        (ack,) = requests(with_body(peer, invite, 200, CONTACT, tag=tag))
        assert ack.headers["To"].endswith(f"tag={tag}")
    peer.one(CallAnswered)
    peer.agent.hang_up(call, peer.now)
    (bye,) = requests(peer.taken())
    assert bye.headers["To"].endswith("tag=two")
    peer.answer(bye, 200)
    peer.run(100.0)
    assert peer.agent.is_idle


def test_reliable_responses_of_several_places() -> None:
    peer, _, invite = calling()
    for tag in ("one", "two"):
        (prack,) = requests(
            peer.answer(invite, 183, CONTACT, "Require: 100rel", "RSeq: 9", tag=tag)
        )
        assert prack.method == "PRACK"
        number = invite.headers["CSeq"].split()[0]
        assert prack.headers["RAck"] == f"9 {number} INVITE"
        assert prack.headers["To"].endswith(f"tag={tag}")
        assert peer.sent[-1].hop == Hop("udp", "192.0.2.7", 5070)
        # Once is enough, and what is ahead of its time waits.
        for rseq in (9, 11):
            assert not requests(
                peer.answer(invite, 180, CONTACT, "Require: 100rel", f"RSeq: {rseq}", tag=tag)
            )


def test_a_fork_that_leaves_while_it_rings() -> None:
    peer, _, invite = calling()
    peer.answer(invite, 180, CONTACT, tag="one")
    own_tag = invite.headers["From"].partition("tag=")[2]
    bye = peer.request(
        "BYE", "z9hG4bK1", call_id=invite.headers["Call-ID"], from_tag="one", to_tag=own_tag
    )
    assert bye[-1].code == 200
    assert not [event for event in peer.events if isinstance(event, CallEnded)]
    with_body(peer, invite, 200, CONTACT, tag="two")
    peer.one(CallAnswered)


def test_success_without_a_way_back() -> None:
    peer, _, invite = calling()
    assert requests(with_body(peer, invite, 200)) == []
    assert peer.one(CallEnded).cause == "failed"
    peer.run(100.0)
    assert peer.agent.is_idle


def test_success_without_an_answer() -> None:
    peer, _, invite = calling()
    ack, bye = requests(peer.answer(invite, 200, CONTACT))
    assert (ack.method, bye.method) == ("ACK", "BYE")
    assert peer.one(CallEnded).cause == "failed"


def test_the_answer_may_have_come_before() -> None:
    peer, _, invite = calling()
    with_body(peer, invite, 183, CONTACT)
    peer.answer(invite, 200, CONTACT)
    assert peer.one(CallAnswered).sdp == ANSWER


def test_an_offer_that_may_be_lost_is_none() -> None:
    peer, _, invite = calling(None)
    with_body(peer, invite, 183, CONTACT)
    assert peer.one(CallProgressed).sdp is None


def test_cancelled_and_never_answered() -> None:
    peer, call, invite = calling()
    peer.answer(invite, 100)
    peer.agent.hang_up(call, peer.now)
    (cancel,) = requests(peer.taken())
    assert cancel.method == "CANCEL"
    assert cancel.headers["Via"] == invite.headers["Via"]
    assert cancel.headers["CSeq"].split()[0] == invite.headers["CSeq"].split()[0]
    peer.answer(cancel, 200)
    peer.run(31.0)
    assert not peer.agent.is_idle
    peer.run(2.0)
    assert peer.agent.is_idle


def test_interval_raised_again_and_again() -> None:
    peer, _, sent = calling()
    for least in (2_000, 3_000):
        sent = requests(peer.answer(sent, 422, f"Min-SE: {least}"))[-1]
        assert sent.headers["Session-Expires"] == str(least)
        assert sent.headers["Min-SE"] == str(least)
    peer.answer(sent, 422, "Min-SE: 4000")
    assert peer.one(CallEnded).code == 422


def test_options() -> None:
    peer = Scripted()
    name = peer.agent.ask_options("sip:room@192.0.2.7", peer.now, caller=CALLER)
    (options,) = requests(peer.taken())
    peer.answer(options, 200)
    assert peer.one(OptionsAnswered) == OptionsAnswered(name, 200)
    name = peer.agent.ask_options("sip:room@192.0.2.7", peer.now, caller=CALLER)
    peer.run(40.0)
    assert OptionsAnswered(name, "timeout") in peer.events
    assert peer.agent.is_idle


def test_who_cannot_be_reached_by_datagrams_is_given_up_unless_it_has_answered() -> None:
    """RFC 3261 section 18.4."""
    peer = Scripted()
    hop = Hop("udp", "192.0.2.7", 5060)
    calls = [
        peer.agent.call("sip:room@192.0.2.7", OFFER, peer.now, caller=CALLER, hop=hop)
        for _ in range(2)
    ]
    first, _ = requests(peer.taken())
    peer.answer(first, 100)
    for other in (Hop("udp", "192.0.2.7", 5061), Hop("udp", "192.0.2.8", 5060)):
        peer.agent.unreachable(other, peer.now)
    assert peer.taken() == []
    assert peer.events == []
    peer.agent.unreachable(hop, peer.now)
    peer.taken()
    assert peer.events == [CallEnded(calls[1], "unreachable")]
