"""STUN messages (RFC 8489) as ICE uses them: read, check, write.

``aioice.stun`` is not used here because it hides unknown attributes (which a server must name
in a 420 answer) and ends hostile input in several kinds of exception; it is the other engine
in the tests.
"""

import binascii
import hmac
import ipaddress
import struct
from dataclasses import dataclass
from typing import Literal

Address = tuple[str, int]

HEADER_BYTES = 20
MAX_BYTES = 1_500
"""No ICE message needs fragments; larger ones are refused unread."""
MAX_ATTRIBUTES = 32
COOKIE = 0x2112A442
FINGERPRINT_XOR = 0x5354554E

BINDING = 0x001
REQUEST, INDICATION, SUCCESS, ERROR = 0x000, 0x010, 0x100, 0x110
_CLASS_BITS = 0x110

USERNAME = 0x0006
MESSAGE_INTEGRITY = 0x0008
ERROR_CODE = 0x0009
UNKNOWN_ATTRIBUTES = 0x000A
MESSAGE_INTEGRITY_SHA256 = 0x001C
XOR_MAPPED_ADDRESS = 0x0020
PRIORITY = 0x0024
USE_CANDIDATE = 0x0025
FINGERPRINT = 0x8028
ICE_CONTROLLED = 0x8029
ICE_CONTROLLING = 0x802A

_INTEGRITY_BYTES = 20
_LENGTHS = {
    MESSAGE_INTEGRITY: _INTEGRITY_BYTES,
    FINGERPRINT: 4,
    PRIORITY: 4,
    USE_CANDIDATE: 0,
    ICE_CONTROLLED: 8,
    ICE_CONTROLLING: 8,
}

Reason = Literal["short", "long", "header", "attribute", "fingerprint", "username"]


class StunError(ValueError):
    """Bytes that are no STUN message, or one that is damaged; ``reason`` is for counting."""

    def __init__(self, message: str, reason: Reason) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class StunMessage:
    """A STUN message.

    Args:
        method: 12 bits. message_class: ``REQUEST``, ``INDICATION``, ``SUCCESS`` or ``ERROR``.
        transaction_id: 12 bytes.
        attributes: type and value in order, without MESSAGE-INTEGRITY, FINGERPRINT, and
            whatever stood behind MESSAGE-INTEGRITY (it is not authenticated).
        integrity: the HMAC received, None where there was none.
        covered: the bytes the HMAC covers, length field already adjusted.
        fingerprinted: a FINGERPRINT was there, and right.
    """

    method: int
    message_class: int
    transaction_id: bytes
    attributes: tuple[tuple[int, bytes], ...] = ()
    integrity: bytes | None = None
    covered: bytes = b""
    fingerprinted: bool = False

    @classmethod
    def parse(cls, data: bytes) -> "StunMessage":
        """Read a message; its FINGERPRINT, where present, is checked.

        Raises:
            StunError: whatever is wrong with the bytes.
        Cost: O(len(data)); nothing is allocated beyond ``MAX_BYTES``.
        """
        if len(data) < HEADER_BYTES:
            raise StunError("shorter than a STUN header", "short")
        if len(data) > MAX_BYTES:
            raise StunError(f"longer than {MAX_BYTES} bytes", "long")
        kind, length, cookie = struct.unpack_from("!HHI", data)
        if kind & 0xC000 or cookie != COOKIE or length % 4 or length != len(data) - HEADER_BYTES:
            raise StunError("not a STUN header", "header")
        attributes: list[tuple[int, bytes]] = []
        integrity: bytes | None = None
        covered = b""
        fingerprinted = False
        count = 0
        position = HEADER_BYTES
        while position < len(data):
            count += 1
            attribute, value = _attribute_at(data, position)
            if fingerprinted or count > MAX_ATTRIBUTES:
                raise StunError("attributes without end", "attribute")
            if attribute == FINGERPRINT:
                if value != _fingerprint(data[:position]):
                    raise StunError("FINGERPRINT is wrong", "fingerprint")
                fingerprinted = True
            elif integrity is None:
                if attribute == MESSAGE_INTEGRITY:
                    integrity = value
                    covered = _with_length(data[:position], 4 + _INTEGRITY_BYTES)
                else:
                    attributes.append((attribute, value))
            position += 4 + (len(value) + 3) // 4 * 4
        return cls(
            kind & ~_CLASS_BITS,
            kind & _CLASS_BITS,
            data[8:HEADER_BYTES],
            tuple(attributes),
            integrity,
            covered,
            fingerprinted,
        )

    def attribute(self, attribute: int) -> bytes | None:
        """The first value of this type, None if absent (RFC 8489 section 14: the first counts)."""
        return next((value for kind, value in self.attributes if kind == attribute), None)

    def has(self, attribute: int) -> bool:
        """Whether the attribute is present."""
        return self.attribute(attribute) is not None

    @property
    def username(self) -> str | None:
        """USERNAME as text.

        Raises:
            StunError: it is not UTF-8, or longer than 513 bytes.
        """
        value = self.attribute(USERNAME)
        if value is None:
            return None
        if len(value) > 513:
            raise StunError("USERNAME is too long", "username")
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise StunError("USERNAME is not UTF-8", "username") from error

    def is_signed_with(self, password: str) -> bool:
        """Whether MESSAGE-INTEGRITY is there and right under this password; constant time."""
        if self.integrity is None:
            return False
        return hmac.compare_digest(self.integrity, _hmac(password, self.covered))

    def encode(self, password: str | None = None) -> bytes:
        """The message's bytes, ended by FINGERPRINT; signed where a password is given."""
        body = b"".join(
            struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)
            for kind, value in self.attributes
        )
        kind = self.method | self.message_class
        data = struct.pack("!HHI", kind, len(body), COOKIE) + self.transaction_id + body
        if password is not None:
            data = _with_length(data, 4 + _INTEGRITY_BYTES)
            signature = _hmac(password, data)
            data += struct.pack("!HH", MESSAGE_INTEGRITY, _INTEGRITY_BYTES) + signature
        data = _with_length(data, 8)
        return data + struct.pack("!HH", FINGERPRINT, 4) + _fingerprint(data)


