"""Many sockets on one loop, read together and sent from by one batch."""

import asyncio
import resource
import socket
import time
from collections.abc import AsyncIterator, Hashable
from typing import Any

import pytest

from mcu.media import mmsg
from mcu.media.mmsg import SocketPath
from mcu.media.path import SendPath
from mcu.media.port_batch import PortAddress, transmit
from mcu.media.port_pairs import PortPairs
from mcu.media.ports import OTHER_DESCRIPTORS, UdpPorts
from mcu.media.srtp import PacketBuffer
from tests.peers.free_ports import free_range
from tests.peers.waiting import until


class Receiver:
    """Keeps what it gets; ``fails`` once if told to."""

    def __init__(self) -> None:
        self.peer: Hashable | None = None
        self.known: list[bytes] = []
        self.strange: list[tuple[bytes, Any]] = []
        self.others: list[bytes] = []
        self.keys: list[Hashable] = []
        self.fails = False

    def receive(self, packet: PacketBuffer, now: float) -> None:
        self.known.append(packet.bytes())

    def receive_from(self, packet: PacketBuffer, key: Hashable, address: Any, now: float) -> None:
        if self.fails:
            self.fails = False
            raise RuntimeError("a defect")
        self.strange.append((packet.bytes(), address))
        self.keys.append(key)

    def receive_other(self, datagram: bytes, key: Hashable, address: Any, now: float) -> None:
        self.others.append(datagram)


@pytest.fixture(params=["mmsg", "one by one"])
async def ports(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[UdpPorts]:
    if request.param == "one by one":
        monkeypatch.setattr(mmsg, "system_calls", lambda: None)
    elif mmsg.system_calls() is None:
        pytest.skip("no sendmmsg here")
    opened = UdpPorts(asyncio.get_running_loop(), PortPairs(*free_range(6)))
    yield opened
    opened.close()
    opened.close()


def media(number: int, size: int = 100) -> bytes:
    return b"\x80\x08" + number.to_bytes(2, "big") + bytes(size)


async def test_each_socket_has_its_own_receiver(ports: UdpPorts) -> None:
    pairs = [ports.take() for _ in range(4)]
    receivers = [Receiver() for _ in pairs]
    for pair, receiver in zip(pairs, receivers, strict=True):
        ports.listen(pair.rtp, receiver)
    assert ports.sockets == 4
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        for number, pair in enumerate(pairs):
            for _ in range(3):
                peer.sendto(media(number), ("127.0.0.1", pair.port))
        await until(lambda: all(len(one.strange) == 3 for one in receivers))
        for number, receiver in enumerate(receivers):
            assert {data for data, _ in receiver.strange} == {media(number)}
            found = ports.peer_address(receiver.strange[0][1])
            assert found == ("127.0.0.1", peer.getsockname()[1])
            receiver.peer = receiver.keys[0]
        # Now they are known, and what is no media is told apart.
        peer.sendto(media(9), ("127.0.0.1", pairs[2].port))
        peer.sendto(b"\x16\xfe\xfdhello", ("127.0.0.1", pairs[2].port))
        await until(lambda: bool(receivers[2].known and receivers[2].others))
        assert receivers[2].known == [media(9)]
    for pair in pairs:
        ports.forget(pair.rtp)
        ports.forget(pair.rtp)
        pair.close()
    assert ports.sockets == 0


async def test_drain_takes_what_waits_before_the_loop_does(ports: UdpPorts) -> None:
    pair, receiver = ports.take(), Receiver()
    ports.listen(pair.rtp, receiver)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        for number in range(150):
            peer.sendto(media(number), ("127.0.0.1", pair.port))
        ports.drain()
    assert [data for data, _ in receiver.strange] == [media(number) for number in range(150)]
    pair.close()


async def test_a_defect_costs_one_datagram(ports: UdpPorts) -> None:
    pair, receiver = ports.take(), Receiver()
    receiver.fails = True
    ports.listen(pair.rtp, receiver)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        for number in range(3):
            peer.sendto(media(number), ("127.0.0.1", pair.port))
        ports.drain()
    assert len(receiver.strange) == 2
    assert ports.dropped == {"datagram_fault": 1}
    pair.close()


async def test_packets_leave_from_the_port_of_their_path(ports: UdpPorts) -> None:
    pairs = [ports.take() for _ in range(3)]
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as four,
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six,
    ):
        peers = (four, six)
        for peer, host in zip(peers, ("127.0.0.1", "::1"), strict=True):
            peer.bind((host, 0))
            peer.settimeout(5)
        paths = []
        for pair in pairs:
            for peer in peers:
                path = SendPath(ports.batch, plain=True)
                to = ports.socket_address(peer.getsockname()[:2])
                path.address = PortAddress(pair.rtp, to)
                paths.append(path)
        for path in paths:
            transmit(path, b"one")
        for peer in peers:
            sources = [peer.recvfrom(100)[1][1] for _ in pairs]
            assert sources == [pair.port for pair in pairs]
        # A closed socket loses its own packets and nobody else's.
        pairs[0].close()
        batch = ports.batch
        for path in paths:
            slot = batch.used
            batch.view[batch.offsets[slot] : batch.offsets[slot] + 3] = b"two"
            batch.lengths[2 * slot + 1] = 3
            batch.commit(path, 1)
        batch.flush()
        assert [path.dropped for path in paths] == [1, 1, 0, 0, 0, 0]
        assert [four.recvfrom(100)[1][1] for _ in pairs[1:]] == [pair.port for pair in pairs[1:]]
    for pair in pairs:
        pair.close()


async def test_an_answer_leaves_from_the_address_it_was_sent_to(ports: UdpPorts) -> None:
    pair, receiver = ports.take(), Receiver()
    ports.listen(pair.rtp, receiver)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.settimeout(5)
        peer.bind(("127.0.0.1", 0))
        peer.sendto(media(1), ("127.0.0.2", pair.port))
        ports.drain()
        address = receiver.strange[0][1]
        if not isinstance(address, SocketPath):
            pair.close()
            return
        path = SendPath(ports.batch, plain=True)
        path.address = PortAddress(pair.rtp, address)
        transmit(path, b"back")
        assert peer.recvfrom(100) == (b"back", ("127.0.0.2", pair.port))
    pair.close()


async def test_when_a_packet_arrived_is_the_kernels_time(ports: UdpPorts) -> None:
    if mmsg.system_calls() is None:
        return
    times: list[float] = []
    pair, receiver = ports.take(), Receiver()
    receiver.receive_from = lambda packet, key, address, now: times.append(now)  # type: ignore[method-assign]
    ports.listen(pair.rtp, receiver)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        before = time.monotonic()
        peer.sendto(media(1), ("127.0.0.1", pair.port))
        await asyncio.sleep(0)
        ports.drain()
        after = time.monotonic()
    pair.close()
    # Both clocks are not read at the same moment, but both in between.
    assert before - (after - before) <= times[0] <= after


async def test_as_many_descriptors_are_allowed_as_there_are_ports() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = min(256, before[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (few, before[1]))
    try:
        ports = UdpPorts(asyncio.get_running_loop(), PortPairs(20_000, 20_099))
        ports.close()
        wanted = 100 + OTHER_DESCRIPTORS
        found = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        assert found == (wanted if before[1] < 0 else min(wanted, before[1]))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
