"""SIP over UDP: one socket for both families; answers leave from the address that was reached.

The kernel tells with each datagram which of our addresses it came to, and takes with each of ours
from which it is to leave (RFC 3542 section 6.2, ip(7)). On a server with several addresses
that is what firewalls and devices expect of an answer.
"""

import asyncio
import select
import socket
import struct
from collections.abc import Callable
from typing import Final

from mcu.media.mmsg import IP_PKTINFO, IPV6_PKTINFO, ask_for_local_addresses
from mcu.media.udp import open_socket
from mcu.sip.counts import TransportCounts
from mcu.sip.stream import plain_address
from mcu.sip.unreachable import ask_for_errors, unreachable_places
from signalling.sip import Hop

DATAGRAMS_PER_WAKE: Final = 32
"""Read in one go; media comes first, so the rest waits for the loop's next turn."""
MAX_DATAGRAM_BYTES: Final = 65_535
_CONTROL_BYTES: Final = 128
_INFO4: Final = struct.Struct("=i4s4s")
_INFO6: Final = struct.Struct("=16si")
_KEEP_ALIVE_BYTES: Final = b"\r\n\0 "
SO_MEMINFO: Final = 55
_MEMINFO: Final = struct.Struct("=9I")
"""Linux's ``sock_diag.h``: the last is what was dropped."""
_MAPPED: Final = "::ffff:"


class SipUdp:
    """A socket that is read while it is open.

    Args:
        received: gets each datagram that is more than a keep-alive, and its source.
        unreachable: told where a datagram did not arrive, as ICMP says.

    Raises:
        OSError: the address is in use or not ours.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        host: str,
        port: int,
        received: Callable[[bytes, Hop], None],
        counts: TransportCounts,
        unreachable: Callable[[str, int], None] = lambda host, port: None,
    ) -> None:
        self._loop = loop
        self._unreachable = unreachable
        self._received = received
        self._counts = counts
        self._socket = open_socket(host, port)
        self._is_v6 = self._socket.family == socket.AF_INET6
        ask_for_local_addresses(self._socket)
        ask_for_errors(self._socket)
        # libuv stops to read a socket for good once it has an error: it watches the one that
        # watches the socket, which has none.
        self._wakes = select.epoll()
        self._wakes.register(self._socket, select.EPOLLIN)
        loop.add_reader(self._wakes.fileno(), self._readable)

    @property
    def port(self) -> int:
        """The port number bound."""
        return int(self._socket.getsockname()[1])

    def send(self, data: bytes, hop: Hop) -> bool:
        """Send to an address; False where the system does not take it.

        A full buffer counts as sent: the datagram is lost, and is repeated like any that is.
        """
        for _ in range(2):
            try:
                self._socket.sendmsg([data], self._control(hop.local), 0, self._address(hop))
            except BlockingIOError:
                self._counts.unsent["socket"] += 1
            except OSError:
                # What ICMP said of an earlier datagram, perhaps to another place, is told here.
                if self._take_errors():
                    continue
                return False
            else:
                self._counts.sent["udp"] += 1
            return True
        return False

    def kernel_drops(self) -> int:
        """Datagrams that found the socket's buffer full; 0 once it is closed."""
        if self._socket.fileno() < 0:
            return 0
        values = self._socket.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, _MEMINFO.size)
        drops: int = _MEMINFO.unpack(values)[-1]
        return drops

    def close(self) -> None:
        """Stop reading and close the socket. Idempotent."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._wakes.fileno())
            self._wakes.close()
            self._socket.close()

    def _readable(self) -> None:
        for number in range(DATAGRAMS_PER_WAKE):
            try:
                data, control, _, address = self._socket.recvmsg(MAX_DATAGRAM_BYTES, _CONTROL_BYTES)
            except BlockingIOError:
                if number == 0:
                    self._take_errors()  # what has woken us, or it would do so for ever
                return
            except OSError:
                self._take_errors()  # datagrams may wait behind what ICMP says
                continue
            if len(data) <= len(_KEEP_ALIVE_BYTES) and not data.strip(_KEEP_ALIVE_BYTES):
                self._counts.dropped["keep-alive"] += 1
                continue
            host, port = address[:2]
            self._received(data, Hop("udp", plain_address(host), port, local=_local_of(control)))

    def _take_errors(self) -> bool:
        """Tell of what waits in the queue of errors; whether there was any."""
        places = unreachable_places(self._socket)
        for host, port in places:
            self._counts.dropped["unreachable"] += 1
            self._unreachable(host, port)
        return bool(places)

    def _address(self, hop: Hop) -> tuple[str, int]:
        if hop.port is None:
            raise OSError("a port is needed")
        if self._is_v6 and ":" not in hop.host:
            return _MAPPED + hop.host, hop.port
        return hop.host, hop.port

    def _control(self, local: str) -> list[tuple[int, int, bytes]]:
        if not local:
            return []
        if not self._is_v6:
            info = _INFO4.pack(0, socket.inet_aton(local), bytes(4))
            return [(socket.IPPROTO_IP, IP_PKTINFO, info)]
        packed = socket.inet_pton(socket.AF_INET6, local if ":" in local else _MAPPED + local)
        return [(socket.IPPROTO_IPV6, IPV6_PKTINFO, _INFO6.pack(packed, 0))]


def _local_of(control: list[tuple[int, int, bytes]]) -> str:
    """Our address that a datagram was sent to; empty where it was not told."""
    for level, kind, data in control:
        if (level, kind) == (socket.IPPROTO_IPV6, IPV6_PKTINFO) and len(data) >= _INFO6.size:
            return plain_address(socket.inet_ntop(socket.AF_INET6, data[:16]))
        if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO) and len(data) >= _INFO4.size:
            return socket.inet_ntop(socket.AF_INET, data[8:12])
    return ""


def local_address(host: str, port: int) -> str:
    """Our address from which the routes lead to ``host``; empty where none does. Sends nothing."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((host, port))
            return str(probe.getsockname()[0]).partition("%")[0]
    except OSError:
        return ""
