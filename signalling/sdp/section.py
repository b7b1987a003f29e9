"""Lines, and the sections they form: every line kept, in order, with typed access on top.

Nothing is dropped that was read: a line nobody here knows comes out again where it stood,
because the next peer may know it. What is known is checked when it is read, so the accessors of
what ``parse`` returned never raise.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from signalling.sdp.candidates import IceCandidate
from signalling.sdp.errors import SdpError
from signalling.sdp.fields import Bandwidth, Connection, Origin, number, token
from signalling.sdp.formats import DIRECTIONS, Direction, ExtMap, Fmtp, RtcpFeedback, RtpMap
from signalling.sdp.security import Crypto, Fingerprint
from signalling.sdp.sources import Group, Msid, SsrcAttribute, SsrcGroup

T = TypeVar("T")

_LINE = re.compile(r"([a-z])=(.*)\Z", re.DOTALL)
_FORBIDDEN = re.compile(r"[\x00\r]")

_ATTRIBUTES: dict[str, Callable[[str], object]] = {
    "candidate": IceCandidate.parse,
    "crypto": Crypto.parse,
    "extmap": ExtMap.parse,
    "fingerprint": Fingerprint.parse,
    "fmtp": Fmtp.parse,
    "group": Group.parse,
    "mid": lambda text: token(text, "mid"),
    "msid": Msid.parse,
    "rtcp-fb": RtcpFeedback.parse,
    "rtpmap": RtpMap.parse,
    "ssrc": SsrcAttribute.parse,
    "ssrc-group": SsrcGroup.parse,
}
_FIELDS: dict[str, Callable[[str], object]] = {
    "o": Origin.parse,
    "c": Connection.parse,
    "b": Bandwidth.parse,
}


@dataclass(frozen=True, slots=True)
class Line:
    """One ``type=value`` line."""

    type: str
    value: str

    @classmethod
    def parse(cls, text: str) -> "Line":
        """Read one line without its line end; raises SdpError."""
        match = _LINE.match(text)
        if not match or _FORBIDDEN.search(text):
            raise SdpError(f"not an SDP line: {text[:40]!r}")
        return cls(match[1], match[2])

    @classmethod
    def attribute(cls, name: str, value: object = None) -> "Line":
        """``a=name`` or ``a=name:value``."""
        return cls("a", name if value is None else f"{name}:{value}")

    def __str__(self) -> str:
        return f"{self.type}={self.value}"

    @property
    def name(self) -> str:
        """The attribute's name; empty for any other line."""
        return self.value.partition(":")[0] if self.type == "a" else ""

    def check(self) -> None:
        """Raise SdpError when this is a known field or attribute with a value it cannot have."""
        if self.type == "a":
            name, _, value = self.value.partition(":")
            parse = _ATTRIBUTES.get(name)
            if parse is not None:
                parse(value)
        elif self.type in _FIELDS:
            _FIELDS[self.type](self.value)


@dataclass(frozen=True, slots=True)
class Section:
    """What a session and a media section have in common: lines, and ways to ask for them."""

    lines: tuple[Line, ...] = ()

    def has(self, name: str) -> bool:
        """Whether attribute ``name`` is present."""
        return self.attribute(name) is not None

    def attribute(self, name: str) -> str | None:
        """The value of the first attribute ``name``; ``""`` for a flag, None if absent."""
        return next(self._values(name), None)

    def attributes(self, name: str) -> tuple[str, ...]:
        """The values of all attributes ``name``, in order."""
        return tuple(self._values(name))

    def _values(self, name: str) -> Iterator[str]:
        start, skipped = f"{name}:", len(name) + 1
        for line in self.lines:
            value = line.value
            if line.type == "a" and (value.startswith(start) or value == name):
                yield value[skipped:]

    def _all(self, name: str, parse: Callable[[str], T]) -> tuple[T, ...]:
        return tuple(parse(value) for value in self.attributes(name))

    def field(self, type_: str) -> str | None:
        """The value of the first line of this type (``o``, ``s``, ``c``, ...)."""
        return next((line.value for line in self.lines if line.type == type_), None)

    @property
    def connection(self) -> Connection | None:
        """``c=``."""
        value = self.field("c")
        return None if value is None else Connection.parse(value)

    @property
    def bandwidths(self) -> tuple[Bandwidth, ...]:
        """All ``b=`` lines."""
        return tuple(Bandwidth.parse(line.value) for line in self.lines if line.type == "b")

    @property
    def direction(self) -> Direction | None:
        """The direction attribute, None where the section has none."""
        for line in self.lines:
            for direction in DIRECTIONS:
                if line.type == "a" and line.value == direction:
                    return direction
        return None

    @property
    def ice_ufrag(self) -> str | None:
        """``a=ice-ufrag``."""
        return self.attribute("ice-ufrag")

    @property
    def ice_pwd(self) -> str | None:
        """``a=ice-pwd``."""
        return self.attribute("ice-pwd")

    @property
    def setup(self) -> str | None:
        """``a=setup`` (RFC 8842)."""
        return self.attribute("setup")

    @property
    def fingerprints(self) -> tuple[Fingerprint, ...]:
        """All ``a=fingerprint``."""
        return self._all("fingerprint", Fingerprint.parse)

    @property
    def extmaps(self) -> tuple[ExtMap, ...]:
        """All ``a=extmap``."""
        return self._all("extmap", ExtMap.parse)


