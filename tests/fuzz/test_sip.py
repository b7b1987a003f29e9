"""SIP messages of any kind, and the torture messages damaged in every place.

Invariant: reading ends in a message or ``SipError``; what was read is written and read again the
same; the answer to what was refused is a message that can be read.
"""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from signalling.sip.errors import SipError
from signalling.sip.fields import read_address, read_via, split_list
from signalling.sip.message import (
    ReceivedRequest,
    ReceivedResponse,
    encode,
    parse_message,
    response_to,
)
from signalling.sip.sdp_body import sdp_of
from signalling.sip.uri import parse_uri
from tests.signalling.sip.messages import request_text
from tests.signalling.sip.torture import message, names

VALID = [message("rfc4475", name) for name in names("rfc4475")]

fuzz = settings(max_examples=400, deadline=None)


def feed(data: bytes) -> None:
    refused = None
    try:
        received = parse_message(data)
    except SipError as error:
        refused = error
    if refused is not None:
        assert refused.field
        if refused.response is not None:
            answer_is_readable(encode(refused.response))
        return
    if isinstance(received, ReceivedRequest):
        answer_is_readable(encode(response_to(received, 500, to_tag="t")))
    described = sdp_in(received)
    if described is not None:  # a whole body, or a part of it that may have lost its last CRLF
        assert described.removesuffix(b"\r\n") in received.body
    again = parse_message(encode(received.message))
    assert again.envelope.call_id == received.envelope.call_id
    assert again.envelope.from_tag == received.envelope.from_tag
    assert again.envelope.cseq == received.envelope.cseq
    assert [str(via) for via in again.envelope.vias] == [str(via) for via in received.envelope.vias]
    assert again.body == received.body


def sdp_in(received: ReceivedRequest | ReceivedResponse) -> bytes | None:
    status = 415
    try:
        return sdp_of(received)
    except SipError as error:
        status = error.status
    assert status == 415
    return None


def answer_is_readable(data: bytes) -> None:
    """An answer repeats what the request held, so it may be refused for that, and only for that."""
    assert data.startswith(b"SIP/2.0 ")
    assert data.count(b"\r\n\r\n") >= 1
    at_fault = ""
    try:
        parse_message(data)
    except SipError as error:
        at_fault = error.field
    assert at_fault in ("", "Via", "From", "To", "Call-ID", "CSeq")


@fuzz
@given(st.binary(max_size=400))
@example(b"")
@example(b"\r\n\r\n\r\n\r\n")
@example(b"SIP/2.0 200\r\n\r\n")
def test_any_bytes(data: bytes) -> None:
    feed(data)


@fuzz
@given(st.sampled_from(VALID), st.floats(0, 1, exclude_max=True), st.binary(max_size=4))
def test_a_few_bytes_changed(data: bytes, where: float, put: bytes) -> None:
    at = int(where * len(data))
    feed(data[:at] + put + data[at + len(put) :])


@fuzz
@given(st.sampled_from(VALID), st.floats(0, 1))
def test_cut_short(data: bytes, where: float) -> None:
    feed(data[: int(where * len(data))])


FIELD = st.sampled_from(
    ["Via", "v", "From", "To", "Contact", "Route", "Record-Route", "CSeq", "Call-ID", "Expires",
     "Max-Forwards", "Content-Length", "Require", "X-Any", "Session-Expires"]
)  # fmt: skip
VALUE = st.one_of(
    st.text(max_size=40),
    st.text('<>";,\\=@:[] sip%0aA', max_size=60),
    st.sampled_from(['"' * 200, '"\\' * 200, "<" * 200, ";a=b" * 60, "," * 60, "[::1]" * 30]),
)


@fuzz
@given(st.lists(st.tuples(FIELD, VALUE), max_size=8))
def test_any_fields(extra: list[tuple[str, str]]) -> None:
    lines = ["OPTIONS sip:a@b.com SIP/2.0", *(f"{name}: {value}" for name, value in extra), "", ""]
    feed("\r\n".join(lines).encode("utf-8", "surrogatepass"))


@fuzz
@given(VALUE)
@example("<sip:a@b.com>;self=1")
@example("sip:" + "1.-" * 300)
def test_any_value(text: str) -> None:
    for read in (
        lambda: read_address(text, "To"),
        lambda: read_via(f"SIP/2.0/UDP {text}"),
        lambda: parse_uri(text),
        lambda: parse_uri(f"sip:{text}"),
        lambda: parse_uri(f"tel:{text}"),
        lambda: split_list([text], "Route"),
    ):
        try:
            read()
        except SipError:
            continue


PIECE = st.one_of(
    st.sampled_from(
        [b"--b", b"--", b"\r\n", b"\r\n\r\n", b"Content-Type: application/sdp", b"v=0\r\n", b" "]
    ),
    st.binary(max_size=6),
)


@fuzz
@given(st.lists(PIECE, max_size=30), st.sampled_from(["b", '"b"', '""', "b;x", ""]))
@example([b"--b\r\n", b"Content-Type: application/sdp\r\n\r\n", b"v=0", b"\r\n--b--"], "b")
def test_any_parts(pieces: list[bytes], boundary: str) -> None:
    kind = f"Content-Type: multipart/mixed;boundary={boundary}"
    feed(request_text("INVITE", "z9hG4bKparts", kind, body=b"".join(pieces)))


@pytest.mark.parametrize("size", [8_000])
@pytest.mark.parametrize("piece", ['"', '\\"', '"\\', "<", "a ", "'", ";a", ",", "[", ":", "%"])
def test_long_repetitions_end(piece: str, size: int) -> None:
    """Nothing here may take more than a pass over the text; the test's time limit says so."""
    value = piece * (size // len(piece))
    for field in ("From", "Via", "Contact", "Route"):
        feed(f"OPTIONS sip:a@b.com SIP/2.0\r\n{field}: {value}\r\n\r\n".encode())
        feed(f"OPTIONS sip:a@b.com SIP/2.0\r\n{field}: x{value}<sip:a@b>{value}\r\n\r\n".encode())
