"""The sockets of all SIP legs on an asyncio loop: hundreds, read together.

They hang on one ``epoll``, which the loop watches like a single socket. While datagrams come, all
that have some are named by one call every ``POLL_S``, and only those are read, into memory that is
the same for all: that costs about as much for a packet as one socket for all legs does.
"""

import asyncio
import resource
import select
import socket
import time
from collections import Counter, deque
from collections.abc import Callable, Hashable
from typing import Any, Protocol

import structlog

from mcu.media import mmsg
from mcu.media.batch import PacketBatch
from mcu.media.port_batch import PortAddress, PortMmsgBatch, PortSendtoBatch
from mcu.media.port_pairs import PortPair, PortPairs
from mcu.media.reader import DATAGRAMS_PER_WAKE, MmsgReader, Reader, RecvfromReader
from mcu.media.srtp import PacketBuffer
from mcu.media.udp import MAX_WAITING, POLL_S, TURN_S

log = structlog.get_logger(__name__)

OTHER_DESCRIPTORS = 1024
"""Of a process, beside those of its media ports."""
MAX_READS = 2
"""Of one socket in one go, when everything is drained."""
_MAPPED_PREFIX = "::ffff:"


class PortReceiver(Protocol):
    """Who reads a socket. None of these raises.

    ``peer`` is the reader's key of the address whose packets go to ``receive`` without a further
    look; None: there is none yet.
    """

    peer: Hashable | None

    def receive(self, packet: PacketBuffer, now: float) -> object:
        """A datagram of the RTP range (RFC 7983) from ``peer``, in its slot."""

    def receive_from(self, packet: PacketBuffer, key: Hashable, address: Any, now: float) -> None:
        """A datagram of the RTP range from elsewhere."""

    def receive_other(self, datagram: bytes, key: Hashable, address: Any, now: float) -> None:
        """Any other datagram; a check or a handshake, in its turn."""


class MediaPorts(Protocol):
    """What legs need of their sockets; ``UdpPorts``, or a stand-in in virtual time."""

    @property
    def batch(self) -> PacketBatch:
        """Sends for all of them; addresses of its paths are ``PortAddress``."""

    def take(self) -> PortPair:
        """Bind a pair; see ``PortPairs.take``."""

    def listen(self, sock: Any, receiver: PortReceiver) -> None:
        """Read a socket from now on; what came before waits in it."""

    def forget(self, sock: Any) -> None:
        """Read a socket no more; before it is closed."""

    def socket_address(self, address: tuple[str, int]) -> Any:
        """The form a socket takes for an address as descriptions name it."""

    def peer_address(self, address: Any) -> tuple[str, int]:
        """The address a peer knows itself by, of a path's or a datagram's."""


