"""What a flow becomes when both descriptions of a section are known, whoever offered."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from signalling.media.codecs import Codec, retransmission_types
from signalling.media.negotiated import (
    EXTENSION_TRANSPORT_NUMBER,
    NegotiatedMedia,
    StreamName,
)
from signalling.media.sections import (
    Ssrcs,
    extensions_of,
    feedback_of,
    max_bitrate,
    offered_direction,
    remote_sources,
)
from signalling.media.transport import ice_credentials
from signalling.offer_answer.agreement import Family, Flow, Ice, LocalMedia, Security
from signalling.offer_answer.ends import TRICKLE_PORT, Ends
from signalling.offer_answer.sound import event_clock_rate, read_sound
from signalling.sdp import Direction, MediaSection, SessionDescription

SOUND_BPS = 100_000
"""Kept for sound, G.711 with its headers, where one bandwidth line speaks of the whole session."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is settled of a section before its flow is made.

    Args:
        peer: the section of the peer's description, at ``index``.
        send: the codec as the peer numbers and limits it. receive: the same as we number it, then
            the others that the peer may go over to.
        direction: what both descriptions allow, seen from our end. would_send: we would send
            if the peer took it.
        rtx, extensions, events, comfort_noise: what our offer has of these, as it numbers them.
            ``events`` None: ours is an answer, and takes what the peer's offer has.
    """

    description: SessionDescription
    peer: MediaSection
    index: int
    stream: StreamName
    ends: Ends
    security: Security
    local_port: int
    send: Codec
    receive: tuple[Codec, ...]
    direction: Direction
    would_send: bool
    rtcp_mux: bool
    ice: Ice | None
    label: str
    events: Mapping[int, int] | None = None
    comfort_noise: int | None = None
    rtx: Mapping[int, int] = field(default_factory=dict)
    extensions: Mapping[str, int] = field(default_factory=dict)
    previous: Flow | None = None

    @property
    def answers(self) -> bool:
        """Whether the peer's description is the offer."""
        return self.events is None


def make_flow(terms: Terms, local: LocalMedia, ssrcs: Ssrcs) -> Flow:
    """The flow of a section."""
    media = _media(terms, local)
    before = terms.previous
    ssrc = ssrcs.take(before.ssrc if before else None)
    rtx_ssrc = None
    if media.rtx:
        rtx_ssrc = ssrcs.take(before.rtx_ssrc if before else None)
    media = replace(
        media,
        local_ssrc=ssrc if media.sends else None,
        local_rtx_ssrc=rtx_ssrc if media.sends else None,
    )
    peer_takes = offered_direction(terms.description, terms.peer) in ("sendrecv", "recvonly")
    flow = Flow(
        index=terms.index,
        family=terms.ends.family,
        local_port=terms.local_port,
        remote=terms.ends.remote,
        remote_rtcp=terms.ends.remote_rtcp,
        rtcp_mux=terms.rtcp_mux,
        security=terms.security,
        media=media,
        ssrc=ssrc,
        rtx_ssrc=rtx_ssrc,
        held=(terms.would_send and not peer_takes) or _is_zeros(terms),
        ice=terms.ice,
        label=terms.label,
    )
    return _with_sound(flow, terms) if media.kind == "audio" else flow


def _is_zeros(terms: Terms) -> bool:
    """Whether an address of zeros means hold; with ICE it means that none is known yet."""
    return terms.ends.zeros and terms.ice is None


