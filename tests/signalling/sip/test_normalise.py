"""Limits, and the few forms that are put right before the library reads them."""

import pytest

from signalling.sip import normalise as limits
from signalling.sip.errors import SipError
from signalling.sip.normalise import normalise

START = b"OPTIONS sip:mcu@192.0.2.1 SIP/2.0\r\n"


def fields(head: bytes) -> list[tuple[str, str]]:
    plain = normalise(START + head + b"\r\n")
    assert plain.problem is None, plain.problem
    return list(plain.fields)


def problem(head: bytes, body: bytes = b"") -> SipError:
    plain = normalise(START + head + b"\r\n" + body)
    assert plain.problem is not None
    return plain.problem


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"Subject: a\r\n b\r\n\tc\r\n", ("Subject", "a b c")),
        (b"Subject:\r\n", ("Subject", "")),
        (b"Subject\t : a  \t b\r\n", ("Subject", "a b")),
        (b's: "two  spaces"  "\\"  "\r\n', ("Subject", '"two  spaces" "\\"  "')),
        (b's: "never  closed\r\n', ("Subject", '"never  closed')),
        (b's: "never closed \\\r\n', ("Subject", '"never closed \\')),
        (b"v: SIP/2.0/UDP a\r\n", ("Via", "SIP/2.0/UDP a")),
        (b"X-Any: \xc3\xa4\r\n", ("X-Any", "ä")),
        (b"X-Any: \xe4\r\n", ("X-Any", "ä")),
    ],
)
def test_plain_form(line: bytes, expected: tuple[str, str]) -> None:
    assert fields(line) == [expected]


@pytest.mark.parametrize("before", [b"\r\n", b"\r\n\r\n", b"\n\r\n"])
def test_empty_lines_before_a_message(before: bytes) -> None:
    assert normalise(before + START + b"\r\n").start_line[0] == "OPTIONS"


def test_empty_lines_have_an_end() -> None:
    with pytest.raises(SipError):
        normalise(b"\r\n" * limits.MAX_LEADING_BYTES + START + b"\r\n")


@pytest.mark.parametrize(
    ("head", "body", "field"),
    [
        (b"To: a\r\nt: b\r\n", b"", "To"),
        (b"Call-ID: \xff\r\n", b"", "Call-ID"),
        (b"no colon\r\n", b"", "message"),
        (b"spaced name: x\r\n", b"", "message"),
        (b"l: 5\r\n", b"four", "Content-Length"),
        (b"l: +4\r\n", b"four", "Content-Length"),
        (b"l: 4 4\r\n", b"four", "Content-Length"),
        ("l: ٤\r\n".encode(), b"four", "Content-Length"),
        (b"X-Y: " + b"x" * limits.MAX_FIELD_BYTES + b"\r\n", b"", "X-Y"),
    ],
)
def test_problems_that_leave_the_rest_readable(head: bytes, body: bytes, field: str) -> None:
    assert problem(head, body).field == field


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        START,
        b"OPTIONS sip:a@b SIP/2.0 x\r\n\r\n",
        b"OPTIONS sip:a@b\r\n\r\n",
        b" OPTIONS sip:a@b SIP/2.0\r\n\r\n",
        START + b"A: b\nC: d\r\n\r\n",
        START + b"A: b\rC: d\r\n\r\n",
        b"\xff sip:a@b SIP/2.0\r\n\r\n",
        b"OPTIONS sip:" + b"a" * limits.MAX_START_LINE_BYTES + b"@b SIP/2.0\r\n\r\n",
        START + b"A: b\r\n" * (limits.MAX_FIELDS + 1) + b"\r\n",
        START + (b"A: " + b"b" * 4000 + b"\r\n") * 7 + b"\r\n",
        START + b"\r\n" + b"x" * limits.MAX_MESSAGE_BYTES,
    ],
)
def test_no_message(data: bytes) -> None:
    with pytest.raises(SipError):
        normalise(data)


def test_the_largest_that_is_taken() -> None:
    head = START + b"A: b\r\n" * limits.MAX_FIELDS + b"\r\n"
    plain = normalise(head + b"x" * (limits.MAX_MESSAGE_BYTES - len(head)))
    assert plain.problem is None
    assert len(plain.fields) == limits.MAX_FIELDS


def test_what_follows_the_body_is_left_out() -> None:
    assert normalise(START + b"l: 3\r\n\r\nabcdef").body == b"abc"
