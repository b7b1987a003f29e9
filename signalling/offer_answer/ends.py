"""Where the peer's end of a section is: ``c=``, ``m=`` and ``a=rtcp``, of IPv4 and IPv6.

Hold in the manner of RFC 2543 is read here too: an address of zeros (RFC 3264 section 8.4).
"""

import ipaddress
from dataclasses import dataclass

from signalling.offer_answer.agreement import Address, Family
from signalling.offer_answer.refusal import SectionRefused
from signalling.sdp import MediaSection, SdpError, SessionDescription
from signalling.sdp.fields import number

TRICKLE_PORT = 9
"""Stands where a port is not known yet (RFC 8840 section 4.1.3)."""


@dataclass(frozen=True, slots=True)
class Ends:
    """The peer's end; addresses None as in ``Flow``. ``zeros``: it is an address of zeros."""

    family: Family
    remote: Address | None
    remote_rtcp: Address | None
    zeros: bool


def read_ends(description: SessionDescription, media: MediaSection, *, mux: bool) -> Ends:
    """Read where a section's packets go.

    Args:
        mux: RTCP shares the port of RTP.
    Raises:
        SectionRefused: no address, or one that packets are not sent to.
    """
    connection = media.connection or description.connection
    if connection is None:
        raise SectionRefused("no c= line says where it goes")
    family: Family = "IP6" if connection.family == "IP6" else "IP4"
    try:
        address = ipaddress.ip_address(connection.address)
    except ValueError:
        if "/" in connection.address:
            raise SectionRefused("multicast is not sent to") from None
        return Ends(family, None, None, zeros=False)  # a host name: the peer's first packet tells
    if "%" in connection.address:  # the zone is one of the peer's own
        return Ends("IP6", None, None, zeros=False)
    if address.is_multicast or str(address) == "255.255.255.255":
        raise SectionRefused("multicast is not sent to")
    family = "IP6" if address.version == 6 else "IP4"
    if address.is_unspecified:
        return Ends(family, None, None, zeros=True)
    remote = (connection.address, media.port)
    return Ends(family, remote, remote if mux else _control(media, remote), zeros=False)


def _control(media: MediaSection, remote: Address) -> Address | None:
    """RFC 3605, else the port above; what cannot be read there counts as absent."""
    value = media.attribute("rtcp")
    host = remote[0]
    if value is not None:
        words = value.split()
        try:
            own_port = number(words[0] if words else "", "RTCP port", 1, 65535)
            if len(words) == 4:
                named = ipaddress.ip_address(words[3])
                host = host if named.is_unspecified or named.is_multicast else words[3]
        except (SdpError, ValueError):
            return _above(remote)
        return host, own_port
    return _above(remote)


def _above(remote: Address) -> Address | None:
    host, port = remote
    return (host, port + 1) if port < 65535 else None
