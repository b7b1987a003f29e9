"""Changes of media in a call, both ways and at once; session timers."""

import itertools

import pytest
from sipmessage import Request

from signalling.sip.effects import (
    CallAnswered,
    CallEnded,
    CallReceived,
    MediaAnswered,
    MediaOffered,
    MediaRefused,
)
from signalling.sip.hop import Hop
from signalling.sip.message import encode
from signalling.sip.session_timer import SessionPolicy
from signalling.sip.settings import AgentSettings, Listener
from signalling.sip.transactions import SendMessage
from tests.signalling.sip.messages import response
from tests.signalling.sip.scripted import CONTACT, OWN, Scripted, requests
from tests.signalling.sip.test_calls import established, settle
from tests.signalling.sip.virtual_link import (
    ANSWER,
    OFFER,
    SECOND_ANSWER,
    SECOND_OFFER,
    End,
    Link,
)


def test_one_side_changes_its_media() -> None:
    link, ours, theirs, call, their_call = established()
    assert ours.do("change_media", call, SECOND_OFFER)
    link.run(1.0)
    assert theirs.one(MediaOffered) == MediaOffered(their_call, SECOND_OFFER)
    assert theirs.do("answer_media", their_call, SECOND_ANSWER)
    assert not theirs.do("answer_media", their_call, SECOND_ANSWER)
    link.run(1.0)
    assert ours.one(MediaAnswered) == MediaAnswered(call, SECOND_ANSWER)
    theirs.do("change_media", their_call, ANSWER)
    link.run(1.0)
    assert ours.one(MediaOffered).sdp == ANSWER
    ours.do("answer_media", call, OFFER)
    link.run(1.0)
    assert theirs.one(MediaAnswered).sdp == OFFER
    ours.do("hang_up", call)
    settle(link)


def test_asked_for_an_offer() -> None:
    link, ours, theirs, call, their_call = established()
    ours.do("change_media", call, None)
    link.run(1.0)
    assert theirs.one(MediaOffered).sdp is None
    theirs.do("answer_media", their_call, SECOND_ANSWER)
    link.run(1.0)
    assert ours.one(MediaOffered).sdp == SECOND_ANSWER
    ours.do("answer_media", call, SECOND_OFFER)
    link.run(1.0)
    assert theirs.one(MediaAnswered).sdp == SECOND_OFFER
    theirs.do("hang_up", their_call)
    settle(link)


def test_refused_media_change_nothing() -> None:
    link, ours, theirs, call, their_call = established()
    ours.do("change_media", call, SECOND_OFFER)
    link.run(1.0)
    assert theirs.do("refuse_media", their_call)
    assert not theirs.do("refuse_media", their_call)
    link.run(1.0)
    assert ours.one(MediaRefused) == MediaRefused(call, 488)
    assert not ours.of(CallEnded)
    ours.do("hang_up", call)
    settle(link)


@pytest.mark.parametrize("seed", range(10))
def test_both_change_at_once(seed: int) -> None:
    """RFC 3261 section 14.1: both get 491, and the one that did not call tries again first."""
    link, ours, theirs, call, their_call = established()
    link.rng.seed(seed)
    for end, name, sdp in ((ours, call, SECOND_OFFER), (theirs, their_call, SECOND_ANSWER)):

        def hook(event: object, end: End = end, name: str = name, sdp: bytes = sdp) -> None:
            if isinstance(event, MediaOffered):
                end.do("answer_media", name, sdp)

        end.hooks.append(hook)
    start = link.now
    ours.do("change_media", call, SECOND_OFFER)
    theirs.do("change_media", their_call, SECOND_ANSWER)
    link.run(10.0)
    assert len(link.sent("491")) == 2
    assert ours.one(MediaAnswered).sdp == SECOND_ANSWER
    assert theirs.one(MediaAnswered).sdp == SECOND_OFFER
    again = [at - start for at in link.sent("INVITE", ours) if at > start]
    others = [at - start for at in link.sent("INVITE", theirs) if at > start]
    assert 2.1 <= again[0] <= 4.1
    assert 0.0 <= others[0] <= 2.1
    ours.do("hang_up", call)
    settle(link)


def test_what_is_wanted_meanwhile_waits_and_the_last_wish_counts() -> None:
    link, ours, theirs, call, their_call = established()
    for sdp in (SECOND_OFFER, b"v=0 never sent", OFFER):
        ours.do("change_media", call, sdp)
    link.run(1.0)
    theirs.do("answer_media", their_call, SECOND_ANSWER)
    link.run(1.0)
    theirs.do("answer_media", their_call, ANSWER)
    link.run(1.0)
    assert [event.sdp for event in theirs.of(MediaOffered)] == [SECOND_OFFER, OFFER]
    assert len(ours.of(MediaAnswered)) == 2
    ours.do("hang_up", call)
    settle(link)


