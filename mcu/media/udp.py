"""The media port's socket on an asyncio loop: opened, sized, drained, its kernel drops read."""

import asyncio
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from mcu.media import mmsg
from mcu.media.mmsg_batch import MmsgBatch
from mcu.media.port import MediaPort, SocketAddress
from mcu.media.reader import DATAGRAMS_PER_WAKE, MmsgReader, Reader, RecvfromReader

log = structlog.get_logger(__name__)

BUFFER_BYTES = 4 << 20
"""About half a second of a full node's traffic in each direction."""

POLL_S = 0.005
"""While datagrams come they are read at this interval, not as each of them wakes the loop."""
POLL_STEADY_S = 0.01
"""The same while nearly all is sound that nobody hears: the more of it at once, the cheaper."""
POLL_DRAINED_S = 0.025
"""The same where who mixes it drains all of that at once: longer than from one tick to the next."""
STEADY_SHARE = 1 / 8
"""Of datagrams may be other things, then."""
MAX_READS = 2
"""In one go; the rest waits in the kernel for the loop's next turn."""
TURN_S = 0.002
"""What checks and handshakes may take of one turn of the loop; of those one is the least."""
MAX_WAITING = 2048
"""Checks and handshakes; several of each of as many legs as a node has."""

_WILDCARDS = ("::", "0.0.0.0")  # noqa: S104 compared, not bound
_SO_SNDBUFFORCE = 32
_SO_RCVBUFFORCE = 33
_PROC_DROPS_COLUMN = 12
_PROC_INODE_COLUMN = 9


def open_socket(host: str = "::", port: int = 0) -> socket.socket:
    """A non-blocking UDP socket; ``::`` takes IPv4 and IPv6, or IPv4 alone where IPv6 is off.

    Raises:
        OSError: the address is in use or not ours.
    """
    family = socket.AF_INET6 if ":" in host and socket.has_ipv6 else socket.AF_INET
    try:
        sock = socket.socket(family, socket.SOCK_DGRAM)
    except OSError:
        if host != "::":
            raise
        # The kernel was built or booted without IPv6.
        family = socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET and host == "::":
        host = "0.0.0.0"  # noqa: S104 all of a server's addresses, as asked for
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        _size(sock, socket.SO_RCVBUF, _SO_RCVBUFFORCE)
        _size(sock, socket.SO_SNDBUF, _SO_SNDBUFFORCE)
        sock.setblocking(False)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock


def _size(sock: socket.socket, option: int, force: int) -> None:
    sock.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
    # Beyond net.core.*mem_max only with CAP_NET_ADMIN.
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, force, BUFFER_BYTES)


