"""Session descriptions by themselves, and as a part among others."""

import pytest

from signalling.sip.errors import SipError
from signalling.sip.sdp_body import MAX_PARTS, sdp_of
from tests.signalling.sip.messages import request

SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nt=0 0\r\n"
ISUP = b"Content-Type: application/isup; version=itu-t92+\r\n\r\n\x01\x00\x49\r\n\x00"


def sdp_in(content_type: str, body: bytes, *fields: str) -> bytes | None:
    named = f"Content-Type: {content_type}"
    return sdp_of(request("INVITE", "z9hG4bK1", named, *fields, body=body))


def parts(*each: bytes, boundary: str = "b1", end: bytes = b"--\r\n") -> bytes:
    line = f"--{boundary}".encode()
    return b"".join(line + b"\r\n" + one + b"\r\n" for one in each) + line + end


def described(sdp: bytes = SDP, *fields: str) -> bytes:
    head = "".join(f"{field}\r\n" for field in ("Content-Type: application/sdp", *fields))
    return head.encode() + b"\r\n" + sdp


def test_alone_or_not_at_all() -> None:
    assert sdp_in("application/sdp", SDP) == SDP
    assert sdp_in("Application/SDP;charset=utf-8", SDP) == SDP
    assert sdp_in("text/plain", b"") is None


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/mixed; boundary=b1", parts(described(), ISUP)),
        ('multipart/mixed;boundary="b1"', parts(ISUP, described())),
        ("Multipart/Alternative ; Boundary = b1", parts(ISUP, described())),
        ("multipart/mixed;boundary=b1", b"to be passed over\r\n" + parts(described())),
        ("multipart/mixed;boundary=b1",
         parts(described(SDP, "Content-Disposition: session;handling=required",
                         "Content-Transfer-Encoding: binary"))),
        ('multipart/mixed;boundary="a b"', parts(described(), boundary="a b")),
        ("multipart/mixed;boundary=b1", parts(described(SDP.removesuffix(b"\r\n")))),
    ],
)  # fmt: skip
def test_among_others(content_type: str, body: bytes) -> None:
    assert sdp_in(content_type, body) == SDP


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain", b"x"),
        ("multipart/mixed", parts(described())),
        ("multipart/mixed;boundary=b1", parts(ISUP)),
        ("multipart/mixed;boundary=b1", b"--b1--\r\n" + parts(described())),
        ("multipart/mixed;boundary=b1", described()),
        ("multipart/mixed;boundary=b1", parts(described(), end=b"")[:40]),
        ("multipart/mixed;boundary=b1", parts(described(SDP, "Content-Encoding: gzip"))),
        ("multipart/mixed;boundary=b1",
         parts(described(SDP, "Content-Transfer-Encoding: base64"))),
        ("multipart/mixed;boundary=b1",
         parts(b"Content-Type: multipart/mixed;boundary=b2\r\n\r\n"
               + parts(described(), boundary="b2"))),
        ("multipart/mixed;boundary=b1", parts(*[ISUP] * MAX_PARTS, described())),
    ],
)  # fmt: skip
def test_none_that_can_be_taken(content_type: str, body: bytes) -> None:
    with pytest.raises(SipError) as refused:
        sdp_in(content_type, body)
    assert refused.value.status == 415


def test_compressed_as_a_whole() -> None:
    with pytest.raises(SipError) as refused:
        sdp_in("application/sdp", SDP, "Content-Encoding: gzip")
    assert (refused.value.status, refused.value.field) == (415, "Content-Encoding")
