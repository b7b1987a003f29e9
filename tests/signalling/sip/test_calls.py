"""Whole calls between two agents, over a link that does what it should."""

import pytest

from signalling.sip.causes import Reason
from signalling.sip.effects import (
    CallAnswered,
    CallConfirmed,
    CallEnded,
    CallProgressed,
    CallReceived,
)
from signalling.sip.hop import Transport
from tests.signalling.sip.virtual_link import ANSWER, OFFER, End, Link, pair

TRANSPORTS: tuple[Transport, ...] = ("udp", "tcp")


def settle(link: Link) -> None:
    """Nothing may be left when all timers have had their time."""
    link.run(400.0)
    for end in link.ends.values():
        assert end.agent.is_idle, end.host
        assert end.agent.next_timer() is None


def established(transport: Transport = "udp") -> tuple[Link, End, End, str, str]:
    link, ours, theirs = pair(transport=transport)
    theirs.answers()
    call = ours.call(theirs)
    link.run(5.0)
    return link, ours, theirs, call, theirs.one(CallReceived).call


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_called_answered_hung_up(transport: Transport) -> None:
    link, ours, theirs, call, _ = established(transport)
    received = theirs.one(CallReceived)
    assert received.sdp == OFFER
    assert received.caller == "sip:room@192.0.2.1"
    assert received.target == "sip:room@192.0.2.2"
    assert ours.one(CallProgressed).code == 180
    assert ours.one(CallAnswered).sdp == ANSWER
    assert theirs.one(CallConfirmed).sdp is None
    assert ours.do("hang_up", call)
    assert not ours.do("hang_up", call)
    link.run(1.0)
    assert ours.one(CallEnded) == CallEnded(call, "hung up", by_peer=False)
    ended = theirs.one(CallEnded)
    assert (ended.cause, ended.by_peer) == ("hung up", True)
    assert ended.reason == Reason("Q.850", 16, "Normal call clearing")
    settle(link)
    assert ours.agent.statistics.results == {"hung up": 1}
    assert ours.agent.statistics.repetitions["sent"] == 0


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_callee_hangs_up_with_a_reason(transport: Transport) -> None:
    link, ours, theirs, _, their_call = established(transport)
    theirs.do("hang_up", their_call, reason=Reason("SIP", 410, "Hội nghị đã kết thúc"))
    link.run(1.0)
    ended = ours.one(CallEnded)
    assert ended.reason == Reason("SIP", 410, "Hội nghị đã kết thúc")
    assert ended.cause == "hung up"
    settle(link)


def test_a_hang_up_of_both_at_once() -> None:
    link, ours, theirs, call, their_call = established()
    ours.do("hang_up", call)
    theirs.do("hang_up", their_call)
    settle(link)
    assert ours.one(CallEnded).by_peer is False
    assert theirs.one(CallEnded).by_peer is False


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (486, "busy"),
        (600, "busy"),
        (480, "no answer"),
        (408, "no answer"),
        (603, "declined"),
        (404, "not found"),
        (488, "not acceptable"),
        (503, "unreachable"),
        (500, "failed"),
    ],
)
def test_refused(code: int, cause: str) -> None:
    link, ours, theirs = pair()
    ours.call(theirs)
    link.run(1.0)
    theirs.do("reject", theirs.one(CallReceived).call, code)
    link.run(1.0)
    ended = ours.one(CallEnded)
    assert (ended.cause, ended.code) == (cause, code)
    settle(link)
    assert ours.agent.statistics.results == {cause: 1}


def test_refused_for_overload() -> None:
    link, ours, theirs = pair()
    ours.call(theirs)
    link.run(1.0)
    theirs.do("reject", theirs.one(CallReceived).call, 503, retry_after_s=120)
    link.run(1.0)
    assert ours.one(CallEnded).retry_after_s == 120
    settle(link)


