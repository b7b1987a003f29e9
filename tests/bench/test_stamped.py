import socket
import time

import pytest

from bench.stamped import DATAGRAMS, StampedReader
from mcu.media import mmsg
from mcu.media.mmsg import ask_for_times

pytestmark = pytest.mark.skipif(mmsg.system_calls() is None, reason="the platform has no recvmmsg")


def test_the_time_is_that_of_the_arrival_whenever_it_is_read() -> None:
    reader = StampedReader(16)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        receiver.bind(("127.0.0.1", 0))
        receiver.setblocking(False)
        ask_for_times(receiver)
        with pytest.raises(BlockingIOError):
            reader.read(receiver)
        before = time.monotonic()
        for number in range(DATAGRAMS + 1):
            sender.sendto(b"%03d" % number + bytes(100), receiver.getsockname())
        sent = time.monotonic()
        first = [(bytes(datagram), at) for datagram, at in reader.read(receiver)]
        second = [(bytes(datagram), at) for datagram, at in reader.read(receiver)]
    assert [datagram[:3] for datagram, _ in first + second] == [
        b"%03d" % number for number in range(DATAGRAMS + 1)
    ]
    assert {len(datagram) for datagram, _ in first} == {16}
    times = [at for _, at in first + second]
    assert times == sorted(times)
    # The two clocks are read one after the other: a little slack, not machine speed.
    assert before - 0.01 <= times[0] <= times[-1] <= sent + 0.01