@dataclass(frozen=True, slots=True)
class MediaSection(Section):
    """An ``m=`` line and what follows it."""

    kind: str = "audio"
    port: int = 9
    protocol: str = "UDP/TLS/RTP/SAVPF"
    formats: tuple[str, ...] = ()
    port_count: int = 1

    @classmethod
    def parse_media(cls, value: str) -> "MediaSection":
        """Read the value of an ``m=`` line into a section without further lines."""
        parts = value.split()
        if len(parts) < 4:
            raise SdpError("media line is not 'kind port protocol formats'")
        port, slash, count = parts[1].partition("/")
        protocol = parts[2]
        formats = tuple(token(part, "media format") for part in parts[3:])
        section = cls(
            (),
            token(parts[0], "media kind"),
            number(port, "media port", 0, 65535),
            "/".join(token(part, "media protocol") for part in protocol.split("/")),
            formats,
            number(count, "port count", 1, 65535) if slash else 1,
        )
        if section.is_rtp:
            for text in formats:
                number(text, "payload type", 0, 127)
        return section

    def __str__(self) -> str:
        count = f"/{self.port_count}" if self.port_count != 1 else ""
        head = f"m={self.kind} {self.port}{count} {self.protocol} {' '.join(self.formats)}"
        return "".join(f"{line}\r\n" for line in [head, *map(str, self.lines)])

    def with_lines(self, lines: Iterable[Line]) -> "MediaSection":
        """The same section with other lines."""
        return replace(self, lines=tuple(lines))

    @property
    def is_rtp(self) -> bool:
        """Whether the formats are RTP payload types."""
        return "RTP" in self.protocol.split("/")

    @property
    def payload_types(self) -> tuple[int, ...]:
        """The formats as numbers; empty where they are not payload types."""
        return tuple(int(text) for text in self.formats) if self.is_rtp else ()

    @property
    def mid(self) -> str | None:
        """``a=mid``."""
        return self.attribute("mid")

    @property
    def rtpmaps(self) -> tuple[RtpMap, ...]:
        """All ``a=rtpmap``."""
        return self._all("rtpmap", RtpMap.parse)

    @property
    def fmtps(self) -> tuple[Fmtp, ...]:
        """All ``a=fmtp``."""
        return self._all("fmtp", Fmtp.parse)

    @property
    def rtcp_feedback(self) -> tuple[RtcpFeedback, ...]:
        """All ``a=rtcp-fb``."""
        return self._all("rtcp-fb", RtcpFeedback.parse)

    @property
    def ssrcs(self) -> tuple[SsrcAttribute, ...]:
        """All ``a=ssrc``."""
        return self._all("ssrc", SsrcAttribute.parse)

    @property
    def ssrc_groups(self) -> tuple[SsrcGroup, ...]:
        """All ``a=ssrc-group``."""
        return self._all("ssrc-group", SsrcGroup.parse)

    @property
    def candidates(self) -> tuple[IceCandidate, ...]:
        """All ``a=candidate``."""
        return self._all("candidate", IceCandidate.parse)

    @property
    def msids(self) -> tuple[Msid, ...]:
        """All ``a=msid``."""
        return self._all("msid", Msid.parse)

    @property
    def cryptos(self) -> tuple[Crypto, ...]:
        """All ``a=crypto`` (SDES)."""
        return self._all("crypto", Crypto.parse)

    @property
    def content(self) -> tuple[str, ...]:
        """``a=content`` values (RFC 4796): ``main``, ``slides``, ``alt``, ..."""
        value = self.attribute("content")
        return () if value is None else tuple(part.strip() for part in value.split(","))

    @property
    def label(self) -> str | None:
        """``a=label`` (RFC 4574)."""
        return self.attribute("label")

    @property
    def floorctrl(self) -> tuple[str, ...]:
        """``a=floorctrl`` roles (RFC 8856)."""
        return tuple((self.attribute("floorctrl") or "").split())
