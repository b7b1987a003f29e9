"""Datagrams of floor control: whose are taken, and where answers go."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mcu.media.latch import RELATCH_S
from mcu.media.port_batch import PortSendtoBatch
from mcu.media.port_pairs import PortPair
from mcu.sip.floor_line import BURST, FloorNames
from mcu.sip.floor_udp import FloorDatagrams
from signalling.bfcp.header import Header

NAMES = FloorNames(9, 5)
HELLO = bytes(Header(2, 11, 9, 1, 5, 0))
OTHER = bytes(Header(2, 11, 9, 1, 6, 0))
ANNOUNCED, PORT_OF_NAT = ("192.0.2.7", 5_000), ("192.0.2.7", 5_555)
ELSEWHERE, STRANGER = ("198.51.100.1", 5_000), ("203.0.113.9", 5_000)


class Socket:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Any]] = []

    def fileno(self) -> int:
        return 1

    def sendto(self, datagram: memoryview, address: Any) -> int:
        self.sent.append((bytes(datagram), address))
        return len(datagram)


class Ports:
    """See ``MediaPorts``."""

    def __init__(self) -> None:
        self.batch = PortSendtoBatch()
        self.reading: list[Any] = []

    def take(self) -> PortPair:
        raise AssertionError

    def listen(self, sock: Any, receiver: Any) -> None:
        self.reading.append(sock)

    def forget(self, sock: Any) -> None:
        self.reading.remove(sock)

    def socket_address(self, address: tuple[str, int]) -> Any:
        return address

    def peer_address(self, address: Any) -> tuple[str, int]:
        return (address[0], address[1])


class End:
    """See ``FloorEnd``."""

    def __init__(self) -> None:
        self.got: list[bytes] = []

    def connected(self) -> None: ...

    def heard(self, data: bytes, now: float) -> bool:
        self.got.append(data)
        return True

    def disconnected(self) -> None: ...


class Scene:
    def __init__(self, *, elsewhere: bool, announced: tuple[str, int] | None = ANNOUNCED) -> None:
        self.socket, self.ports, self.end = Socket(), Ports(), End()
        self.line = FloorDatagrams(
            self.socket,  # type: ignore[arg-type]
            self.ports,
            self.end,
            NAMES,
            announced,
            elsewhere=elsewhere,
            now=0.0,
        )

    def receive(self, source: tuple[str, int], data: bytes = HELLO, now: float = 1.0) -> bool:
        """Whether it was taken."""
        before = len(self.end.got)
        self.line.receive_other(data, source, source, now)
        return len(self.end.got) > before

    def goes_to(self) -> Any:
        before = len(self.socket.sent)
        self.line.send(b"answer")
        return self.socket.sent[-1][1] if len(self.socket.sent) > before else None


@contextmanager
def scene(
    *, elsewhere: bool = True, announced: tuple[str, int] | None = ANNOUNCED
) -> Iterator[Scene]:
    found = Scene(elsewhere=elsewhere, announced=announced)
    yield found
    found.line.close()
    assert not found.ports.reading


def test_the_announced_address_is_heard_and_answered() -> None:
    with scene() as found:
        assert found.goes_to() == ANNOUNCED
        assert found.receive(ANNOUNCED)
        assert not found.receive(STRANGER)
        assert found.goes_to() == ANNOUNCED
        assert found.line.dropped == {"source": 1}


def test_who_is_behind_address_translation_is_found_by_its_numbers() -> None:
    with scene() as found:
        assert not found.receive(ELSEWHERE, OTHER)
        assert not found.receive(ELSEWHERE, b"\x00")
        assert found.receive(ELSEWHERE)
        assert found.goes_to() == ELSEWHERE
        assert not found.receive(STRANGER, now=2.0)
        assert found.receive(PORT_OF_NAT, now=1.0 + RELATCH_S)


def test_a_strict_site_takes_the_announced_host_alone() -> None:
    with scene(elsewhere=False) as found:
        assert not found.receive(ELSEWHERE)
        assert found.receive(PORT_OF_NAT)
        assert found.goes_to() == PORT_OF_NAT


def test_nothing_is_sent_before_it_is_known_where() -> None:
    with scene(announced=None) as found:
        assert found.goes_to() is None
        assert found.receive(ELSEWHERE)
        assert found.goes_to() == ELSEWHERE


def test_a_new_description_moves_it() -> None:
    with scene() as found:
        assert found.receive(ANNOUNCED)
        found.line.announce(ELSEWHERE, 1.5)
        assert found.goes_to() == ELSEWHERE
        assert found.receive(ELSEWHERE, now=1.6)


def test_a_flood_is_dropped_and_so_is_what_comes_after_the_end() -> None:
    with scene() as found:
        for _ in range(1_000):
            found.receive(ANNOUNCED)
        assert len(found.end.got) == BURST
        assert found.line.dropped["rate"] == 1_000 - BURST
        found.line.close()
        assert not found.receive(ANNOUNCED, now=100.0)
        assert found.goes_to() is None
