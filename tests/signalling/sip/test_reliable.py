"""RFC 3262: every reliable provisional response is acknowledged once and in order."""

import random

import pytest

from signalling.sip.errors import SipError
from signalling.sip.message import response_to
from signalling.sip.reliable import (
    ReliableReceiver,
    ReliableSender,
    peer_demands,
    peer_takes,
    read_rack,
)
from tests.signalling.sip.messages import request, response

INVITE = request("INVITE", "z9hG4bK1", "Supported: 100rel")


def test_sender_and_receiver() -> None:
    sender = ReliableSender(1, random.Random(1))
    receiver = ReliableReceiver()
    racks = []
    for code in (183, 180):
        ours = response_to(INVITE, code, "far")
        sender.send(ours)
        theirs = response(
            INVITE.message, code, f"Require: {ours.headers['Require']}",
            f"RSeq: {ours.headers['RSeq']}",
        )  # fmt: skip
        rack = receiver.take(theirs)
        assert rack is not None
        assert receiver.take(theirs) is None  # a repetition
        acknowledged = read_rack(request("PRACK", "z9hG4bK2", f"RAck: {rack}"))
        racks.append(acknowledged)
        assert sender.acknowledge(acknowledged)
        assert sender.waiting is None
        assert not sender.acknowledge(acknowledged)
    assert racks[1].rseq == racks[0].rseq + 1


def test_another_acknowledgement_does_not_count() -> None:
    sender = ReliableSender(1, random.Random(1))
    sender.send(response_to(INVITE, 180, "far"))
    assert not sender.acknowledge(read_rack(request("PRACK", "z9hG4bK2", "RAck: 1 1 INVITE")))
    assert sender.waiting is not None


def test_what_comes_too_early_waits_for_what_was_lost() -> None:
    receiver = ReliableReceiver()
    message = INVITE.message
    assert receiver.take(response(message, 180, "Require: 100rel", "RSeq: 5")) == "5 1 INVITE"
    assert receiver.take(response(message, 180, "Require: 100rel", "RSeq: 7")) is None
    assert receiver.take(response(message, 180, "Require: 100rel", "RSeq: 6")) == "6 1 INVITE"
    assert receiver.take(response(message, 180, "RSeq: 7")) is None  # not reliable
    with pytest.raises(SipError):
        receiver.take(response(message, 180, "Require: 100rel", "RSeq: x"))


@pytest.mark.parametrize("rack", ["", "1 1", "1 1 BYE", "x 1 INVITE", "1 1 INVITE x"])
def test_racks_that_are_none(rack: str) -> None:
    with pytest.raises(SipError):
        read_rack(request("PRACK", "z9hG4bK2", f"RAck: {rack}"))


def test_who_wants_it() -> None:
    assert peer_takes(INVITE.headers)
    assert not peer_demands(INVITE.headers)
    assert peer_demands(request("INVITE", "z9hG4bK1", "Require: 100rel").headers)
    assert not peer_takes(request("INVITE").headers)
