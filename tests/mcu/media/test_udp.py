import asyncio
import itertools
import socket
from collections.abc import Callable
from typing import Any

import pytest

from mcu.media import mmsg, udp
from mcu.media.port import MediaPort
from mcu.media.reader import DATAGRAMS_PER_WAKE
from mcu.media.srtp import PacketBuffer
from mcu.media.udp import UdpTransport, open_media_port, open_socket


def client(family: socket.AddressFamily) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
    sock.setblocking(False)
    return sock


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 the loop's reader has no event to wait for
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
async def test_one_socket_for_both_families(family: socket.AddressFamily, host: str) -> None:
    loop = asyncio.get_running_loop()
    port, transport = open_media_port(loop)
    peer = client(family)
    try:
        peer.sendto(b"\xffhello", (host, transport.local_port))
        await until(lambda: port.datagrams_received == 1)
        answer_to = port.socket_address(peer.getsockname()[:2])
        assert port.transmit(b"answer", answer_to)
        assert await loop.sock_recv(peer, 100) == b"answer"
    finally:
        peer.close()
        transport.close()
        transport.close()


async def test_drains_in_bounded_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    sock = open_socket("127.0.0.1")
    port = MediaPort(sock.sendto)
    times = itertools.count()
    transport = UdpTransport(asyncio.get_running_loop(), sock, port, lambda: float(next(times)))
    seen: list[float] = []

    def receive(packet: object, key: object, now: float) -> bool:
        seen.append(now)
        return True

    monkeypatch.setattr(port, "packet_received", receive)
    peer = client(socket.AF_INET)
    try:
        for _ in range(DATAGRAMS_PER_WAKE + 10):
            peer.sendto(b"x", ("127.0.0.1", transport.local_port))
        await until(lambda: len(seen) == DATAGRAMS_PER_WAKE + 10)
        assert seen[:DATAGRAMS_PER_WAKE] == [0.0] * DATAGRAMS_PER_WAKE
        assert seen[-1] > 0.0
    finally:
        peer.close()
        transport.close()


async def test_handshakes_wait_for_media_and_do_not_fill_a_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sock = open_socket("127.0.0.1")
    port = MediaPort(sock.sendto)
    now = 0.0
    transport = UdpTransport(asyncio.get_running_loop(), sock, port, lambda: now)
    seen: list[str] = []

    def receive(packet: PacketBuffer, key: object, at: float) -> bool:
        media = packet.view[0] == 0x80
        if media:
            seen.append("media")
        return media

    def shake(datagram: bytes, address: object, at: float) -> None:
        nonlocal now
        now += 0.8 * udp.TURN_S  # as long as that takes
        seen.append("handshake")

    monkeypatch.setattr(port, "packet_received", receive)
    monkeypatch.setattr(port, "datagram_received", shake)
    monkeypatch.setattr(udp, "MAX_WAITING", 6)
    peer = client(socket.AF_INET)
    try:
        for number in range(20):
            peer.sendto(b"\x80" if number % 2 else b"\x16", ("127.0.0.1", transport.local_port))
        transport.drain()
        assert seen == ["media"] * 10
        assert port.dropped == {"crowd": 4}
        lengths = []
        while len(seen) < 16:
            before = len(seen)
            await asyncio.sleep(0)
            lengths.append(len(seen) - before)
        assert max(lengths) == 2
    finally:
        peer.close()
        transport.close()


async def test_a_socket_that_is_quiet_again_wakes_the_loop() -> None:
    port, transport = open_media_port(asyncio.get_running_loop(), "127.0.0.1")
    peer = client(socket.AF_INET)
    try:
        for number in range(1, 4):
            peer.sendto(b"\x80x", ("127.0.0.1", transport.local_port))
            await until(lambda number=number: port.datagrams_received == number)
            await asyncio.sleep(3 * udp.POLL_S)  # it is polled until it is found quiet
    finally:
        peer.close()
        transport.close()


