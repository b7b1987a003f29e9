"""Which codec of an offered media section is taken, and what it is called from then on."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from signalling.media import h264
from signalling.sdp import MediaSection, RtpMap

ACCEPTED_AUDIO = ("opus/48000/2", "G722/8000", "PCMA/8000", "PCMU/8000")
ACCEPTED_VIDEO = (
    "H264/90000 (constrained baseline, packetization-mode=1)",
    "VP8/90000",
)
ACCEPTED_CODECS = (*ACCEPTED_AUDIO, *ACCEPTED_VIDEO)

LOCAL_H264_LEVEL = 40
"""The highest level answered: 1080p at 30 pictures a second."""

_RTCP_PAYLOAD_TYPES = range(64, 96)
"""Cannot be told from RTCP where both share a port (RFC 5761 section 4)."""

_STATIC_PAYLOAD_TYPES = {
    0: RtpMap(0, "PCMU", 8000, 1),
    8: RtpMap(8, "PCMA", 8000, 1),
    9: RtpMap(9, "G722", 8000, 1),
}


@dataclass(frozen=True, slots=True)
class Codec:
    """A codec both sides use.

    Args:
        name: ``opus``, ``g722``, ``pcma``, ``pcmu``, ``h264``, ``vp8``.
        payload_type: the offer's number, used in both directions.
        clock_rate: RTP clock in Hz. channels: 1 or 2, 0 for video.
        parameters: the peer's fmtp parameters, keys in lower case.
        answer_parameters: ours, as they stand in the answer.
        max_width, max_height, max_fps: the largest 16:9 picture the peer takes; 0 for no limit.
        max_bitrate_bps: what its level allows; 0 for no limit.
        takes_smallest: whether the peer takes ``h264.SMALLEST``; True for sound.
    """

    name: str
    payload_type: int
    clock_rate: int
    channels: int = 0
    parameters: Mapping[str, str] = field(default_factory=dict)
    answer_parameters: Mapping[str, str] = field(default_factory=dict)
    max_width: int = 0
    max_height: int = 0
    max_fps: int = 0
    max_bitrate_bps: int = 0
    takes_smallest: bool = True


def choose_codec(media: MediaSection, *, sends: bool = True) -> Codec | None:
    """The best codec of an offered audio or video section; None where there is none.

    The order is ours, not the offer's: a whole conference shares renditions, and each codec
    in use costs an encoder. Among equals the offer's order decides.

    Args:
        sends: we send in it too; then a peer that takes no picture as small as
            ``h264.SMALLEST`` is not sent that format.
    """
    parameters = fmtp_parameters(media)
    best: tuple[int, Codec] | None = None
    for rtpmap in offered_rtpmaps(media):
        recognise = _RECOGNISED.get((media.kind, rtpmap.encoding.lower()))
        found = recognise(rtpmap, parameters.get(rtpmap.payload_type, {})) if recognise else None
        if found is not None and sends and not found[1].takes_smallest:
            continue
        if found is not None and (best is None or found[0] < best[0]):
            best = found
    return best[1] if best else None


def why_none(media: MediaSection) -> str:
    """Why ``choose_codec`` took no codec of a section."""
    if choose_codec(media, sends=False) is None:
        return f"no {media.kind} codec of it is accepted"
    small = h264.SMALLEST
    return (
        f"no {media.kind} codec of it takes {small.width}x{small.height} at {small.fps} pictures a "
        "second, the smallest that is sent; that is H264 level 1.2 (without profile-level-id it "
        "is level 1) or VP8 max-fs=240"
    )


def offered_rtpmaps(media: MediaSection) -> tuple[RtpMap, ...]:
    """The rtpmap of each format in the order of the ``m=`` line, static payload types included."""
    named = {rtpmap.payload_type: rtpmap for rtpmap in media.rtpmaps}
    known = _STATIC_PAYLOAD_TYPES | named
    return tuple(
        known[pt]
        for pt in dict.fromkeys(media.payload_types)
        if pt in known and pt not in _RTCP_PAYLOAD_TYPES
    )


def fmtp_parameters(media: MediaSection) -> dict[int, dict[str, str]]:
    """fmtp parameters by payload type; formats that are no number are left out."""
    found: dict[int, dict[str, str]] = {}
    for fmtp in media.fmtps:
        if re.fullmatch(r"[0-9]{1,3}", fmtp.payload_type):
            found.setdefault(int(fmtp.payload_type), {}).update(fmtp.parameters)
    return found


def retransmission_types(media: MediaSection) -> dict[int, int]:
    """RTX payload type → payload type it repeats (RFC 4588 ``apt``), within the section."""
    parameters = fmtp_parameters(media)
    found: dict[int, int] = {}
    for rtpmap in offered_rtpmaps(media):
        apt = parameters.get(rtpmap.payload_type, {}).get("apt", "")
        if (
            rtpmap.encoding.lower() == "rtx"
            and re.fullmatch(r"[0-9]{1,3}", apt)
            and int(apt) in media.payload_types
        ):
            found[rtpmap.payload_type] = int(apt)
    return found


Recognised = tuple[int, Codec] | None


def _opus(rtpmap: RtpMap, parameters: Mapping[str, str]) -> Recognised:
    if rtpmap.clock_rate != 48000 or rtpmap.channels != 2:  # RFC 7587 section 7
        return None
    answer = {"minptime": "10", "useinbandfec": "1"}
    if parameters.get("usedtx") == "1":
        answer["usedtx"] = "1"
    return 0, Codec("opus", rtpmap.payload_type, 48000, 2, parameters, answer)


def _narrow(rank: int) -> Callable[[RtpMap, Mapping[str, str]], Recognised]:
    def recognise(rtpmap: RtpMap, parameters: Mapping[str, str]) -> Recognised:
        # G.722's RTP clock is 8000 although it samples at 16000 (RFC 3551 section 4.5.2).
        if rtpmap.clock_rate != 8000 or rtpmap.channels > 1:
            return None
        name = rtpmap.encoding.lower()
        return rank, Codec(name, rtpmap.payload_type, 8000, 1, parameters)

    return recognise


_H264_RANKS: Mapping[h264.Profile, int] = {
    "constrained-baseline": 0,
    "baseline": 1,
    # Constrained baseline, which is sent, is a subset of what these decode; what they send is
    # dearer to decode than VP8, so VP8 (2) goes before.
    "main": 3,
    "constrained-high": 3,
    "high": 3,
}


def _h264(rtpmap: RtpMap, parameters: Mapping[str, str]) -> Recognised:
    if rtpmap.clock_rate != 90000 or parameters.get("packetization-mode") != "1":
        return None
    named = parameters.get("profile-level-id")
    offered = h264.ProfileLevel.parse(named or h264.DEFAULT_PROFILE_LEVEL_ID)
    if offered is None:
        return None
    # Never above the offer: right with and without level asymmetry, and it keeps what the
    # peer sends within what it can itself decode.
    answered = offered.at_most(LOCAL_H264_LEVEL)
    answer: dict[str, str] = {}
    sent = answered  # without asymmetry the answer's level binds both directions
    if parameters.get("level-asymmetry-allowed") == "1":
        answer["level-asymmetry-allowed"] = "1"
        sent = offered
    limits = h264.picture_limits(sent, parameters)
    answer["packetization-mode"] = "1"
    if named is not None:
        answer["profile-level-id"] = str(answered)
    codec = Codec(
        "h264",
        rtpmap.payload_type,
        90000,
        0,
        parameters,
        answer,
        limits.width,
        limits.height,
        limits.fps,
        sent.limits.bitrate_bps,
        h264.takes_smallest(sent, parameters),
    )
    return _H264_RANKS[offered.profile], codec


def _vp8(rtpmap: RtpMap, parameters: Mapping[str, str]) -> Recognised:
    if rtpmap.clock_rate != 90000:
        return None
    frame_size = h264.positive(parameters.get("max-fs"), h264.MAX_MACROBLOCKS)
    limits = h264.largest_picture(frame_size, 0)  # RFC 7741 section 6.1 counts the same blocks
    fps = h264.positive(parameters.get("max-fr"), h264.MAX_FPS)
    codec = Codec(
        "vp8",
        rtpmap.payload_type,
        90000,
        0,
        parameters,
        max_width=limits.width,
        max_height=limits.height,
        max_fps=fps,
        takes_smallest=not frame_size or limits.width >= h264.SMALLEST.width,
    )
    return 2, codec


_RECOGNISED: Mapping[tuple[str, str], Callable[[RtpMap, Mapping[str, str]], Recognised]] = {
    ("audio", "opus"): _opus,
    ("audio", "g722"): _narrow(1),
    ("audio", "pcma"): _narrow(2),
    ("audio", "pcmu"): _narrow(3),
    ("video", "h264"): _h264,
    ("video", "vp8"): _vp8,
}
