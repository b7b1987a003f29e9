"""Values of SDP fields and attributes: frozen dataclasses, read by ``parse``, written by ``str``.

Every ``parse`` raises ``SdpError`` and nothing else, whatever the text is. Numbers are checked
against the range their standard gives them, so that what follows need not check again.
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from signalling.sdp.errors import SdpError

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
DIRECTIONS: tuple[Direction, ...] = ("sendrecv", "sendonly", "recvonly", "inactive")

MAX_SSRC = 0xFFFFFFFF
MAX_PAYLOAD_TYPE = 127

_NUMBER = re.compile(r"[0-9]{1,20}\Z")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`{|}~]{1,256}\Z")
_HEX_OCTETS = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){0,127}\Z")


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


def address_type(address: str) -> str:
    """``IP6`` for an IPv6 literal, else ``IP4`` (also for host names)."""
    try:
        return f"IP{ipaddress.ip_address(address.split('/')[0]).version}"
    except ValueError:
        return "IP4"


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


@dataclass(frozen=True, slots=True)
class RtpMap:
    """``a=rtpmap`` (RFC 8866 section 6.6); ``channels`` 0 where the line names none."""

    payload_type: int
    encoding: str
    clock_rate: int
    channels: int = 0

    @classmethod
    def parse(cls, text: str) -> "RtpMap":
        """Read ``pt encoding/clock[/channels]``."""
        payload_type, _, rest = text.partition(" ")
        parts = rest.strip().split("/")
        if len(parts) not in (2, 3):
            raise SdpError("rtpmap is not 'payload-type encoding/clock-rate'")
        return cls(
            number(payload_type, "payload type", 0, MAX_PAYLOAD_TYPE),
            token(parts[0], "encoding name"),
            number(parts[1], "clock rate", 1, 2**32 - 1),
            number(parts[2], "channels", 1, 255) if len(parts) == 3 else 0,
        )

    def __str__(self) -> str:
        channels = f"/{self.channels}" if self.channels else ""
        return f"{self.payload_type} {self.encoding}/{self.clock_rate}{channels}"


@dataclass(frozen=True, slots=True)
class Fmtp:
    """``a=fmtp`` (RFC 8866 section 6.15); ``text`` is kept as it came."""

    payload_type: str
    text: str

    @classmethod
    def parse(cls, text: str) -> "Fmtp":
        """Read ``format parameters``."""
        payload_type, _, rest = text.partition(" ")
        return cls(token(payload_type, "fmtp format"), rest.strip())

    def __str__(self) -> str:
        return f"{self.payload_type} {self.text}"

    @property
    def parameters(self) -> dict[str, str]:
        """The ``key=value`` pairs, keys in lower case; a key without value maps to ``""``."""
        found: dict[str, str] = {}
        for part in self.text.split(";"):
            key, _, value = part.strip().partition("=")
            if key:
                found.setdefault(key.strip().lower(), value.strip())
        return found


def format_parameters(parameters: Mapping[str, str]) -> str:
    """Write fmtp parameters as ``key=value;key``, in the mapping's order."""
    return ";".join(f"{key}={value}" if value else key for key, value in parameters.items())


@dataclass(frozen=True, slots=True)
class RtcpFeedback:
    """``a=rtcp-fb`` (RFC 4585 section 4.2); ``payload_type`` None stands for ``*``."""

    payload_type: int | None
    type: str
    parameter: str = ""

    @classmethod
    def parse(cls, text: str) -> "RtcpFeedback":
        """Read ``pt|* type [parameter]``."""
        parts = text.split(" ", 2)
        if len(parts) < 2 or not parts[1]:
            raise SdpError("rtcp-fb is not 'payload-type type'")
        wild = parts[0] == "*"
        payload_type = None if wild else number(parts[0], "payload type", 0, MAX_PAYLOAD_TYPE)
        return cls(payload_type, parts[1], parts[2].strip() if len(parts) == 3 else "")

    def __str__(self) -> str:
        payload_type = "*" if self.payload_type is None else str(self.payload_type)
        return f"{payload_type} {self.type} {self.parameter}".rstrip()


@dataclass(frozen=True, slots=True)
class ExtMap:
    """``a=extmap`` (RFC 8285 section 8); ``direction`` empty where the line gives none."""

    id: int
    uri: str
    direction: str = ""
    attributes: str = ""

    @classmethod
    def parse(cls, text: str) -> "ExtMap":
        """Read ``id[/direction] URI [attributes]``."""
        parts = text.split(" ", 2)
        if len(parts) < 2 or not parts[1]:
            raise SdpError("extmap is not 'id URI'")
        identifier, slash, direction = parts[0].partition("/")
        if slash and direction not in DIRECTIONS:
            raise SdpError(f"extmap direction is unknown: {direction[:20]!r}")
        return cls(
            number(identifier, "extmap id", 1, 4351),
            parts[1],
            direction,
            parts[2] if len(parts) == 3 else "",
        )

    def __str__(self) -> str:
        direction = f"/{self.direction}" if self.direction else ""
        return f"{self.id}{direction} {self.uri} {self.attributes}".rstrip()


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """``a=fingerprint`` (RFC 8122 section 5): lower-case algorithm, upper-case hex octets."""

    algorithm: str
    value: str

    @classmethod
    def parse(cls, text: str) -> "Fingerprint":
        """Read ``algorithm XX:XX:...``."""
        algorithm, _, value = text.partition(" ")
        if not _HEX_OCTETS.match(value.strip()):
            raise SdpError("fingerprint is not hexadecimal octets separated by colons")
        return cls(token(algorithm, "hash function").lower(), value.strip().upper())

    def __str__(self) -> str:
        return f"{self.algorithm} {self.value}"


