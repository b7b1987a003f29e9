"""Where a SIP address leads (RFC 3263), by written records, and by DNS on a socket."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rrset
import pytest

from mcu.sip.lookup import SILENT_S, Dns, Locator, Naptr, Nowhere, Server
from signalling.sip import Hop, Transport
from signalling.sip.uri import parse_uri

ALL: tuple[Transport, ...] = ("udp", "tcp", "tls")


class Written:
    """Records as a test writes them."""

    is_silent = False

    def __init__(
        self,
        naptr: Mapping[str, Sequence[Naptr]] | None = None,
        servers: Mapping[str, Sequence[Server]] | None = None,
        addresses: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._naptr, self._servers, self._addresses = naptr or {}, servers or {}, addresses or {}

    async def naptr(self, name: str) -> Sequence[Naptr]:
        return self._naptr.get(name, ())

    async def servers(self, name: str) -> Sequence[Server]:
        return self._servers.get(name, ())

    async def addresses(self, name: str) -> Sequence[str]:
        return self._addresses.get(name, ())


ZONE = Written(
    naptr={
        "example.org": (
            Naptr("E2U+sip", "other.example.org"),
            Naptr("SIPS+D2T", "_sips._tcp.example.org"),
            Naptr("SIP+D2T", "_sip._tcp.example.org"),
        )
    },
    servers={
        "_sips._tcp.example.org": (Server("a.example.org", 5061), Server("b.example.org", 5071)),
        "_sip._tcp.example.org": (Server("a.example.org", 5060),),
        "_sip._udp.plain.org": (Server("a.example.org", 5066),),
        "_sip._tcp.lost.org": (Server("gone.example.org", 5060),),
    },
    addresses={
        "a.example.org": ("192.0.2.1", "2001:db8::1"),
        "b.example.org": ("192.0.2.2",),
        "host.org": ("192.0.2.9",),
    },
)


async def located(
    uri: str, transports: Sequence[Transport] = ALL, families: tuple[int, ...] = (4, 6)
) -> list[str]:
    hops = await Locator(ZONE, transports, families).locate(parse_uri(uri))
    return [str(hop) for hop in hops]


@pytest.mark.parametrize(
    ("uri", "hops"),
    [
        # 4.1: what the address names
        ("sip:room@192.0.2.7", ["udp:192.0.2.7:5060"]),
        ("sip:room@192.0.2.7;transport=tcp", ["tcp:192.0.2.7:5060"]),
        ("sip:room@[2001:db8::7]:5070", ["udp:[2001:db8::7]:5070"]),
        ("sips:room@192.0.2.7", ["tls:192.0.2.7:5061"]),
        ("sip:room@host.org:5080", ["udp:192.0.2.9:5080"]),
        ("sip:room@nowhere.org;maddr=192.0.2.7", ["udp:192.0.2.7:5060"]),
        # NAPTR: services that are none of ours are passed over
        (
            "sip:room@example.org",
            ["tls:192.0.2.1:5061", "tls:[2001:db8::1]:5061", "tls:192.0.2.2:5071"],
        ),
        (
            "sips:room@example.org",
            ["tls:192.0.2.1:5061", "tls:[2001:db8::1]:5061", "tls:192.0.2.2:5071"],
        ),
        # without NAPTR: SRV of each transport, in our order
        ("sip:room@plain.org", ["udp:192.0.2.1:5066", "udp:[2001:db8::1]:5066"]),
        # a transport that is named: its SRV alone
        (
            "sip:room@example.org;transport=tcp",
            ["tcp:192.0.2.1:5060", "tcp:[2001:db8::1]:5060"],
        ),
        # neither: the address of the name
        ("sip:room@host.org", ["udp:192.0.2.9:5060"]),
        ("sips:room@host.org", ["tls:192.0.2.9:5061"]),
    ],
)
async def test_where_an_address_leads(uri: str, hops: list[str]) -> None:
    assert await located(uri) == hops


async def test_what_we_do_not_speak_is_passed_over() -> None:
    assert await located("sip:room@example.org", ("udp", "tcp"), (4,)) == ["tcp:192.0.2.1:5060"]


@pytest.mark.parametrize(
    ("uri", "transports", "families", "cause", "detail"),
    [
        (
            "sip:room@nowhere.org", ALL, (4, 6), "lookup",
            "nowhere.org (NAPTR, SRV _sip._udp, SRV _sip._tcp, SRV _sips._tcp, A, AAAA)",
        ),
        ("sip:room@nowhere.org:5070", ALL, (4, 6), "lookup", "nowhere.org (A, AAAA)"),
        (
            "sip:room@nowhere.org;transport=tcp", ALL, (4, 6), "lookup",
            "nowhere.org (SRV _sip._tcp, A, AAAA)",
        ),
        (
            "sip:room@lost.org;transport=tcp", ALL, (4, 6), "lookup",
            "lost.org (SRV _sip._tcp, A, AAAA gone.example.org, A, AAAA)",
        ),
        ("sip:room@192.0.2.7;transport=ws", ALL, (4, 6), "transport", "ws (udp, tcp, tls)"),
        ("sips:room@192.0.2.7", ("udp", "tcp"), (4, 6), "transport", "tls (udp, tcp)"),
        ("sips:room@host.org", ("udp",), (4, 6), "transport", "tls (udp)"),
        ("sip:room@host.org:5060", ALL, (6,), "family", "host.org (192.0.2.9; IPv6)"),
        ("sip:room@[2001:db8::7]", ALL, (4,), "family", "2001:db8::7 (2001:db8::7; IPv4)"),
    ],
)  # fmt: skip
async def test_why_an_address_leads_nowhere(
    uri: str,
    transports: tuple[Transport, ...],
    families: tuple[int, ...],
    cause: str,
    detail: str,
) -> None:
    with pytest.raises(Nowhere) as caught:
        await located(uri, transports, families)
    assert (caught.value.cause, caught.value.detail) == (cause, detail)


async def test_a_certificate_must_be_of_the_domain_that_was_asked_for() -> None:
    (first, *_) = await Locator(ZONE, ALL).locate(parse_uri("sip:room@example.org"))
    assert first.domain == "example.org"
    (numeric,) = await Locator(ZONE, ALL).locate(parse_uri("sips:room@192.0.2.7"))
    assert numeric.domain == ""


async def test_a_hop_keeps_its_transport() -> None:
    locator = Locator(ZONE, ALL, (4,))
    assert await locator.resolve(Hop("tcp", "example.org")) == (
        Hop("tcp", "192.0.2.1", 5060, domain="example.org"),
    )
    assert await locator.resolve(Hop("udp", "host.org", 5070)) == (
        Hop("udp", "192.0.2.9", 5070, domain="host.org"),
    )


RECORDS = {
    ("example.org.", "NAPTR"): [
        '20 10 "s" "SIP+D2U" "" _sip._udp.example.org.',
        '10 10 "s" "SIP+D2T" "" _sip._tcp.example.org.',
        '5 10 "u" "SIP+D2T" "!^.*$!sip:x@y!" .',
    ],
    ("_sip._tcp.example.org.", "SRV"): [
        "20 0 5062 late.example.org.",
        "10 0 5061 early.example.org.",
    ],
    ("_sip._udp.example.org.", "SRV"): ["0 0 0 ."],
    ("early.example.org.", "A"): ["192.0.2.1"],
    ("early.example.org.", "AAAA"): ["2001:db8::1"],
    ("late.example.org.", "A"): ["192.0.2.2"],
}


class NameServer(asyncio.DatagramProtocol):
    """Answers from RECORDS, on UDP."""

    def __init__(self) -> None:
        self.asked = 0
        self.silent = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self.asked += 1
        if self.silent:
            return
        query = dns.message.from_wire(data)
        (question,) = query.question
        kind = dns.rdatatype.to_text(question.rdtype)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if records := RECORDS.get((str(question.name), kind)):
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *records))
        self._transport.sendto(answer.to_wire(), address)  # type: ignore[attr-defined]


@pytest.fixture
async def name_server() -> AsyncIterator[tuple[NameServer, Dns, list[float]]]:
    transport, server = await asyncio.get_running_loop().create_datagram_endpoint(
        NameServer, ("127.0.0.1", 0)
    )
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = transport.get_extra_info("sockname")[1]
    resolver.lifetime = 0.2
    resolver.cache = dns.resolver.LRUCache(100)
    now = [0.0]
    yield server, Dns(resolver, lambda: now[0]), now
    transport.close()


async def test_dns_gives_records_in_their_order(
    name_server: tuple[NameServer, Dns, list[float]],
) -> None:
    server, names, _ = name_server
    hops = await Locator(names, ALL).locate(parse_uri("sip:room@example.org"))
    assert [str(hop) for hop in hops] == [
        "tcp:192.0.2.1:5061",
        "tcp:[2001:db8::1]:5061",
        "tcp:192.0.2.2:5062",
    ]
    asked = server.asked
    await Locator(names, ALL).locate(parse_uri("sip:room@example.org"))
    assert server.asked == asked, "answers are kept for their time"


async def test_a_service_that_says_it_is_not_there(
    name_server: tuple[NameServer, Dns, list[float]],
) -> None:
    _, names, _ = name_server
    assert await names.servers("_sip._udp.example.org") == []


async def test_what_dns_does_not_know_the_system_may(
    name_server: tuple[NameServer, Dns, list[float]],
) -> None:
    _, names, _ = name_server
    assert "127.0.0.1" in await names.addresses("localhost")


async def test_a_silent_server_is_not_asked_again_at_once(
    name_server: tuple[NameServer, Dns, list[float]],
) -> None:
    server, names, now = name_server
    server.silent = True
    assert await names.servers("_sip._tcp.example.org") == []
    asked = server.asked
    assert await names.naptr("example.org") == []
    assert server.asked == asked
    assert names.is_silent
    with pytest.raises(Nowhere) as caught:
        await Locator(names, ALL).locate(parse_uri("sip:room@nowhere.invalid"))
    assert caught.value.cause == "dns"
    now[0] += SILENT_S
    server.silent = False
    assert not names.is_silent
    assert len(await names.naptr("example.org")) == 2