def test_media_wanted_before_the_call_is_answered() -> None:
    link = Link()
    ours, theirs = End(link, "192.0.2.1"), End(link, "192.0.2.2")
    call = ours.call(theirs)
    ours.do("change_media", call, SECOND_OFFER)
    link.run(1.0)
    theirs.do("accept", theirs.one(CallReceived).call, ANSWER)
    link.run(1.0)
    assert theirs.one(MediaOffered).sdp == SECOND_OFFER
    ours.do("hang_up", call)
    settle(link)


def test_hung_up_while_media_are_offered() -> None:
    for side in (0, 1):
        link, ours, theirs, call, their_call = established()
        ours.do("change_media", call, SECOND_OFFER)
        link.run(1.0)
        (ours, theirs)[side].do("hang_up", (call, their_call)[side])
        link.run(1.0)
        assert ours.of(CallEnded)
        assert theirs.of(CallEnded)
        settle(link)


def offering(peer: Scripted, *, sdp: bytes | None = OFFER) -> tuple[str, Request]:
    """A call of ours that stands, and a re-INVITE in it that got 100."""
    call = peer.agent.call("sip:room@192.0.2.7", OFFER, peer.now, caller="<sip:mcu@192.0.2.1>")
    (invite,) = requests(peer.taken())
    peer.receive(accepted(invite, ANSWER))
    peer.agent.change_media(call, sdp, peer.now)
    (again,) = requests(peer.taken())
    peer.answer(again, 100, tag="")
    return call, again


def accepted(invite: Request, sdp: bytes) -> bytes:
    answered = response(invite, 200, CONTACT, "Content-Type: application/sdp", to_tag="far").message
    answered.body = sdp
    return encode(answered)


@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize("by_peer", [True, False])
def test_an_offer_that_was_only_tried_goes_with_the_call(by_peer: bool, heard: bool) -> None:
    """No timer of an INVITE ends it once 100 has come (RFC 3261 section 17.1.1.2)."""
    peer = Scripted()
    call, again = offering(peer)
    if by_peer:
        tag = again.headers["From"].partition("tag=")[2]
        names = {"to_tag": tag, "from_tag": "far", "call_id": again.headers["Call-ID"]}
        sent = peer.request("BYE", "z9hG4bKbye", cseq=7, **names)
    else:
        peer.agent.hang_up(call, peer.now)
        sent = peer.taken()
        bye = next(one for one in requests(sent) if one.method == "BYE")
        peer.answer(bye, 200)
    cancel = next(one for one in requests(sent) if one.method == "CANCEL")
    assert cancel.headers["CSeq"] == again.headers["CSeq"].replace("INVITE", "CANCEL")
    peer.answer(cancel, 200)
    if heard:
        (ack,) = requests(peer.answer(again, 487))
        assert ack.method == "ACK"
    assert peer.run(100.0) == []
    assert isinstance(peer.one(CallEnded), CallEnded)
    assert peer.agent.is_idle


def test_an_answer_that_comes_after_the_end_is_acknowledged() -> None:
    peer = Scripted()
    call, again = offering(peer)
    peer.agent.hang_up(call, peer.now)
    for one in requests(peer.taken()):
        peer.answer(one, 200)
    (ack,) = requests(peer.receive(accepted(again, SECOND_ANSWER)))
    assert ack.method == "ACK"
    assert peer.run(3_000.0) == []
    assert peer.agent.is_idle


def test_an_offer_of_the_peer_that_waits_for_its_answer_is_acknowledged_at_the_end() -> None:
    peer = Scripted()
    call, again = offering(peer, sdp=None)
    peer.receive(accepted(again, SECOND_OFFER))
    assert peer.one(MediaOffered).sdp == SECOND_OFFER
    peer.agent.hang_up(call, peer.now)
    assert [one.method for one in requests(peer.taken())] == ["ACK", "BYE"]


def test_an_offer_of_the_peer_that_nobody_decided_about_goes_with_the_call() -> None:
    peer = Scripted()
    call = peer.agent.call("sip:room@192.0.2.7", OFFER, peer.now, caller="<sip:mcu@192.0.2.1>")
    (invite,) = requests(peer.taken())
    peer.receive(accepted(invite, ANSWER))
    peer.agent.press(call, "1", peer.now)
    tag = invite.headers["From"].partition("tag=")[2]
    names = {"to_tag": tag, "from_tag": "far", "call_id": invite.headers["Call-ID"]}
    peer.request("INVITE", "z9hG4bKagain", cseq=7, **names)
    sent = peer.run(33.0)  # nobody answers the key
    assert peer.one(CallEnded).cause == "gone"
    assert 487 in [one.code for one in sent if not isinstance(one, Request)]
    peer.run(200.0)
    assert peer.agent.is_idle