class UdpPorts:
    """Real sockets; see ``MediaPorts``.

    Args:
        clock: monotonic seconds, read once per wake.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        pairs: PortPairs,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.dropped: Counter[str] = Counter()
        """``read_error``, ``datagram_fault``, ``crowd``."""
        self._loop = loop
        self._pairs = pairs
        self._clock = clock
        # Tells what the kernel can, and is what the reader reads before there are others.
        self._probe = socket.socket(pairs.family, socket.SOCK_DGRAM)
        _allow_descriptors(pairs.descriptors + OTHER_DESCRIPTORS)
        calls = mmsg.system_calls()
        self.batch: PacketBatch
        self._reader: Reader
        if calls is None:
            self.batch, self._reader = PortSendtoBatch(), RecvfromReader(self._probe)
        else:
            self.batch = PortMmsgBatch(self._probe, calls)
            self._reader = MmsgReader(self._probe, calls)
        self._epoll = select.epoll()
        self._receivers: dict[int, tuple[socket.socket, PortReceiver]] = {}
        self._poll: asyncio.Handle | None = None
        self._waiting: deque[tuple[PortReceiver, bytes, Hashable, Any, float]] = deque()
        self._turn: asyncio.Handle | None = None
        loop.add_reader(self._epoll.fileno(), self._readable)

    @property
    def sockets(self) -> int:
        """How many are read."""
        return len(self._receivers)

    def take(self) -> PortPair:
        """See ``MediaPorts``."""
        return self._pairs.take()

    def listen(self, sock: socket.socket, receiver: PortReceiver) -> None:
        """See ``MediaPorts``."""
        self._receivers[sock.fileno()] = (sock, receiver)
        self._epoll.register(sock.fileno(), select.EPOLLIN)

    def forget(self, sock: socket.socket) -> None:
        """See ``MediaPorts``. Idempotent."""
        found = self._receivers.get(sock.fileno())
        if found is not None and found[0] is sock:
            del self._receivers[sock.fileno()]
            self._epoll.unregister(sock.fileno())

    def socket_address(self, address: tuple[str, int]) -> Any:
        """See ``MediaPorts``."""
        host, port = address
        if self._pairs.family == socket.AF_INET:
            return address
        return (host if ":" in host else _MAPPED_PREFIX + host, port, 0, 0)

    def peer_address(self, address: Any) -> tuple[str, int]:
        """See ``MediaPorts``."""
        if isinstance(address, PortAddress):
            address = address.address
        host, port = str(address[0]), int(address[1])
        if host.startswith(_MAPPED_PREFIX) and "." in host:
            host = host[len(_MAPPED_PREFIX) :]
        return host, port

    def drain(self) -> None:
        """Take what waits, at most MAX_READS times DATAGRAMS_PER_WAKE of each socket."""
        for _ in range(MAX_READS):
            if self._read() < DATAGRAMS_PER_WAKE:
                return

    def close(self) -> None:
        """Read no more. Whoever took pairs closes them. Idempotent."""
        if self._epoll.closed:
            return
        for handle in (self._poll, self._turn):
            if handle is not None:
                handle.cancel()
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()
        self._probe.close()
        self._receivers.clear()

    def _readable(self) -> None:
        self._loop.remove_reader(self._epoll.fileno())
        self._poll_now()

    def _poll_now(self) -> None:
        most = self._read()
        if most >= DATAGRAMS_PER_WAKE:
            self._poll = self._loop.call_soon(self._poll_now)
        elif most:
            self._poll = self._loop.call_later(POLL_S, self._poll_now)
        else:
            self._poll = None
            self._loop.add_reader(self._epoll.fileno(), self._readable)

    def _read(self) -> int:
        """Read each socket that has something once; gives the most that one had.

        So a socket that is flooded takes its share of a turn like any other.
        """
        if self._epoll.closed:
            return 0
        now = self._clock()
        most = 0
        for descriptor, _ in self._epoll.poll(0):
            found = self._receivers.get(descriptor)
            if found is not None:
                count = self._read_one(*found, now)
                if count > most:
                    most = count
        return most

    def _read_one(self, sock: socket.socket, receiver: PortReceiver, now: float) -> int:
        reader = self._reader
        reader.turn_to(sock)
        try:
            count = reader.read(now)
        except BlockingIOError:
            return 0
        except OSError:
            # An ICMP message about what was sent; datagrams may wait behind it.
            self.dropped["read_error"] += 1
            return 1
        packets = reader.packets
        for number in range(count):
            try:
                packet, key = packets[number], reader.key(number)
                if not packet.length[0] or packet.view[0] & 0xC0 != 0x80:
                    self._wait(receiver, packet.bytes(), key, reader.address(number), now)
                elif key == receiver.peer:
                    receiver.receive(packet, reader.arrived_at(number))
                else:
                    at = reader.arrived_at(number)
                    receiver.receive_from(packet, key, reader.address(number), at)
            except Exception:
                self._fault()
        return count

    def _wait(
        self, receiver: PortReceiver, datagram: bytes, key: Hashable, address: Any, now: float
    ) -> None:
        """Media goes first: what is none is taken up when its turn comes."""
        if len(self._waiting) >= MAX_WAITING:
            self.dropped["crowd"] += 1
            return
        self._waiting.append((receiver, datagram, key, address, now))
        if self._turn is None:
            self._turn = self._loop.call_soon(self._take_waiting)

    def _take_waiting(self) -> None:
        self._turn = None
        ends = self._clock() + TURN_S
        while self._waiting:
            receiver, datagram, key, address, now = self._waiting.popleft()
            try:
                receiver.receive_other(datagram, key, address, now)
            except Exception:
                self._fault()
            if self._clock() >= ends:
                break
        if self._waiting:
            self._turn = self._loop.call_soon(self._take_waiting)

    def _fault(self) -> None:
        """A defect that one datagram meets must not cost the others of this turn."""
        self.dropped["datagram_fault"] += 1
        log.exception("datagram_failed")


def _allow_descriptors(count: int) -> None:
    """Let the process have as many, as far as its hard limit goes: 1,024 are the usual soft one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
