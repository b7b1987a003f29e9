"""Lines that say what a media section carries."""

from collections.abc import Iterator

from signalling.media.codecs import Codec
from signalling.media.negotiated import NegotiatedMedia
from signalling.sdp import Line, RtcpFeedback, RtpMap, format_parameters

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
    codec = media.codec
    yield Line.attribute("rtpmap", rtpmap_of(codec))
    feedback = (
        (media.nack, "nack", ""),
        (media.pli, "nack", "pli"),
        (media.fir, "ccm", "fir"),
        (media.remb, "goog-remb", ""),
        (media.transport_cc, "transport-cc", ""),
    )
    for used, name, parameter in feedback:
        if used:
            yield Line.attribute("rtcp-fb", RtcpFeedback(codec.payload_type, name, parameter))
    if codec.answer_parameters:
        parameters = format_parameters(codec.answer_parameters)
        yield Line.attribute("fmtp", f"{codec.payload_type} {parameters}")
    for payload_type, repeated in media.rtx.items():
        yield Line.attribute("rtpmap", RtpMap(payload_type, "rtx", codec.clock_rate))
        yield Line.attribute("fmtp", f"{payload_type} apt={repeated}")


def rtpmap_of(codec: Codec) -> RtpMap:
    """How a codec is called in ``a=rtpmap``."""
    channels = codec.channels if codec.channels > 1 else 0
    return RtpMap(codec.payload_type, _ENCODINGS[codec.name], codec.clock_rate, channels)
