"""Write the answer's text: what was settled, as sections in the offer's order."""

from collections.abc import Iterator, Mapping

from signalling.media.lines import format_lines
from signalling.media.negotiated import DtlsRole, NegotiatedMedia
from signalling.sdp import (
    Connection,
    Group,
    IceCandidate,
    Line,
    MediaSection,
    Msid,
    Origin,
    SessionDescription,
    SsrcAttribute,
    SsrcGroup,
)
from signalling.webrtc.agreement import LocalSide

STREAM_ID = "conference"
"""Sound and picture are one stream, so that browsers keep lips in sync (RFC 8830)."""
PRESENTATION_STREAM_ID = "presentation"


def write_answer(
    offer: SessionDescription,
    accepted: Mapping[int, NegotiatedMedia],
    local: LocalSide,
    role: DtlsRole,
    version: int,
) -> SessionDescription:
    """Write the answer.

    Args:
        offer: what is answered.
        accepted: by index of the offer's media section; at least one.
        local: our end. role: our DTLS role. version: session version of ``o=``.
    """
    transport_at = next(iter(accepted))
    sections = []
    for index, offered in enumerate(offer.media):
        media = accepted.get(index)
        if media is None:
            sections.append(_rejected(offered))
            continue
        candidates = local.candidates if index == transport_at else ()
        lines = (
            *_transport(local, role, candidates),
            *_stream(offered, media),
            *format_lines(media),
            *_sources(media, local.cname),
        )
        sections.append(
            MediaSection(
                lines=lines,
                kind=offered.kind,
                port=local.candidates[0].port,
                protocol=offered.protocol,
                formats=(str(media.codec.payload_type), *map(str, media.rtx)),
            )
        )
    return SessionDescription(tuple(_session(offer, accepted, local, version)), tuple(sections))


def _session(
    offer: SessionDescription,
    accepted: Mapping[int, NegotiatedMedia],
    local: LocalSide,
    version: int,
) -> Iterator[Line]:
    yield Line("v", "0")
    yield Line("o", str(Origin("-", local.session_id, version, "127.0.0.1")))
    yield Line("s", "-")
    yield Line("t", "0 0")
    mids = tuple(media.mid for media in accepted.values() if media.mid)
    if mids and offer.group("BUNDLE"):
        yield Line.attribute("group", Group("BUNDLE", mids))
    yield Line.attribute("ice-lite")
    yield Line.attribute("ice-options", "ice2")  # RFC 8839 section 5.6
    if offer.has("extmap-allow-mixed"):
        yield Line.attribute("extmap-allow-mixed")
    yield Line.attribute("msid-semantic", "WMS *")


def _rejected(offered: MediaSection) -> MediaSection:
    lines = [Line("c", str(Connection("0.0.0.0"))), Line.attribute("inactive")]  # noqa: S104 no bind
    if offered.mid is not None:
        lines.append(Line.attribute("mid", offered.mid))
    return MediaSection(
        lines=tuple(lines),
        kind=offered.kind,
        port=0,
        protocol=offered.protocol,
        formats=offered.formats,
    )


def _transport(
    local: LocalSide, role: DtlsRole, candidates: tuple[IceCandidate, ...]
) -> Iterator[Line]:
    yield Line("c", str(Connection(local.candidates[0].address)))
    for candidate in candidates:
        yield Line.attribute("candidate", candidate)
    if candidates:
        yield Line.attribute("end-of-candidates")
    yield Line.attribute("ice-ufrag", local.ice_ufrag)
    yield Line.attribute("ice-pwd", local.ice_pwd)
    for fingerprint in local.fingerprints:
        yield Line.attribute("fingerprint", fingerprint)
    yield Line.attribute("setup", "passive" if role == "server" else "active")


def _stream(offered: MediaSection, media: NegotiatedMedia) -> Iterator[Line]:
    if media.mid:
        yield Line.attribute("mid", media.mid)
    if offered.has("extmap-allow-mixed"):
        yield Line.attribute("extmap-allow-mixed")
    for uri, identifier in media.extensions.items():
        yield Line.attribute("extmap", f"{identifier} {uri}")
    yield Line.attribute(media.direction)
    if media.sends:
        yield Line.attribute("msid", _msid(media))
    if media.stream == "presentation" and offered.has("content"):
        yield Line.attribute("content", "slides")
    yield Line.attribute("rtcp-mux")
    if media.reduced_size_rtcp:
        yield Line.attribute("rtcp-rsize")


def _msid(media: NegotiatedMedia) -> Msid:
    stream = PRESENTATION_STREAM_ID if media.stream == "presentation" else STREAM_ID
    return Msid(stream, f"{stream}-{media.stream}")


def _sources(media: NegotiatedMedia, cname: str) -> Iterator[Line]:
    """``a=ssrc`` lines, which peers without MID routing need."""
    if media.local_ssrc is None:
        return
    ssrcs = [media.local_ssrc]
    if media.local_rtx_ssrc is not None:
        ssrcs.append(media.local_rtx_ssrc)
        yield Line.attribute("ssrc-group", SsrcGroup("FID", tuple(ssrcs)))
    for ssrc in ssrcs:
        yield Line.attribute("ssrc", SsrcAttribute(ssrc, "cname", cname))
        yield Line.attribute("ssrc", SsrcAttribute(ssrc, "msid", str(_msid(media))))
