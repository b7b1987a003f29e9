"""REFER both ways, and what is told of how it goes."""

import pytest
from sipmessage import Response

from signalling.sip.effects import CallReceived, ReferProgressed, ReferReceived
from signalling.sip.transactions import SendMessage
from signalling.sip.transfers import LIFE_S
from tests.signalling.sip.scripted import CONTACT, Scripted, final, requests
from tests.signalling.sip.test_calls import established, settle
from tests.signalling.sip.virtual_link import ANSWER, OFFER

SDP = "Content-Type: application/sdp"


def test_moved_and_told_how_it_went() -> None:
    link, ours, theirs, call, their_call = established()
    assert ours.do("refer", call, "sip:other@example.com", referred_by="sip:mcu@example.com")
    link.run(1.0)
    received = theirs.one(ReferReceived)
    assert received.call == their_call
    assert received.target == "sip:other@example.com"
    assert received.referred_by == "<sip:mcu@example.com>"
    for code in (180, 200):
        assert theirs.do("report_refer", their_call, received.refer, code)
        link.run(1.0)
    assert not theirs.do("report_refer", their_call, received.refer, 200)
    assert ours.of(ReferProgressed) == [
        ReferProgressed(call, 100, False),
        ReferProgressed(call, 180, False),
        ReferProgressed(call, 200, True),
    ]
    ours.do("hang_up", call)
    settle(link)


def test_nobody_says_how_it_went() -> None:
    link, ours, theirs, call, _ = established()
    ours.do("refer", call, "sip:other@example.com")
    link.run(LIFE_S + 5)
    assert ours.of(ReferProgressed)[-1] == ReferProgressed(call, 408, True)
    theirs.do("hang_up", theirs.one(CallReceived).call)
    settle(link)


def test_refused() -> None:
    link, ours, _, call, _ = established()

    def refuse(message: SendMessage) -> bool:
        if isinstance(message.message, Response) and message.message.code == 202:
            message.message.code = 603
        return False

    link.dropped = refuse
    ours.do("refer", call, "sip:other@example.com")
    link.run(1.0)
    assert ours.of(ReferProgressed)[0] == ReferProgressed(call, 603, True)
    ours.do("hang_up", call)
    settle(link)


def test_the_call_ends_before_it_went_anywhere() -> None:
    link, ours, theirs, call, their_call = established()
    ours.do("refer", call, "sip:other@example.com")
    link.run(1.0)
    ours.do("hang_up", call)
    link.run(1.0)
    assert not theirs.do("report_refer", their_call, theirs.one(ReferReceived).refer, 200)
    settle(link)


def in_call() -> tuple[Scripted, str]:
    """An agent in a call with a peer that is written down; its tag."""
    peer = Scripted()
    peer.request("INVITE", "z9hG4bK1", CONTACT, SDP, body=OFFER)
    peer.agent.accept(peer.one(CallReceived).call, ANSWER, peer.now)
    tag = final(peer.taken()).headers["To"].partition("tag=")[2]
    peer.request("ACK", "z9hG4bK2", to_tag=tag)
    return peer, tag


@pytest.mark.parametrize(
    ("extra", "code"),
    [
        ((), 400),
        (("Refer-To: <sip:a@b>, <sip:c@d>",), 400),
        (("Refer-To: nonsense",), 400),
        (("Refer-To: <sip:a@b>",), 202),
    ],
)
def test_where_to(extra: tuple[str, ...], code: int) -> None:
    peer, tag = in_call()
    answers = peer.request("REFER", "z9hG4bK3", CONTACT, *extra, to_tag=tag, cseq=2)
    assert next(one.code for one in answers if isinstance(one, Response)) == code


def test_notifications_are_as_the_standard_wants_them() -> None:
    peer, tag = in_call()
    accepted, notify = peer.request(
        "REFER", "z9hG4bK3", CONTACT, "Refer-To: <sip:a@b?Replaces=x>", to_tag=tag, cseq=7
    )
    assert isinstance(accepted, Response)
    headers = notify.headers
    assert headers["Event"] == "refer;id=7"
    assert headers["Subscription-State"] == "active;expires=180"
    assert headers["Content-Type"] == "message/sipfrag;version=2.0"
    assert headers["Contact"] == "<sip:mcu@192.0.2.1:5060>;isfocus"
    assert notify.body == b"SIP/2.0 100 Trying\r\n"
    received = peer.one(ReferReceived)
    peer.agent.report_refer(received.call, received.refer, 486, peer.now)
    peer.answer(requests([notify])[0], 200)
    last = requests([one.message for one in peer.sent])[-1]
    assert last.headers["Subscription-State"] == "terminated;reason=noresource"
    assert last.body == b"SIP/2.0 486 Busy Here\r\n"


def test_without_a_subscription() -> None:
    peer, tag = in_call()
    (accepted,) = peer.request(
        "REFER", "z9hG4bK3", CONTACT, "Refer-To: <sip:a@b>", "Refer-Sub: false", to_tag=tag, cseq=2
    )
    assert accepted.headers["Refer-Sub"] == "false"
    received = peer.one(ReferReceived)
    assert not peer.agent.report_refer(received.call, received.refer, 200, peer.now)


def test_too_many_at_once() -> None:
    peer, tag = in_call()
    codes = []
    for number in range(6):
        answers = peer.request(
            "REFER",
            f"z9hG4bKr{number}",
            CONTACT,
            "Refer-To: <sip:a@b>",
            to_tag=tag,
            cseq=2 + number,
        )
        codes += [one.code for one in answers if isinstance(one, Response)]
    assert codes == [202] * 4 + [503] * 2


def test_notifications_nobody_asked_for() -> None:
    peer, tag = in_call()
    for cseq, (event, code) in enumerate((("refer", 481), ("conference", 489), ("", 489)), 2):
        answer = peer.request(
            "NOTIFY", f"z9hG4bK{event}x", CONTACT, f"Event: {event}", to_tag=tag, cseq=cseq
        )
        assert final(answer).code == code
    assert peer.agent.hang_up(peer.one(CallReceived).call, peer.now)


def test_after_the_last_notification_there_is_no_subscription() -> None:
    peer, tag = in_call()
    peer.agent.refer(peer.one(CallReceived).call, "sip:other@example.com", peer.now)
    (refer,) = requests(peer.taken())
    peer.answer(refer, 202)
    codes = []
    for cseq, state in ((2, "active"), (3, "terminated;reason=noresource"), (4, "active")):
        fields = (CONTACT, "Event: refer", f"Subscription-State: {state}")
        sent = peer.request("NOTIFY", f"z9hG4bKn{cseq}", *fields, to_tag=tag, cseq=cseq)
        codes.append(final(sent).code)
    assert codes == [200, 200, 481]
    assert [event.final for event in peer.events if isinstance(event, ReferProgressed)] == [
        False,
        True,
    ]


def test_nothing_is_told_of_a_call_that_was_hung_up_and_waits_for_its_ack() -> None:
    peer = Scripted()
    peer.request("INVITE", "z9hG4bK1", CONTACT, SDP, body=OFFER)
    call = peer.one(CallReceived).call
    peer.agent.accept(call, ANSWER, peer.now)
    peer.taken()
    assert peer.agent.refer(call, "sip:other@192.0.2.9", peer.now)
    (refer,) = (one for one in requests(peer.taken()) if one.method == "REFER")
    assert peer.agent.hang_up(call, peer.now)
    peer.answer(refer, 302)
    assert not [event for event in peer.events if isinstance(event, ReferProgressed)]
