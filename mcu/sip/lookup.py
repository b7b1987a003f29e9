"""Where a SIP address leads (RFC 3263): transport, server, port, and who stands in for it.

What was found is kept by the resolver for as long as DNS says. Names that DNS does not know are
looked up as the system does (``/etc/hosts``), so that a closed network needs no DNS.
"""

import asyncio
import ipaddress
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import dns.asyncresolver
import dns.exception
import dns.rdata
import dns.rdatatype
import dns.resolver
import structlog
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA
from dns.rdtypes.IN.NAPTR import NAPTR
from dns.rdtypes.IN.SRV import SRV

from mcu.sip.stream import plain_address
from signalling.sip import Hop, Transport
from signalling.sip.fields import without_brackets
from signalling.sip.uri import DEFAULT_PORTS, SipUri, parameter

MAX_TARGETS: Final = 8
"""Places that are tried for one address."""
QUERY_S: Final = 3.0
CACHED_ANSWERS: Final = 2_000
SILENT_S: Final = 10.0
"""After a server did not answer, so long none is asked: a call must not wait for each question."""

_SERVICES: Final[dict[str, Transport]] = {
    "SIP+D2U": "udp",
    "SIP+D2T": "tcp",
    "SIPS+D2T": "tls",
}
_SRV: Final[dict[Transport, str]] = {"udp": "_sip._udp", "tcp": "_sip._tcp", "tls": "_sips._tcp"}


log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Naptr:
    """What a NAPTR record says of SIP: a service, and where its SRV records stand."""

    service: str
    replacement: str


@dataclass(frozen=True, slots=True)
class Server:
    """What an SRV record says."""

    host: str
    port: int


NowhereCause = Literal["lookup", "dns", "transport", "family"]
"""``lookup``: nobody knows the name; ``dns``: no name server answers, or none is set up, and the
system does not know it either; ``transport``: the one that is wanted is none of ours; ``family``:
it has addresses of IPv4 or IPv6 alone, and we have the other."""


class Nowhere(Exception):  # noqa: N818 - an outcome, no fault
    """An address leads nowhere.

    Args:
        cause: see ``NowhereCause``; ``no_way.why`` has it in words.
        detail: the name and what was asked for it, in the words of the protocols:
            ``room.example (NAPTR, SRV _sip._udp, A, AAAA)``.
    """

    def __init__(self, cause: NowhereCause, detail: str) -> None:
        super().__init__(f"{cause}: {detail}")
        self.cause = cause
        self.detail = detail


class Names(Protocol):
    """DNS; records come in the order in which they are to be tried."""

    @property
    def is_silent(self) -> bool:
        """Whether no name server is asked at the moment: none has answered, or none is set up."""

    async def naptr(self, name: str) -> Sequence[Naptr]:
        """NAPTR records of SIP; none where there are none."""

    async def servers(self, name: str) -> Sequence[Server]:
        """SRV records, by priority and weight (RFC 2782); none where there are none."""

    async def addresses(self, name: str) -> Sequence[str]:
        """IPv4 and IPv6 addresses; none where there are none."""


class Locator:
    """Follows RFC 3263 section 4.

    Args:
        transports: those we have, the preferred first. families: 4, 6; those we can send to.
    """

    def __init__(
        self, names: Names, transports: Sequence[Transport], families: Iterable[int] = (4, 6)
    ) -> None:
        self._names = names
        self._transports = tuple(transports)
        self._families = frozenset(families)

    async def locate(self, uri: SipUri) -> tuple[Hop, ...]:
        """Where an address leads, at least one place; the first to be tried first.

        Raises:
            Nowhere.
        """
        host = without_brackets(parameter(uri.parameters, "maddr") or uri.host)
        wanted = uri.transport
        secure = uri.scheme == "sips"
        default: Transport = "tls" if secure else "udp"
        if wanted is not None:
            found = next((one for one in self._transports if one == wanted), None)
            if found is None:
                raise self._no_transport(wanted)
            return await self.resolve(Hop(found, host, uri.port))
        if is_address(host) or uri.port is not None:
            return await self.resolve(Hop(default, host, uri.port))
        trail = _Trail(host)
        usable = [one for one in self._transports if one == "tls" or not secure]
        trail.ask("NAPTR")
        for record in await self._names.naptr(host):
            kind = _SERVICES.get(record.service.upper())
            if kind in usable and kind is not None:
                hops = await self._by_srv(kind, record.replacement, trail)
                if hops:
                    return hops
        for kind in usable:
            hops = await self._by_srv(kind, f"{_SRV[kind]}.{host}", trail)
            if hops:
                return hops
        return await self._by_address(default, host, DEFAULT_PORTS[default], trail) or self._end(
            default, trail
        )

    async def resolve(self, hop: Hop) -> tuple[Hop, ...]:
        """Where a hop leads whose transport is settled, at least one place.

        Raises:
            Nowhere.
        """
        port = hop.port or DEFAULT_PORTS[hop.transport]
        trail = _Trail(hop.host)
        found: tuple[Hop, ...] = ()
        if not is_address(hop.host) and hop.port is None:
            found = await self._by_srv(hop.transport, f"{_SRV[hop.transport]}.{hop.host}", trail)
        found = found or await self._by_address(hop.transport, hop.host, port, trail)
        return found or self._end(hop.transport, trail)

    async def _by_srv(self, kind: Transport, name: str, trail: "_Trail") -> tuple[Hop, ...]:
        trail.ask("SRV", name)
        found: list[Hop] = []
        for server in (await self._names.servers(name))[:MAX_TARGETS]:
            found += await self._by_address(kind, server.host, server.port, trail)
        return tuple(found[:MAX_TARGETS])

    async def _by_address(
        self, kind: Transport, host: str, port: int, trail: "_Trail"
    ) -> tuple[Hop, ...]:
        if kind not in self._transports:
            return ()
        domain = trail.host
        if is_address(host):
            known: Sequence[str] = (host,)
            domain = "" if domain == host else domain
        else:
            trail.ask("A, AAAA", host)
            known = await self._names.addresses(host)
        usable = [one for one in known[:MAX_TARGETS] if self._has_family(one)]
        trail.passed_over += [one for one in known[:MAX_TARGETS] if one not in usable]
        return tuple(Hop(kind, address, port, domain=domain) for address in usable)

    def _has_family(self, address: str) -> bool:
        return (6 if ":" in address else 4) in self._families

    def _end(self, kind: Transport, trail: "_Trail") -> tuple[Hop, ...]:
        """Nothing was found; raises Nowhere."""
        if kind not in self._transports:
            raise self._no_transport(kind)
        if trail.passed_over:
            ours = " ".join(f"IPv{one}" for one in sorted(self._families))
            raise Nowhere("family", f"{trail.host} ({', '.join(trail.passed_over)}; {ours})")
        raise Nowhere("dns" if self._names.is_silent else "lookup", str(trail))

    def _no_transport(self, wanted: str) -> Nowhere:
        return Nowhere("transport", f"{wanted} ({', '.join(self._transports)})")


