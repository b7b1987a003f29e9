"""What people type as an address is called as they mean it, or refused in words."""

import pytest

from signalling.sip.errors import SipError
from signalling.sip.typed_address import typed_address


@pytest.mark.parametrize(
    ("typed", "called"),
    [
        ("sip:room@example.com", "sip:room@example.com"),
        ("SIPS:room@example.com:5071", "sips:room@example.com:5071"),
        ("room@198.51.100.7", "sip:room@198.51.100.7"),
        ("198.51.100.7", "sip:198.51.100.7"),
        ("198.51.100.7:5062", "sip:198.51.100.7:5062"),
        ("codec-7:5062", "sip:codec-7:5062"),
        ("[2001:db8::7]:5062", "sip:[2001:db8::7]:5062"),
        ("sip:[::1]", "sip:[::1]"),
        ("sip:room@example.com;transport=TCP", "sip:room@example.com;transport=TCP"),
        ("sips:room@example.com;transport=tcp", "sips:room@example.com;transport=tcp"),
        ("sip:+84241234567@gateway.example.com;user=phone?Subject=x",
         "sip:+84241234567@gateway.example.com;user=phone"),
        ("sip:room:word@example.com", "sip:room:word@example.com"),
        ("sip:10.example.org", "sip:10.example.org"),
    ],
)  # fmt: skip
def test_called_as_it_is_meant(typed: str, called: str) -> None:
    assert str(typed_address(typed)) == called


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "names no host"),
        ("sip:", "names no host"),
        ("sip:@", "names no host"),
        ("sip:room@", "names no host"),
        ("sip:room@:5060", "names no host"),
        ("sip:room@;transport=tcp", "names no host"),
        ("sip:room@host:99999", "the port '99999' is none: 1 to 65535"),
        ("sip:room@host:0", "the port '0'"),
        ("sip:room@host:", "the port ''"),
        ("sip:room@host:" + "9" * 5_000, "the port"),
        ("sip:[::1]:70000;transport=tcp", "the port '70000'"),
        ("sip:[::1", "is not closed"),
        ("sip:room@[::g]", "IPv6 address that is none"),
        ("sip:room@host;transport=foo", "the transport 'foo' is none of udp, tcp, tls"),
        ("sip:room@host;transport=", "not valid"),
        ("sip:room@host;transport", "the transport ''"),
        ("sips:room@host;transport=udp", "none of tcp, tls"),
        ("tel:1", "tel: is not called by SIP (a telephone number is called through a gateway"),
        ("TEL:+84241234567", "sip:NUMBER@gateway"),
        ("0901234567", "0901234567 names no host (a telephone number is called through a gateway"),
        ("sip:+84901234567", "sip:NUMBER@gateway"),
        ("h323:room@example.org", "h323: is not called by SIP"),
        ("http://example.org", "http: is not called by SIP"),
        ("foo:room@example.org", "before the first colon"),
        ("024.38.251.234", "024.38.251.234 names no host (a telephone number"),
        ("02163.852.123", "a telephone number is called through a gateway"),
        ("(024)38251234", "a telephone number is called through a gateway"),
        ("024/1234567", "a telephone number is called through a gateway"),
        ("sip:r@239.1.1.1", "239.1.1.1 is the address of many"),
        ("sip:r@255.255.255.255", "is the address of many"),
        ("sip:r@[ff02::1]", "ff02::1 is the address of many"),
        ("sip:room@10.1.2.300", "10.1.2.300 is no IPv4 address"),
        ("sip:room@10.1.2", "no IPv4 address"),
        ("sip:room@2130706433", "no IPv4 address"),
        ("sip:room@-host", "host name that is none"),
        ("<sip:room@host>", "brackets"),
        ("sip:room name@host", "spaces"),
        ("sip:room@host\r\nX: y", "control characters"),
        ("sip:@@", "names no host"),
    ],
)
def test_refused_with_what_is_wrong_and_what_to_write(typed: str, says: str) -> None:
    with pytest.raises(SipError) as caught:
        typed_address(typed)
    assert caught.value.field == "address"
    assert caught.value.detail.startswith("is no SIP address: ")
    assert says in caught.value.detail
    assert caught.value.detail.endswith("write it as in sip:room@example.org")
