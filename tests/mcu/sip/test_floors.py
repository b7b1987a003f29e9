"""Floor control of calls: rooms that ask for the presentation by UDP and TCP on loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mcu.conference.commands import StartPresentation, StopPresentation
from signalling.bfcp import (
    BfcpClient,
    ClientEvent,
    HolderChanged,
    RequestChanged,
    RequestStatus,
)
from signalling.sdp import MediaSection, SessionDescription
from signalling.sip import CallAnswered, CallId
from tests.peers.sip_stage import ACTOR, Stage, description, stage
from tests.peers.waiting import until as until_every

S = RequestStatus


async def until(condition: Callable[[], bool]) -> None:
    """Leave the loop free meanwhile: there is a store behind it."""
    await until_every(condition, 0.01)


class Room:
    """A room's BFCP: a client over a datagram socket or a connection.

    Args:
        names: another conference than the server told, for somebody who guesses.
    """

    def __init__(self, section: MediaSection, *, reliable: bool, names: int | None = None) -> None:
        clock = asyncio.get_running_loop().time
        self.clock = clock
        confid = int(section.attribute("confid") or "0") if names is None else names
        userid = int(section.attribute("userid") or "0")
        self.client = BfcpClient(confid, userid, 1, reliable=reliable)
        self.events: list[ClientEvent] = []
        self.send: Callable[[bytes], object] = lambda data: None
        self.lost = asyncio.Event()

    @property
    def told(self) -> list[RequestStatus]:
        return [event.status for event in self.events if isinstance(event, RequestChanged)]

    def received(self, data: bytes) -> None:
        self.client.receive(data, self.clock())
        self.flush()

    def flush(self) -> None:
        for data in self.client.data_to_send():
            self.send(data)
        self.events += self.client.events()

    def ask(self) -> None:
        self.client.request_floor(self.clock())
        self.flush()

    def give_back(self) -> None:
        self.client.release_floor(self.clock())
        self.flush()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.room: Room | None = None

    def datagram_received(self, data: bytes, addr: object) -> None:
        if self.room is not None:
            self.room.received(data)


class _Stream(asyncio.Protocol):
    def __init__(self, room: Room) -> None:
        self.room = room

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.room.send = transport.write  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.room.received(data)

    def connection_lost(self, error: Exception | None) -> None:
        self.room.lost.set()


def offer(protocol: str, port: int, *lines: str) -> bytes:
    section = [f"m=application {port} {protocol} *", *(f"a={line}" for line in lines)]
    return description(40_000, *section)


def floor_of(found: Stage) -> MediaSection:
    answered = [event for event in found.room.events if isinstance(event, CallAnswered)][-1]
    media = SessionDescription.parse(answered.sdp.decode()).media
    return next(one for one in media if one.kind == "application")


async def dialled(found: Stage, conference: str, sdp: bytes) -> CallId:
    before = sum(isinstance(one, CallAnswered) for one in found.room.events)
    there = list(found.states(conference).values()).count("connected")
    call = found.dial(conference, sdp)
    await found.room.until(
        lambda events: sum(isinstance(one, CallAnswered) for one in events) > before
    )
    await until(lambda: list(found.states(conference).values()).count("connected") > there)
    return call


@asynccontextmanager
async def over_udp(found: Stage, conference: str, guess: int | None = None) -> AsyncIterator[Room]:
    loop = asyncio.get_running_loop()
    transport, datagrams = await loop.create_datagram_endpoint(_Datagrams, ("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    call = await dialled(found, conference, offer("UDP/BFCP", port, "floorctrl:c-only"))
    section = floor_of(found)
    room = datagrams.room = Room(section, reliable=False, names=guess)
    room.call = call  # type: ignore[attr-defined]
    room.send = lambda data: transport.sendto(data, ("127.0.0.1", section.port))
    room.client.start(room.clock())
    room.flush()
    try:
        yield room
    finally:
        transport.close()


@asynccontextmanager
async def over_tcp(found: Stage, conference: str, guess: int | None = None) -> AsyncIterator[Room]:
    """A room that opens the connection."""
    loop = asyncio.get_running_loop()
    sdp = offer("TCP/BFCP", 9, "floorctrl:c-only", "setup:actpass", "connection:new")
    call = await dialled(found, conference, sdp)
    section = floor_of(found)
    assert (section.attribute("setup"), section.attribute("connection")) == ("passive", "new")
    room = Room(section, reliable=True, names=guess)
    room.call = call  # type: ignore[attr-defined]
    transport, _ = await loop.create_connection(lambda: _Stream(room), "127.0.0.1", section.port)
    room.client.start(room.clock())
    room.flush()
    try:
        yield room
    finally:
        transport.close()


@asynccontextmanager
async def over_tcp_of_ours(
    found: Stage, conference: str, guess: int | None = None
) -> AsyncIterator[Room]:
    """A room that lets us open the connection."""
    loop = asyncio.get_running_loop()
    rooms: list[Room] = []
    connected = asyncio.Event()
    section: list[MediaSection] = []

    def made() -> _Stream:
        rooms.append(Room(section[0], reliable=True, names=guess))
        connected.set()
        return _Stream(rooms[-1])

    server = await loop.create_server(made, "127.0.0.1", 0, start_serving=False)
    port = server.sockets[0].getsockname()[1]
    sdp = offer("TCP/BFCP", port, "floorctrl:c-only", "setup:passive", "connection:new")
    call = await dialled(found, conference, sdp)
    section.append(floor_of(found))
    assert section[0].port == 9
    await server.start_serving()
    try:
        async with asyncio.timeout(20):
            await connected.wait()
        room = rooms[0]
        room.call = call  # type: ignore[attr-defined]
        await until(lambda: room.send.__name__ == "write")
        room.client.start(room.clock())
        room.flush()
        yield room
    finally:
        server.close()


WAYS = pytest.mark.parametrize("way", [over_udp, over_tcp, over_tcp_of_ours])


def presenter(found: Stage, conference: str) -> str | None:
    return found.conferences.get(conference).presenter


@WAYS
async def test_a_room_asks_and_presents_until_it_gives_it_back(tmp_path: Path, way) -> None:  # type: ignore[no-untyped-def]
    async with stage(tmp_path) as found:
        conference = await found.start()
        async with way(found, conference) as room:
            (guest,) = found.states(conference)
            room.ask()
            await until(lambda: room.client.has_floor)
            assert presenter(found, conference) == guest
            room.give_back()
            await until(lambda: presenter(found, conference) is None)
            assert room.told == [S.PENDING, S.GRANTED, S.RELEASED]


@WAYS
async def test_who_loses_the_token_is_told(tmp_path: Path, way) -> None:  # type: ignore[no-untyped-def]
    async with stage(tmp_path) as found:
        conference = await found.start()
        async with way(found, conference) as room:
            room.ask()
            await until(lambda: room.client.has_floor)
            await found.conferences.execute(conference, StopPresentation(), ACTOR)
            await until(lambda: room.told[-1] is S.REVOKED)
            assert not room.client.has_floor


@WAYS
async def test_a_call_that_ends_gives_it_back(tmp_path: Path, way) -> None:  # type: ignore[no-untyped-def]
    async with stage(tmp_path) as found:
        conference = await found.start()
        async with way(found, conference) as room:
            room.ask()
            await until(lambda: room.client.has_floor)
            found.phone.do(lambda agent, now: agent.hang_up(room.call, now))
            await until(lambda: presenter(found, conference) is None)
            await until(lambda: not found.acceptor.legs)


@pytest.mark.parametrize("take_over", [False, True])
async def test_two_rooms_wait_or_take_it(tmp_path: Path, take_over: bool) -> None:
    async with stage(tmp_path, take_over=take_over) as found:
        conference = await found.start()
        async with over_udp(found, conference) as one, over_tcp(found, conference) as other:
            one.ask()
            await until(lambda: one.client.has_floor)
            other.ask()
            if take_over:
                await until(lambda: other.client.has_floor)
                assert one.told[-1] is S.REVOKED
            else:
                await until(lambda: S.ACCEPTED in other.told)
                assert one.client.has_floor
                one.give_back()
                await until(lambda: other.client.has_floor)


async def test_who_presents_without_floor_control_is_shown_by_name(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start()
        async with over_udp(found, conference) as one, over_tcp(found, conference) as other:
            await found.conferences.execute(
                conference, StartPresentation(min(found.states(conference))), ACTOR
            )
            del one
            await until(lambda: any(isinstance(each, HolderChanged) for each in other.events))
