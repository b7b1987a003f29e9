"""Addresses keep their text and are compared by the rules of RFC 3261 section 19.1.4."""

import pytest

from signalling.sip.errors import SipError
from signalling.sip.uri import SipUri, parameter, parse_host, parse_uri


@pytest.mark.parametrize(
    "text",
    [
        "sip:alice@atlanta.example.com",
        "sip:alice:secretword@atlanta.example.com;transport=tcp",
        "sips:alice@atlanta.example.com?subject=project%20x&priority=urgent",
        "sip:+1-212-555-1212:1234@gateway.example.com;user=phone",
        "sip:mcu",
        "sip:pc33:5070",
        "sip:room_7@codec_1.local.",
        "sip:a@192.0.2.4;ob;x=a+b%41",
        "sip:a@[::1]:5070;transport=tls",
        "tel:+84-24-3825-3536",
        "urn:service:sos",
    ],
)
def test_written_as_it_came(text: str) -> None:
    assert str(parse_uri(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "alice",
        "sip:",
        "sip:@host",
        "sip:a@",
        "sip:a@b@c",
        "sip:a@-b",
        "sip:a@b:0",
        "sip:a@b:65536",
        "sip:a@b:port",
        "sip:a@[::g]",
        "sip:a@[1::2::3]",
        "sip:a b@c",
        "sip:a@b;;c",
        "sip:a@b;self=1",
        "tel:" + "1" * 200,
        "isbn:",
        "isbn:a b",
        "sip:" + "a" * 2000 + "@b",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(SipError) as caught:
        parse_uri(text, "Contact")
    assert caught.value.field == "Contact"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp", True),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", True),
        ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on", True),
        ("sip:ALICE@AtLanTa.CoM", "sip:alice@atlanta.com", False),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", False),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", False),
        ("sip:carol@chicago.com;x=1", "sip:carol@chicago.com;x=2", False),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next", False),
        ("sip:a@[2001:db8:0::1]", "sip:a@[2001:db8::1]", True),
        ("sips:a@b.com", "sip:a@b.com", False),
        ("urn:a:b", "urn:a:b", True),
    ],
)
def test_the_same_resource(one: str, other: str, same: bool) -> None:
    assert parse_uri(one).same_as(parse_uri(other)) is same
    assert parse_uri(other).same_as(parse_uri(one)) is same


def test_transport() -> None:
    assert parse_uri("sip:a@b.com").transport is None
    assert parse_uri("sip:a@b.com;Transport=TCP").transport == "tcp"
    assert parse_uri("sips:a@b.com;transport=tcp").transport == "tls"


def test_put_together() -> None:
    assert str(SipUri("sip", "mcu.example.com", user="hop giao ban", port=5070)) == (
        "sip:hop%20giao%20ban@mcu.example.com:5070"
    )
    assert parameter({"Tag": None}, "tag") == ""
    assert parameter({"x": "1"}, "tag") is None


def test_hosts() -> None:
    assert parse_host("[2001:DB8:0:0::1]", "Via") == "[2001:db8::1]"
    with pytest.raises(SipError):
        parse_host("a..b", "Via")
