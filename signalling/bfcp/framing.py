"""Messages out of a stream: the header says how long each is (RFC 8855 section 6.1)."""

from signalling.bfcp.errors import BfcpError
from signalling.bfcp.header import HEADER_BYTES, MAX_PAYLOAD_BYTES, Header
from signalling.bfcp.registry import ErrorCode


class MessageStream:
    """Cuts what comes over one connection into messages.

    At most one message is kept beyond what one read brought. Cost: O(bytes).
    """

    def __init__(self) -> None:
        self._data = bytearray()

    @property
    def is_amid_message(self) -> bool:
        """Whether part of a message waits for the rest."""
        return bool(self._data)

    def add(self, data: bytes) -> None:
        """Take what was read."""
        self._data += data

    def next(self) -> tuple[Header, bytes] | None:
        """The next message's header and payload, None until it is complete.

        Raises:
            BfcpError: it announces more than is taken, which may be anything but BFCP: the
                connection is of no use any more.
        """
        if len(self._data) < HEADER_BYTES:
            return None
        header = Header.parse(self._data, reliable=True)
        if header.payload_bytes > MAX_PAYLOAD_BYTES:
            raise BfcpError(
                "header.length", f"{header.payload_bytes} bytes are too many", ErrorCode.BAD_LENGTH
            )
        total = HEADER_BYTES + header.payload_bytes
        if len(self._data) < total:
            return None
        payload = bytes(self._data[HEADER_BYTES:total])
        del self._data[:total]
        return header, payload
