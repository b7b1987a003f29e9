"""Session descriptions (RFC 8866): one model that keeps every line, for WebRTC and SIP."""

from signalling.sdp.description import Line, MediaSection, Section, SessionDescription
from signalling.sdp.errors import SdpError
from signalling.sdp.values import (
    Bandwidth,
    Connection,
    Crypto,
    Direction,
    ExtMap,
    Fingerprint,
    Fmtp,
    Group,
    IceCandidate,
    Msid,
    Origin,
    RtcpFeedback,
    RtpMap,
    SsrcAttribute,
    SsrcGroup,
    format_parameters,
)

__all__ = [
    "Bandwidth",
    "Connection",
    "Crypto",
    "Direction",
    "ExtMap",
    "Fingerprint",
    "Fmtp",
    "Group",
    "IceCandidate",
    "Line",
    "MediaSection",
    "Msid",
    "Origin",
    "RtcpFeedback",
    "RtpMap",
    "SdpError",
    "Section",
    "SessionDescription",
    "SsrcAttribute",
    "SsrcGroup",
    "format_parameters",
]
