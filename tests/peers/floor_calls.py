"""Rooms that call a stage's server and speak BFCP with it, by each of the ways there are."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from signalling.sdp import MediaSection, SessionDescription
from signalling.sip import CallAnswered, CallId, MediaAnswered
from tests.peers.bfcp_room import BfcpRoom, Datagrams, Stream
from tests.peers.sip_stage import Stage, description
from tests.peers.waiting import until as until_every

HOST = "127.0.0.1"


async def until(condition: Callable[[], bool]) -> None:
    """Leave the loop free meanwhile: there is a store behind it."""
    await until_every(condition, 0.01)


def floor_offer(protocol: str, port: int, *lines: str, version: int = 1) -> bytes:
    """A phone with floor control."""
    section = [f"m=application {port} {protocol} *", *(f"a={line}" for line in lines)]
    return description(40_000, *section).replace(b"o=- 1 1 ", b"o=- 1 %d " % version)


def floor_section(sdp: bytes) -> MediaSection:
    """The section of floor control."""
    media = SessionDescription.parse(sdp.decode()).media
    return next(one for one in media if one.kind == "application")


class FloorCall:
    """A call of a stage's telephone.

    Attributes:
        section: of floor control, as it was answered last. bfcp: set once there is a way.
    """

    def __init__(self, found: Stage) -> None:
        self.stage = found
        self.call: CallId = ""
        self.section: MediaSection
        self.bfcp: BfcpRoom
        self.participant = ""

    async def dial(self, conference: str, sdp: bytes, *, enters: bool = True) -> None:
        """Call, and wait for the answer and for being there."""
        stage, room = self.stage, self.stage.room
        before = set(stage.states(conference))
        self.call = stage.dial(conference, sdp)

        def answers() -> list[CallAnswered]:
            return [
                one
                for one in room.events
                if isinstance(one, CallAnswered) and one.call == self.call
            ]

        await room.until(lambda events: bool(answers()))
        self.section = floor_section(answers()[0].sdp)
        if enters:
            await until(lambda: self._entered(conference, before))

    async def change(self, sdp: bytes) -> None:
        """Offer other media within the call."""
        room = self.stage.room

        def answers() -> list[MediaAnswered]:
            return [
                one
                for one in room.events
                if isinstance(one, MediaAnswered) and one.call == self.call
            ]

        before = len(answers())
        self.stage.phone.do(lambda agent, now: agent.change_media(self.call, sdp, now))
        await room.until(lambda events: len(answers()) > before)
        self.section = floor_section(answers()[-1].sdp)

    def hang_up(self) -> None:
        self.stage.phone.do(lambda agent, now: agent.hang_up(self.call, now))

    def presents(self, conference: str) -> bool:
        return self.stage.conferences.get(conference).presenter == self.participant

    def _entered(self, conference: str, before: set[str]) -> bool:
        new = {
            who: state
            for who, state in self.stage.states(conference).items()
            if who not in before and state == "connected"
        }
        self.participant = next(iter(new), "")
        return bool(new)


@asynccontextmanager
async def over_udp(
    found: Stage, conference: str, *, enters: bool = True
) -> AsyncIterator[FloorCall]:
    """By datagrams."""
    loop = asyncio.get_running_loop()
    transport, datagrams = await loop.create_datagram_endpoint(Datagrams, (HOST, 0))
    port = transport.get_extra_info("sockname")[1]
    call = FloorCall(found)
    await call.dial(conference, floor_offer("UDP/BFCP", port, "floorctrl:c-only"), enters=enters)
    room = call.bfcp = datagrams.room = BfcpRoom(call.section, reliable=False)
    to = HOST, call.section.port
    room.send = lambda data: transport.sendto(data, to)
    room.start()
    try:
        yield call
    finally:
        transport.close()


async def connect(call: FloorCall) -> asyncio.Transport:
    """Open a connection to the port that was answered."""
    room = call.bfcp = BfcpRoom(call.section, reliable=True)
    transport, _ = await asyncio.get_running_loop().create_connection(
        lambda: Stream(room), HOST, call.section.port
    )
    room.start()
    return transport


@asynccontextmanager
async def over_tcp(
    found: Stage, conference: str, *, enters: bool = True
) -> AsyncIterator[FloorCall]:
    """By a connection that the room opens."""
    sdp = floor_offer("TCP/BFCP", 9, "floorctrl:c-only", "setup:actpass", "connection:new")
    call = FloorCall(found)
    await call.dial(conference, sdp, enters=enters)
    transport = await connect(call)
    try:
        yield call
    finally:
        transport.close()


@asynccontextmanager
async def over_tcp_of_ours(
    found: Stage, conference: str, *, enters: bool = True
) -> AsyncIterator[FloorCall]:
    """By a connection that the server opens."""
    loop = asyncio.get_running_loop()
    call = FloorCall(found)
    connected = asyncio.Event()

    def made() -> Stream:
        call.bfcp = BfcpRoom(call.section, reliable=True)
        loop.call_soon(connected.set)  # once the transport is there
        return Stream(call.bfcp)

    server = await loop.create_server(made, HOST, 0, start_serving=False)
    port = server.sockets[0].getsockname()[1]
    sdp = floor_offer("TCP/BFCP", port, "floorctrl:c-only", "setup:passive", "connection:new")
    await call.dial(conference, sdp, enters=enters)
    await server.start_serving()
    try:
        async with asyncio.timeout(60):
            await connected.wait()
        call.bfcp.start()
        yield call
    finally:
        server.close()


Way = Callable[[Stage, str], AbstractAsyncContextManager[FloorCall]]
