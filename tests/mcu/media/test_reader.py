import socket
import time
from collections.abc import Iterator

import pytest

from mcu.media import mmsg
from mcu.media.reader import DATAGRAMS_PER_WAKE, MAX_WAIT_S, MmsgReader, Reader, RecvfromReader
from mcu.media.srtp import BUFFER_BYTES
from mcu.media.udp import open_socket

CALLS = mmsg.system_calls()
NOW = 50.0
WAYS = ["recvfrom"] if CALLS is None else ["recvfrom", "recvmmsg"]


class Ends:
    def __init__(self, way: str, host: str = "127.0.0.1") -> None:
        self.receiver = open_socket(host)
        self.reader: Reader = RecvfromReader(self.receiver)
        if way == "recvmmsg" and CALLS is not None:
            self.reader = MmsgReader(self.receiver, CALLS)
        self.sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sender.bind(("127.0.0.1", 0))
        self.to = ("127.0.0.1", self.receiver.getsockname()[1])

    def read(self) -> list[bytes]:
        return [self.reader.packets[number].bytes() for number in range(self.reader.read(NOW))]


@pytest.fixture(params=WAYS)
def ends(request: pytest.FixtureRequest) -> Iterator[Ends]:
    ends = Ends(request.param)
    yield ends
    ends.sender.close()
    ends.receiver.close()


def test_what_waits_is_read_in_order(ends: Ends) -> None:
    with pytest.raises(BlockingIOError):
        ends.reader.read(NOW)
    for _ in range(2):
        sent = [bytes((number,)) * (number + 1) for number in range(10)]
        for datagram in [*sent, b""]:
            ends.sender.sendto(datagram, ends.to)
        assert ends.read() == [*sent, b""]
    with pytest.raises(BlockingIOError):
        ends.reader.read(NOW)


def test_nothing_arrives_after_it_is_read_nor_long_before(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    if isinstance(ends.reader, MmsgReader):
        mmsg.ask_for_times(ends.receiver)
    times = []
    # The wall clock may be set between the arrival and the reading, in either direction.
    for wrong_s in (0.0, 3600.0, -3600.0):
        ends.sender.sendto(b"x", ends.to)
        now = time.time() + wrong_s
        monkeypatch.setattr("mcu.media.reader.time.time", lambda now=now: now)
        assert ends.reader.read(NOW) == 1
        times.append(ends.reader.arrived_at(0))
    assert NOW - MAX_WAIT_S < times[0] <= NOW
    assert times[1:] == [NOW, NOW]


def test_a_datagram_arrived_when_the_kernel_had_it(ends: Ends) -> None:
    if not isinstance(ends.reader, MmsgReader):
        return
    mmsg.ask_for_times(ends.receiver)
    ends.sender.sendto(b"x", ends.to)
    read_at = time.time() + 0.05
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mcu.media.reader.time.time", lambda: read_at)
        assert ends.reader.read(NOW) == 1
    assert ends.reader.arrived_at(0) == pytest.approx(NOW - 0.05, abs=0.02)


def test_a_turn_is_bounded(ends: Ends) -> None:
    for number in range(DATAGRAMS_PER_WAKE + 3):
        ends.sender.sendto(b"%d" % number, ends.to)
    assert len(ends.read()) == DATAGRAMS_PER_WAKE
    assert ends.read() == [b"%d" % (DATAGRAMS_PER_WAKE + number) for number in range(3)]


def test_a_long_datagram_is_cut_and_the_next_is_whole(ends: Ends) -> None:
    ends.sender.sendto(bytes(BUFFER_BYTES + 100), ends.to)
    ends.sender.sendto(b"next", ends.to)
    assert ends.read() == [bytes(BUFFER_BYTES), b"next"]


def test_peers_are_told_apart(ends: Ends) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        for sock in (ends.sender, other, ends.sender):
            sock.sendto(b"x", ends.to)
        assert ends.reader.read(NOW) == 3
        keys = [ends.reader.key(number) for number in range(3)]
        assert keys[0] == keys[2] != keys[1]
        found = ends.reader.address(1)
        assert (found[0], found[1]) == ("127.0.0.1", other.getsockname()[1])


def test_an_error_after_datagrams_is_told_with_the_next_read(ends: Ends) -> None:
    ends.sender.sendto(b"x", ends.to)
    assert ends.read() == [b"x"]
    ends.receiver.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        ends.reader.read(NOW)


def test_columns_say_what_is_said_one_by_one(ends: Ends) -> None:
    if not isinstance(ends.reader, MmsgReader):
        assert ends.reader.slots is None
        return
    mmsg.ask_for_times(ends.receiver)
    for number in range(5):
        ends.sender.sendto(b"%d" % number, ends.to)
    count = ends.reader.read(time.monotonic())
    assert count == 5
    assert ends.reader.keys() == [ends.reader.key(number) for number in range(count)]
    times = [ends.reader.arrived_at(number) for number in range(count)]
    assert ends.reader.arrivals().tolist() == times
    assert ends.reader.slots.octets[:count, 0].tobytes() == b"01234"
