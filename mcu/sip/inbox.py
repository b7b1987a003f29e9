"""Messages that came and wait for their turn; bounded, so that a flood costs nothing but itself."""

from collections import deque
from typing import Final

from signalling.sip import Hop

MAX_WAITING: Final = 2_000
MAX_WAITING_BYTES: Final = 8 << 20


class Inbox:
    """First come, first served."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[bytes, Hop]] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, data: bytes, source: Hop) -> bool:
        """Take a message; False where so much waits already that it is left out."""
        if len(self._waiting) >= MAX_WAITING or self._bytes >= MAX_WAITING_BYTES:
            return False
        self._waiting.append((data, source))
        self._bytes += len(data)
        return True

    def take(self) -> tuple[bytes, Hop]:
        """The message that has waited longest; there must be one."""
        data, source = self._waiting.popleft()
        self._bytes -= len(data)
        return data, source
