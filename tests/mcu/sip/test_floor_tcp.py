"""Connections of floor control, on loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mcu.sip.floor_line import FloorNames
from mcu.sip.floor_tcp import MAX_UNPROVEN, FloorConnections
from signalling.bfcp.header import Header
from tests.peers.sip_wire import StreamPeer, tcp_peer, tcp_server
from tests.peers.waiting import until

HOST = "127.0.0.1"
NAMES = FloorNames(9, 5)
HELLO = bytes(Header(1, 11, 9, 1, 5, 0))
OTHER = bytes(Header(1, 11, 9, 1, 6, 0))


class End:
    """See ``FloorEnd``."""

    def __init__(self) -> None:
        self.happened: list[str] = []
        self.got = b""
        self.refuses = False

    def connected(self) -> None:
        self.happened.append("connected")

    def heard(self, data: bytes, now: float) -> bool:
        self.got += data
        return not self.refuses

    def disconnected(self) -> None:
        self.happened.append("disconnected")


@asynccontextmanager
async def listening(
    host: str = HOST, *, elsewhere: bool = True
) -> AsyncIterator[tuple[FloorConnections, End, int]]:
    loop = asyncio.get_running_loop()
    listener = socket.create_server((HOST, 0))
    listener.setblocking(False)
    end = End()
    line = FloorConnections(
        loop, listener, end, NAMES, (host, 9), elsewhere=elsewhere, clock=loop.time
    )
    try:
        yield line, end, listener.getsockname()[1]
    finally:
        line.close()
        line.close()
        listener.close()


async def test_a_connection_is_the_peers_once_it_has_said_so() -> None:
    async with listening() as (line, end, port), tcp_peer(port) as peer:
        line.send(b"too early")
        peer.write(HELLO[:5])
        peer.write(HELLO[5:])
        await until(lambda: end.got == HELLO)
        assert end.happened == ["connected"]
        line.send(b"answer")
        assert await peer.reader.readexactly(6) == b"answer"
        peer.writer.close()
        await until(lambda: end.happened == ["connected", "disconnected"])


async def test_who_names_another_number_is_left() -> None:
    async with listening() as (_, end, port), tcp_peer(port) as peer:
        peer.write(OTHER)
        assert await peer.is_left()
        assert end.happened == []


async def test_a_strict_site_takes_the_announced_host_alone() -> None:
    async with listening("192.0.2.7", elsewhere=False) as (_, end, port), tcp_peer(port) as peer:
        assert await peer.is_left()
        assert end.happened == []


async def test_the_latest_counts() -> None:
    async with listening() as (line, end, port), tcp_peer(port) as old, tcp_peer(port) as new:
        old.write(HELLO)
        await until(lambda: end.got == HELLO)
        new.write(HELLO)
        await until(lambda: end.got == 2 * HELLO)
        assert await old.is_left()
        line.send(b"x")
        assert await new.reader.readexactly(1) == b"x"
        assert end.happened == ["connected", "connected"]


async def test_silent_connections_are_few() -> None:
    async with listening() as (_, end, port):
        peers = [StreamPeer(*await asyncio.open_connection(HOST, port)) for _ in range(8)]
        left = [asyncio.create_task(peer.is_left()) for peer in peers]
        await until(lambda: sum(one.done() for one in left) == len(peers) - MAX_UNPROVEN)
        for peer in peers:
            await peer.close()
        await asyncio.gather(*left)
        assert end.happened == []


async def test_what_is_no_bfcp_ends_it() -> None:
    async with listening() as (_, end, port), tcp_peer(port) as peer:
        end.refuses = True
        peer.write(HELLO)
        assert await peer.is_left()
        assert end.happened == ["connected", "disconnected"]


async def test_a_flood_is_read_no_faster_than_it_may_come() -> None:
    async with listening() as (_, end, port), tcp_peer(port) as peer:
        peer.write(HELLO * 40_000)
        await until(lambda: len(end.got) > 200_000)
        assert len(end.got) < 40_000 * len(HELLO)


async def test_we_connect_and_again_when_it_was_lost() -> None:
    loop = asyncio.get_running_loop()
    async with tcp_server() as (port, peers):
        end = End()
        line = FloorConnections(
            loop, None, end, NAMES, (HOST, port), elsewhere=False, clock=loop.time
        )
        first = await peers.get()
        await until(lambda: end.happened == ["connected"])
        line.send(b"query")
        assert await first.reader.readexactly(5) == b"query"
        first.write(HELLO)
        await until(lambda: end.got == HELLO)
        await first.close()
        second = await peers.get()
        await until(lambda: end.happened == ["connected", "disconnected", "connected"])
        line.announce((HOST, port), loop.time())
        third = await peers.get()
        assert await second.is_left()
        line.close()
        assert await third.is_left()
