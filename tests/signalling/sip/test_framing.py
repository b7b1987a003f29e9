"""Streams in pieces of any size give the same messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalling.sip.errors import SipError
from signalling.sip.framing import MessageStream
from signalling.sip.message import parse_message
from signalling.sip.normalise import MAX_HEADER_BYTES
from tests.signalling.sip.messages import request_text
from tests.signalling.sip.torture import message

MESSAGES = [
    request_text("OPTIONS"),
    request_text("INVITE", "z9hG4bK2", "Contact: <sip:a@b>", body=b"v=0\r\n\r\nOPTIONS sip:"),
    request_text("INFO").replace(b"Content-Length: 0", b"l :\r\n  0"),
    request_text("BYE").replace(b"Content-Length", b"CONTENT-LENGTH"),
]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=60), st.booleans())
def test_in_pieces(sizes: list[int], keep_alives: bool) -> None:
    between = b"\r\n\r\n" if keep_alives else b""
    data = between.join(MESSAGES)
    stream = MessageStream()
    found = []
    at = 0
    for size in [*sizes, len(data)]:
        found += stream.receive(data[at : at + size])
        at += size
    assert found == MESSAGES
    assert stream.pings == (len(MESSAGES) - 1 if keep_alives else 0)
    assert not stream.is_amid_message
    for one in found:
        parse_message(one)


def test_two_messages_of_rfc_4475_in_one() -> None:
    first, second = MessageStream().receive(message("rfc4475", "dblreq"))
    assert first.startswith(b"REGISTER")
    assert second.startswith(b"INVITE")


def test_single_empty_lines_and_halves_of_keep_alives() -> None:
    stream = MessageStream()
    assert stream.receive(b"\r\n") == []
    assert stream.receive(b"\r") == []
    assert stream.receive(b"\n") == []
    assert stream.pings == 1
    assert stream.receive(b"\r\n" + MESSAGES[0]) == [MESSAGES[0]]
    assert stream.pings == 1


@pytest.mark.parametrize(
    "data",
    [
        MESSAGES[0].replace(b"Content-Length: 0\r\n", b""),
        MESSAGES[0].replace(b"Content-Length: 0", b"Content-Length: -1"),
        MESSAGES[0].replace(b"Content-Length: 0", b"Content-Length: x"),
        MESSAGES[0].replace(b"Content-Length: 0", b"Content-Length: 0\r\nl: 5"),
        MESSAGES[0].replace(b"Content-Length: 0", b"Content-Length: 9999999"),
        b"x" * (MAX_HEADER_BYTES + 1),
        b"x" * (MAX_HEADER_BYTES + 1) + b"\r\n\r\n",
    ],
)
def test_streams_that_cannot_go_on(data: bytes) -> None:
    with pytest.raises(SipError):
        MessageStream().receive(data)


def test_what_waits_is_bounded() -> None:
    stream = MessageStream()
    line = b"A: b\r\n"
    assert stream.receive(line * (MAX_HEADER_BYTES // len(line))) == []
    with pytest.raises(SipError):
        stream.receive(line * 2)
