"""Floor control over TCP: one connection at a time, which the peer or we open (RFC 4145).

The latest counts: a device that restarted, or found another way, connects anew before its old
connection is known to be dead.
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final, cast

import structlog

from mcu.backoff import Backoff
from mcu.media.latch import Elsewhere, may_be_at
from mcu.sip.floor_line import MESSAGES_PER_S, FloorEnd, FloorNames, Pace
from mcu.sip.stream import KEEP_ALIVE, plain_address
from signalling.bfcp.header import HEADER_BYTES
from signalling.offer_answer.agreement import Address

READ_BYTES: Final = 2_048
"""Read in one go: at most 170 messages."""
PROVE_S: Final = 10.0
"""Until then a connection has to say whose it is."""
MAX_UNPROVEN: Final = 4
CONNECT_S: Final = 5.0
AGAIN_S: Final = (1.0, 30.0)
"""First and longest pause before the peer is connected to again."""
MAX_UNSENT_BYTES: Final = 1 << 18

log = structlog.get_logger(__name__)


class FloorConnections:
    """See ``FloorLine``.

    Args:
        listener: for the peer to connect to; not owned, to be closed after the line. None: we
            connect to ``remote``.
        elsewhere: the site lets the peer come from another host than it has announced.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        listener: socket.socket | None,
        end: FloorEnd,
        names: FloorNames,
        remote: Address | None,
        *,
        elsewhere: Elsewhere,
        clock: Callable[[], float],
    ) -> None:
        self.names = names
        self.clock = clock
        self.loop = loop
        self._listener = listener
        self._end = end
        self._remote = remote
        self._elsewhere = elsewhere
        self._current: Connection | None = None
        self._unproven: set[Connection] = set()
        self._is_closed = False
        self._opener: asyncio.Task[None] | None = None
        if listener is None:
            self._opener = loop.create_task(self._keep_open())
        else:
            loop.add_reader(listener.fileno(), self._accept)

    def send(self, data: bytes) -> None:
        """See ``FloorLine``."""
        if self._current is not None:
            self._current.send(data)

    def announce(self, remote: Address | None, now: float) -> None:
        """See ``FloorLine``."""
        self._remote = remote
        if self._opener is not None:
            self._opener.cancel()
            self._opener = self.loop.create_task(self._keep_open())

    def close(self) -> None:
        """See ``FloorLine``."""
        self._is_closed = True
        if self._opener is not None:
            self._opener.cancel()
        if self._listener is not None and self._listener.fileno() >= 0:
            self.loop.remove_reader(self._listener.fileno())
        for connection in (*self._unproven, *([self._current] if self._current else ())):
            connection.close()
        self._unproven.clear()
        self._current = None

    # Of connections

    def made(self, connection: "Connection", *, is_ours: bool) -> None:
        """It stands."""
        if self._is_closed:
            connection.close()
        elif is_ours:
            self.proven(connection)
        elif len(self._unproven) >= MAX_UNPROVEN:
            connection.close()
        else:
            self._unproven.add(connection)

    def proven(self, connection: "Connection") -> None:
        """It is the peer's: those before it are over."""
        self._unproven.discard(connection)
        before, self._current = self._current, connection
        if before is not None:
            before.close()
        self._end.connected()

    def heard(self, connection: "Connection", data: bytes) -> None:
        """Bytes of a proven one."""
        if connection is self._current and not self._end.heard(data, self.clock()):
            connection.close()
            self.lost(connection)

    def lost(self, connection: "Connection") -> None:
        """It has ended."""
        self._unproven.discard(connection)
        if connection is self._current:
            self._current = None
            self._end.disconnected()

    # Inside

    def _accept(self) -> None:
        assert self._listener is not None  # noqa: S101 only then it is read
        try:
            accepted, address = self._listener.accept()
        except OSError:
            return  # it went before it was taken, or no descriptor is left
        host = plain_address(str(address[0]))
        announced = None if self._remote is None else self._remote[0]
        is_wanted = host == announced or may_be_at(host, self._elsewhere)
        if len(self._unproven) >= MAX_UNPROVEN or not is_wanted:
            accepted.close()
            return
        accepted.setblocking(False)
        task = self.loop.create_task(
            self.loop.connect_accepted_socket(lambda: Connection(self, is_ours=False), accepted)
        )
        task.add_done_callback(_taken)

    async def _keep_open(self) -> None:
        """Connect, and again when the connection has ended."""
        backoff = Backoff(*AGAIN_S)
        while self._remote is not None:
            try:
                async with asyncio.timeout(CONNECT_S):
                    connection = await self._connect(self._remote)
            except OSError as error:  # TimeoutError is one
                log.info("floor_unreachable", remote=self._remote, reason=str(error))
            else:
                try:
                    await connection.ended.wait()
                finally:
                    connection.close()
                    self.lost(connection)
            await asyncio.sleep(backoff.next_s())

    async def _connect(self, remote: Address) -> "Connection":
        made = await self.loop.create_connection(lambda: Connection(self, is_ours=True), *remote)
        return made[1]


def _taken(task: "asyncio.Task[object]") -> None:
    if not task.cancelled() and task.exception() is not None:
        log.info("floor_connection_failed", reason=str(task.exception()))


class Connection(asyncio.BufferedProtocol):
    """One connection; ``ended`` is set when it is over."""

    def __init__(self, owner: FloorConnections, *, is_ours: bool) -> None:
        self.ended = asyncio.Event()
        self._owner = owner
        self._is_ours = is_ours
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray(READ_BYTES)
        self._begun = bytearray()
        self._is_proven = is_ours
        self._pace = Pace(owner.clock())
        self._timer: asyncio.TimerHandle | None = None

    def send(self, data: bytes) -> None:
        """Write; a peer that does not read is left."""
        transport = self._transport
        if transport is None:
            return
        transport.write(data)
        if transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            transport.abort()

    def close(self) -> None:
        """Leave. Idempotent."""
        self._stop_timer()
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    # asyncio.BufferedProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio``."""
        self._transport = cast(asyncio.Transport, transport)
        sock = transport.get_extra_info("socket")
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for name, value in KEEP_ALIVE:
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        if not self._is_ours:
            self._timer = self._owner.loop.call_later(PROVE_S, self._give_up)
        self._owner.made(self, is_ours=self._is_ours)

    def get_buffer(self, sizehint: int) -> bytearray:
        """See ``asyncio``."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """See ``asyncio``."""
        if self._transport is None:
            return
        data = bytes(memoryview(self._buffer)[:nbytes])
        if not self._is_proven:
            self._begun += data
            if len(self._begun) < HEADER_BYTES:
                return
            data = bytes(self._begun)
            self._begun.clear()
            if not self._owner.names.are_in(data, reliable=True):
                self._give_up()
                return
            self._is_proven = True
            self._stop_timer()
            self._owner.proven(self)
        self._owner.heard(self, data)
        if not self._pace.passes(self._owner.clock()):
            self._wait()

    def eof_received(self) -> bool:
        """See ``asyncio``: nothing is left to be said."""
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """See ``asyncio``."""
        self._stop_timer()
        self._transport = None
        self.ended.set()
        self._owner.lost(self)

    # Inside

    def _wait(self) -> None:
        """Do not read for a while: TCP slows the peer down."""
        transport = self._transport
        if transport is None:
            return
        transport.pause_reading()
        self._timer = self._owner.loop.call_later(1.0 / MESSAGES_PER_S, transport.resume_reading)

    def _give_up(self) -> None:
        self.close()
        self._owner.lost(self)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
