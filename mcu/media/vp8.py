"""VP8 in RTP (RFC 7741): frame ↔ payloads.

Sent payloads carry the one-byte descriptor only. Without picture ids a receiver orders frames by
sequence number, so that a leg can change to another rendition, whose ids would be unrelated.
"""

from mcu.media.payload import MAX_FRAME_BYTES, MAX_PAYLOAD_BYTES, PayloadError

_START_OF_PARTITION = 0x10
_KEY_FRAME_HEADER_BYTES = 10
_KEY_FRAME_START_CODE = b"\x9d\x01\x2a"
_SIZE_MASK = 0x3FFF  # above it are two bits that ask for scaling afterwards


def packetise(data: bytes, max_bytes: int = MAX_PAYLOAD_BYTES) -> list[bytes]:
    """Cut one frame into RTP payloads of nearly equal size; empty for empty ``data``."""
    if not data:
        return []
    count = -(-len(data) // (max_bytes - 1))
    size = -(-len(data) // count)
    payloads = [b"\x00" + data[start : start + size] for start in range(0, len(data), size)]
    payloads[0] = b"\x10" + data[:size]
    return payloads


def descriptor_bytes(payload: bytes) -> int:
    """Length of the payload descriptor (RFC 7741 4.2).

    Raises:
        PayloadError: the payload ends within its descriptor, or holds nothing after it.
    """
    at = 1
    if payload and payload[0] & 0x80:
        if len(payload) < 2:
            raise PayloadError("VP8 descriptor truncated")
        extension = payload[1]
        at = 2
        if extension & 0x80:
            if len(payload) <= at:
                raise PayloadError("VP8 descriptor truncated")
            at += 2 if payload[at] & 0x80 else 1
        if extension & 0x40:
            at += 1
        if extension & 0x30:
            at += 1
    if len(payload) <= at:
        raise PayloadError("VP8 payload without data")
    return at


def starts_frame(payload: bytes) -> bool:
    """Whether the payload begins a frame: first packet of partition 0."""
    return bool(payload) and payload[0] & _START_OF_PARTITION != 0 and payload[0] & 0x07 == 0


def begins_key_frame(payload: bytes) -> bool:
    """Whether the payload begins a key frame (P bit of the VP8 payload header is 0)."""
    if not starts_frame(payload):
        return False
    try:
        at = descriptor_bytes(payload)
    except PayloadError:
        return False
    return payload[at] & 0x01 == 0


def macroblocks(data: bytes) -> int:
    """Size of the pictures that a key frame begins (RFC 6386 9.1); 0 for other frames.

    Raises:
        PayloadError: the key frame's header is cut short, or none.
    """
    if not data or data[0] & 0x01:
        return 0
    if len(data) < _KEY_FRAME_HEADER_BYTES or data[3:6] != _KEY_FRAME_START_CODE:
        raise PayloadError("VP8 key frame without its header")
    width = int.from_bytes(data[6:8], "little") & _SIZE_MASK
    height = int.from_bytes(data[8:10], "little") & _SIZE_MASK
    return -(-width // 16) * -(-height // 16)


def assemble(payloads: list[bytes]) -> tuple[bytes, bool]:
    """Put the payloads of one frame together again.

    Returns: the frame and whether it is a key frame.
    Raises:
        PayloadError: a payload is malformed, the first does not begin a frame, or the frame is
            too large.
    """
    if not payloads or not starts_frame(payloads[0]):
        raise PayloadError("frame does not begin with partition 0")
    parts = []
    size = 0
    for payload in payloads:
        size += len(payload)
        if size > MAX_FRAME_BYTES:
            raise PayloadError("picture too large")
        parts.append(payload[descriptor_bytes(payload) :])
    data = b"".join(parts)
    return data, data[0] & 0x01 == 0
