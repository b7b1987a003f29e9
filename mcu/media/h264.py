"""H.264 in RTP, packetization mode 1 (RFC 6184): access unit ↔ payloads.

Pure functions and one assembler. Small NAL units that follow each other (SPS, PPS, SEI) share a
STAP-A, large ones are cut into FU-As, so that no payload exceeds ``MAX_PAYLOAD_BYTES``.
"""

from mcu.media import h264_parameters
from mcu.media.payload import MAX_FRAME_BYTES, MAX_PAYLOAD_BYTES, PayloadError

START_CODE = b"\x00\x00\x00\x01"
_SHORT_START_CODE = b"\x00\x00\x01"

NAL_SLICE = 1
NAL_IDR = 5
NAL_SPS = 7
NAL_STAP_A = 24
NAL_FU_A = 28


def split_annex_b(data: bytes) -> list[bytes]:
    """NAL units of an Annex B byte stream, without start codes and trailing zeros.

    Cost: one search through ``data``; bytes before the first start code are ignored.
    """
    units = []
    start = data.find(_SHORT_START_CODE)
    while start >= 0:
        start += 3
        end = data.find(_SHORT_START_CODE, start)
        unit = data[start:end] if end >= 0 else data[start:]
        if end >= 0 or unit.endswith(b"\x00"):
            unit = unit.rstrip(b"\x00")
        if unit:
            units.append(unit)
        start = end
    return units


def packetise(data: bytes, max_bytes: int = MAX_PAYLOAD_BYTES) -> list[bytes]:
    """Cut one Annex B access unit into RTP payloads (RFC 6184 5.6, 5.7.1, 5.8).

    Returns: payloads in sending order; the marker bit belongs on the last; empty when ``data``
        holds no NAL unit.
    """
    payloads: list[bytes] = []
    group: list[bytes] = []
    group_bytes = 1
    for unit in split_annex_b(data):
        if len(unit) + 2 + group_bytes <= max_bytes:
            group.append(unit)
            group_bytes += len(unit) + 2
            continue
        _flush(group, payloads)
        group, group_bytes = [], 1
        if len(unit) + 3 <= max_bytes:
            group.append(unit)
            group_bytes += len(unit) + 2
        else:
            _fragment(unit, max_bytes, payloads)
    _flush(group, payloads)
    return payloads


def one_by_one(data: bytes, max_bytes: int = MAX_PAYLOAD_BYTES) -> list[bytes]:
    """One payload for each NAL unit of an access unit (packetization mode 0, RFC 6184 6.2).

    Raises:
        ValueError: a unit is larger than ``max_bytes``; its encoder was to make smaller slices.
    """
    units = split_annex_b(data)
    longest = max(map(len, units), default=0)
    if longest > max_bytes:
        raise ValueError(f"NAL unit of {longest} bytes does not fit a packet of {max_bytes}")
    return units


def _flush(group: list[bytes], payloads: list[bytes]) -> None:
    if len(group) == 1:
        payloads.append(group[0])
    elif group:
        importance = max(unit[0] & 0x60 for unit in group)
        parts = [bytes((importance | NAL_STAP_A,))]
        for unit in group:
            parts += (len(unit).to_bytes(2, "big"), unit)
        payloads.append(b"".join(parts))


def _fragment(unit: bytes, max_bytes: int, payloads: list[bytes]) -> None:
    indicator = (unit[0] & 0x60) | NAL_FU_A
    kind = unit[0] & 0x1F
    body = len(unit) - 1
    count = -(-body // (max_bytes - 2))
    # Fragments of equal size: a last one of a few bytes would cost a packet's overhead alike.
    size = -(-body // count)
    for start in range(1, len(unit), size):
        first = 0x80 if start == 1 else 0
        last = 0x40 if start + size >= len(unit) else 0
        payloads.append(bytes((indicator, first | last | kind)) + unit[start : start + size])


def begins_key_frame(payload: bytes) -> bool:
    """Whether a payload is or holds an SPS, with which a key frame begins (RFC 6184 5.7.1).

    An IDR slice alone is no sure sign: fragments in the middle of one look the same.
    Raises: nothing; a payload too short to tell begins none.
    """
    if not payload:
        return False
    kind = payload[0] & 0x1F
    if kind != NAL_STAP_A:
        return kind == NAL_SPS
    at = 1
    while at + 2 < len(payload):
        if payload[at + 2] & 0x1F == NAL_SPS:
            return True
        at += 2 + int.from_bytes(payload[at : at + 2], "big")
    return False


def macroblocks(data: bytes) -> int:
    """Size of the pictures that an access unit begins, of the largest where it names several.

    Returns: macroblocks; 0 where it holds no SPS, so that those before go on.
    Raises:
        PayloadError: an SPS cannot be read.
    Cost: one search through ``data``; 15 µs for an SPS.
    """
    largest = 0
    at = data.find(_SHORT_START_CODE)
    while at >= 0:
        at += 3
        following = data.find(_SHORT_START_CODE, at)
        if data[at : at + 1] and data[at] & 0x1F == NAL_SPS:
            unit = data[at:following] if following >= 0 else data[at:]
            largest = max(largest, h264_parameters.macroblocks(unit))
        at = following
    return largest


def assemble(payloads: list[bytes]) -> tuple[bytes, bool]:
    """Put the payloads of one access unit together again.

    Returns: Annex B data and whether it holds an IDR picture.
    Raises:
        PayloadError: a payload is malformed, of an unknown kind, or the picture is too large.
    """
    parts: list[bytes] = []
    fragmenting = False
    key_frame = False
    size = 0
    for payload in payloads:
        size += len(payload)
        if size > MAX_FRAME_BYTES:
            raise PayloadError("picture too large")
        if not payload:
            raise PayloadError("empty payload")
        kind = payload[0] & 0x1F
        if fragmenting and kind != NAL_FU_A:
            raise PayloadError("fragmented unit without end")
        if 1 <= kind <= 23:
            parts += (START_CODE, payload)
            key_frame |= kind == NAL_IDR
        elif kind == NAL_FU_A:
            if len(payload) < 3:
                raise PayloadError("FU-A too short")
            head = payload[1]
            if bool(head & 0x80) == fragmenting:
                raise PayloadError("FU-A out of place")
            if head & 0x80:
                parts += (START_CODE, bytes(((payload[0] & 0xE0) | (head & 0x1F),)))
                key_frame |= head & 0x1F == NAL_IDR
            parts.append(payload[2:])
            fragmenting = not head & 0x40
        elif kind == NAL_STAP_A:
            key_frame |= _unpack_aggregate(payload, parts)
        else:
            raise PayloadError("unknown packet kind")
    if fragmenting:
        raise PayloadError("fragmented unit without end")
    if not parts:
        raise PayloadError("no NAL unit")
    return b"".join(parts), key_frame


def _unpack_aggregate(payload: bytes, parts: list[bytes]) -> bool:
    key_frame = False
    at = 1
    while at < len(payload):
        size = int.from_bytes(payload[at : at + 2], "big")
        unit = payload[at + 2 : at + 2 + size]
        if not unit or len(unit) < size:
            raise PayloadError("STAP-A truncated")
        parts += (START_CODE, unit)
        key_frame |= unit[0] & 0x1F == NAL_IDR
        at += 2 + size
    return key_frame
