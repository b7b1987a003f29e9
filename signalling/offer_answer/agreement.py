"""What offer and answer with a SIP peer settle: the values that go in, and those that come out.

All are frozen and compare by value: where a flow of a new agreement equals that of the one
before, nothing is to be done for it.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from signalling.media.codecs import BROWSERS, LOCAL_H264_LEVEL, Wishes
from signalling.media.h264 import LEVELS
from signalling.media.negotiated import DtlsRole, NegotiatedMedia, StreamName
from signalling.sdp import Direction, Fingerprint, SessionDescription

Address = tuple[str, int]
"""IPv4 or IPv6 literal, and port."""
Family = Literal["IP4", "IP6"]
Protection = Literal["dtls", "sdes", "plain"]
FloorProtocol = Literal["UDP/BFCP", "TCP/BFCP", "UDP/TLS/BFCP", "TCP/TLS/BFCP"]
FloorRole = Literal["server", "client"]

SUITES: Mapping[str, str] = {
    "AEAD_AES_128_GCM": "AEAD_AES_128_GCM",
    "AEAD_AES_256_GCM": "AEAD_AES_256_GCM",
    "AES_CM_128_HMAC_SHA1_80": "AES128_CM_SHA1_80",
    "AES_CM_128_HMAC_SHA1_32": "AES128_CM_SHA1_32",
}
"""Crypto suites of SDES (RFC 4568, RFC 7714), the preferred first, and the SRTP profile each is."""


@dataclass(frozen=True, slots=True)
class Plain:
    """RTP without protection."""


@dataclass(frozen=True, slots=True)
class Sdes:
    """SRTP with keys from the descriptions (RFC 4568).

    Args:
        tag: of the ``a=crypto`` lines. profile: a value of ``SUITES``.
        local_key, remote_key: master key followed by master salt, of what we send and receive.
        remote_mki_bytes: so many bytes of MKI stand in each packet received, before the
            authentication tag (with AEAD profiles: at the packet's end); what we send has none.

    As long as ``local_key`` is the same, packet indexes and the rollover counter of what is sent
    go on; with ``remote_key``, those of what is received.
    """

    tag: int = field(compare=False)
    profile: str
    local_key: bytes = field(repr=False)
    remote_key: bytes = field(repr=False)
    remote_mki_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Dtls:
    """DTLS-SRTP (RFC 5763, RFC 5764); as long as it is equal, the association goes on.

    Args:
        role: ours. fingerprints: of the certificates the peer may show.
        tls_id: the peer's ``a=tls-id`` (RFC 8842), empty where it gives none.
    """

    role: DtlsRole
    fingerprints: tuple[Fingerprint, ...]
    tls_id: str = ""


Security = Plain | Sdes | Dtls


@dataclass(frozen=True, slots=True)
class Ice:
    """The peer's ICE credentials; we are the lite, controlled side and answer its checks."""

    ufrag: str
    pwd: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Flow:
    """One RTP session of the call: one accepted media section.

    Args:
        index: of its ``m=`` line, from 0; stays the same as long as the call stands.
        family: of the address it is sent from. local_port: RTP; RTCP is one above it unless
            ``rtcp_mux``.
        remote: where RTP goes; None: nowhere, because the peer holds with 0.0.0.0, or not known
            before the peer sends (ICE, a host name).
        remote_rtcp: where RTCP goes; ``remote`` with ``rtcp_mux``; None as ``remote``.
        media: codecs, payload types, feedback, limits; of ``receive_codecs`` the first is in use,
            others come where ``Agreed.several_codecs``. ``receives`` and ``sends`` are what flows
            now: with hold on either side they are off.
        ssrc, rtx_ssrc: ours, kept while the stream is held; rtx_ssrc None without RTX.
        dtmf: payload type of telephone-event (RFC 4733) as the peer wants it, None: it takes none.
        dtmf_receive: the one it sends us. dtmf_clock_rate: of both, in Hz.
        comfort_noise: payload type of RFC 3389 in both directions; None: none is sent.
        ptime_ms: sound in each packet we send: 10, 20, 40 or 60.
        held: the peer holds: it does not take what we would send.
        ice: None: the peer has not offered ICE.
        label: of the section in our description (RFC 4574), empty: none.
    """

    index: int
    family: Family
    local_port: int
    remote: Address | None
    remote_rtcp: Address | None
    rtcp_mux: bool
    security: Security
    media: NegotiatedMedia
    ssrc: int
    rtx_ssrc: int | None = None
    dtmf: int | None = None
    dtmf_receive: int | None = None
    dtmf_clock_rate: int = 8000
    comfort_noise: int | None = None
    ptime_ms: int = 20
    held: bool = False
    ice: Ice | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Floor:
    """Floor control of the presentation by BFCP (RFC 8856).

    Args:
        index: of its ``m=`` line. role: ours; ``server`` where the peer lets us.
        local_port: ours; 9 where we open the TCP connection.
        remote: the peer's; None where it opens the connection from a port of its choice.
        opens: we open the TCP connection, or send the first flight of DTLS.
        conference_id, user_id, floor_id: as the server gave them: ours in the role ``server``,
            the peer's in the role ``client``. The user is the client's.
        labels: of the sections that the floor is for, as the server's description names them.
        fingerprints: of the peer, with DTLS and TLS.
    """

    index: int
    protocol: FloorProtocol
    role: FloorRole
    family: Family
    local_port: int
    remote: Address | None
    opens: bool
    conference_id: int
    user_id: int
    floor_id: int
    labels: tuple[str, ...] = ()
    fingerprints: tuple[Fingerprint, ...] = ()


@dataclass(frozen=True, slots=True)
class Agreed:
    """Where offer and answer have met.

    Args:
        local: what we sent, offer or answer. remote: what the peer sent.
        flows: accepted sections in the order of their ``m=`` lines; none while all are off.
        floor: None: no BFCP.
        holding: we hold the peer.
        several_codecs: the peer's answer left the choice of codec open: it may go over to another
            of a flow's ``receive_codecs`` at any time. An offer made on top of this agreement
            names the first of each flow alone, and settles it.
        max_bitrate_bps: what the peer takes of all flows together; 0 for no limit.
        refused: why sections are not used, each as ``m-line 2 (video): ...``, for the operator.
    """

    local: SessionDescription
    remote: SessionDescription
    flows: tuple[Flow, ...]
    floor: Floor | None = None
    holding: bool = False
    several_codecs: bool = False
    max_bitrate_bps: int = 0
    refused: tuple[str, ...] = ()

    def flow(self, stream: StreamName) -> Flow | None:
        """The flow that carries a stream."""
        return next((flow for flow in self.flows if flow.media.stream == stream), None)


@dataclass(frozen=True, slots=True)
class LocalFloor:
    """How our end does floor control.

    Args:
        port: gives the port of a protocol, ours for this call.
        conference_id, user_id, floor_id: what the peer is told where we are the server.
        protocols: what is taken; those with TLS need ``LocalMedia.fingerprints``. An offer of
            ours uses the first.
    """

    port: Callable[[FloorProtocol], int]
    conference_id: int
    user_id: int
    floor_id: int = 1
    protocols: tuple[FloorProtocol, ...] = ("UDP/BFCP", "TCP/BFCP")


_EVERYTHING: Mapping[StreamName, Direction] = {
    "audio": "sendrecv",
    "video": "sendrecv",
    "presentation": "sendrecv",
}
FEEDBACK = frozenset({"nack", "nack pli", "ccm fir", "goog-remb"})


@dataclass(frozen=True, slots=True)
class LocalMedia:
    """Our end of a call, and what its site allows.

    Args:
        ipv4, ipv6: addresses to be reached at; empty: there is none of this family.
        port: gives the RTP port of the section with this index and family; the one above it is
            for RTCP. Asked once for each section an offer or answer takes; a section that was
            there before keeps its port and is not asked for.
        session_id: of ``o=``, below 2**63. cname: see RFC 7022; no spaces.
        new_ssrc: gives an SSRC no other stream of the leg uses; asked again when the peer has
            announced the same.
        new_key: gives so many random bytes.
        fingerprints: of our certificate; empty: no DTLS.
        ice: our credentials where we answer ICE; None: ICE is not answered.
        protections: what is allowed. An offer of ours uses the first; where ``plain`` is another
            of them, the answer may do without it (RTP/AVP with keys, RFC 8643). An offer of the
            peer is protected in any way it can be. Without ``plain`` nothing is sent or taken
            unprotected.
        suites: names in ``SUITES``, in order of an offer of ours.
        early_feedback: offers of ours use the profiles of RFC 4585 (AVPF, SAVPF), which some peers
            insist on and older rooms refuse; feedback itself is offered either way.
        streams: which streams are taken, and in which directions, seen from our end.
        codecs: names as in ``Codec``. The order is the same everywhere: a whole conference
            shares renditions, and each codec in use costs an encoder.
        packetization_modes: of H.264 (RFC 6184).
        h264_level: the highest we decode, level_idc.
        receive_bitrate_bps: of each video section, told to the peer; 0: nothing is told.
        feedback: what our end acts on, as ``a=rtcp-fb`` names it.
        floor: None: BFCP is refused.
    """

    port: Callable[[int, Family], int]
    session_id: int
    cname: str
    new_ssrc: Callable[[], int]
    ipv4: str = ""
    ipv6: str = ""
    new_key: Callable[[int], bytes] = secrets.token_bytes
    fingerprints: tuple[Fingerprint, ...] = ()
    ice: Ice | None = None
    protections: tuple[Protection, ...] = ("sdes", "dtls", "plain")
    suites: tuple[str, ...] = tuple(SUITES)
    early_feedback: bool = False
    streams: Mapping[StreamName, Direction] = field(default_factory=lambda: _EVERYTHING)
    codecs: frozenset[str] = BROWSERS.names
    packetization_modes: frozenset[int] = frozenset({0, 1})
    h264_level: int = LOCAL_H264_LEVEL
    receive_bitrate_bps: int = 0
    feedback: frozenset[str] = FEEDBACK
    floor: LocalFloor | None = None

    def __post_init__(self) -> None:
        if not self.protections:
            raise ValueError("without any protection allowed, not even none, nothing can be said")
        if not self.ipv4 and not self.ipv6:
            raise ValueError("media needs an address to be reached at")
        if self.h264_level not in LEVELS:
            raise ValueError(f"no level of H.264: {self.h264_level}")
        if unknown := set(self.suites) - set(SUITES):
            raise ValueError(f"no crypto suites: {', '.join(sorted(unknown))}")

    def address(self, family: Family) -> str:
        """Ours of a family; empty: there is none."""
        return self.ipv4 if family == "IP4" else self.ipv6

    @property
    def wishes(self) -> Wishes:
        """Which codecs are taken."""
        return Wishes(self.codecs, self.packetization_modes, self.h264_level, above_the_level=True)
