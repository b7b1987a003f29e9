"""RTP packets on the wire: where header, extensions and payload lie (RFC 3550 5.1, RFC 8285).

The receive path looks at 20,000 packets a second, so these are functions over a buffer that make
no objects but the one asked for.
"""

import struct
from collections.abc import Mapping

HEADER = struct.Struct("!BBHLL")
"""First byte, marker and payload type, sequence number, timestamp, SSRC."""

HEADER_BYTES = 12
VERSION_BITS = 0x80
EXTENSION_BIT = 0x10
MARKER_BIT = 0x80

HEADER_AND_EXTENSION = struct.Struct("!BBHLLHH")
"""The same, and an extension's head where there are no CSRCs: its profile and length in words."""
PLAIN_WITH_EXTENSION = VERSION_BITS | EXTENSION_BIT
"""First byte of a packet without padding and CSRCs, and with an extension: nearly all of them."""

_ONE_BYTE_PROFILE = 0xBEDE
_TWO_BYTE_PROFILE = 0x1000
_EXTENSION_HEAD = struct.Struct("!HH")

MID_URI = "urn:ietf:params:rtp-hdrext:sdes:mid"
AUDIO_LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
ABS_SEND_TIME_URI = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
TRANSPORT_NUMBER_URI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"


class RtpError(ValueError):
    """A packet whose lengths contradict each other."""


def bounds(packet: memoryview | bytes, length: int) -> tuple[int, int, int]:
    """Where extension and payload of a packet lie.

    Args:
        packet: begins with an RTP header. length: bytes of ``packet`` that belong to it.
    Returns: offset of the extension header (0: none), start and end of the payload (equal when
        it holds padding only).
    Raises:
        RtpError: wrong version, or truncated.
    """
    if length < HEADER_BYTES:
        raise RtpError("truncated header")
    first = packet[0]
    if first & 0xC0 != VERSION_BITS:
        raise RtpError("version")
    start = HEADER_BYTES + 4 * (first & 0x0F)
    extension = 0
    if first & EXTENSION_BIT:
        extension = start
        if start + 4 > length:
            raise RtpError("truncated extension")
        start += 4 + 4 * (packet[start + 2] << 8 | packet[start + 3])
    if start > length:
        raise RtpError("truncated header")
    if first & 0x20:
        padding = packet[length - 1]
        if not padding or padding > length - start:
            raise RtpError("padding")
        length -= padding
    return extension, start, length


def find_extension(packet: memoryview | bytes, at: int, end: int, wanted: int) -> bytes | None:
    """Value of the header extension element ``wanted`` (an id), or None.

    Args:
        at: offset of the extension header as from ``bounds``; end: where the payload starts.
    Raises: nothing; elements that run past the end are ignored.
    """
    found = locate_extension(packet, at, end, wanted)
    return None if found is None else bytes(packet[found[0] : found[1]])


def locate_extension(
    packet: memoryview | bytes, at: int, end: int, wanted: int
) -> tuple[int, int] | None:
    """Where the value of an element begins and ends; otherwise as ``find_extension``."""
    profile, _ = _EXTENSION_HEAD.unpack_from(packet, at)
    at += 4
    if profile == _ONE_BYTE_PROFILE:
        while at < end:
            head = packet[at]
            at += 1
            if head == 0:
                continue
            identity = head >> 4
            if identity == 15:  # reserved: stop (RFC 8285 4.2)
                return None
            size = (head & 0x0F) + 1
            if identity == wanted:
                return (at, at + size) if at + size <= end else None
            at += size
    elif profile & 0xFFF0 == _TWO_BYTE_PROFILE:
        while at + 1 < end:
            identity = packet[at]
            at += 1
            if identity == 0:
                continue
            size = packet[at]
            at += 1
            if identity == wanted:
                return (at, at + size) if at + size <= end else None
            at += size
    return None


def audio_level(packet: memoryview | bytes, at: int, end: int, wanted: int) -> int | None:
    """The octet of the audio-level element (RFC 6464 section 3), or None.

    Args:
        as of ``find_extension``. Cost: two comparisons where it is the first element, as browsers
        put it.
    """
    if packet[at] == 0xBE and at + 6 <= end and packet[at + 4] == wanted << 4:
        return packet[at + 5]
    found = find_extension(packet, at, end, wanted)
    return found[0] if found else None


def begins_with_level(packet: memoryview | bytes, wanted: int) -> bool:
    """Whether the audio level is the first element of the extension right behind the header."""
    head = HEADER_BYTES
    return packet[head] == 0xBE and packet[head + 1] == 0xDE and packet[head + 4] == wanted << 4


def pack_extensions(values: Mapping[int, bytes]) -> bytes:
    """One-byte-header extension block with its four-byte head, padded; empty for no values.

    Args:
        values: element id 1-14 → value of 1-16 bytes.
    Raises:
        ValueError: an id or size that the one-byte form cannot carry.
    """
    if not values:
        return b""
    parts: list[bytes] = []
    for identity, value in values.items():
        if not 1 <= identity <= 14 or not 1 <= len(value) <= 16:
            raise ValueError("element does not fit the one-byte form")
        parts += (bytes((identity << 4 | len(value) - 1,)), value)
    body = b"".join(parts)
    body += bytes(-len(body) % 4)
    return _EXTENSION_HEAD.pack(_ONE_BYTE_PROFILE, len(body) // 4) + body


def abs_send_time(now: float) -> int:
    """24-bit send time, 6.18 fixed point seconds modulo 64."""
    return int(now * 262144.0) & 0xFFFFFF


def is_rtcp(datagram: bytes) -> bool:
    """Whether a datagram of the RTP/RTCP range is RTCP (RFC 5761 4); ``len(datagram) >= 2``."""
    return 192 <= datagram[1] <= 223