def test_an_offer_that_is_never_decided_is_taken_back() -> None:
    peer = Scripted(AgentSettings((OWN,), no_answer_s=40.0))
    call, again = offering(peer)
    assert peer.run(39.0) == []
    (cancel,) = requests(peer.run(1.2)[:1])
    assert cancel.method == "CANCEL"
    peer.answer(cancel, 200)
    peer.answer(again, 487)
    assert peer.one(MediaRefused) == MediaRefused(call, 487)
    # The call stands, and its media may be changed again.
    assert peer.agent.change_media(call, SECOND_OFFER, peer.now)
    (again,) = requests(peer.taken())
    peer.receive(accepted(again, SECOND_ANSWER))
    assert peer.one(MediaAnswered).sdp == SECOND_ANSWER


def test_a_peer_that_does_not_even_answer_cancel_is_gone() -> None:
    peer = Scripted()
    call, _ = offering(peer)
    sent = [one.method for one in requests(peer.run(200.0))]
    assert {"CANCEL", "BYE"} == set(sent)
    assert peer.one(CallEnded) == CallEnded(call, "gone")
    assert peer.agent.is_idle


def test_media_that_nobody_acknowledges_end_the_call() -> None:
    link, ours, theirs, call, their_call = established()
    ours.do("change_media", call, SECOND_OFFER)
    link.run(1.0)
    link.dropped = lambda message: getattr(message.message, "method", "") == "ACK"
    theirs.do("answer_media", their_call, SECOND_ANSWER)
    settle(link)
    assert theirs.one(CallEnded).cause == "gone"
    assert ours.one(CallEnded).reason is not None


def test_the_peer_vanishes() -> None:
    link, ours, theirs, call, _ = established()
    link.cut.add(theirs.host)
    ours.do("change_media", call, SECOND_OFFER)
    link.run(40.0)
    assert ours.one(CallEnded).cause == "gone"
    link.run(3_600.0)
    assert theirs.one(CallEnded).cause == "gone"  # by its session timer
    settle(link)


def with_sessions(
    ours: SessionPolicy, theirs: SessionPolicy, refresh_by_invite: bool = False
) -> tuple[Link, End, End, str]:
    link = Link()
    ends = [
        End(link, host, settings=AgentSettings((Listener("udp", host, 5060),), session=policy))
        for host, policy in (("192.0.2.1", ours), ("192.0.2.2", theirs))
    ]
    if refresh_by_invite:
        link.dropped = without_update
    ends[1].answers()
    call = ends[0].call(ends[1])
    link.run(5.0)
    return link, ends[0], ends[1], call


def without_update(message: SendMessage) -> bool:
    """Both ends seem not to understand UPDATE."""
    allow = message.message.headers.get("Allow")
    if allow:
        message.message.headers.set("Allow", allow.replace(", UPDATE", ""))
    return False


def refreshes(link: Link, end: End, method: str, start: float) -> list[float]:
    return [round(at - start) for at in link.sent(method, end) if at > start + 1]


@pytest.mark.parametrize("by_invite", [False, True])
def test_sessions_are_refreshed(by_invite: bool) -> None:
    policy = SessionPolicy(wanted_s=200)
    link, ours, theirs, call = with_sessions(policy, policy, by_invite)
    start = link.now
    link.run(1_000.0)
    method = "INVITE" if by_invite else "UPDATE"
    times = refreshes(link, ours, method, start)
    assert len(times) == 10
    assert {later - earlier for earlier, later in itertools.pairwise(times)} == {100}
    assert refreshes(link, theirs, method, start) == []
    # Nobody is bothered with refreshes of what is agreed already.
    assert not theirs.of(MediaOffered)
    assert not ours.of(MediaAnswered)
    ours.do("hang_up", call)
    settle(link)


def test_a_session_too_short_is_raised() -> None:
    link, ours, theirs, call = with_sessions(SessionPolicy(100), SessionPolicy(1_800, 600))
    assert len(link.sent("422")) == 1
    assert len(link.sent("INVITE", ours)) == 2
    assert ours.of(CallAnswered)
    start = link.now
    link.run(700.0)
    assert refreshes(link, ours, "UPDATE", start) == [297, 597]
    ours.do("hang_up", call)
    settle(link)
    assert len(theirs.of(CallReceived)) == 1


def test_a_peer_that_is_not_refreshed_hangs_up() -> None:
    policy = SessionPolicy(wanted_s=300)
    link, ours, theirs, _ = with_sessions(policy, policy)
    start = link.now
    link.cut.add(ours.host)
    link.run(1_000.0)
    assert theirs.one(CallEnded).cause == "gone"
    assert ours.one(CallEnded).cause == "gone"
    bye = link.sent("BYE", theirs)[0] - start
    assert 260 <= bye <= 268
    settle(link)


