"""What is checked of a message, and the answers that are made from one."""

import pytest

from signalling.sip.errors import SipError
from signalling.sip.message import (
    ReceivedRequest,
    copy_of,
    encode,
    parse_message,
    reason_phrase,
    response_to,
    with_top_via,
)

REQUEST = (
    "OPTIONS sip:mcu@192.0.2.1 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK+a;rport, SIP/2.0/UDP pc33;branch=z9hG4bKb\r\n"
    "From: <sip:room@192.0.2.7>;tag=a+b!\r\n"
    "To: <sip:mcu@192.0.2.1>\r\n"
    "Call-ID: a!b@192.0.2.7\r\n"
    "CSeq: 7 OPTIONS\r\n"
    "Timestamp: 54\r\n"
    "\r\n"
)


def read(text: str = REQUEST) -> ReceivedRequest:
    received = parse_message(text.encode())
    assert isinstance(received, ReceivedRequest)
    return received


def test_an_answer_repeats_what_came_to_the_letter() -> None:
    response = response_to(read(), 200, to_tag="mine")
    assert encode(response).decode() == (
        "SIP/2.0 200 OK\r\n"
        "Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK+a;rport, SIP/2.0/UDP pc33;branch=z9hG4bKb\r\n"
        "From: <sip:room@192.0.2.7>;tag=a+b!\r\n"
        "To: <sip:mcu@192.0.2.1>;tag=mine\r\n"
        "Call-ID: a!b@192.0.2.7\r\n"
        "CSeq: 7 OPTIONS\r\n"
        "Content-Length: 0\r\n"
        "\r\n"
    )
    assert response_to(read(), 100).headers.get("Timestamp") == "54"


def test_a_tag_that_is_there_is_kept() -> None:
    request = read(REQUEST.replace("To: <sip:mcu@192.0.2.1>", "To: <sip:mcu@192.0.2.1>;tag=old"))
    assert response_to(request, 200, to_tag="new").headers["To"].endswith(";tag=old")


def test_the_top_via_is_replaced_alone() -> None:
    changed = with_top_via(read().message, "SIP/2.0/UDP 192.0.2.7;received=198.51.100.1")
    assert changed.headers.getlist("Via") == [
        "SIP/2.0/UDP 192.0.2.7;received=198.51.100.1",
        "SIP/2.0/UDP pc33;branch=z9hG4bKb",
    ]
    assert "received" not in read().headers["Via"]


def test_copies_share_nothing() -> None:
    message = read().message
    copy = copy_of(message)
    copy.headers.add("Via", "SIP/2.0/UDP x")
    assert len(message.headers.getlist("Via")) == 1


@pytest.mark.parametrize("field", ["Via", "From", "To", "Call-ID", "CSeq"])
def test_fields_without_which_nothing_works(field: str) -> None:
    lines = [line for line in REQUEST.split("\r\n") if not line.startswith(f"{field}:")]
    with pytest.raises(SipError) as caught:
        parse_message("\r\n".join(lines).encode())
    assert caught.value.field == field
    assert caught.value.response is None


def test_ack_is_never_answered() -> None:
    with pytest.raises(SipError) as caught:
        parse_message(REQUEST.replace("OPTIONS", "ACK").replace("CSeq: 7", "CSeq: x").encode())
    assert caught.value.response is None


@pytest.mark.parametrize(
    "line",
    [
        "SIP/2.0 99 x",
        "SIP/2.0 700 x",
        "SIP/2.0 ٢٠٠ OK",
        "SIP/2.0 2000 OK",
        "SIP/3.0 200 OK",
        "SIP/2.0",
    ],
)
def test_status_lines_that_are_none(line: str) -> None:
    with pytest.raises(SipError) as caught:
        parse_message((line + REQUEST[REQUEST.index("\r\n") :]).encode())
    assert caught.value.response is None


def test_phrases_stay_on_their_line() -> None:
    assert reason_phrase(486) == "Busy Here"
    assert reason_phrase(486, "a\r\nVia: b") == "a Via: b"
    assert reason_phrase(499) == "Unknown"
