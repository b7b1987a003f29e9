"""Packets of several sockets in one batch."""

import socket
from collections.abc import Iterator

import pytest

from mcu.media import mmsg
from mcu.media.batch import PacketBatch
from mcu.media.path import SendPath
from mcu.media.port_batch import PortAddress, PortMmsgBatch, PortSendtoBatch, transmit
from mcu.media.srtp import MAX_DATAGRAM_BYTES


@pytest.fixture
def sockets() -> Iterator[list[socket.socket]]:
    """Two senders and a receiver."""
    opened = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
    for one in opened:
        one.bind(("127.0.0.1", 0))
        one.settimeout(5)
    yield opened
    for one in opened:
        one.close()


@pytest.fixture(params=["mmsg", "one by one"])
def batch(request: pytest.FixtureRequest, sockets: list[socket.socket]) -> PacketBatch:
    calls = mmsg.system_calls()
    if request.param == "one by one":
        return PortSendtoBatch()
    if calls is None:
        pytest.skip("no sendmmsg here")
    return PortMmsgBatch(sockets[0], calls)


def path_to(batch: PacketBatch, sender: socket.socket, receiver: socket.socket) -> SendPath:
    path = SendPath(batch, plain=True)
    path.address = PortAddress(sender, receiver.getsockname())
    return path


def write(batch: PacketBatch, path: SendPath, packets: list[bytes]) -> None:
    first = batch.used
    for slot, packet in enumerate(packets, first):
        at = batch.offsets[slot]
        batch.view[at : at + len(packet)] = packet
        batch.lengths[2 * slot + 1] = len(packet)
    batch.commit(path, len(packets))


def test_runs_of_packets_leave_each_from_its_socket(
    batch: PacketBatch, sockets: list[socket.socket]
) -> None:
    one, two, receiver = sockets
    first, second = path_to(batch, one, receiver), path_to(batch, two, receiver)
    sent = []
    for number, (path, sender) in enumerate([(first, one), (second, two), (first, one)]):
        packets = [bytes([number]) * 300, bytes([number + 10]) * 300, bytes([number + 20]) * 100]
        write(batch, path, packets)
        sent += [(packet, sender.getsockname()) for packet in packets]
    batch.flush()
    assert [receiver.recvfrom(2048) for _ in sent] == sent
    assert (first.dropped, second.dropped) == (0, 0)


def test_what_one_socket_refuses_is_its_own(
    batch: PacketBatch, sockets: list[socket.socket]
) -> None:
    one, two, receiver = sockets
    first, second = path_to(batch, one, receiver), path_to(batch, two, receiver)
    one.close()
    for path in (first, second, first):
        write(batch, path, [bytes(50), bytes(50)])
    batch.flush()
    assert (first.dropped, second.dropped) == (4, 0)
    assert [receiver.recvfrom(2048)[1] for _ in range(2)] == [two.getsockname()] * 2


def test_what_cannot_be_sent_is_counted(batch: PacketBatch, sockets: list[socket.socket]) -> None:
    path = path_to(batch, sockets[0], sockets[2])
    transmit(path, bytes(MAX_DATAGRAM_BYTES + 1))
    path.address = None
    transmit(path, b"nowhere")
    assert path.dropped == 2
