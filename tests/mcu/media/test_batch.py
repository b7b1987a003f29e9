import ctypes
import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from mcu.media import mmsg
from mcu.media.batch import SLOTS, PacketBatch, SendtoBatch, cut
from mcu.media.mmsg import SystemCalls
from mcu.media.mmsg_batch import MmsgBatch
from mcu.media.path import SendPath

CALLS = mmsg.system_calls()
pytestmark = pytest.mark.skipif(CALLS is None, reason="the platform has no sendmmsg")


class Ends:
    """A sender and two receivers on loopback."""

    def __init__(self) -> None:
        self.sender = self._socket()
        self.receivers = [self._socket(), self._socket()]

    @staticmethod
    def _socket() -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        return sock

    def got(self, number: int) -> list[bytes]:
        datagrams = []
        with suppress(BlockingIOError):
            while True:
                datagrams.append(self.receivers[number].recv(4096))
        return datagrams

    def path(self, batch: PacketBatch, number: int = 0) -> SendPath:
        path = SendPath(batch)
        path.address = self.receivers[number].getsockname()
        return path

    def close(self) -> None:
        for sock in (self.sender, *self.receivers):
            sock.close()


@pytest.fixture
def ends() -> Iterator[Ends]:
    ends = Ends()
    yield ends
    ends.close()


def calls(send: Callable[[int, int, int, int], int] | None = None) -> SystemCalls:
    assert CALLS is not None
    return CALLS if send is None else CALLS._replace(send=send)


def batches(ends: Ends) -> list[PacketBatch]:
    return [
        SendtoBatch(ends.sender.sendto),
        MmsgBatch(ends.sender, calls(), segment=False),
        MmsgBatch(ends.sender, calls()),
    ]


def write(batch: PacketBatch, path: SendPath, *packets: bytes) -> None:
    """As ``SendStream.send_pending`` does."""
    assert batch.used + len(packets) <= SLOTS
    for slot, packet in enumerate(packets, batch.used):
        at = batch.offsets[slot]
        batch.view[at : at + len(packet)] = packet
        batch.lengths[2 * slot + 1] = len(packet)
    batch.commit(path, len(packets))


@pytest.mark.parametrize("way", range(3))
def test_every_packet_arrives_in_order_and_nothing_before_the_flush(ends: Ends, way: int) -> None:
    batch = batches(ends)[way]
    first, second = ends.path(batch, 0), ends.path(batch, 1)
    sizes = [100, 1200, 1200, 1200, 700, 1200, 1200, 1300, 60, 60, 61, 1]
    packets = [bytes((number,)) * size for number, size in enumerate(sizes)]
    write(batch, first, *packets)
    write(batch, second, b"other")
    write(batch, first, b"last")
    assert ends.got(0) == []
    batch.flush()
    assert ends.got(0) == [*packets, b"last"]
    assert ends.got(1) == [b"other"]
    batch.flush()
    assert ends.got(0) == []
    assert (batch.used, first.dropped) == (0, 0)


@pytest.mark.parametrize("way", range(3))
def test_a_full_batch_makes_room(ends: Ends, way: int) -> None:
    batch = batches(ends)[way]
    path = ends.path(batch)
    for number in range(SLOTS + 1):
        assert batch.free_slot() == number % SLOTS
        write(batch, path, b"%d" % number)
    assert len(ends.got(0)) == SLOTS
    batch.flush()
    assert ends.got(0) == [b"%d" % SLOTS]


def test_more_than_one_message_can_carry(ends: Ends) -> None:
    batch = MmsgBatch(ends.sender, calls())
    path = ends.path(batch)
    for size, count in (
        (2000, 40),
        (10, 2 * mmsg.MAX_SEGMENTS),
    ):  # more bytes, more segments than it can
        packets = [bytes((number,)) * size for number in range(count)]
        write(batch, path, *packets)
        batch.flush()
        assert ends.got(0) == packets


def test_packets_of_a_picture_are_one_message(ends: Ends) -> None:
    if not mmsg.can_segment(ends.sender):
        pytest.skip("the kernel has no UDP GSO")
    messages: list[int] = []

    def send(descriptor: int, address: int, count: int, flags: int) -> int:
        messages.append(count)
        return calls().send(descriptor, address, count, flags)

    batch = MmsgBatch(ends.sender, calls(send))
    path = ends.path(batch)
    write(batch, path, *[b"x" * 1200] * 6, b"y" * 300)
    write(batch, path, *[b"x" * 1200] * 6, b"y" * 300)
    batch.flush()
    assert messages == [2]
    assert len(ends.got(0)) == 14


def test_a_full_socket_costs_those_whose_packets_were_left(ends: Ends) -> None:
    def send(descriptor: int, address: int, count: int, flags: int) -> int:
        if count == 4:
            return calls().send(descriptor, address, 1, flags)
        ctypes.set_errno(errno.EAGAIN)
        return -1

    batch = MmsgBatch(ends.sender, calls(send), segment=False)
    first, second = ends.path(batch, 0), ends.path(batch, 1)
    write(batch, first, b"sent")
    write(batch, second, b"left")
    write(batch, first, b"left", b"left")
    batch.flush()
    assert (first.dropped, second.dropped) == (2, 1)
    assert ends.got(0) == [b"sent"]
    assert batch.used == 0


