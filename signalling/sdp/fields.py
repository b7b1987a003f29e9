"""Values of lines that are no attributes: ``o=``, ``c=``, ``b=``; and how numbers are read.

Every ``parse`` of this package raises ``SdpError`` and nothing else, whatever the text is.
Numbers are checked against the range their standard gives them, so that what follows need
not check again.
"""

import ipaddress
import re
from dataclasses import dataclass

from signalling.sdp.errors import SdpError

MAX_SSRC = 0xFFFFFFFF
MAX_PAYLOAD_TYPE = 127

_NUMBER = re.compile(r"[0-9]{1,20}\Z")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`{|}~]{1,256}\Z")


def number(text: str, name: str, low: int, high: int) -> int:
    """Read a decimal number of ASCII digits within ``low``..``high``; raises SdpError."""
    if not _NUMBER.match(text):
        raise SdpError(f"{name} is not a number: {text[:40]!r}")
    value = int(text)
    if not low <= value <= high:
        raise SdpError(f"{name} {value} is outside {low}..{high}")
    return value


def token(text: str, name: str) -> str:
    """Check that ``text`` is an SDP token (RFC 8866 section 9); raises SdpError."""
    if not _TOKEN.match(text):
        raise SdpError(f"{name} is not a token: {text[:40]!r}")
    return text


def address_type(address: str) -> str:
    """``IP6`` for an IPv6 literal, else ``IP4`` (also for host names)."""
    try:
        return f"IP{ipaddress.ip_address(address.split('/')[0]).version}"
    except ValueError:
        return "IP4"


@dataclass(frozen=True, slots=True)
class Origin:
    """``o=`` (RFC 8866 section 5.2)."""

    username: str
    session_id: int
    session_version: int
    address: str
    family: str = ""

    @classmethod
    def parse(cls, text: str) -> "Origin":
        """Read ``username id version IN IP4|IP6 address``."""
        parts = text.split(" ")
        if len(parts) != 6:
            raise SdpError("origin does not have six fields")
        username, session_id, version, network, family, address = parts
        if network != "IN" or family not in ("IP4", "IP6") or not username or not address:
            raise SdpError("origin is not 'user id version IN IP4|IP6 address'")
        top = 2**64 - 1
        return cls(
            username,
            number(session_id, "session id", 0, top),
            number(version, "session version", 0, top),
            address,
            family,
        )

    def __str__(self) -> str:
        return (
            f"{self.username} {self.session_id} {self.session_version} "
            f"IN {self.family or address_type(self.address)} {self.address}"
        )


@dataclass(frozen=True, slots=True)
class Connection:
    """``c=`` (RFC 8866 section 5.7); the address may be a host name."""

    address: str
    family: str = ""

    @classmethod
    def parse(cls, text: str) -> "Connection":
        """Read ``IN IP4|IP6 address``."""
        parts = text.split(" ")
        if len(parts) != 3 or parts[0] != "IN" or parts[1] not in ("IP4", "IP6") or not parts[2]:
            raise SdpError("connection is not 'IN IP4|IP6 address'")
        return cls(parts[2], parts[1])

    def __str__(self) -> str:
        return f"IN {self.family or address_type(self.address)} {self.address}"


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """``b=`` (RFC 8866 section 5.8): ``AS`` and ``CT`` in kbit/s, ``TIAS`` in bit/s (RFC 3890)."""

    type: str
    value: int

    @classmethod
    def parse(cls, text: str) -> "Bandwidth":
        """Read ``type:number``."""
        name, colon, value = text.partition(":")
        if not colon:
            raise SdpError("bandwidth is not 'type:value'")
        return cls(token(name, "bandwidth type"), number(value, "bandwidth", 0, 2**63 - 1))

    def __str__(self) -> str:
        return f"{self.type}:{self.value}"

    @property
    def bps(self) -> int:
        """The limit in bit/s; 0 where the type says nothing of the media rate (RS, RR)."""
        if self.type == "TIAS":
            return self.value
        return self.value * 1000 if self.type in ("AS", "CT") else 0