class UdpTransport:
    """Reads a socket into a media port while it is open.

    The loop watches a socket that is quiet. From the first datagram on it is read every
    ``POLL_S`` or so until a read finds nothing: thousands of datagrams a second then cost some
    hundred wakes. That they wait changes little where time matters: they count as arrived when
    the kernel had them, and who mixes sound calls ``drain`` before. Where nearly all of it is
    sound that nobody hears, what else there is waits for that too, 20 ms at most.

    Media goes first. Checks and handshakes are taken up after it, for TURN_S in each turn of the
    loop: a whole province that joins in one moment costs a tenth of a second of handshakes.

    Faults and read errors also stand in the port's ``dropped``, where operators see them.

    Args:
        sock: as from ``open_socket``; owned from now on.
        clock: monotonic seconds, read once per wake.
        reader: of the same socket; by ``recvfrom`` when None.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        port: MediaPort,
        clock: Callable[[], float] = time.monotonic,
        reader: Reader | None = None,
    ) -> None:
        self._loop = loop
        self._reader = RecvfromReader(sock) if reader is None else reader
        self._socket = sock
        self._port = port
        self._clock = clock
        self.read_errors = 0
        self.faults = 0
        """Exceptions while a datagram was taken; each is a defect of this program, and logged."""
        self.first: Callable[[], bool] = lambda: False
        """Does what is more urgent than to read, if it is due, ``drain`` included; whether so."""
        self._poll: asyncio.Handle | None = None
        self._steady = False
        """Nearly all of the last read was sound that nobody hears."""
        self._waiting: deque[tuple[bytes, SocketAddress, float]] = deque()
        self._turn: asyncio.Handle | None = None
        loop.add_reader(sock.fileno(), self._readable)

    @property
    def local_port(self) -> int:
        """The port number bound."""
        return int(self._socket.getsockname()[1])

    @property
    def buffer_bytes(self) -> tuple[int, int]:
        """Receive and send buffer as the kernel granted them."""
        get = self._socket.getsockopt
        return (
            get(socket.SOL_SOCKET, socket.SO_RCVBUF),
            get(socket.SOL_SOCKET, socket.SO_SNDBUF),
        )

    def kernel_drops(self) -> int | None:
        """Datagrams the kernel threw away because the buffer was full; None where unknown.

        Cost: reads a file of one line per UDP socket of the host; for statistics, not per tick.
        """
        inode = str(self._inode())
        for name in ("udp6", "udp"):
            try:
                lines = Path("/proc/self/net", name).read_text(encoding="ascii").splitlines()
            except OSError:
                continue
            for line in lines[1:]:
                columns = line.split()
                if len(columns) > _PROC_DROPS_COLUMN and columns[_PROC_INODE_COLUMN] == inode:
                    return int(columns[_PROC_DROPS_COLUMN])
        return None

    def close(self) -> None:
        """Stop reading and close the socket. Idempotent."""
        if self._socket.fileno() >= 0:
            for handle in (self._poll, self._turn):
                if handle is not None:
                    handle.cancel()
            self._poll = self._turn = None
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()

    def drain(self) -> None:
        """Take what waits, at most MAX_READS times DATAGRAMS_PER_WAKE."""
        for _ in range(MAX_READS):
            if self._read() < DATAGRAMS_PER_WAKE:
                self._poll_again(POLL_DRAINED_S if self._steady else POLL_S)
                return
        self._poll_again(0.0)

    def _poll_again(self, wait_s: float) -> None:
        """Poll so much later than now, and not before; unless the loop watches the socket."""
        if self._poll is not None:
            self._poll.cancel()
            self._poll = self._loop.call_later(wait_s, self._poll_now)

    def _inode(self) -> int:
        return Path(f"/proc/self/fd/{self._socket.fileno()}").stat().st_ino

    def _readable(self) -> None:
        self._loop.remove_reader(self._socket.fileno())
        self._poll_now()

    def _poll_now(self) -> None:
        if self._poll is not None and self.first():
            return  # all was drained
        count = self._read()
        if count == DATAGRAMS_PER_WAKE:
            self._poll = self._loop.call_soon(self._poll_now)
        elif count:
            wait_s = POLL_STEADY_S if self._steady else POLL_S
            self._poll = self._loop.call_later(wait_s, self._poll_now)
        else:
            self._poll = None
            self._loop.add_reader(self._socket.fileno(), self._readable)

    def _read(self) -> int:
        """Take up to DATAGRAMS_PER_WAKE; gives how many there were."""
        now = self._clock()
        reader, port = self._reader, self._port
        try:
            count = reader.read(now)
        except BlockingIOError:
            self._steady = False
            return 0
        except OSError:
            self._steady = False
            # An ICMP message about what was sent; datagrams may wait behind it.
            self.read_errors += 1
            port.dropped["read_error"] += 1
            return 1
        packets, receive = reader.packets, port.packet_received
        keys, arrivals = reader.keys(), reader.arrivals()
        others: Sequence[int] = range(count)
        if reader.slots is not None:
            try:
                others = port.packets_received(reader.slots, keys, arrivals)
            except Exception:
                self._fault()
        arrived_at = arrivals.tolist()
        self._steady = len(others) <= count * STEADY_SHARE
        for number in others:
            try:
                packet = packets[number]
                if not receive(packet, keys[number], arrived_at[number]):
                    self._wait(packet.bytes(), reader.address(number), now)
            except Exception:
                self._fault()
        return count

    def _wait(self, datagram: bytes, address: SocketAddress, now: float) -> None:
        """Take up what is no media when its turn comes."""
        if len(self._waiting) >= MAX_WAITING:
            self._port.dropped["crowd"] += 1
            return
        self._waiting.append((datagram, address, now))
        if self._turn is None:
            self._turn = self._loop.call_soon(self._take_waiting)

    def _take_waiting(self) -> None:
        self._turn = None
        self.first()
        ends = self._clock() + TURN_S
        while self._waiting:
            try:
                self._port.datagram_received(*self._waiting.popleft())
            except Exception:
                self._fault()
            if self._clock() >= ends:
                break
        if self._waiting and self._turn is None:
            self._turn = self._loop.call_soon(self._take_waiting)

    def _fault(self) -> None:
        """A defect that one datagram meets must not cost the others of this turn."""
        self.faults += 1
        self._port.dropped["datagram_fault"] += 1
        log.exception("datagram_failed")


def open_media_port(
    loop: asyncio.AbstractEventLoop,
    host: str = "::",
    port: int = 0,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[MediaPort, UdpTransport]:
    """Open the media port on a loop, with ``sendmmsg`` and ``recvmmsg`` where they are.

    Raises:
        OSError: the address is in use or not ours.
    """
    sock = open_socket(host, port)
    dual_stack = sock.family == socket.AF_INET6
    calls = mmsg.system_calls()
    if calls is None:
        # Answers leave from the address that the routes choose.
        media_port = MediaPort(sock.sendto, dual_stack=dual_stack)
        return media_port, UdpTransport(loop, sock, media_port, clock)
    if sock.getsockname()[0] in _WILDCARDS:
        mmsg.ask_for_local_addresses(sock)
    mmsg.ask_for_times(sock)
    media_port = MediaPort(sock.sendto, dual_stack=dual_stack, batch=MmsgBatch(sock, calls))
    return media_port, UdpTransport(loop, sock, media_port, clock, MmsgReader(sock, calls))
