"""Places outside the registry that an operator calls by their address: which may be called."""

import ipaddress
from collections.abc import Iterable

from config.sip_section import SipSettings
from mcu.sip.accounts import CallTarget
from mcu.sip.dial_plan import plain_hosts
from signalling.sip import Credentials
from signalling.sip.errors import SipError
from signalling.sip.uri import parse_uri


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
        """The address as it is called; ``room@host`` becomes ``sip:room@host``.

        Raises:
            OutsideRefused: no address of SIP, one of this very server, or of a host that
                ``sip.call_hosts`` does not name.
        """
        scheme, _, rest = address.partition(":")
        named = scheme.lower() in ("sip", "sips")
        text = f"{scheme.lower()}:{rest}" if named else f"sip:{address}"
        try:
            uri = parse_uri(text.partition("?")[0], "address")
        except SipError as error:
            raise OutsideRefused(f"is no SIP address: {error.detail}") from error
        if not uri.is_sip or not uri.host:
            raise OutsideRefused("is no SIP address, as in sip:room@example.org")
        (host,) = plain_hosts([uri.host])
        if self._is_own(host) and (uri.port is None or uri.port in self._ports):
            raise OutsideRefused(
                "is of this server: call a bridge by its id, or transfer who is here"
            )
        if self._allowed is not None and not any(_fits(one, host) for one in self._allowed):
            raise OutsideRefused(f"sip.call_hosts does not allow calls to {host}")
        return str(uri)

    def _is_own(self, host: str) -> bool:
        return host in self._own or _is_loopback(host)


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


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _fits(allowed: str, host: str) -> bool:
    """Whether a host is meant by one entry of ``sip.call_hosts``."""
    if allowed.startswith("*."):
        return host.endswith(allowed[1:])
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(allowed)
    except ValueError:
        return host == allowed
