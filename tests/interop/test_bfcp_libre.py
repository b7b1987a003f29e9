"""Floor control with an endpoint of another's making: libre's BFCP, both ways, over real UDP."""

import asyncio
from typing import Any

import pytest

from signalling.bfcp import (
    BfcpClient,
    ErrorCode,
    FloorServer,
    RequestChanged,
    RequestStatus,
)
from tests.peers.libre_bfcp import LIBRARY
from tests.peers.libre_endpoint import WAIT_S, Libre, is_installed

pytestmark = pytest.mark.skipif(not is_installed(), reason=f"no {LIBRARY} (Debian: libre0)")


class Socket(asyncio.DatagramProtocol):
    """Drives one end of ours: a server whose only participant is user 3, or a client."""

    def __init__(self, end: FloorServer | BfcpClient) -> None:
        self.end = end
        self.peer: tuple[str, int] | None = None
        self.clock = asyncio.get_running_loop().time
        self.changed = asyncio.Event()

    async def open(self) -> int:
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        port: int = self.transport.get_extra_info("sockname")[1]
        return port

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.peer = addr
        if isinstance(self.end, FloorServer):
            self.end.receive(3, data, self.clock())
        else:
            self.end.receive(data, self.clock())
        self.flush()

    def flush(self) -> None:
        if isinstance(self.end, FloorServer):
            sent = [data for _, data in self.end.data_to_send()]
        else:
            sent = self.end.data_to_send()
        for data in sent:
            self.transport.sendto(data, self.peer)
        self.changed.set()


@pytest.mark.parametrize("version", [2, 1])
async def test_libre_asks_us_for_the_floor(version: int) -> None:
    server = FloorServer(1, (1,))
    server.open(3, reliable=False, name="Cam Lâm")
    socket = Socket(server)
    port = await socket.open()
    async with Libre() as libre:
        libre.ask(port, "HELLO", version=version)
        hello = await libre.next()
        assert hello["answer"] == "HELLO_ACK"
        assert hello["attributes"]["SUPPORTED_PRIMITIVES"] == list(range(1, 18))
        assert hello["attributes"]["SUPPORTED_ATTRIBUTES"] == list(range(1, 19))

        libre.ask(port, "FLOOR_QUERY", ("FLOOR_ID", 1), version=version)
        assert await libre.next() == {"answer": "FLOOR_STATUS", "attributes": {"FLOOR_ID": 1}}

        libre.ask(port, "FLOOR_REQUEST", ("FLOOR_ID", 1), ("PRIORITY", 3), version=version)
        answer = await libre.next()
        assert answer["answer"] == "FLOOR_REQUEST_STATUS"
        holder = server.holder(1)
        assert holder is not None
        assert answer["attributes"]["FLOOR_REQUEST_INFORMATION"] == {
            "": holder.id,
            "OVERALL_REQUEST_STATUS": {"": holder.id, "REQUEST_STATUS": [3, 0]},
            "FLOOR_REQUEST_STATUS": {"": 1, "REQUEST_STATUS": [3, 0]},
            "BENEFICIARY_INFORMATION": {"": 3, "USER_DISPLAY_NAME": "Cam Lâm"},
            "PRIORITY": 3,
        }
        told = await libre.next()
        assert told["asked"] == "FLOOR_STATUS"
        assert told["attributes"]["FLOOR_ID"] == 1

        server.take(1, socket.clock(), "Vạn Ninh")
        socket.flush()
        revoked, status = await libre.next(), await libre.next()
        assert revoked["asked"] == "FLOOR_REQUEST_STATUS"
        information = revoked["attributes"]["FLOOR_REQUEST_INFORMATION"]
        assert information["OVERALL_REQUEST_STATUS"]["REQUEST_STATUS"] == [7, 0]
        information = status["attributes"]["FLOOR_REQUEST_INFORMATION"]
        assert information["BENEFICIARY_INFORMATION"]["USER_DISPLAY_NAME"] == "Vạn Ninh"

        libre.ask(port, "FLOOR_RELEASE", ("FLOOR_REQUEST_ID", holder.id), version=version)
        refused = await libre.next()
        assert refused["answer"] == "ERROR"
        assert refused["attributes"]["ERROR_CODE"] == ErrorCode.REQUEST_UNKNOWN

        libre.ask(port, "GOODBYE", version=version)
        assert (await libre.next())["answer"] == "GOODBYE_ACK"
    assert server.association(3).is_idle, "all it was told was acknowledged"
    socket.transport.close()


async def test_we_ask_libre_for_the_floor() -> None:
    client = BfcpClient(1, 3, 1, reliable=False)
    socket = Socket(client)
    await socket.open()
    async with Libre("--serve") as libre:
        socket.peer = ("127.0.0.1", libre.port)

        async def changes(*statuses: RequestStatus) -> None:
            expected = [RequestChanged(status) for status in statuses]
            found: list[Any] = []
            async with asyncio.timeout(WAIT_S):
                while len(found) < len(expected):
                    await socket.changed.wait()
                    socket.changed.clear()
                    found += client.events()
            assert found == expected

        client.start(socket.clock())
        client.request_floor(socket.clock())
        socket.flush()
        await changes(RequestStatus.GRANTED)
        assert (await libre.next())["asked"] == "FLOOR_QUERY"
        assert await libre.next() == {
            "asked": "FLOOR_REQUEST",
            "attributes": {"FLOOR_ID": 1, "PRIORITY": 2},
        }
        client.release_floor(socket.clock())
        socket.flush()
        await changes(RequestStatus.RELEASED)
        assert (await libre.next())["attributes"] == {"FLOOR_REQUEST_ID": 21}
    socket.transport.close()
