"""Lists, addresses, hops and numbers of header fields."""

import pytest
from sipmessage import Headers

from signalling.sip import fields
from signalling.sip.errors import SipError


def test_lists_are_split_outside_quotes_and_brackets() -> None:
    values = ['"a, b" <sip:c,d@e.com>;x="1,2" , <sip:f@g.com>', "<sip:h@i.com>"]
    assert fields.split_list(values, "Contact") == [
        '"a, b" <sip:c,d@e.com>;x="1,2"',
        "<sip:f@g.com>",
        "<sip:h@i.com>",
    ]


@pytest.mark.parametrize("values", [[","], ["a,,b"], [""], ["a,"], ["a,b" * 80]])
def test_lists_that_are_none(values: list[str]) -> None:
    with pytest.raises(SipError):
        fields.split_list(values, "Route")


def test_addresses() -> None:
    address = fields.read_address('"Phòng họp 7" <sip:room@pc33>;tag=a+b', "From")
    assert (address.name, address.uri.host) == ("Phòng họp 7", "pc33")
    assert fields.tag_of(address) == "a+b"
    assert fields.tag_of(fields.read_address("sip:a@b.com;TAG=1", "To")) == "1"
    assert fields.tag_of(fields.read_address("<sip:a@b.com;tag=1>", "To")) == ""
    assert str(fields.uri_of(address)) == "sip:room@pc33"


def test_parameters_with_anything_in_quotes() -> None:
    """Linphone, Poly and others register like this (RFC 5626 section 4.1)."""
    instance = '"<urn:uuid:b54c7c87-ce0a-002c-ba2b-1fb8cacbb2d1>"'
    for name in ("", '"Phòng \\"7\\"" ', "Room "):
        text = (
            f'{name}<sip:a@b:5061;transport=tls>;+sip.instance={instance};reg-id=1;x="a;b=c";q=0.5'
        )
        address = fields.read_address(text, "Contact")
        assert dict(address.parameters) == {
            "+sip.instance": instance, "reg-id": "1", "x": '"a;b=c"', "q": "0.5",
        }  # fmt: skip
        assert address.uri.port == 5061
    assert fields.read_address('"Phòng \\"7\\"" <sip:a@b>;x="<y>"', "To").name == 'Phòng "7"'
    for text in ('<sip:a@b>;x="', "<sip:a@b>;x=", "<sip:a@b>;x=a b", "<sip:a@b>x", "<sip:a@b>;=1"):
        with pytest.raises(SipError):
            fields.read_address(text, "Contact")


@pytest.mark.parametrize(
    "text",
    ["", "<>", "<sip:a@b", "sip:a@b?c=d", "a b <c>", '"a <sip:a@b>', "<sip:a@b>;;", "*"],
)
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(SipError):
        fields.read_address(text, "To")


def test_hops() -> None:
    via = fields.read_via("sip / 2.0 / udp pc33 : 5070 ;rport;branch=z9hG4bK+1")
    assert (via.transport, via.host, via.port) == ("UDP", "pc33", 5070)
    assert via.parameters["branch"] == "z9hG4bK+1"
    for text in ("SIP/3.0/UDP a", "SIP/2.0/UDP", "SIP/2.0/UDP a;;", "SIP/2.0/UDP [x]", "UDP a"):
        with pytest.raises(SipError):
            fields.read_via(text)


def test_numbers() -> None:
    assert fields.read_number("120;duration=3600", "Retry-After") == 120
    assert fields.read_number("18000 (in a meeting)", "Retry-After") == 18000
    assert fields.read_number("9" * 400, "Expires") == fields.MAX_SECONDS
    assert fields.read_number(None, "Expires") is None
    for text in ("", "-1", "٣", "x"):
        with pytest.raises(SipError):
            fields.read_number(text, "Expires")


def test_cseq() -> None:
    assert fields.read_cseq("0009 INVITE").sequence == 9
    for text in ("INVITE", "1", "1 ", "2147483648 INVITE", "-1 INVITE", "1 IN VITE", "٣ INVITE"):
        with pytest.raises(SipError):
            fields.read_cseq(text)


def test_tokens() -> None:
    headers = Headers()
    headers.add("Supported", "100rel, Timer")
    headers.add("Supported", " ,replaces")
    assert fields.tokens(headers, "supported") == {"100rel", "timer", "replaces"}


def test_brackets() -> None:
    assert fields.with_brackets("2001:db8::1") == "[2001:db8::1]"
    assert fields.with_brackets("pc33") == "pc33"
    assert fields.without_brackets("[2001:db8::1]") == "2001:db8::1"
