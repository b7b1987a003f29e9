"""A room that is the server of its floor itself: it is asked, and followed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mcu.conference.commands import StartPresentation, StopPresentation
from signalling.bfcp import FloorGranted, FloorServer, steal_policy
from tests.peers.floor_calls import FloorCall, floor_offer, over_udp, until
from tests.peers.sip_stage import ACTOR, Stage, stage

CONFERENCE, USER, FLOOR = 7, 4, 3


class Device(asyncio.DatagramProtocol):
    """The room's own floor control server, by datagrams."""

    def __init__(self) -> None:
        self.server = FloorServer(CONFERENCE, (FLOOR,), steal_policy)
        self.clock = asyncio.get_running_loop().time
        self.server.open(USER, reliable=False)
        self.to: tuple[str, int] | None = None
        self.grants = 0
        self.transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.to = addr
        self.server.receive(USER, data, self.clock())
        self.flush()

    def flush(self) -> None:
        for _, data in self.server.data_to_send():
            if self.to is not None:
                self.transport.sendto(data, self.to)
        self.grants += sum(isinstance(one, FloorGranted) for one in self.server.events())

    def press(self, *, present: bool) -> None:
        """Somebody at the room shows something, or ends it."""
        if present:
            self.server.take(FLOOR, self.clock(), "Bàn chủ tọa")
        else:
            self.server.free(FLOOR, self.clock())
        self.flush()

    @property
    def holder(self) -> int | None:
        found = self.server.holder(FLOOR)
        return None if found is None else found.user


@asynccontextmanager
async def device_in(found: Stage, conference: str) -> AsyncIterator[tuple[Device, FloorCall]]:
    device = Device()
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: device, ("127.0.0.1", 0))
    port = device.transport.get_extra_info("sockname")[1]
    lines = ("floorctrl:s-only", f"confid:{CONFERENCE}", f"userid:{USER}", f"floorid:{FLOOR}")
    call = FloorCall(found)
    await call.dial(conference, floor_offer("UDP/BFCP", port, *lines))
    assert call.section.floorctrl == ("c-only",)
    await until(lambda: device.to is not None)
    try:
        yield device, call
    finally:
        device.transport.close()


async def test_what_it_shows_by_itself_is_its_presentation(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start()
        async with device_in(found, conference) as (device, call):
            device.press(present=True)
            await until(lambda: call.presents(conference))
            device.press(present=False)
            await until(lambda: not call.presents(conference))
            device.press(present=True)
            await until(lambda: call.presents(conference))
            call.hang_up()
            await until(lambda: found.conferences.get(conference).presenter is None)


@pytest.mark.parametrize("take_over", [False, True])
async def test_while_another_presents_its_floor_is_asked_for(
    tmp_path: Path, take_over: bool
) -> None:
    async with stage(tmp_path, take_over=take_over) as found:
        conference = await found.start()
        async with (
            device_in(found, conference) as (device, call),
            over_udp(found, conference) as other,
        ):
            who = StartPresentation(other.participant)
            await found.conferences.execute(conference, who, ACTOR)
            await until(lambda: device.holder == USER)
            granted = device.grants
            device.press(present=True)
            if take_over:
                await until(lambda: call.presents(conference))
            else:
                await until(lambda: device.grants > granted and device.holder == USER)
                assert other.presents(conference)
                await found.conferences.execute(conference, StopPresentation(), ACTOR)
                await until(lambda: device.holder is None)