async def test_a_defect_one_datagram_meets_does_not_cost_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port, transport = open_media_port(asyncio.get_running_loop(), "127.0.0.1")
    seen: list[bytes] = []

    def receive(datagram: bytes, address: object, now: float) -> None:
        seen.append(datagram)
        if datagram == b"1":
            raise RuntimeError("defect")

    monkeypatch.setattr(port, "datagram_received", receive)
    peer = client(socket.AF_INET)
    try:
        for datagram in (b"1", b"2", b"3"):
            peer.sendto(datagram, ("127.0.0.1", transport.local_port))
        await until(lambda: len(seen) == 3)
        assert transport.faults == port.dropped["datagram_fault"] == 1
    finally:
        peer.close()
        transport.close()


class Timers:
    """What a transport asks of its loop."""

    def __init__(self) -> None:
        self.later: list[tuple[float, Callable[[], None]]] = []
        self.readable: Callable[[], None] | None = None

    def add_reader(self, descriptor: int, call: Callable[[], None]) -> None:
        self.readable = call

    def remove_reader(self, descriptor: int) -> None:
        self.readable = None

    def call_later(self, delay_s: float, call: Callable[[], None]) -> "Timers":
        self.later.append((delay_s, call))
        return self

    def cancel(self) -> None:
        self.later.clear()


@pytest.mark.skipif(mmsg.system_calls() is None, reason="packets in columns come by recvmmsg")
@pytest.mark.parametrize(("others", "waits_s"), [(2, udp.POLL_STEADY_S), (3, udp.POLL_S)])
def test_sound_in_step_is_waited_for_longer(
    monkeypatch: pytest.MonkeyPatch, others: int, waits_s: float
) -> None:
    timers = Timers()
    port, transport = open_media_port(timers, "127.0.0.1")  # type: ignore[arg-type]
    monkeypatch.setattr(port, "packets_received", lambda *_: range(others))
    with client(socket.AF_INET) as peer:
        for _ in range(16):
            peer.sendto(b"\x80x", ("127.0.0.1", transport.local_port))
    assert timers.readable is not None
    timers.readable()
    assert [delay_s for delay_s, _ in timers.later] == [waits_s]
    assert timers.readable is None
    timers.later[0][1]()
    assert timers.readable is not None
    transport.close()


@pytest.mark.skipif(mmsg.system_calls() is None, reason="packets in columns come by recvmmsg")
@pytest.mark.parametrize(
    ("others", "packets", "waits_s"),
    [
        (2, 16, udp.POLL_DRAINED_S),
        (3, 16, udp.POLL_S),
        (0, DATAGRAMS_PER_WAKE + 8, udp.POLL_DRAINED_S),
        (0, udp.MAX_READS * DATAGRAMS_PER_WAKE + 8, 0.0),
        (0, 0, udp.POLL_S),
    ],
)
def test_what_was_drained_is_not_polled_for(
    monkeypatch: pytest.MonkeyPatch, others: int, packets: int, waits_s: float
) -> None:
    timers = Timers()
    port, transport = open_media_port(timers, "127.0.0.1")  # type: ignore[arg-type]
    with client(socket.AF_INET) as peer:
        peer.sendto(b"\x80x", ("127.0.0.1", transport.local_port))
        assert timers.readable is not None
        timers.readable()
        monkeypatch.setattr(port, "packets_received", lambda *_: range(others))
        for _ in range(packets):
            peer.sendto(b"\x80x", ("127.0.0.1", transport.local_port))
    transport.drain()
    assert [delay_s for delay_s, _ in timers.later] == [waits_s]
    assert not transport.faults
    transport.close()


def test_what_is_more_urgent_goes_before_a_read() -> None:
    timers = Timers()
    port, transport = open_media_port(timers, "127.0.0.1")  # type: ignore[arg-type]
    due = [False, True]

    def first() -> bool:
        found = due.pop()
        if found:
            transport.drain()
        return found

    transport.first = first
    with client(socket.AF_INET) as peer:
        peer.sendto(b"\x80x", ("127.0.0.1", transport.local_port))
        assert timers.readable is not None
        timers.readable()  # the loop has just noticed: nothing waits yet
        for taken in (2, 3):
            peer.sendto(b"\x80x", ("127.0.0.1", transport.local_port))
            ((_, poll),) = timers.later
            timers.later.clear()
            poll()
            assert port.dropped["unknown_address"] == taken
            assert len(timers.later) == 1
    assert not due
    transport.close()


