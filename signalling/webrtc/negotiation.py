"""Answer a WebRTC offer (RFC 9429 section 5.3): pure, from one description to another.

One codec a section is answered, so that what a leg sends and receives is fixed by the answer.
All accepted sections share one transport (BUNDLE, rtcp-mux); what cannot be taken keeps its
place with port 0.
"""

from collections.abc import Collection, Mapping
from typing import Literal

from signalling.media.codecs import (
    ACCEPTED_CODECS,
    Codec,
    choose_codec,
    retransmission_types,
    why_none,
)
from signalling.media.negotiated import (
    EXTENSION_ABS_SEND_TIME,
    EXTENSION_AUDIO_LEVEL,
    EXTENSION_MID,
    EXTENSION_TRANSPORT_NUMBER,
    NegotiatedMedia,
    OfferRefused,
    StreamName,
)
from signalling.media.sections import (
    Ssrcs,
    extensions_of,
    feedback_of,
    max_bitrate,
    offered_direction,
    remote_sources,
    stream_of,
)
from signalling.sdp import MediaSection, SdpError, SessionDescription
from signalling.webrtc.agreement import LegKind, LocalSide, Negotiated
from signalling.webrtc.answer import write_answer
from signalling.webrtc.remote import read_transport

__all__ = [
    "ACCEPTED_CODECS",
    "EXTENSION_ABS_SEND_TIME",
    "EXTENSION_AUDIO_LEVEL",
    "EXTENSION_MID",
    "EXTENSION_TRANSPORT_NUMBER",
    "Codec",
    "LocalSide",
    "Negotiated",
    "NegotiatedMedia",
    "OfferRefused",
    "answer_offer",
]

_PROTOCOLS = frozenset(
    {"UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/DTLS/RTP/SAVPF", "RTP/SAVPF", "RTP/SAVP"}
)


def answer_offer(
    offer: SessionDescription,
    local: LocalSide,
    *,
    kind: LegKind,
    previous: Negotiated | None = None,
) -> Negotiated:
    """Answer an offer.

    Args:
        offer: as the peer sent it.
        local: our end.
        kind: ``join`` both directions, ``publish`` the peer sends only (RFC 9725), ``view`` it
            receives only.
        previous: what the same leg agreed before, when this renegotiates: SSRCs and streams
            stay with their mid, and the answer's session version grows.
    Raises:
        OfferRefused: nothing in the offer can be used, or its transport cannot.
    """
    try:
        return _answer(offer, local, kind, previous)
    except SdpError as error:  # an offer that was built, not parsed, can hold bad values
        raise OfferRefused(error.message) from error


def _answer(
    offer: SessionDescription, local: LocalSide, kind: LegKind, previous: Negotiated | None
) -> Negotiated:
    if previous is not None:
        _check_order(offer, previous.answer)
    before = {media.mid: media for media in previous.media} if previous else {}
    reasons: dict[int, str] = {}
    accepted: dict[int, NegotiatedMedia] = {}
    ssrcs = Ssrcs(offer, local.new_ssrc)
    for index, media in enumerate(offer.media):
        reason = _unusable(offer, index) or _unbundled(offer, media, accepted.values())
        _, sends = _directions(offer, media, kind)
        codec = None if reason else choose_codec(media, sends=sends)
        earlier = before.get(media.mid or "")
        taken = {other.stream for other in accepted.values()}
        stream = stream_of(media, taken, earlier.stream if earlier else None)
        if codec is None or stream is None:
            missing = why_none(media) if codec is None else "one too many"
            reasons[index] = reason or missing
            continue
        accepted[index] = _negotiate(offer, media, codec, stream, kind, ssrcs, earlier)
    _check_use(offer, accepted.values(), reasons, kind)
    transport = read_transport(offer, offer.media[next(iter(accepted))])
    version = previous.answer.origin.session_version + 1 if previous else 1
    return Negotiated(
        write_answer(offer, accepted, local, transport.role, version),
        transport.ufrag,
        transport.pwd,
        transport.fingerprints,
        transport.role,
        tuple(accepted.values()),
    )


def _check_order(offer: SessionDescription, answered: SessionDescription) -> None:
    """Sections are never removed or reordered (RFC 3264 section 8)."""
    if len(offer.media) < len(answered.media):
        raise OfferRefused("the new offer has fewer media sections than the last one")
    for index, (new, old) in enumerate(zip(offer.media, answered.media, strict=False)):
        recycled = old.port == 0
        if not recycled and (new.kind != old.kind or new.mid != old.mid):
            raise OfferRefused(
                f"m-line {index + 1} was {old.kind} with mid {old.mid!r}", f"media[{index}]"
            )


