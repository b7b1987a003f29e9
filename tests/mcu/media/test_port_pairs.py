import errno
import socket

import pytest

from mcu.media.port_pairs import PortPairs, PortsExhausted
from tests.peers.free_ports import free_range


def test_even_for_rtp_and_odd_for_rtcp() -> None:
    first, last = free_range(2)
    pairs = PortPairs(first, last)
    one, two = pairs.take(), pairs.take()
    assert [one.port, two.port] == [first, first + 2]
    assert one.rtcp.getsockname()[1] == first + 1
    assert not one.rtp.getblocking()
    with pytest.raises(PortsExhausted, match=f"{first}-{last}"):
        pairs.take()
    one.close()
    one.close()
    again = pairs.take()
    assert again.port == first
    for pair in (again, two):
        pair.close()


def test_a_pair_of_which_half_is_in_use_is_passed_over() -> None:
    first, last = free_range(2)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as other:
        other.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        other.bind(("::", first + 1))
        pair = PortPairs(first, last).take()
        assert pair.port == first + 2
        pair.close()


def test_goes_round_so_that_a_freed_port_rests() -> None:
    first, last = free_range(3)
    pairs = PortPairs(first, last)
    ports = []
    for _ in range(4):
        pair = pairs.take()
        ports.append(pair.port)
        pair.close()
    assert ports == [first, first + 2, first + 4, first]


def test_an_odd_beginning_and_an_even_end_hold_no_half_pairs() -> None:
    with pytest.raises(ValueError, match="no pair"):
        PortPairs(20_001, 20_002)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_binds_to_one_address(host: str) -> None:
    first, last = free_range(1)
    pair = PortPairs(first, last, host).take()
    assert pair.rtp.getsockname()[0] == host
    pair.close()


def test_an_address_that_is_not_ours_is_told() -> None:
    with pytest.raises(OSError, match="assign") as told:
        PortPairs(20_000, 20_001, "203.0.113.1").take()
    assert not isinstance(told.value, PortsExhausted)


def test_without_descriptors_nothing_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    first, last = free_range(1)
    opened: list[socket.socket] = []
    real = socket.socket

    def limited(*arguments: int) -> socket.socket:
        if len(opened) == 1:
            raise OSError(errno.EMFILE, "Too many open files")
        opened.append(real(*arguments))
        return opened[-1]

    pairs = PortPairs(first, last)
    with monkeypatch.context() as patch:
        patch.setattr(socket, "socket", limited)
        with pytest.raises(PortsExhausted, match="Too many open files"):
            pairs.take()
    assert opened[0].fileno() == -1
    pairs.take().close()
