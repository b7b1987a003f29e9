"""Nothing but an address gets through the Host header."""

import pytest

from mcu.api.host import host_name, is_loopback
from tests.mcu.api.live import Api


@pytest.mark.parametrize(
    ("header", "host"),
    [
        ("mcu.example.gov.vn", "mcu.example.gov.vn"),
        ("mcu.example.gov.vn.", "mcu.example.gov.vn."),
        ("may_chu-1:8080", "may_chu-1"),
        ("192.0.2.7:443", "192.0.2.7"),
        ("[2001:DB8::7]", "2001:db8::7"),
        ("[::1]:8080", "::1"),
        ("xn--h-noi-rwa.vn", "xn--h-noi-rwa.vn"),
    ],
)
def test_addresses(header: str, host: str) -> None:
    assert host_name(header) == host


@pytest.mark.parametrize(
    "header",
    [
        "", "evil.example/x", 'a"b', "a b", "user@evil.example", "evil.example#", "a:b", "a:",
        "a:0", "a:65536", "a:123456", "a:1:2", "::1", "[::1", "[::1]x", "[nonsense]", "[]",
        "[1.2.3.4]", "-a", "a-", ".a", "a..b", "a\u00e9", "a%20b", "a" * 262, "a:\u0661", "a\n",
    ],
)  # fmt: skip
def test_what_is_none(header: str) -> None:
    assert host_name(header) is None


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("localhost:8080", True), ("LOCALHOST.", True), ("127.8.0.1:1", True), ("[::1]:8080", True),
        ("192.0.2.7", False), ("mcu.example", False), ("[2001:db8::7]", False), ("a b", False),
    ],
)  # fmt: skip
def test_what_leads_to_its_own_machine_only(header: str, *, expected: bool) -> None:
    assert is_loopback(header) is expected


@pytest.mark.parametrize("path", ["/bridges", "//healthz", "/no/such/address"])
@pytest.mark.parametrize("header", ["evil.example/x", 'a"b'])
async def test_it_is_refused_everywhere(api: Api, path: str, header: str) -> None:
    reply = await api.call("GET", path, headers={"Host": header}, status=400)
    assert reply.kind == "malformed-request"
    assert "Host" in reply.json["detail"]
    assert header not in reply.json["detail"]