def test_one_path_that_fails_does_not_stop_the_others(ends: Ends) -> None:
    batch = MmsgBatch(ends.sender, calls(), segment=False)
    good, bad = ends.path(batch), SendPath(batch)
    bad.address = ("127.0.0.1", 0)
    write(batch, good, b"before")
    write(batch, bad, b"lost", b"lost")
    write(batch, good, b"after")
    batch.flush()
    assert (good.dropped, bad.dropped) == (0, 2)
    assert ends.got(0) == [b"before", b"after"]


@pytest.mark.parametrize("error", [errno.EINVAL, errno.EIO, errno.EOPNOTSUPP])
def test_a_path_that_cannot_be_segmented_loses_nothing(ends: Ends, error: int) -> None:
    refused: list[int] = []

    def send(descriptor: int, address: int, count: int, flags: int) -> int:
        packets = int.from_bytes(ctypes.string_at(address + 24, 8), "little")
        if packets > 1:
            refused.append(packets)
            ctypes.set_errno(error)
            return -1
        return calls().send(descriptor, address, 1, flags)

    batch = MmsgBatch(ends.sender, calls(send))
    if not mmsg.can_segment(ends.sender):
        pytest.skip("the kernel has no UDP GSO")
    path = ends.path(batch)
    changes: list[bool] = []
    path.watch(lambda: changes.append(path.target is not None and batch.segments(path.target)))
    packets = [b"a" * 900, b"b" * 900, b"c" * 10]
    for _ in range(2):
        write(batch, path, *packets)
        write(batch, path, b"next")
        batch.flush()
        assert ends.got(0) == [*packets, b"next"]
    assert refused == [3]
    assert changes == [False]
    assert path.dropped == 0


def test_interrupted_calls_are_made_again(ends: Ends) -> None:
    interruptions = [True, False]

    def send(descriptor: int, address: int, count: int, flags: int) -> int:
        if interruptions.pop(0):
            ctypes.set_errno(errno.EINTR)
            return -1
        return calls().send(descriptor, address, count, flags)

    batch = MmsgBatch(ends.sender, calls(send))
    path = ends.path(batch)
    write(batch, path, b"once")
    batch.flush()
    assert ends.got(0) == [b"once"]


@pytest.mark.parametrize("way", range(3))
def test_a_closed_socket_counts(ends: Ends, way: int) -> None:
    batch = batches(ends)[way]
    path = ends.path(batch)
    ends.sender.close()
    write(batch, path, b"late", b"late")
    batch.flush()
    assert path.dropped == 2


def test_a_changed_address_leaves_what_was_written_for_the_old_one(ends: Ends) -> None:
    batch = MmsgBatch(ends.sender, calls())
    path = ends.path(batch)
    write(batch, path, b"old")
    path.address = ends.receivers[1].getsockname()
    write(batch, path, b"new")
    batch.flush()
    assert (ends.got(0), ends.got(1)) == ([b"old"], [b"new"])


@pytest.mark.parametrize("way", range(3))
def test_a_rank_gets_what_each_of_it_would_get(ends: Ends, way: int) -> None:
    batch = batches(ends)[way]
    paths = [ends.path(batch, 0), ends.path(batch, 1)]
    segments = paths[0].target is not None and batch.segments(paths[0].target)
    sizes = [1100, 1100, 300, 400, 400]
    packets = [
        [bytes((10 * leg + number,)) * size for number, size in enumerate(sizes)]
        for leg in range(2)
    ]
    for _ in range(2):
        write(batch, paths[1], b"before")
        for slot, packet in enumerate([*packets[0], *packets[1]], batch.used):
            batch.slots[slot, : len(packet)] = list(packet)
            batch.sizes[slot] = len(packet)
        batch.commit_rank(batch.rank(paths), cut(sizes) if segments else [1] * len(sizes))
        write(batch, paths[0], b"after")
        assert ends.got(0) == ends.got(1) == []
        batch.flush()
        assert ends.got(0) == [*packets[0], b"after"]
        assert ends.got(1) == [b"before", *packets[1]]


def test_messages_are_cut_where_the_size_changes() -> None:
    assert cut([5]) == [1]
    assert cut([900, 900, 10]) == [3]
    assert cut([900, 900, 10, 10, 900]) == [3, 1, 1]
    assert cut([10, 900, 900]) == [1, 2]
    assert cut([2000] * 40) == [32, 8]
    assert cut([10] * 130) == [64, 64, 2]


def test_skipped_slots_are_never_sent(ends: Ends) -> None:
    batch = MmsgBatch(ends.sender, calls())
    path = ends.path(batch)
    batch.skip(SLOTS - 1)
    write(batch, path, b"one")
    assert batch.free_slot() == 0
    assert ends.got(0) == [b"one"]
    batch.skip(SLOTS)
    assert batch.free_slot() == 0
    assert ends.got(0) == []
