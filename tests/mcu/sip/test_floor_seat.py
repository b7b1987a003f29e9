"""What becomes of a call's floor control when its descriptions change."""

import asyncio
import socket
from pathlib import Path

from signalling.bfcp import Primitive
from tests.peers.floor_calls import connect, floor_offer, over_tcp, over_udp, until
from tests.peers.sip_stage import stage

TCP = ("floorctrl:c-only", "setup:active")


async def test_a_connection_that_is_kept_keeps_the_floor(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start()
        async with over_tcp(found, conference) as call:
            port = call.section.port
            call.bfcp.ask()
            await until(lambda: call.bfcp.client.has_floor)
            await call.change(floor_offer("TCP/BFCP", 9, *TCP, "connection:existing", version=2))
            assert call.section.attribute("connection") == "existing"
            assert call.section.port == port
            call.bfcp.give_back()
            await until(lambda: not call.presents(conference))
            assert not call.bfcp.lost.is_set()


async def test_a_new_connection_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start()
        async with over_tcp(found, conference) as call:
            before = call.bfcp
            await call.change(floor_offer("TCP/BFCP", 9, *TCP, "connection:new", version=2))
            assert call.section.attribute("connection") == "new"
            transport = await connect(call)
            await before.lost.wait()
            call.bfcp.ask()
            await until(lambda: call.bfcp.client.has_floor)
            transport.close()
            await until(lambda: not call.presents(conference))


async def test_a_floor_that_is_taken_out_is_free_and_so_are_its_ports(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start()
        async with over_udp(found, conference) as call:
            port = call.section.port
            call.bfcp.ask()
            await until(lambda: call.presents(conference))
            await call.change(floor_offer("UDP/BFCP", 0, "floorctrl:c-only", version=2))
            await until(lambda: not call.presents(conference))
            for number in (port, port + 1):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
                    free.bind(("127.0.0.1", number))


async def test_a_room_that_becomes_the_server_goes_on_at_the_same_port(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start()
        async with over_udp(found, conference) as call:
            port = call.section.port
            call.bfcp.ask()
            await until(lambda: call.presents(conference))
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
                device.bind(("127.0.0.1", 0))
                device.setblocking(False)
                lines = ("floorctrl:s-only", "confid:7", "userid:3", "floorid:1")
                own = device.getsockname()[1]
                await call.change(floor_offer("UDP/BFCP", own, *lines, version=2))
                assert (call.section.floorctrl, call.section.port) == (("c-only",), port)
                await until(lambda: not call.presents(conference))
                query, source = await asyncio.wait_for(_received(device), 20)
                assert query[1] == Primitive.FLOOR_QUERY
                assert source[1] == port


async def _received(sock: socket.socket) -> tuple[bytes, tuple[str, int]]:
    return await asyncio.get_running_loop().sock_recvfrom(sock, 2_048)


async def test_a_room_that_moves_is_answered_where_it_is(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start()
        async with over_udp(found, conference) as call:
            call.bfcp.ask()
            await until(lambda: call.bfcp.client.has_floor)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as moved:
                moved.bind(("127.0.0.1", 0))
                moved.setblocking(False)
                port = moved.getsockname()[1]
                sdp = floor_offer("UDP/BFCP", port, "floorctrl:c-only", version=2)
                await call.change(sdp)
                call.bfcp.send = lambda data: moved.sendto(data, ("127.0.0.1", call.section.port))
                call.bfcp.give_back()
                await until(lambda: not call.presents(conference))
                answer, source = await asyncio.wait_for(_received(moved), 20)
                assert answer[1] == Primitive.FLOOR_REQUEST_STATUS
                assert source[1] == call.section.port
