"""Lines that say what a media section carries."""

from collections.abc import Iterable, Iterator, Mapping

from signalling.media.codecs import Codec
from signalling.media.negotiated import NegotiatedMedia
from signalling.sdp import Line, RtpMap, format_parameters

_ENCODINGS = {
    "opus": "opus",
    "g722": "G722",
    "pcma": "PCMA",
    "pcmu": "PCMU",
    "h264": "H264",
    "vp8": "VP8",
}


def format_lines(media: NegotiatedMedia) -> Iterator[Line]:
    """``a=rtpmap``, ``a=rtcp-fb`` and ``a=fmtp`` of the section's codec and of its RTX."""
    yield from codec_lines(media.codec, feedback_names(media))
    yield from retransmission_lines(media.rtx, media.codec.clock_rate)


def feedback_names(media: NegotiatedMedia) -> tuple[str, ...]:
    """The RTCP feedback of a section, as ``a=rtcp-fb`` names it."""
    feedback = (
        (media.nack, "nack"),
        (media.pli, "nack pli"),
        (media.fir, "ccm fir"),
        (media.tmmbr, "ccm tmmbr"),
        (media.remb, "goog-remb"),
        (media.transport_cc, "transport-cc"),
    )
    return tuple(name for used, name in feedback if used)


def codec_lines(codec: Codec, feedback: Iterable[str]) -> Iterator[Line]:
    """What belongs to one payload type; ``feedback`` as ``nack pli``."""
    yield Line.attribute("rtpmap", rtpmap_of(codec))
    for name in feedback:
        yield Line.attribute("rtcp-fb", f"{codec.payload_type} {name}")
    if codec.answer_parameters:
        parameters = format_parameters(codec.answer_parameters)
        yield Line.attribute("fmtp", f"{codec.payload_type} {parameters}")


def retransmission_lines(rtx: Mapping[int, int], clock_rate: int) -> Iterator[Line]:
    """RTX payload types and what each repeats (RFC 4588)."""
    for payload_type, repeated in rtx.items():
        yield Line.attribute("rtpmap", RtpMap(payload_type, "rtx", clock_rate))
        yield Line.attribute("fmtp", f"{payload_type} apt={repeated}")


def rtpmap_of(codec: Codec) -> RtpMap:
    """How a codec is called in ``a=rtpmap``."""
    channels = codec.channels if codec.channels > 1 else 0
    return RtpMap(codec.payload_type, _ENCODINGS[codec.name], codec.clock_rate, channels)