def test_redirected() -> None:
    link, ours, theirs = pair()
    ours.call(theirs)
    link.run(1.0)
    theirs.do("redirect", theirs.one(CallReceived).call, ("sip:other@192.0.2.9",))
    link.run(1.0)
    ended = ours.one(CallEnded)
    assert (ended.cause, ended.contacts) == ("moved", ("sip:other@192.0.2.9",))
    settle(link)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_cancelled_while_it_rings(transport: Transport) -> None:
    link, ours, theirs = pair(transport=transport)
    call = ours.call(theirs)
    link.run(1.0)
    their_call = theirs.one(CallReceived).call
    theirs.do("ring", their_call)
    link.run(1.0)
    ours.do("hang_up", call)
    assert ours.one(CallEnded).cause == "cancelled"
    link.run(1.0)
    assert theirs.one(CallEnded).cause == "cancelled"
    assert not theirs.do("accept", their_call, ANSWER)
    settle(link)


def test_cancelled_before_anything_came_back() -> None:
    link, ours, theirs = pair()
    call = ours.call(theirs)
    ours.do("hang_up", call)
    assert link.sent("CANCEL") == []  # not before a provisional response (section 9.1)
    settle(link)
    assert len(link.sent("CANCEL")) == 1
    assert theirs.one(CallEnded).cause == "cancelled"


def test_cancel_crosses_the_answer() -> None:
    link, ours, theirs = pair()
    call = ours.call(theirs)
    link.run(1.0)
    theirs.do("accept", theirs.one(CallReceived).call, ANSWER)
    ours.do("hang_up", call)
    settle(link)
    assert ours.names() == ["CallEnded"]
    assert theirs.one(CallEnded).cause == "hung up"  # ACK and BYE followed
    assert len(link.sent("BYE", ours)) == 1


def test_nobody_answers() -> None:
    link, ours, theirs = pair()
    ours.call(theirs, no_answer_s=20.0)
    link.run(1.0)
    theirs.do("ring", theirs.one(CallReceived).call)
    link.run(30.0)
    assert ours.one(CallEnded).cause == "no answer"
    assert theirs.one(CallEnded).cause == "cancelled"
    settle(link)


def test_nobody_is_there() -> None:
    link, ours, theirs = pair()
    link.cut.add(theirs.host)
    ours.call(theirs)
    link.run(31.0)
    assert ours.events == []
    link.run(2.0)
    assert ours.one(CallEnded).cause == "no answer"
    settle(link)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_transport_says_no(transport: Transport) -> None:
    link, ours, theirs = pair(transport=transport)
    link.unreachable.add(theirs.host)
    ours.call(theirs)
    link.run(0.1)
    assert ours.one(CallEnded).cause == "unreachable"
    settle(link)


def test_the_owner_never_decides() -> None:
    link, ours, theirs = pair()
    ours.call(theirs, no_answer_s=1_000.0)
    link.run(182.0)
    assert ours.one(CallEnded).cause == "no answer"
    assert theirs.one(CallEnded).code == 480
    settle(link)


def test_late_offer() -> None:
    link, ours, theirs = pair()
    call = ours.call(theirs, None)
    link.run(1.0)
    received = theirs.one(CallReceived)
    assert received.sdp is None
    theirs.do("accept", received.call, ANSWER)
    link.run(1.0)
    answered = ours.one(CallAnswered)
    assert answered == CallAnswered(call, ANSWER, answer_needed=True)
    assert link.sent("ACK") == []
    assert ours.do("confirm", call, OFFER)
    assert not ours.do("confirm", call, OFFER)
    link.run(1.0)
    assert theirs.one(CallConfirmed).sdp == OFFER
    ours.do("hang_up", call)
    settle(link)


def test_late_offer_that_is_not_answered() -> None:
    link, ours, theirs = pair()
    ours.call(theirs, None)
    link.run(1.0)
    theirs.do("accept", theirs.one(CallReceived).call, ANSWER)
    settle(link)
    assert ours.one(CallEnded).cause == "hung up"
    assert theirs.of(CallEnded)