def is_stun(data: bytes) -> bool:
    """Whether a datagram is STUN by its first byte and cookie (RFC 7983); costs no parse."""
    return len(data) >= HEADER_BYTES and data[0] < 4 and data[4:8] == b"\x21\x12\xa4\x42"


def receiving_ufrag(data: bytes) -> str | None:
    """Our user fragment in a request's USERNAME ``ours:theirs``: whose leg a check is for.

    Nothing is verified. None where the datagram is no well-formed message with such a name.
    """
    try:
        username = StunMessage.parse(data).username
    except StunError:
        return None
    if username is None or ":" not in username:
        return None
    return username.partition(":")[0]


def encode_xor_address(address: Address, transaction_id: bytes) -> bytes:
    """XOR-MAPPED-ADDRESS (RFC 8489 section 14.2).

    Args:
        address: IPv4 or IPv6 literal (a scope id is dropped) and port. An IPv4-mapped IPv6
            address is written as IPv4, which is what the peer knows itself by.
    Raises:
        ValueError: not an address.
    """
    ip = ipaddress.ip_address(address[0].partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    pad = struct.pack("!I", COOKIE) + transaction_id
    masked = bytes(octet ^ key for octet, key in zip(ip.packed, pad, strict=False))
    family = 1 if ip.version == 4 else 2
    return struct.pack("!BBH", 0, family, address[1] ^ (COOKIE >> 16)) + masked


def decode_xor_address(value: bytes, transaction_id: bytes) -> Address:
    """Read XOR-MAPPED-ADDRESS; raises StunError."""
    if len(value) not in (8, 20) or value[1] != (1 if len(value) == 8 else 2):
        raise StunError("not an address", "attribute")
    pad = struct.pack("!I", COOKIE) + transaction_id
    packed = bytes(octet ^ key for octet, key in zip(value[4:], pad, strict=False))
    port = int.from_bytes(value[2:4], "big") ^ (COOKIE >> 16)
    return str(ipaddress.ip_address(packed)), port


def _attribute_at(data: bytes, position: int) -> tuple[int, bytes]:
    if position + 4 > len(data):
        raise StunError("attribute is cut off", "attribute")
    attribute, length = struct.unpack_from("!HH", data, position)
    start = position + 4
    if start + length > len(data) or length != _LENGTHS.get(attribute, length):
        raise StunError(f"attribute {attribute:#06x} has a wrong length", "attribute")
    return attribute, data[start : start + length]


def _with_length(data: bytes, more: int) -> bytes:
    return data[:2] + struct.pack("!H", len(data) - HEADER_BYTES + more) + data[4:]


def _hmac(password: str, data: bytes) -> bytes:
    return hmac.digest(password.encode(), data, "sha1")


def _fingerprint(before: bytes) -> bytes:
    checksum = binascii.crc32(_with_length(before, 8)) ^ FINGERPRINT_XOR
    return struct.pack("!I", checksum)