@dataclass(frozen=True, slots=True)
class SsrcAttribute:
    """``a=ssrc`` (RFC 5576 section 4.1)."""

    ssrc: int
    attribute: str
    value: str = ""

    @classmethod
    def parse(cls, text: str) -> "SsrcAttribute":
        """Read ``ssrc attribute[:value]``."""
        ssrc, _, rest = text.partition(" ")
        attribute, _, value = rest.partition(":")
        if not attribute:
            raise SdpError("ssrc line names no attribute")
        return cls(number(ssrc, "SSRC", 0, MAX_SSRC), attribute, value)

    def __str__(self) -> str:
        return f"{self.ssrc} {self.attribute}" + (f":{self.value}" if self.value else "")


@dataclass(frozen=True, slots=True)
class SsrcGroup:
    """``a=ssrc-group`` (RFC 5576 section 4.2)."""

    semantics: str
    ssrcs: tuple[int, ...]

    @classmethod
    def parse(cls, text: str) -> "SsrcGroup":
        """Read ``semantics ssrc ssrc...``."""
        semantics, *ssrcs = text.split() or [""]
        numbers = tuple(number(ssrc, "SSRC", 0, MAX_SSRC) for ssrc in ssrcs)
        return cls(token(semantics, "ssrc-group semantics"), numbers)

    def __str__(self) -> str:
        return " ".join([self.semantics, *map(str, self.ssrcs)])


@dataclass(frozen=True, slots=True)
class Group:
    """``a=group`` (RFC 5888 section 5)."""

    semantics: str
    mids: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Group":
        """Read ``semantics mid mid...``."""
        semantics, *mids = text.split() or [""]
        return cls(token(semantics, "group semantics"), tuple(token(mid, "mid") for mid in mids))

    def __str__(self) -> str:
        return " ".join([self.semantics, *self.mids])


@dataclass(frozen=True, slots=True)
class Msid:
    """``a=msid`` (RFC 8830 section 2): the stream and, where given, the track."""

    stream: str
    track: str = ""

    @classmethod
    def parse(cls, text: str) -> "Msid":
        """Read ``stream [track]``."""
        parts = text.split()
        if len(parts) not in (1, 2):
            raise SdpError("msid is not 'stream [track]'")
        return cls(*parts)

    def __str__(self) -> str:
        return f"{self.stream} {self.track}".rstrip()


@dataclass(frozen=True, slots=True)
class Crypto:
    """``a=crypto`` (RFC 4568 section 9.1), as SIP peers offer it."""

    tag: int
    suite: str
    key_parameters: str
    session_parameters: str = ""

    @classmethod
    def parse(cls, text: str) -> "Crypto":
        """Read ``tag suite inline:...[ session parameters]``."""
        parts = text.split(" ", 3)
        if len(parts) < 3 or not parts[2]:
            raise SdpError("crypto is not 'tag suite key-parameters'")
        return cls(
            number(parts[0], "crypto tag", 0, 999_999_999),
            token(parts[1], "crypto suite"),
            parts[2],
            parts[3] if len(parts) == 4 else "",
        )

    def __str__(self) -> str:
        text = f"{self.tag} {self.suite} {self.key_parameters} {self.session_parameters}"
        return text.rstrip()


@dataclass(frozen=True, slots=True)
class IceCandidate:
    """``a=candidate`` (RFC 8839 section 5.1); the address may be an mDNS name.

    ``extensions`` holds what follows the type and the related address, as name and value.
    """

    foundation: str
    component: int
    transport: str
    priority: int
    address: str
    port: int
    type: str
    related_address: str = ""
    related_port: int | None = None
    extensions: tuple[tuple[str, str], ...] = field(default=())

    @classmethod
    def host(cls, address: str, port: int, *, preference: int = 65535) -> "IceCandidate":
        """A UDP host candidate of component 1.

        Args:
            address: IPv4 or IPv6 literal. port: 1..65535.
            preference: local preference, 0..65535; differs between addresses of one agent.
        """
        priority = (126 << 24) | (preference << 8) | 255  # RFC 8445 section 5.1.2.1
        foundation = f"{address_type(address)[2:]}{preference}"
        return cls(foundation, 1, "udp", priority, address, port, "host")

    @classmethod
    def parse(cls, text: str) -> "IceCandidate":
        """Read ``foundation component transport priority address port typ type ...``."""
        parts = text.split()
        if len(parts) < 8 or parts[6] != "typ" or len(parts) % 2:
            raise SdpError("candidate is not 'foundation component transport ... typ type'")
        pairs = list(zip(parts[8::2], parts[9::2], strict=True))
        related_address, related_port = "", None
        if pairs and pairs[0][0] == "raddr":
            related_address = pairs.pop(0)[1]
            if pairs and pairs[0][0] == "rport":
                related_port = number(pairs.pop(0)[1], "related port", 0, 65535)
        return cls(
            foundation=parts[0],
            component=number(parts[1], "candidate component", 1, 256),
            transport=token(parts[2], "candidate transport"),
            priority=number(parts[3], "candidate priority", 0, 2**32 - 1),
            address=parts[4],
            port=number(parts[5], "candidate port", 0, 65535),
            type=token(parts[7], "candidate type"),
            related_address=related_address,
            related_port=related_port,
            extensions=tuple(pairs),
        )

    def __str__(self) -> str:
        words = [self.foundation, self.component, self.transport, self.priority]
        words += [self.address, self.port, "typ", self.type]
        if self.related_address:
            words += ["raddr", self.related_address]
            if self.related_port is not None:
                words += ["rport", self.related_port]
        for name, value in self.extensions:
            words += [name, value]
        return " ".join(map(str, words))
