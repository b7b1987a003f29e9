"""Addresses that people give us to call: those of bridges, and of places outside the registry."""

import ipaddress
from collections.abc import Iterable

from config.sip_section import SipSettings
from mcu.sentences import sentence
from mcu.sip.accounts import CallTarget
from mcu.sip.dial_plan import plain_hosts
from signalling.sip import Credentials
from signalling.sip.errors import SipError
from signalling.sip.fields import without_brackets
from signalling.sip.typed_address import typed_address
from signalling.sip.uri import SipUri, parameter


class OutsideRefused(ValueError):  # noqa: N818 - a decision, no failure
    """This address is not called; the text says why."""


class OutsideCalls:
    """Judges addresses.

    Args:
        own: names and addresses of this server, for those who would call itself.
    """

    def __init__(self, settings: SipSettings, own: Iterable[str]) -> None:
        named = (*settings.domains, settings.public_host, settings.host, "localhost", *own)
        self._own = frozenset(plain_hosts(host for host in named if host))
        self._ports = {settings.udp_port, settings.tcp_port, settings.tls_port} - {0}
        allowed = settings.call_hosts
        self._allowed = None if allowed is None else tuple(host.lower() for host in allowed)

    def checked(self, address: str) -> str:
        """The address of a place outside the registry, as it is called.

        Raises:
            OutsideRefused: as ``of_bridge``, or of a host that ``sip.call_hosts`` does not name.
        """
        uri = self._foreign(address)
        (host,) = plain_hosts([_called_host(uri)])
        if self._allowed is not None and not any(_fits(one, host) for one in self._allowed):
            raise OutsideRefused(sentence("call.host", host=host))
        return str(uri)

    def of_bridge(self, address: str) -> str:
        """A bridge's address, as it is called; ``room@host`` becomes ``sip:room@host``.

        Raises:
            OutsideRefused: no address of SIP, or one of this very server.
        """
        return str(self._foreign(address))

    def _foreign(self, address: str) -> SipUri:
        try:
            uri = typed_address(address)
        except SipError as error:
            raise OutsideRefused(sentence("call.address", reason=error.detail)) from error
        (host,) = plain_hosts([_called_host(uri)])
        if self._is_own(host) and (uri.port is None or uri.port in self._ports):
            raise OutsideRefused(sentence("call.own-address"))
        return uri

    def _is_own(self, host: str) -> bool:
        return host in self._own or _is_this_machine(host)


class AddressDirectory:
    """The ``Directory`` of one participant that is called by an address."""

    def __init__(self, address: str) -> None:
        self._targets = (CallTarget(address, None),)

    async def call_targets(self, bridge: str) -> tuple[CallTarget, ...]:
        """Always the same."""
        return self._targets

    async def credentials(self, bridge: str) -> Credentials | None:
        """We have none for strangers."""
        return None


def _called_host(uri: SipUri) -> str:
    """The host that a call goes to (RFC 3261 section 19.1.1, ``maddr``)."""
    return without_brackets(parameter(uri.parameters, "maddr") or uri.host)


def _is_this_machine(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback or address.is_unspecified


def _fits(allowed: str, host: str) -> bool:
    """Whether a host is meant by one entry of ``sip.call_hosts``."""
    if allowed.startswith("*."):
        return host.endswith(allowed[1:])
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(allowed)
    except ValueError:
        return host == allowed
