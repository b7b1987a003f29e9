"""Via marked with its source (RFC 3581), and where responses and requests go."""

import pytest

from signalling.sip.hop import Hop, mark_source, next_hop, reply_hop
from signalling.sip.message import ReceivedRequest
from signalling.sip.uri import parse_uri
from tests.signalling.sip.messages import request

SOURCE = Hop("udp", "198.51.100.9", 40_000)


def marked(via: str, branch: str = "z9hG4bK1", source: Hop = SOURCE) -> ReceivedRequest:
    return mark_source(request("OPTIONS", branch, via=via), source)


@pytest.mark.parametrize(
    ("via", "text", "port"),
    [
        (
            "SIP/2.0/UDP 192.0.2.7;rport",
            "SIP/2.0/UDP 192.0.2.7;rport=40000;branch=z9hG4bK1;received=198.51.100.9",
            40_000,
        ),
        (
            "SIP/2.0/UDP 192.0.2.7:5070",
            "SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bK1;received=198.51.100.9",
            5070,
        ),
        ("SIP/2.0/UDP 198.51.100.9", "SIP/2.0/UDP 198.51.100.9;branch=z9hG4bK1", 5060),
        (
            "SIP/2.0/UDP 198.51.100.9;rport",
            "SIP/2.0/UDP 198.51.100.9;rport=40000;branch=z9hG4bK1;received=198.51.100.9",
            40_000,
        ),
        (
            "SIP/2.0/UDP 198.51.100.9;received=203.0.113.66",
            "SIP/2.0/UDP 198.51.100.9;branch=z9hG4bK1",
            5060,
        ),
        (
            "SIP/2.0/UDP 192.0.2.7;maddr=203.0.113.66;rport=1",
            "SIP/2.0/UDP 192.0.2.7;maddr=203.0.113.66;rport=40000;branch=z9hG4bK1"
            ";received=198.51.100.9",
            40_000,
        ),
    ],
)
def test_marked_and_answered(via: str, text: str, port: int) -> None:
    received = marked(via)
    assert received.headers["Via"] == text
    hop = reply_hop(received.envelope.vias[0], SOURCE)
    assert (hop.host, hop.port) == ("198.51.100.9", port)


def test_other_hops_stay_as_they_are() -> None:
    received = mark_source(
        request("OPTIONS", "z9hG4bK1, SIP/2.0/TCP pc33;branch=z9hG4bK+2"), SOURCE
    )
    assert received.headers.getlist("Via")[1] == "SIP/2.0/TCP pc33;branch=z9hG4bK+2"
    assert len(received.envelope.vias) == 2


def test_ipv6() -> None:
    source = Hop("udp", "2001:db8::9", 5060)
    received = marked("SIP/2.0/UDP [2001:db8:0::9]", source=source)
    assert "received" not in received.headers["Via"]
    assert str(source) == "udp:[2001:db8::9]:5060"


def test_over_a_stream_the_answer_goes_back_on_it() -> None:
    source = Hop("tcp", "198.51.100.9", 40_000, connection=7)
    received = marked("SIP/2.0/TCP 192.0.2.7", source=source)
    assert reply_hop(received.envelope.vias[0], source) == source


@pytest.mark.parametrize(
    ("uri", "hop"),
    [
        ("sip:a@b.com", Hop("udp", "b.com")),
        ("sip:a@192.0.2.1:5070;transport=tcp", Hop("tcp", "192.0.2.1", 5070)),
        ("sips:a@b.com", Hop("tls", "b.com")),
        ("sip:a@[2001:db8::1];transport=TLS", Hop("tls", "2001:db8::1")),
        ("sip:a@b.com;maddr=192.0.2.9", Hop("udp", "192.0.2.9")),
        ("sip:a@b.com;transport=sctp", None),
        ("tel:+84", None),
    ],
)
def test_next_hop(uri: str, hop: Hop | None) -> None:
    assert next_hop(parse_uri(uri)) == hop
