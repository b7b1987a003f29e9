"""COMMON-HEADER: the first 12 bytes of a message, or 16 of a fragment (RFC 8855 section 5.1)."""

import struct
from collections.abc import Collection
from dataclasses import dataclass

from signalling.bfcp.errors import BfcpError
from signalling.bfcp.registry import VERSIONS, ErrorCode

HEADER_BYTES = 12
FRAGMENT_HEADER_BYTES = 16
WORD_BYTES = 4
"""Lengths on the wire count words of four bytes."""

MAX_PAYLOAD_BYTES = 16_384
"""Longest message taken or written, without header: 64 requests with everything in them."""

_FIXED = struct.Struct("!BBHIHH")
_FRAGMENT = struct.Struct("!HH")
_RESPONDER = 0x10
_FRAGMENTED = 0x08


@dataclass(frozen=True, slots=True)
class Header:
    """COMMON-HEADER.

    Args:
        primitive: a number of ``Primitive``, or one that is not known.
        payload_bytes: length of the whole message without header, a multiple of 4.
        responder: R: this answers a request. Without meaning over reliable transports.
        fragment: offset and length of this fragment in bytes, multiples of 4; None: not one.
    """

    version: int
    primitive: int
    conference: int
    transaction: int
    user: int
    payload_bytes: int
    responder: bool = False
    fragment: tuple[int, int] | None = None

    @property
    def header_bytes(self) -> int:
        """How long this header is itself."""
        return HEADER_BYTES if self.fragment is None else FRAGMENT_HEADER_BYTES

    @classmethod
    def parse(cls, data: bytes | bytearray, *, reliable: bool) -> "Header":
        """Read the start of a message; what follows it is not looked at.

        Args:
            reliable: it came over TCP: the flags R and F mean nothing then.

        Raises:
            BfcpError: too short. Any version is taken, so that it can be answered (see
                ``check_version``).
        """
        if len(data) < HEADER_BYTES:
            raise BfcpError("header", "is cut short", ErrorCode.BAD_LENGTH)
        first, primitive, words, conference, transaction, user = _FIXED.unpack_from(data)
        version = first >> 5
        fragment = None
        if first & _FRAGMENTED and not reliable:
            if len(data) < FRAGMENT_HEADER_BYTES:
                raise BfcpError("header.fragment", "is cut short", ErrorCode.BAD_LENGTH)
            offset, length = _FRAGMENT.unpack_from(data, HEADER_BYTES)
            fragment = (offset * WORD_BYTES, length * WORD_BYTES)
        responder = bool(first & _RESPONDER) and not reliable
        payload = words * WORD_BYTES
        return cls(version, primitive, conference, transaction, user, payload, responder, fragment)

    def check_version(self, allowed: Collection[int] = VERSIONS) -> None:
        """See to it that the version is one that may come here.

        Raises:
            BfcpError.
        """
        if self.version not in allowed:
            raise BfcpError(
                "header.version",
                f"{self.version} is not supported here",
                ErrorCode.UNSUPPORTED_VERSION,
            )

    def __bytes__(self) -> bytes:
        flags = self.version << 5
        if self.responder:
            flags |= _RESPONDER
        if self.fragment is not None:
            flags |= _FRAGMENTED
        words = self.payload_bytes // WORD_BYTES
        head = _FIXED.pack(
            flags, self.primitive, words, self.conference, self.transaction, self.user
        )
        if self.fragment is None:
            return head
        offset, length = self.fragment
        return head + _FRAGMENT.pack(offset // WORD_BYTES, length // WORD_BYTES)
