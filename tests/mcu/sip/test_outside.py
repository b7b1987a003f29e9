"""Which addresses an operator may have called."""

from typing import Any

import pytest

from config.sip_section import SipSettings
from mcu.sip.outside import OutsideCalls, OutsideRefused

OWN = ("192.0.2.1", "2001:db8::1")


def outside(**more: Any) -> OutsideCalls:
    settings = {"host": "::", "domains": ("mcu.example.org",), **more}
    return OutsideCalls(SipSettings(**settings), OWN)


@pytest.mark.parametrize(
    ("address", "called"),
    [
        ("sip:room@example.com", "sip:room@example.com"),
        ("SIPS:room@example.com:5071", "sips:room@example.com:5071"),
        ("room@198.51.100.7", "sip:room@198.51.100.7"),
        ("198.51.100.7", "sip:198.51.100.7"),
        ("[2001:db8::7]:5062", "sip:[2001:db8::7]:5062"),
        ("sip:room@example.com;transport=tcp?Subject=x", "sip:room@example.com;transport=tcp"),
        ("sip:other@127.0.0.1:5090", "sip:other@127.0.0.1:5090"),
        ("sip:other@mcu.example.org:5070", "sip:other@mcu.example.org:5070"),
    ],
)
def test_addresses_are_called(address: str, called: str) -> None:
    assert outside().checked(address) == called


@pytest.mark.parametrize(
    "address",
    [
        "", "sip:", "tel:+84241234567", "tel:1", "http://example.org", "a b@c", "sip:@@",
        "<sip:a@b>", "sip:a@b:99999", "sip:[::1", "sip:a@b;transport=foo",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(address: str) -> None:
    for judge in (outside().checked, outside().of_bridge):
        with pytest.raises(OutsideRefused, match="is no SIP address"):
            judge(address)


@pytest.mark.parametrize(
    "address",
    [
        "sip:1001@MCU.example.org.",
        "sip:1001@192.0.2.1",
        "1001@192.0.2.1:5061",
        "sip:1001@[2001:DB8:0::1]",
        "sip:1001@localhost",
        "sip:1001@127.0.0.1",
        "sip:1001@127.8.9.1:5060",
        "sip:1001@0.0.0.0",
        "sip:1001@[::]",
        "sip:1001@[::ffff:127.0.0.1]",
        "sip:1001@elsewhere.example.org;maddr=192.0.2.1",
    ],
)
def test_nobody_calls_this_very_server(address: str) -> None:
    for judge in (outside().checked, outside().of_bridge):
        with pytest.raises(OutsideRefused, match="is of this server"):
            judge(address)


def test_a_bridge_may_be_at_a_host_that_operators_may_not_call() -> None:
    judge = outside(call_hosts=())
    assert judge.of_bridge("codec@198.51.100.7") == "sip:codec@198.51.100.7"


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("example.org", True),
        ("a.example.com", True),
        ("a.b.Example.com", True),
        ("example.com", False),
        ("badexample.com", False),
        ("10.1.2.3", True),
        ("11.1.2.3", False),
        ("[fd00::7]", True),
        ("198.51.100.7", True),
        ("198.51.100.8", False),
    ],
)
def test_only_hosts_that_the_site_allows(host: str, allowed: bool) -> None:
    hosts = ("Example.org", "*.example.com", "10.0.0.0/8", "fd00::/8", "198.51.100.7")
    judge = outside(call_hosts=hosts)
    if allowed:
        assert judge.checked(f"sip:a@{host}")
    else:
        with pytest.raises(OutsideRefused, match="call_hosts"):
            judge.checked(f"sip:a@{host}")


def test_nowhere_at_all() -> None:
    with pytest.raises(OutsideRefused, match="call_hosts"):
        outside(call_hosts=()).checked("sip:a@example.org")


@pytest.mark.parametrize("host", ["a b", "", "*", "*.", "10.0.0.1/8", "sip:a", "a@b", "-a"])
def test_what_is_no_host_is_no_setting(host: str) -> None:
    with pytest.raises(ValueError, match="name"):
        SipSettings(call_hosts=(host,))
