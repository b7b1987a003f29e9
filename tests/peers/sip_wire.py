"""An endpoint on loopback, and a peer that writes its SIP messages by hand."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from mcu.sip.endpoint import SipEndpoint
from mcu.sip.lookup import Names, Naptr, Server
from mcu.sip.settings import EndpointSettings
from signalling.sip import (
    AgentSettings,
    CallReceived,
    DigestVerifier,
    Event,
    Hop,
    Listener,
    MediaOffered,
    MessageStream,
    Registrar,
    UserAgent,
)

FILLED_IN = AgentSettings((Listener("udp", "127.0.0.1", 0),))
"""Listeners are put in by the endpoint."""
ANSWER = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 9 RTP/AVP 0\r\na=inactive\r\n"
)


class NoNames(Names):
    """Nothing is known by name; ``is_silent``: because nobody answers."""

    is_silent = False

    async def naptr(self, name: str) -> Sequence[Naptr]:
        return ()

    async def servers(self, name: str) -> Sequence[Server]:
        return ()

    async def addresses(self, name: str) -> Sequence[str]:
        return ()


@dataclass
class Room:
    """Takes the events of an endpoint; calls that come are answered as it was told.

    Args:
        refuse: the status they are refused with; 0: they are accepted.
    """

    refuse: int = 0
    answer: bytes = ANSWER
    events: list[Event] = field(default_factory=list)
    endpoint: SipEndpoint | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, event: Event, now: float) -> None:
        self.events.append(event)
        self.changed.set()
        agent: UserAgent = self.endpoint.agent if self.endpoint else None  # type: ignore[assignment]
        if isinstance(event, CallReceived):
            if self.refuse:
                agent.reject(event.call, self.refuse, now)
            else:
                agent.ring(event.call, now)
                agent.accept(event.call, self.answer, now)
        elif isinstance(event, MediaOffered):
            agent.answer_media(event.call, self.answer, now)

    async def until(self, reached: Callable[[list[Event]], bool]) -> None:
        """Wait until the events are as expected; the test's timeout ends it."""
        while not reached(self.events):
            self.changed.clear()
            await self.changed.wait()


@asynccontextmanager
async def endpoint(
    settings: EndpointSettings | None = None,
    agent: AgentSettings = FILLED_IN,
    *,
    room: Room | None = None,
    names: Names | None = None,
    verifier: DigestVerifier | None = None,
    registrar: Registrar | None = None,
    clock: Callable[[], float] | None = None,
) -> AsyncIterator[SipEndpoint]:
    """An endpoint at 127.0.0.1 unless told otherwise, closed in the end."""
    room = room or Room()
    more = {} if clock is None else {"clock": clock}
    found = SipEndpoint(
        settings or EndpointSettings("127.0.0.1"),
        agent,
        room,
        names=names or NoNames(),
        verifier=verifier,
        registrar=registrar,
        **more,
    )
    room.endpoint = found
    await found.open()
    try:
        yield found
    finally:
        await found.close()


def port_of(found: SipEndpoint, transport: str) -> int:
    """The port that the system chose."""
    return next(one.port for one in found.listeners if one.transport == transport)


def options(
    number: int = 1,
    *,
    via: str = "SIP/2.0/UDP 127.0.0.1:5999",
    extra: str = "",
    body: str = "",
    branch: str | None = None,
) -> bytes:
    """A request that is answered 200."""
    return (
        f"OPTIONS sip:mcu@127.0.0.1 SIP/2.0\r\n"
        f"Via: {via};branch={branch or f'z9hG4bK{number}'};rport\r\n"
        f"From: <sip:peer@127.0.0.1>;tag=peer\r\nTo: <sip:mcu@127.0.0.1>\r\n"
        f"Call-ID: call-{number}\r\nCSeq: {number} OPTIONS\r\nMax-Forwards: 70\r\n{extra}"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def of_call(
    method: str,
    user: str,
    *,
    transport: str = "TCP",
    number: int = 1,
    body: str = "",
    fields: str = "",
) -> bytes:
    """INVITE of a stranger, or what belongs to its transaction: CANCEL, or the ACK of a refusal."""
    kind = "Content-Type: application/sdp\r\n" if body else ""
    return (
        f"{method} sip:{user}@127.0.0.1 SIP/2.0\r\n"
        f"Via: SIP/2.0/{transport} 127.0.0.1:5999;branch=z9hG4bKc{number};rport\r\n"
        f"From: <sip:peer@127.0.0.1>;tag=peer\r\nTo: <sip:{user}@127.0.0.1>\r\n"
        f"Call-ID: of-call-{number}\r\nCSeq: 1 {method}\r\n"
        f"Contact: <sip:peer@127.0.0.1:5999;transport={transport.lower()}>\r\n"
        f"Max-Forwards: 70\r\n{fields}{kind}Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


class UdpPeer(asyncio.DatagramProtocol):
    """A socket whose datagrams wait to be read."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.DatagramTransport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self.received.put_nowait((data, address))

    @property
    def port(self) -> int:
        return int(self.transport.get_extra_info("sockname")[1])

    @property
    def hop(self) -> Hop:
        return Hop("udp", self.transport.get_extra_info("sockname")[0], self.port)


@asynccontextmanager
async def udp_peer(host: str = "127.0.0.1") -> AsyncIterator[UdpPeer]:
    """A peer over UDP."""
    loop = asyncio.get_running_loop()
    transport, peer = await loop.create_datagram_endpoint(UdpPeer, (host, 0))
    try:
        yield peer
    finally:
        transport.close()


class StreamPeer:
    """A peer over TCP or TLS."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._framing = MessageStream()
        self._messages: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    async def message(self) -> bytes:
        """The next message; EOFError where the other side has left."""
        while not self._messages:
            data = await self.reader.read(65_536)
            if not data:
                raise EOFError
            self._messages = self._framing.receive(data)
        return self._messages.pop(0)

    async def is_left(self) -> bool:
        """Wait until the other side has left."""
        try:
            return await self.reader.read(1) == b""
        except ConnectionError:
            return True

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError, OSError):
            await self.writer.wait_closed()


@asynccontextmanager
async def tcp_peer(port: int, host: str = "127.0.0.1", **how: object) -> AsyncIterator[StreamPeer]:
    """A connection to an endpoint."""
    peer = StreamPeer(*await asyncio.open_connection(host, port, **how))  # type: ignore[arg-type]
    try:
        yield peer
    finally:
        await peer.close()


@asynccontextmanager
async def tcp_server(
    port: int = 0, **how: object
) -> AsyncIterator[tuple[int, asyncio.Queue[StreamPeer]]]:
    """Somebody who takes connections: the port, and each connection as it comes."""
    peers: asyncio.Queue[StreamPeer] = asyncio.Queue()
    taken: list[StreamPeer] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(StreamPeer(reader, writer))
        peers.put_nowait(taken[-1])

    server = await asyncio.start_server(take, "127.0.0.1", port, **how)  # type: ignore[arg-type]
    try:
        yield server.sockets[0].getsockname()[1], peers
    finally:
        server.close()
        for peer in taken:
            await peer.close()