def _media(terms: Terms, local: LocalMedia) -> NegotiatedMedia:
    peer, send = terms.peer, terms.send
    kind: Literal["audio", "video"] = "audio" if terms.stream == "audio" else "video"
    feedback = feedback_of(peer, send.payload_type) & local.feedback if kind == "video" else set()
    rtx = _retransmission(terms) if "nack" in feedback else {}
    extensions = extensions_of(terms.description, peer)
    if not terms.answers:
        ours = terms.extensions.items()
        extensions = {uri: number for uri, number in extensions.items() if (uri, number) in ours}
    transport_cc = "transport-cc" in feedback and EXTENSION_TRANSPORT_NUMBER in extensions
    if not transport_cc:
        extensions.pop(EXTENSION_TRANSPORT_NUMBER, None)
    remote_ssrcs, remote_rtx = remote_sources(peer)
    sends = terms.direction in ("sendrecv", "sendonly") and not _is_zeros(terms)
    return NegotiatedMedia(
        mid=peer.mid or "",
        kind=kind,
        stream=terms.stream,
        receives=terms.direction in ("sendrecv", "recvonly"),
        sends=sends,
        receive_codecs={codec.payload_type: codec for codec in terms.receive},
        send_codec=send if sends else None,
        rtx=rtx,
        send_rtx_pt=next(iter(rtx)) if rtx and sends else None,
        remote_ssrcs=remote_ssrcs,
        remote_rtx=remote_rtx,
        extensions=extensions,
        nack="nack" in feedback,
        pli="nack pli" in feedback,
        fir="ccm fir" in feedback,
        remb="goog-remb" in feedback,
        tmmbr="ccm tmmbr" in feedback,
        transport_cc=transport_cc,
        max_bitrate_bps=_max_bitrate(terms, kind),
        reduced_size_rtcp=peer.has("rtcp-rsize"),
    )


def _retransmission(terms: Terms) -> dict[int, int]:
    """The one RTX payload type both sides number alike."""
    payload_type = terms.send.payload_type
    offered = retransmission_types(terms.peer).items()
    matching = [pair for pair in offered if pair[1] == payload_type]
    if not terms.answers:
        matching = [pair for pair in matching if pair in terms.rtx.items()]
    return dict(matching[:1])


def _max_bitrate(terms: Terms, kind: str) -> int:
    limit = max_bitrate(terms.description, terms.peer, terms.send)
    session = session_bitrate(terms.description)
    if kind == "video" and session:
        rest = max(session - SOUND_BPS, session // 2)
        limit = min(limit, rest) if limit else rest
    return limit


def session_bitrate(description: SessionDescription) -> int:
    """What the peer takes of all sections together, in bit/s; 0 for no limit."""
    by_type = {line.type: line.bps for line in description.bandwidths}
    return by_type.get("TIAS") or by_type.get("AS") or by_type.get("CT") or 0


def _with_sound(flow: Flow, terms: Terms) -> Flow:
    sound = read_sound(terms.peer)
    ours = sound.events if terms.events is None else terms.events
    both = {rate: number for rate, number in sound.events.items() if rate in ours}
    clock_rate = event_clock_rate(both, terms.send)
    noise = sound.comfort_noise if terms.send.clock_rate == 8000 else None
    if not terms.answers and noise != terms.comfort_noise:
        noise = None
    flow = replace(flow, comfort_noise=noise, ptime_ms=sound.ptime_ms)
    if clock_rate is None:
        return flow
    return replace(
        flow,
        dtmf=both[clock_rate],
        dtmf_receive=ours[clock_rate],
        dtmf_clock_rate=clock_rate,
    )


def direction_of(*, receives: bool, sends: bool) -> Direction:
    """Seen from our end."""
    if sends:
        return "sendrecv" if receives else "sendonly"
    return "recvonly" if receives else "inactive"


def ice_of(
    description: SessionDescription, media: MediaSection, local: LocalMedia
) -> tuple[Ice | None, bool]:
    """The peer's ICE credentials, and whether something on the way has changed its addresses.

    ICE is not done with a peer that is lite too (RFC 8445 section 6.1.1: such pairs need no
    checks), nor where the default address is no candidate (``ice-mismatch``, RFC 8839 section
    4.2.5).
    """
    ufrag, pwd = ice_credentials((media, description))
    if local.ice is None or ufrag is None or pwd is None or description.has("ice-lite"):
        return None, False
    connection = media.connection or description.connection
    default = (connection.address if connection else "", media.port)
    candidates = {(one.address, one.port) for one in media.candidates if one.component == 1}
    known = default in candidates or default[1] == TRICKLE_PORT or not candidates
    return (Ice(ufrag, pwd), False) if known else (None, True)


def family_of(description: SessionDescription) -> Family:
    """The family of a description as a whole."""
    connection = description.connection
    family = connection.family if connection else description.origin.family
    return "IP6" if family == "IP6" else "IP4"
