"""Server-sent events out of bytes as they come (HTML standard, section 9.2.6)."""

import re

MAX_EVENT_BYTES = 8 * 1024 * 1024
"""More than any event of the daemon; a stream that goes beyond it is not one of ours."""

_LINE_END = re.compile(rb"\r\n|\n|\r")


class EventParser:
    """Takes chunks of any size, gives the data of each event once it is complete.

    Comments, ``id``, ``event`` and ``retry`` are of no use to a room and left out: what an event
    is stands in its data too.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[str] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[str]:
        """Give the data of the events that this chunk completes.

        Raises:
            ValueError: an event is larger than ``MAX_EVENT_BYTES`` or no UTF-8.
        """
        buffer = self._rest + chunk
        events: list[str] = []
        start = 0
        for end in _LINE_END.finditer(buffer, len(self._rest) - 1 if self._rest else 0):
            if end[0] == b"\r" and end.end() == len(buffer):
                break  # the other half of the line's end may be in the next chunk
            self._take(buffer[start : end.start()], events)
            start = end.end()
        self._rest = buffer[start:]
        if self._size + len(self._rest) > MAX_EVENT_BYTES:
            raise ValueError(f"an event is longer than {MAX_EVENT_BYTES} bytes")
        return events

    def _take(self, line: bytes, events: list[str]) -> None:
        if not line:
            if self._data:
                events.append("\n".join(self._data))
            self._data, self._size = [], 0
            return
        field, _, value = line.partition(b":")
        if field == b"data":
            self._size += len(value)
            self._data.append(value.removeprefix(b" ").decode())
