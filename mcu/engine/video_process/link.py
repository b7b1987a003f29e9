"""Messages over a stream socket between the daemon and a video process it started."""

import asyncio
import pickle
from collections.abc import Callable
from typing import Any, Final, cast

LENGTH_BYTES: Final = 4
BACKLOG_BYTES: Final = 8 << 20
"""More waits to be sent only when the other side stands still."""


class Link(asyncio.Protocol):
    """One end. Nothing here blocks.

    Args:
        received: called with each message. lost: called once when the other side is gone.
    """

    def __init__(self, received: Callable[[Any], None], lost: Callable[[], None]) -> None:
        self._received = received
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()

    @property
    def congested(self) -> bool:
        """Whether the other side does not keep up, so that what can be left out should be."""
        transport = self._transport
        return transport is not None and transport.get_write_buffer_size() > BACKLOG_BYTES

    def send(self, message: object) -> None:
        """Send, or drop it when there is nobody any more."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        transport.write(len(data).to_bytes(LENGTH_BYTES, "little") + data)

    def close(self) -> None:
        """Close after what was sent. Idempotent."""
        if self._transport is not None:
            self._transport.close()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Cut messages out of the stream."""
        buffer = self._buffer
        buffer += data
        at = 0
        while len(buffer) - at >= LENGTH_BYTES:
            begins = at + LENGTH_BYTES
            ends = begins + int.from_bytes(buffer[at:begins], "little")
            if len(buffer) < ends:
                break
            at = ends
            # Both ends are this program under one user: pickle opens no door that was shut.
            self._received(pickle.loads(bytes(buffer[begins:ends])))  # noqa: S301
        del buffer[:at]

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner."""
        self._transport = None
        self._lost()