def test_early_media_arrives_for_sure() -> None:
    link, ours, theirs = pair()
    call = ours.call(theirs)
    link.run(1.0)
    their_call = theirs.one(CallReceived).call
    theirs.do("ring", their_call, code=183, sdp=ANSWER)
    assert not ours.of(CallProgressed)
    link.run(1.0)
    assert ours.one(CallProgressed) == CallProgressed(call, 183, ANSWER)
    assert len(link.sent("PRACK", ours)) == 1
    theirs.do("ring", their_call)
    theirs.do("accept", their_call, ANSWER)
    link.run(1.0)
    assert ours.one(CallAnswered).sdp == ANSWER
    ours.do("hang_up", call)
    settle(link)


def test_early_offer_of_the_callee() -> None:
    link, ours, theirs = pair()
    call = ours.call(theirs, None)
    link.run(1.0)
    their_call = theirs.one(CallReceived).call
    theirs.do("ring", their_call, code=183, sdp=ANSWER)
    link.run(1.0)
    assert ours.one(CallProgressed).answer_needed
    ours.do("confirm", call, OFFER)
    link.run(1.0)
    theirs.do("accept", their_call, ANSWER)
    link.run(1.0)
    assert ours.one(CallAnswered) == CallAnswered(call, ANSWER)
    assert theirs.one(CallConfirmed).sdp is None
    theirs.do("hang_up", their_call)
    settle(link)


def test_a_provisional_response_nobody_acknowledges() -> None:
    link, ours, theirs = pair()
    ours.call(theirs)
    link.run(1.0)
    link.dropped = lambda message: getattr(message.message, "method", "") == "PRACK"
    theirs.do("ring", theirs.one(CallReceived).call, code=183, sdp=ANSWER)
    link.run(40.0)
    assert ours.one(CallEnded).code == 504
    assert theirs.one(CallEnded).cause == "gone"
    settle(link)


def test_the_answer_waits_for_the_acknowledgement_of_what_came_before() -> None:
    link, ours, theirs = pair()
    call = ours.call(theirs)
    link.run(1.0)
    their_call = theirs.one(CallReceived).call
    for code in (183, 182, 181):
        theirs.do("ring", their_call, code=code, sdp=ANSWER)
    theirs.do("accept", their_call, ANSWER)
    assert link.sent("200", theirs) == []
    link.run(2.0)
    assert ours.one(CallAnswered).sdp == ANSWER
    ours.do("hang_up", call)
    settle(link)


def test_a_success_is_repeated_until_its_ack_comes() -> None:
    link, ours, theirs = pair()
    ours.call(theirs)
    link.run(1.0)
    link.dropped = lambda message: getattr(message.message, "method", "") == "ACK"
    theirs.do("accept", theirs.one(CallReceived).call, ANSWER)
    start = link.now
    link.run(20.0)
    link.dropped = lambda _message: False
    link.run(20.0)
    sent = [round(at - start, 3) for at in link.sent("200", theirs)]
    assert sent[:7] == [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5]
    assert len(sent) == 9  # until one ACK got through
    assert theirs.of(CallConfirmed)
    assert not theirs.of(CallEnded)


def test_the_ack_never_comes() -> None:
    link, ours, theirs = pair()
    ours.call(theirs)
    link.run(1.0)
    link.dropped = lambda message: getattr(message.message, "method", "") == "ACK"
    theirs.do("accept", theirs.one(CallReceived).call, ANSWER)
    settle(link)
    assert theirs.one(CallEnded).cause == "gone"
    assert ours.one(CallEnded).by_peer


def test_hanging_up_waits_for_the_ack() -> None:
    link, ours, theirs = pair()
    ours.call(theirs)
    link.run(1.0)
    their_call = theirs.one(CallReceived).call
    theirs.do("accept", their_call, ANSWER)
    assert theirs.do("hang_up", their_call)
    assert link.sent("BYE") == []
    link.run(1.0)
    assert len(link.sent("BYE", theirs)) == 1
    settle(link)
    assert theirs.names()[-1] == "CallEnded"


def test_commands_on_calls_that_are_not_there() -> None:
    _, ours, _ = pair()
    for command in ("hang_up", "ring"):
        assert not ours.do(command, "nobody")
    for command in ("accept", "confirm", "answer_media", "change_media"):
        assert not ours.do(command, "nobody", ANSWER)