def _unusable(offer: SessionDescription, index: int) -> str | None:
    """Why a section cannot be taken whatever its codecs are; None if it can."""
    media = offer.media[index]
    if media.kind not in ("audio", "video"):
        return "only audio and video are taken"
    if media.port == 0 and not media.has("bundle-only"):
        return "switched off in the offer"
    if media.protocol not in _PROTOCOLS:
        return f"{media.protocol} is not RTP over DTLS"
    if not media.has("rtcp-mux"):
        return "a=rtcp-mux is required"
    if media.mid is not None and any(media.mid == other.mid for other in offer.media[:index]):
        return f"mid {media.mid!r} is used twice"
    return None


def _unbundled(
    offer: SessionDescription, media: MediaSection, accepted: Collection[NegotiatedMedia]
) -> str | None:
    """Why a section cannot share the one transport; a section alone needs no BUNDLE."""
    bundle = offer.group("BUNDLE")
    if bundle is None:
        return "not in a BUNDLE group, and there is one transport only" if accepted else None
    return None if media.mid in bundle.mids else "not in the BUNDLE group"


def _directions(offer: SessionDescription, media: MediaSection, kind: LegKind) -> tuple[bool, bool]:
    """Whether we receive and whether we send in a section."""
    direction = offered_direction(offer, media)
    receives = direction in ("sendrecv", "sendonly") and kind != "view"
    sends = direction in ("sendrecv", "recvonly") and kind != "publish"
    return receives, sends


def _negotiate(
    offer: SessionDescription,
    media: MediaSection,
    codec: Codec,
    stream: StreamName,
    kind: LegKind,
    ssrcs: Ssrcs,
    earlier: NegotiatedMedia | None,
) -> NegotiatedMedia:
    receives, sends = _directions(offer, media, kind)
    media_kind: Literal["audio", "video"] = "audio" if media.kind == "audio" else "video"
    feedback = feedback_of(media, codec.payload_type) if media_kind == "video" else frozenset()
    rtx: dict[int, int] = {}
    if "nack" in feedback:
        matching = [(pt, apt) for pt, apt in retransmission_types(media).items()]
        rtx = dict([pair for pair in matching if pair[1] == codec.payload_type][:1])
    remote, remote_rtx = remote_sources(media)
    extensions = extensions_of(offer, media)
    transport_cc = "transport-cc" in feedback and EXTENSION_TRANSPORT_NUMBER in extensions
    if not transport_cc:
        extensions.pop(EXTENSION_TRANSPORT_NUMBER, None)
    return NegotiatedMedia(
        mid=media.mid or "",
        kind=media_kind,
        stream=stream,
        receives=receives,
        sends=sends,
        receive_codecs={codec.payload_type: codec},
        send_codec=codec if sends else None,
        rtx=rtx,
        send_rtx_pt=next(iter(rtx)) if rtx and sends else None,
        local_ssrc=ssrcs.take(earlier.local_ssrc if earlier else None) if sends else None,
        local_rtx_ssrc=(
            ssrcs.take(earlier.local_rtx_ssrc if earlier else None) if sends and rtx else None
        ),
        remote_ssrcs=remote,
        remote_rtx=remote_rtx,
        extensions=extensions,
        nack="nack" in feedback,
        pli="nack pli" in feedback,
        fir="ccm fir" in feedback,
        remb="goog-remb" in feedback,
        transport_cc=transport_cc,
        max_bitrate_bps=max_bitrate(offer, media, codec),
        reduced_size_rtcp=media.has("rtcp-rsize"),
    )


def _check_use(
    offer: SessionDescription,
    accepted: Collection[NegotiatedMedia],
    reasons: Mapping[int, str],
    kind: LegKind,
) -> None:
    """Refuse where nothing would flow at all."""
    if not accepted:
        each = [
            f"m-line {index + 1} ({offer.media[index].kind}): {reason}"
            for index, reason in reasons.items()
        ]
        detail = "; ".join(each) or "the offer has no media section"
        raise OfferRefused(
            f"nothing in the offer can be used: {detail}. Accepted: {', '.join(ACCEPTED_CODECS)}",
            f"media[{next(iter(reasons))}]" if reasons else None,
        )
    if kind == "publish" and not any(media.receives for media in accepted):
        raise OfferRefused("a publisher's offer must send audio or video")
    if kind == "view" and not any(media.sends for media in accepted):
        raise OfferRefused("a viewer's offer must receive audio or video")
