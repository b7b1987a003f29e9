"""Whose name a certificate bears (RFC 5922)."""

import pytest

from mcu.sip.certificates import bears


def certificate(*names: tuple[str, str]) -> dict[str, object]:
    return {"subject": ((("commonName", "mcu.example.org"),),), "subjectAltName": names}


@pytest.mark.parametrize(
    ("names", "domain", "good"),
    [
        ((("DNS", "mcu.example.org"),), "mcu.example.org", True),
        ((("DNS", "MCU.example.org"),), "mcu.EXAMPLE.org.", True),
        ((("DNS", "other.example.org"),), "mcu.example.org", False),
        ((("DNS", "*.example.org"),), "mcu.example.org", False),
        ((("URI", "sip:example.org"),), "example.org", True),
        # Where SIP domains stand there, DNS names do not count.
        ((("URI", "sip:example.org"), ("DNS", "mcu.example.org")), "mcu.example.org", False),
        ((("URI", "https://mcu.example.org"), ("DNS", "mcu.example.org")), "mcu.example.org", True),
        ((("IP Address", "192.0.2.1"),), "192.0.2.1", True),
        ((("IP Address", "2001:DB8:0:0:0:0:0:1"),), "2001:db8::1", True),
        ((("DNS", "192.0.2.1"),), "192.0.2.1", False),
        ((), "mcu.example.org", False),
    ],
)
def test_bears(names: tuple[tuple[str, str], ...], domain: str, good: bool) -> None:
    assert bears(certificate(*names), domain) is good


def test_no_certificate_bears_nothing() -> None:
    assert not bears({}, "mcu.example.org")
