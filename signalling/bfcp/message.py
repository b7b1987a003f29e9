"""Whole messages: a header and what its primitive has (RFC 8855 section 5)."""

from dataclasses import dataclass

from signalling.bfcp.attributes import AttributeReader
from signalling.bfcp.bodies import BODIES, Body
from signalling.bfcp.errors import BfcpError
from signalling.bfcp.header import MAX_PAYLOAD_BYTES, Header
from signalling.bfcp.registry import RELIABLE_VERSION, ErrorCode, Primitive


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Args:
        transaction: 0 only in what a server sends by itself over a reliable transport.
        responder: R: an answer; always False over reliable transports.
    """

    conference: int
    transaction: int
    user: int
    body: Body
    responder: bool = False
    version: int = RELIABLE_VERSION

    @property
    def primitive(self) -> Primitive:
        """What it is."""
        return self.body.primitive

    def __bytes__(self) -> bytes:
        """The message in one piece.

        Raises:
            BfcpError: a value does not fit.
        """
        payload = bytes(self.body)
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise BfcpError("header.length", f"{len(payload)} bytes are too many")
        for value, bits, field in (
            (self.conference, 32, "conference"),
            (self.transaction, 16, "transaction"),
            (self.user, 16, "user"),
        ):
            if not 0 <= value < 1 << bits:
                raise BfcpError(f"header.{field}", f"{value} is not a number of {bits} bits")
        header = Header(
            self.version,
            self.primitive,
            self.conference,
            self.transaction,
            self.user,
            len(payload),
            self.responder,
        )
        return bytes(header) + payload


def parse_message(data: bytes, *, reliable: bool = False) -> Message:
    """Read a message that is whole: one datagram, or one message of a stream.

    Raises:
        BfcpError: among others for a fragment (see ``fragments``) and a wrong length.
    Cost: O(bytes).
    """
    header = Header.parse(data, reliable=reliable)
    if header.fragment is not None:
        raise BfcpError("header.fragment", "is not a whole message", ErrorCode.BAD_LENGTH)
    return read_body(header, data[header.header_bytes :])


def read_body(header: Header, payload: bytes) -> Message:
    """Read what follows a header.

    Raises:
        BfcpError.
    """
    header.check_version()
    if len(payload) != header.payload_bytes or len(payload) > MAX_PAYLOAD_BYTES:
        raise BfcpError("header.length", f"{len(payload)} bytes follow", ErrorCode.BAD_LENGTH)
    kind = BODIES.get(header.primitive)
    if kind is None:
        raise BfcpError(
            "header.primitive", f"{header.primitive} is unknown", ErrorCode.UNKNOWN_PRIMITIVE
        )
    reader = AttributeReader()
    attributes = reader.read(payload, Primitive(header.primitive).name)
    body = kind.read(reader, attributes)
    reader.finish()
    return Message(
        header.conference,
        header.transaction,
        header.user,
        body,
        header.responder,
        header.version,
    )