class FailingSocket(socket.socket):
    """Tells of an error once, as the kernel does of one that an ICMP message brought."""

    failed = False

    def recvfrom_into(self, *arguments: Any) -> tuple[int, Any]:
        if not self.failed:
            self.failed = True
            raise ConnectionRefusedError
        return super().recvfrom_into(*arguments)


async def test_a_read_error_is_counted_and_reading_goes_on() -> None:
    sock = FailingSocket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.bind(("127.0.0.1", 0))
    port = MediaPort(sock.sendto)
    transport = UdpTransport(asyncio.get_running_loop(), sock, port)
    peer = client(socket.AF_INET)
    try:
        peer.sendto(b"\xffhello", ("127.0.0.1", transport.local_port))
        await until(lambda: port.datagrams_received == 1)
        assert transport.read_errors == port.dropped["read_error"] == 1
    finally:
        peer.close()
        transport.close()


async def test_kernel_drops_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udp, "BUFFER_BYTES", 4096)
    sock = open_socket("127.0.0.1")
    transport = UdpTransport(asyncio.get_running_loop(), sock, MediaPort(sock.sendto))
    peer = client(socket.AF_INET)
    try:
        assert transport.kernel_drops() == 0
        for _ in range(200):
            peer.sendto(bytes(1000), ("127.0.0.1", transport.local_port))
        assert (transport.kernel_drops() or 0) > 100
    finally:
        peer.close()
        transport.close()


async def test_buffers_are_sized() -> None:
    _, transport = open_media_port(asyncio.get_running_loop(), "127.0.0.1")
    try:
        received, sent = transport.buffer_bytes
        # The kernel doubles what it grants, and grants what its limits allow.
        default = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with default:
            assert received >= default.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        assert sent > 0
    finally:
        transport.close()


def test_an_address_in_use_leaves_no_socket() -> None:
    first = open_socket("127.0.0.1")
    try:
        with pytest.raises(OSError, match="in use"):
            open_socket("127.0.0.1", first.getsockname()[1])
    finally:
        first.close()


def test_without_ipv6_the_wildcard_is_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "has_ipv6", False)
    sock = open_socket()
    try:
        assert sock.family == socket.AF_INET
    finally:
        sock.close()


@pytest.mark.parametrize(
    ("host", "family", "asked"),
    [
        ("::", socket.AF_INET, "127.0.0.1"),
        ("::", socket.AF_INET, "127.0.0.2"),
        ("::", socket.AF_INET6, "::1"),
        ("0.0.0.0", socket.AF_INET, "127.0.0.2"),
        ("127.0.0.2", socket.AF_INET, "127.0.0.2"),
    ],
)
async def test_answers_leave_from_the_address_the_peer_sent_to(
    monkeypatch: pytest.MonkeyPatch, host: str, family: socket.AddressFamily, asked: str
) -> None:
    loop = asyncio.get_running_loop()
    port, transport = open_media_port(loop, host)
    seen: list[Any] = []
    monkeypatch.setattr(port, "datagram_received", lambda data, address, now: seen.append(address))
    peer = client(family)
    try:
        peer.sendto(b"\x00\x01", (asked, transport.local_port))
        await until(lambda: len(seen) == 1)
        assert port.peer_address(seen[0]) == peer.getsockname()[:2]
        # A route to the peer alone would choose 127.0.0.1.
        peer.connect((asked, transport.local_port))
        assert port.transmit(b"answer", seen[0])
        assert await loop.sock_recv(peer, 100) == b"answer"
    finally:
        peer.close()
        transport.close()


async def test_without_the_system_calls_datagrams_go_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(udp.mmsg, "system_calls", lambda: None)
    await test_one_socket_for_both_families(socket.AF_INET, "127.0.0.1")
    await test_one_socket_for_both_families(socket.AF_INET6, "::1")
