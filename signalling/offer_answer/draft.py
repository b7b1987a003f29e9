"""One section as our side writes it, in an offer or an answer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from signalling.media.codecs import Codec
from signalling.media.lines import codec_lines, retransmission_lines
from signalling.offer_answer.agreement import Family, Ice
from signalling.offer_answer.sound import event_map
from signalling.sdp import (
    Bandwidth,
    Connection,
    Direction,
    IceCandidate,
    Line,
    MediaSection,
)

EVENTS_TAKEN = "0-15"
"""Digits, star, hash and A to D (RFC 4733 section 3.2)."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything an accepted or offered RTP section says.

    Args:
        codecs: at least one; the preferred first. events: clock rate → payload type.
        security: its lines. ice: ours; None: no ICE. ice_mismatch: because something on the way
            changed the peer's address.
        ptime_ms: how much sound we want in a packet; 0: nothing is said.
        bitrate_bps: what we take; 0: nothing is said.
    """

    kind: str
    protocol: str
    family: Family
    address: str
    port: int
    direction: Direction
    codecs: tuple[Codec, ...]
    security: tuple[Line, ...]
    rtx: Mapping[int, int] = field(default_factory=dict)
    events: Mapping[int, int] = field(default_factory=dict)
    comfort_noise: int | None = None
    feedback: tuple[str, ...] = ()
    extensions: Mapping[str, int] = field(default_factory=dict)
    rtcp_mux: bool = False
    reduced_size_rtcp: bool = False
    ice: Ice | None = None
    ice_mismatch: bool = False
    mid: str = ""
    label: str = ""
    content: str = ""
    ptime_ms: int = 0
    bitrate_bps: int = 0

    def write(self) -> MediaSection:
        """The section."""
        formats = [codec.payload_type for codec in self.codecs]
        formats += [*self.rtx, *self.events.values()]
        if self.comfort_noise is not None:
            formats.append(self.comfort_noise)
        return MediaSection(
            lines=tuple(self._lines()),
            kind=self.kind,
            port=self.port,
            protocol=self.protocol,
            formats=tuple(map(str, formats)),
        )

    def _lines(self) -> Iterator[Line]:
        yield Line("c", str(Connection(self.address, self.family)))
        if self.bitrate_bps:
            yield Line("b", str(Bandwidth("AS", -(-self.bitrate_bps // 1000))))
            yield Line("b", str(Bandwidth("TIAS", self.bitrate_bps)))
        yield Line.attribute(self.direction)
        if self.mid:
            yield Line.attribute("mid", self.mid)
        if self.label:
            yield Line.attribute("label", self.label)
        if self.content:
            yield Line.attribute("content", self.content)
        for codec in self.codecs:
            yield from codec_lines(codec, self.feedback)
        yield from retransmission_lines(self.rtx, self.codecs[0].clock_rate)
        for clock_rate, payload_type in self.events.items():
            yield Line.attribute("rtpmap", event_map(payload_type, clock_rate))
            yield Line.attribute("fmtp", f"{payload_type} {EVENTS_TAKEN}")
        if self.comfort_noise is not None:
            yield Line.attribute("rtpmap", f"{self.comfort_noise} CN/8000")
        if self.ptime_ms:
            yield Line.attribute("ptime", self.ptime_ms)
        for uri, identifier in self.extensions.items():
            yield Line.attribute("extmap", f"{identifier} {uri}")
        if self.rtcp_mux:
            yield Line.attribute("rtcp-mux")
        if self.reduced_size_rtcp:
            yield Line.attribute("rtcp-rsize")
        yield from self.security
        yield from self._ice_lines()

    def _ice_lines(self) -> Iterator[Line]:
        if self.ice_mismatch:
            yield Line.attribute("ice-mismatch")
        if self.ice is None:
            return
        yield Line.attribute("ice-ufrag", self.ice.ufrag)
        yield Line.attribute("ice-pwd", self.ice.pwd)
        yield Line.attribute("candidate", IceCandidate.host(self.address, self.port))
        if not self.rtcp_mux:
            yield Line.attribute("candidate", _control(self.address, self.port + 1))
        yield Line.attribute("end-of-candidates")


def _control(address: str, port: int) -> IceCandidate:
    """The candidate of RTCP on its own port: component 2."""
    base = IceCandidate.host(address, port)
    return IceCandidate(
        base.foundation, 2, base.transport, base.priority - 1, address, port, base.type
    )


def refused(offered: MediaSection) -> MediaSection:
    """A section answered with port 0, in its place (RFC 3264 section 6)."""
    lines = () if offered.mid is None else (Line.attribute("mid", offered.mid),)
    return MediaSection(
        lines=lines, kind=offered.kind, port=0, protocol=offered.protocol, formats=offered.formats
    )
