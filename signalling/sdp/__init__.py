"""Session descriptions (RFC 8866): one model that keeps every line, for WebRTC and SIP."""

from signalling.sdp.candidates import IceCandidate
from signalling.sdp.description import SessionDescription
from signalling.sdp.errors import SdpError
from signalling.sdp.fields import Bandwidth, Connection, Origin
from signalling.sdp.formats import (
    Direction,
    ExtMap,
    Fmtp,
    RtcpFeedback,
    RtpMap,
    format_parameters,
)
from signalling.sdp.section import Line, MediaSection, Section
from signalling.sdp.security import Crypto, Fingerprint
from signalling.sdp.sources import Group, Msid, SsrcAttribute, SsrcGroup

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