def in_dialog(end: End, method: str, sdp: bytes | None, sequence: int, call_text: Request) -> bytes:
    """A request of the end's dialog that its own agent would not send."""
    headers = call_text.headers
    lines = [
        f"{method} sip:room@192.0.2.1:5060 SIP/2.0",
        f"Via: SIP/2.0/UDP {end.host}:5060;branch=z9hG4bKown{sequence};rport",
        f"From: {headers['To']}",
        f"To: {headers['From']}",
        f"Call-ID: {headers['Call-ID']}",
        f"CSeq: {sequence} {method}",
        f"Contact: <sip:room@{end.host}:5060>",
    ]
    body = sdp or b""
    if sdp:
        lines.append("Content-Type: application/sdp")
    return ("\r\n".join(lines) + f"\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body


class Stranger(End):
    """The callee, which can also send what its agent would not."""

    def __init__(self, link: Link, host: str) -> None:
        super().__init__(link, host)
        self.ack: Request | None = None
        self.codes: list[int] = []
        carry = link.carry

        def watch(sender: End, message: SendMessage) -> None:
            what = message.message
            if isinstance(what, Request):
                if what.method == "ACK":
                    self.ack = what
            elif "z9hG4bKown" in what.headers["Via"]:
                self.codes.append(what.code)
            carry(sender, message)

        link.carry = watch  # type: ignore[method-assign]

    def send(self, other: End, method: str, sdp: bytes | None, sequence: int) -> None:
        assert self.ack is not None
        data = in_dialog(self, method, sdp, sequence, self.ack)
        other.take(data, Hop("udp", self.host, 5060))


def with_stranger() -> tuple[Link, End, Stranger, str]:
    link = Link()
    ours, theirs = End(link, "192.0.2.1"), Stranger(link, "192.0.2.2")
    theirs.answers()
    call = ours.call(theirs)
    link.run(5.0)
    return link, ours, theirs, call


def test_update_with_an_offer() -> None:
    link, ours, theirs, call = with_stranger()
    theirs.send(ours, "UPDATE", SECOND_ANSWER, 100_000)
    assert ours.one(MediaOffered).sdp == SECOND_ANSWER
    theirs.send(ours, "UPDATE", SECOND_ANSWER, 100_001)  # the first is not answered yet
    assert theirs.codes == [500]
    ours.do("answer_media", call, SECOND_OFFER)
    assert theirs.codes == [500, 200]
    theirs.send(ours, "UPDATE", ANSWER, 100_002)
    ours.do("refuse_media", call)
    assert theirs.codes[-1] == 488
    theirs.send(ours, "UPDATE", ANSWER, 100_003)
    link.run(15.0)
    assert theirs.codes[-1] == 504
    theirs.send(ours, "UPDATE", None, 100_004)
    assert theirs.codes[-1] == 200
    ours.do("hang_up", call)
    settle(link)


def test_update_crosses_our_offer() -> None:
    link, ours, theirs, call = with_stranger()
    ours.do("change_media", call, SECOND_OFFER)
    theirs.send(ours, "UPDATE", SECOND_ANSWER, 100_000)
    theirs.send(ours, "INVITE", SECOND_ANSWER, 100_001)
    assert theirs.codes == [491, 491]
    link.run(1.0)
    ours.do("hang_up", call)
    settle(link)


def test_two_invites_of_the_peer_at_once() -> None:
    link, ours, theirs, call = with_stranger()
    theirs.send(ours, "INVITE", SECOND_ANSWER, 100_000)
    theirs.send(ours, "INVITE", SECOND_ANSWER, 100_001)
    assert theirs.codes == [100, 500]
    ours.do("hang_up", call)
    settle(link)
    assert 487 in theirs.codes


def test_requests_out_of_order_and_of_other_kinds() -> None:
    link, ours, theirs, call = with_stranger()
    theirs.send(ours, "OPTIONS", None, 100_000)
    theirs.send(ours, "INFO", None, 99_999)
    theirs.send(ours, "MESSAGE", None, 100_001)
    theirs.send(ours, "PRACK", None, 100_002)
    theirs.send(ours, "SUBSCRIBE", None, 100_003)
    theirs.send(ours, "NOTIFY", None, 100_004)
    assert theirs.codes == [200, 500, 501, 481, 489, 489]
    assert not ours.of(CallEnded)
    ours.do("hang_up", call)
    settle(link)


def test_invite_with_something_else_in_it() -> None:
    link, ours, theirs, call = with_stranger()
    body = b"<audio/>"
    assert theirs.ack is not None
    data = in_dialog(theirs, "INVITE", body, 100_000, theirs.ack)
    ours.take(data.replace(b"application/sdp", b"application/xml"), Hop("udp", theirs.host, 5060))
    assert theirs.codes == [415]
    ours.do("hang_up", call)
    settle(link)
