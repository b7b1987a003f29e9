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

    @property
    def single_nal_units(self) -> bool:
        """Whether each packet holds one whole NAL unit: H.264's packetization-mode 0."""
        return self.name == "h264" and packetization_mode(self.parameters) == 0


@dataclass(frozen=True, slots=True)
class Wishes:
    """Which codecs are taken.

    Args:
        names: as in ``Codec``. packetization_modes: of H.264.
        h264_level: the highest that is decoded, level_idc.
        above_the_level: the answer says by ``max-fs`` and the like where we take more than the
            offered level has; hardware rooms offer a low level with such parameters on top.
    """

    names: frozenset[str] = frozenset({"opus", "g722", "pcma", "pcmu", "h264", "vp8"})
    packetization_modes: frozenset[int] = frozenset({1})
    h264_level: int = LOCAL_H264_LEVEL
    above_the_level: bool = False


BROWSERS = Wishes()
"""Browsers all have packetization-mode 1, and no packet of theirs is too small for a slice."""


def choose_codec(
    media: MediaSection, *, sends: bool = True, wishes: Wishes = BROWSERS
) -> Codec | None:
    """The best codec of an offered audio or video section; None where there is none.

    The order is ours, not the offer's: a whole conference shares renditions, and each codec
    in use costs an encoder. Among equals the offer's order decides.

    Args:
        sends: we send in it too; then a peer that takes no picture as small as
            ``h264.SMALLEST`` is not sent that format.
    """
    found = acceptable_codecs(media, sends=sends, wishes=wishes)
    return min(found, key=lambda one: one[0], default=(0, None))[1]


def acceptable_codecs(
    media: MediaSection, *, sends: bool, wishes: Wishes
) -> list[tuple[int, Codec]]:
    """All codecs of a section that can be taken, in its order, each with its rank: low is good."""
    parameters = fmtp_parameters(media)
    acceptable = []
    for rtpmap in offered_rtpmaps(media):
        recognise = _RECOGNISED.get((media.kind, rtpmap.encoding.lower()))
        if recognise is None:
            continue
        found = recognise(rtpmap, parameters.get(rtpmap.payload_type, {}), wishes)
        if found is None or found[1].name not in wishes.names:
            continue
        if found[1].takes_smallest or not sends:
            acceptable.append(found)
    return acceptable


def why_none(media: MediaSection, wishes: Wishes = BROWSERS) -> str:
    """Why ``choose_codec`` took no codec of a section."""
    if choose_codec(media, sends=False, wishes=wishes) is None:
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
_Recognise = Callable[[RtpMap, Mapping[str, str], Wishes], Recognised]


def _opus(rtpmap: RtpMap, parameters: Mapping[str, str], _: Wishes) -> Recognised:
    if rtpmap.clock_rate != 48000 or rtpmap.channels != 2:  # RFC 7587 section 7
        return None
    answer = {"minptime": "10", "useinbandfec": "1"}
    if parameters.get("usedtx") == "1":
        answer["usedtx"] = "1"
    return 0, Codec("opus", rtpmap.payload_type, 48000, 2, parameters, answer)


def _narrow(rank: int) -> _Recognise:
    def recognise(rtpmap: RtpMap, parameters: Mapping[str, str], _: Wishes) -> Recognised:
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
_SINGLE_NAL_UNITS_RANK = 10
"""Behind all of packetization-mode 1: it needs an encoding of its own."""
_VP8_RANK = 2
_VP8_LAST_RANK = 20
"""Where even packetization-mode 0 is taken: that stream serves peers of mode 1 as well."""


def packetization_mode(parameters: Mapping[str, str]) -> int | None:
    """RFC 6184 section 8.1; 0 where it is absent, None where it is none that exists."""
    text = parameters.get("packetization-mode", "0")
    return int(text) if text in ("0", "1", "2") else None


def _h264(rtpmap: RtpMap, parameters: Mapping[str, str], wishes: Wishes) -> Recognised:
    mode = packetization_mode(parameters)
    if rtpmap.clock_rate != 90000 or mode not in wishes.packetization_modes:
        return None
    named = parameters.get("profile-level-id")
    offered = h264.ProfileLevel.parse(named or h264.DEFAULT_PROFILE_LEVEL_ID)
    if offered is None:
        return None
    # Never above the offer: right with and without level asymmetry, and it keeps what the
    # peer sends within what it can itself decode.
    answered = offered.at_most(wishes.h264_level)
    answer: dict[str, str] = {}
    sent = answered  # without asymmetry the answer's level binds both directions
    if parameters.get("level-asymmetry-allowed") == "1":
        answer["level-asymmetry-allowed"] = "1"
        sent = offered
    limits = h264.picture_limits(sent, parameters)
    answer["packetization-mode"] = str(mode)
    if named is not None:
        answer["profile-level-id"] = str(answered)
    if wishes.above_the_level:
        answer |= h264.above(answered, wishes.h264_level)
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
        max(sent.limits.bitrate_bps, 1000 * h264.positive(parameters.get("max-br"), 10**6)),
        h264.takes_smallest(sent, parameters),
    )
    behind = _SINGLE_NAL_UNITS_RANK if mode == 0 else 0
    return _H264_RANKS[offered.profile] + behind, codec


def _vp8(rtpmap: RtpMap, parameters: Mapping[str, str], wishes: Wishes) -> Recognised:
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
    return _VP8_LAST_RANK if 0 in wishes.packetization_modes else _VP8_RANK, codec


_RECOGNISED: Mapping[tuple[str, str], _Recognise] = {
    ("audio", "opus"): _opus,
    ("audio", "g722"): _narrow(1),
    ("audio", "pcma"): _narrow(2),
    ("audio", "pcmu"): _narrow(3),
    ("video", "h264"): _h264,
    ("video", "vp8"): _vp8,
}
