"""A room's floor control over real sockets: our participant, as an endpoint drives it."""

import asyncio
from collections.abc import Callable

from signalling.bfcp import BfcpClient, ClientEvent, HolderChanged, RequestChanged, RequestStatus
from signalling.sdp import MediaSection


class BfcpRoom:
    """Asks for the floor that a section of an answer tells of; repeats what nobody answers.

    Args:
        conference: another one than the section names, for somebody who guesses.

    Attributes:
        send: how messages leave. lost: the connection has ended.
    """

    def __init__(
        self, section: MediaSection, *, reliable: bool, conference: int | None = None
    ) -> None:
        self.clock = asyncio.get_running_loop().time
        number = int(section.attribute("confid") or "0") if conference is None else conference
        user = int(section.attribute("userid") or "0")
        self.client = BfcpClient(number, user, 1, reliable=reliable)
        self.events: list[ClientEvent] = []
        self.send: Callable[[bytes], object] = lambda data: None
        self.lost = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    @property
    def told(self) -> list[RequestStatus]:
        """What became of its requests."""
        return [event.status for event in self.events if isinstance(event, RequestChanged)]

    @property
    def others(self) -> list[str | None]:
        """Names of those who had the floor, None for nobody."""
        return [event.name for event in self.events if isinstance(event, HolderChanged)]

    def start(self) -> None:
        """Ask who has the floor."""
        self.client.start(self.clock())
        self.flush()

    def received(self, data: bytes) -> None:
        self.client.receive(data, self.clock())
        self.flush()

    def flush(self) -> None:
        for data in self.client.data_to_send():
            self.send(data)
        self.events += self.client.events()
        self._set_timer()

    def ask(self) -> None:
        self.client.request_floor(self.clock())
        self.flush()

    def give_back(self) -> None:
        self.client.release_floor(self.clock())
        self.flush()

    def close(self) -> None:
        """Nothing leaves any more. Idempotent."""
        self._is_closed = True
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        at = None if self._is_closed else self.client.next_timer()
        loop = asyncio.get_running_loop()
        self._timer = None if at is None else loop.call_at(at, self._due)

    def _due(self) -> None:
        self.client.handle_timer(self.clock())
        self.flush()


class Datagrams(asyncio.DatagramProtocol):
    """Hands a socket's datagrams to a room."""

    def __init__(self) -> None:
        self.room: BfcpRoom | None = None
        self.transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: object) -> None:
        if self.room is not None:
            self.room.received(data)

    def connection_lost(self, error: Exception | None) -> None:
        if self.room is not None:
            self.room.close()


class Stream(asyncio.Protocol):
    """Hands a connection's bytes to a room."""

    def __init__(self, room: BfcpRoom) -> None:
        self.room = room

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.room.send = transport.write  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.room.received(data)

    def connection_lost(self, error: Exception | None) -> None:
        self.room.close()
        self.room.lost.set()
