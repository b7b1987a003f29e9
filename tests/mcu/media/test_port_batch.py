"""Packets of several sockets in one batch."""

import socket
from collections.abc import Callable, Iterator

import pytest

from mcu.media import mmsg
from mcu.media.batch import PacketBatch
from mcu.media.path import SendPath
from mcu.media.port_batch import PortAddress, PortMmsgBatch, PortSendtoBatch, transmit
from mcu.media.rendition import FanOut, Rendition, RenditionKey
from mcu.media.send import SendFormat, SendStream
from mcu.media.srtp import MAX_DATAGRAM_BYTES, PacketBuffer, SrtpSession


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


@pytest.mark.parametrize("plain", [True, False])
def test_streams_in_step_leave_each_from_its_socket(
    batch: PacketBatch, sockets: list[socket.socket], plain: bool
) -> None:
    *senders, receiver = sockets
    calls: list[Callable[[float], None]] = []
    rendition = Rendition(
        RenditionKey("audio", "total", "pcma"),
        8_000,
        FanOut(lambda delay, call: calls.append(call)),
    )
    keep = []
    for number, sender in enumerate(senders * 3):
        path = path_to(batch, sender, receiver)
        path.plain = plain
        if not plain:
            session = SrtpSession(bytes(30), "AES128_CM_SHA1_80", PacketBuffer(), outbound=True)
            path.handle = session.handle
            keep.append(session)
        stream = SendStream(SendFormat(number + 1, 8, 8_000, False, {}), path, 100, 7)
        stream.play(rendition, 0.0)
    for number in range(3):
        rendition.append(bytes(160), number * 160, key_frame=True, now=0.02 * number)
    got: dict[int, list[tuple[int, int]]] = {}
    for _ in range(3 * 3 * len(senders)):
        data, source = receiver.recvfrom(2048)
        assert len(data) == 172 + (0 if plain else 10)
        ssrc, sequence = int.from_bytes(data[8:12], "big"), int.from_bytes(data[2:4], "big")
        got.setdefault(ssrc, []).append((sequence, source[1]))
    ports = [sender.getsockname()[1] for sender in senders * 3]
    assert got == {
        ssrc: [(100 + number, port) for number in range(3)] for ssrc, port in enumerate(ports, 1)
    }
