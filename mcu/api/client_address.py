"""What of a client's address is counted as one client."""

from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

SUBSCRIBER_BITS: Final = 64
"""What one subscriber is given at least (RFC 6177 section 2): it can use every address below."""


def client_key(address: str | None) -> str:
    """The key under which an address is limited: IPv4 as it is, IPv6 by its /64.

    Args:
        address: as the socket gives it; an IPv4 address inside IPv6 counts as IPv4. What is no
            IP address (a UNIX socket) is its own key, None is the empty one.
    """
    if address is None:
        return ""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if not isinstance(ip, IPv6Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(IPv6Network((int(ip), SUBSCRIBER_BITS), strict=False))
