"""Messages out of a stream (RFC 3261 section 18.3): by Content-Length, several in one read.

Between messages there may be keep-alives (RFC 5626 section 4.4.1): two empty lines ask for one.
"""

import re

from signalling.sip.errors import SipError
from signalling.sip.normalise import MAX_HEADER_BYTES, MAX_MESSAGE_BYTES

PONG = b"\r\n"
"""The answer to a keep-alive."""

_END = b"\r\n\r\n"
_LENGTH = re.compile(
    rb"\r\n(?:content-length|l)[ \t]*:[ \t]*(?:\r\n[ \t]+)?([^\r\n]*)", re.IGNORECASE
)
_NUMBER = re.compile(rb"[0-9]{1,10}[ \t]*\Z")


class MessageStream:
    """Cuts what comes over one connection into messages.

    At most one message, ``MAX_MESSAGE_BYTES``, is kept. Cost: O(bytes), each looked at twice.
    ``pings`` counts keep-alives that want ``PONG``; whoever reads it sets it back.
    """

    def __init__(self) -> None:
        self.pings = 0
        self._data = bytearray()
        self._searched = 0

    @property
    def is_amid_message(self) -> bool:
        """Whether part of a message waits for the rest, which should not take long."""
        return bool(self._data)

    def receive(self, data: bytes) -> list[bytes]:
        """Take what was read; returns the messages that are complete.

        Raises:
            SipError: where the next message ends cannot be known. The connection is of no use any
                more; what was complete before is lost with it.
        """
        self._data += data
        messages = []
        while (message := self._next()) is not None:
            messages.append(message)
        return messages

    def _next(self) -> bytes | None:
        self._skip_empty_lines()
        end = self._data.find(_END, max(0, self._searched - len(_END)))
        if end < 0:
            self._searched = len(self._data)
            if len(self._data) > MAX_HEADER_BYTES:
                raise SipError("message", "has header fields without an end", 513)
            return None
        if end > MAX_HEADER_BYTES:
            raise SipError("message", "has too many bytes of header fields", 513)
        total = end + len(_END) + self._length(bytes(self._data[:end]))
        if total > MAX_MESSAGE_BYTES:
            raise SipError("Content-Length", "announces more than is taken", 513)
        if len(self._data) < total:
            return None
        message = bytes(self._data[:total])
        del self._data[:total]
        self._searched = 0
        return message

    def _skip_empty_lines(self) -> None:
        while self._data.startswith(b"\r\n"):
            if self._data.startswith(_END):
                self.pings += 1
                del self._data[:4]
            elif len(self._data) == 2 or not self._data.startswith(b"\r\n\r"):
                if len(self._data) == 2:
                    return  # perhaps half of a keep-alive
                del self._data[:2]
            else:
                return  # three of four bytes
            self._searched = 0

    def _length(self, head: bytes) -> int:
        values = {value.strip(b" \t") for value in _LENGTH.findall(head)}
        if len(values) != 1:
            raise SipError("Content-Length", "must be there once in a message of a stream")
        (value,) = values
        if not _NUMBER.match(value):
            raise SipError("Content-Length", "is not a number of bytes")
        return int(value)