class _Trail:
    """What was asked for one name on the way."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.passed_over: list[str] = []
        """Addresses of a family that we have not."""
        self._asked: dict[str, None] = {}

    def ask(self, kind: str, name: str = "") -> None:
        """Note a question; ``name`` is left out where it is the host itself."""
        shown = name.removesuffix(f".{self.host}") if name != self.host else ""
        self._asked[f"{kind} {shown}".rstrip()] = None

    def __str__(self) -> str:
        return f"{self.host} ({', '.join(self._asked)})"


class Dns:
    """DNS as the system is set up for it.

    Args:
        resolver: of tests.
    """

    def __init__(
        self,
        resolver: dns.asyncresolver.Resolver | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._silent_until = float("-inf")
        self._resolver = resolver
        if resolver is None:
            try:
                self._resolver = dns.asyncresolver.Resolver()
            except dns.resolver.NoResolverConfiguration:
                return  # names are looked up as the system does
            self._resolver.lifetime = QUERY_S
            self._resolver.cache = dns.resolver.LRUCache(CACHED_ANSWERS)

    @property
    def is_silent(self) -> bool:
        """See ``Names``."""
        return self._resolver is None or self._clock() < self._silent_until

    async def naptr(self, name: str) -> Sequence[Naptr]:
        """See ``Names``. Records with a regular expression are left out (RFC 3263 section 4.1)."""
        return [
            Naptr(one.service.decode("ascii", "replace"), _text(one.replacement))
            for one in await self._query(name, "NAPTR")
            if isinstance(one, NAPTR) and one.flags.lower() == b"s" and not one.regexp
        ]

    async def servers(self, name: str) -> Sequence[Server]:
        """See ``Names``. A target of "." says that the service is not there (RFC 2782)."""
        return [
            Server(_text(one.target), one.port)
            for one in await self._query(name, "SRV")
            if isinstance(one, SRV) and _text(one.target)
        ]

    async def addresses(self, name: str) -> Sequence[str]:
        """See ``Names``; IPv4 first."""
        found = [
            str(one.address)
            for kind in ("A", "AAAA")
            for one in await self._query(name, kind)
            if isinstance(one, A | AAAA)
        ]
        return found or await _of_the_system(name)

    async def _query(self, name: str, kind: str) -> list[dns.rdata.Rdata]:
        if self._resolver is None or self.is_silent:
            return []
        try:
            answer = await self._resolver.resolve(name, kind, search=False)
        except (dns.exception.Timeout, dns.resolver.NoNameservers) as error:
            log.warning("dns_silent", name=name, reason=str(error))
            self._silent_until = self._clock() + SILENT_S
            return []
        except dns.exception.DNSException:
            return []  # no such name, or no such record
        return [] if answer.rrset is None else list(answer.rrset.processing_order())


def is_address(host: str) -> bool:
    """Whether a host is an IP address, and no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _text(name: object) -> str:
    return str(name).rstrip(".")


async def _of_the_system(name: str) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(name, None, type=socket.SOCK_DGRAM)
    except OSError:
        return []
    addresses = dict.fromkeys(plain_address(str(entry[4][0])) for entry in found)
    return sorted(addresses, key=lambda address: ":" in address)
