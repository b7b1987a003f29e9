"""What is remembered of a call's messages, and what of them is not."""

from datetime import UTC, datetime

import pytest
from sipmessage import Request

from mcu.sip.trace import (
    FIRST_MESSAGES,
    MASK,
    MAX_CALLS,
    MAX_MESSAGES,
    MAX_STRANGERS,
    Trace,
    masked,
)
from signalling.sip import Hop, SendMessage

AT = datetime(2026, 11, 22, tzinfo=UTC)


def message(
    call_id: str, *fields: str, body: str = "", first: str = "INVITE sip:a@b SIP/2.0"
) -> bytes:
    return "\r\n".join([first, f"Call-ID: {call_id}", *fields, "", body]).encode()


def filled(trace: Trace, call_id: str, count: int = 1) -> None:
    for number in range(count):
        trace.add(message(call_id, f"CSeq: {number} INVITE"), "received", "udp:192.0.2.7:5060", AT)


def test_messages_of_a_call_in_their_order() -> None:
    trace = Trace()
    trace.add(message("one"), "received", "udp:192.0.2.7:5060", AT)
    trace.add(message("one", first="SIP/2.0 200 OK"), "sent", "udp:192.0.2.7:5060", AT)
    trace.add(b"nonsense", "received", "udp:192.0.2.7:5060", AT)
    found = trace.messages("one")
    assert [(one.direction, one.text.split("\r\n")[0]) for one in found] == [
        ("received", "INVITE sip:a@b SIP/2.0"),
        ("sent", "SIP/2.0 200 OK"),
    ]
    assert trace.messages("two") == ()


@pytest.mark.parametrize("name", ["Call-ID", "call-id ", "i", "I"])
def test_the_call_id_in_all_its_forms(name: str) -> None:
    trace = Trace()
    trace.add(f"BYE sip:a@b SIP/2.0\r\n{name}: x@y\r\n\r\n".encode(), "sent", "udp:a:1", AT)
    assert len(trace.messages("x@y")) == 1


def test_of_a_long_call_beginning_and_end_are_kept() -> None:
    trace = Trace()
    filled(trace, "long", MAX_MESSAGES + 50)
    numbers = [int(one.text.partition("CSeq: ")[2].split()[0]) for one in trace.messages("long")]
    assert numbers[:FIRST_MESSAGES] == list(range(FIRST_MESSAGES))
    assert numbers[-1] == MAX_MESSAGES + 49
    assert len(numbers) == MAX_MESSAGES


def test_what_found_no_way_stands_behind_it() -> None:
    trace = Trace()
    trace.add(message("one"), "sent", "tcp:192.0.2.7:5060", AT)
    for call_id in ("one", "unknown"):
        invite = Request("INVITE", "sip:a@b")
        invite.headers.set("Call-ID", call_id)
        sent = SendMessage(Hop("tcp", "192.0.2.7", 5060), invite)
        trace.failed(sent, AT, "connection", "Connection refused")
    last = trace.messages("one")[-1]
    assert last.text == "INVITE: no connection: Connection refused"
    assert (last.direction, last.failure) == ("sent", "no connection: Connection refused")
    assert trace.messages("unknown") == ()


def test_strangers_push_out_no_call() -> None:
    trace = Trace()
    filled(trace, "call")
    trace.keep("call")
    for number in range(MAX_STRANGERS + MAX_CALLS):
        filled(trace, f"scan-{number}")
    assert trace.messages("call")
    assert not trace.messages("scan-0")


def test_the_number_of_calls_is_bounded() -> None:
    trace = Trace()
    for number in range(MAX_CALLS + 1):
        filled(trace, f"call-{number}")
        trace.keep(f"call-{number}")
    assert not trace.messages("call-0")
    assert trace.messages("call-1")


@pytest.mark.parametrize(
    "field",
    [
        'Authorization: Digest username="room", realm="mcu", nonce="SECRET", uri="sip:b", '
        'response="SECRET", algorithm=MD5, cnonce="SECRET", nc=00000001, qop=auth',
        'proxy-authorization : Digest username="room",\r\n response="SECRET", nonce=SECRET',
        'WWW-Authenticate: Digest realm="mcu", nonce="SECRET", opaque="SECRET"',
        'Authentication-Info: nextnonce="SECRET", rspauth="SECRET"',
        "Authorization: Basic SECRET",
    ],
)
def test_credentials_are_masked(field: str) -> None:
    text = masked(message("one", field, "X-Next: kept"))
    assert "SECRET" not in text
    assert MASK in text
    assert "X-Next: kept" in text
    if "username" in field:
        assert 'username="room"' in text


def test_keys_of_media_are_masked() -> None:
    body = (
        "v=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:SECRET|2^31\r\n"
        "a=ice-ufrag:abcd\r\na=ice-pwd:SECRET\r\nm=audio 9 RTP/SAVP 0\r\n"
    )
    text = masked(message("one", "Content-Type: application/sdp", body=body))
    assert "SECRET" not in text
    assert f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 {MASK}\r\n" in text
    assert f"a=ice-ufrag:abcd\r\na=ice-pwd:{MASK}\r\nm=audio 9" in text


@pytest.mark.parametrize(
    ("kind", "body"),
    [("application/dtmf-relay", "Signal=7\r\nDuration=160\r\n"), ("application/dtmf", "7")],
)
def test_keys_that_were_pressed_are_masked(kind: str, body: str) -> None:
    text = masked(message("one", f"Content-Type: {kind}", body=body))
    assert "7" not in text.partition("\r\n\r\n")[2]


def test_a_large_message_is_cut() -> None:
    text = masked(message("one", body="x" * 60_000))
    assert len(text) < 10_000
    assert "bytes in all" in text
