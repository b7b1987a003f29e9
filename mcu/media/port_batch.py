"""One batch for the packets of many sockets, each of which sends from a port of its own.

A SIP peer takes media only from the port that was announced to it (symmetric RTP), so its legs
cannot share a socket. They share the memory that packets are written into: a batch for each of
several hundred sockets would take 300 kB each. What waits leaves by one system call for each
socket in a row.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from mcu.media import mmsg
from mcu.media.batch import Committed, SendtoBatch, Target
from mcu.media.mmsg import SocketPath
from mcu.media.mmsg_batch import MmsgBatch
from mcu.media.path import SendPath
from mcu.media.srtp import MAX_DATAGRAM_BYTES


class PortSocket(Protocol):
    """What is needed of a socket; a stand-in's in virtual time."""

    def fileno(self) -> int:
        """-1 once it is closed."""

    def sendto(self, datagram: memoryview, address: Any, /) -> Any:
        """Send one datagram."""


class PortAddress(NamedTuple):
    """Where a path leads: from which socket to which address (as the socket takes it)."""

    socket: PortSocket
    address: Any


class PortTarget(Target):
    """A target that knows its socket."""

    __slots__ = ("socket",)

    def __init__(self, to: PortAddress, name: bytes, control: bytes) -> None:
        super().__init__(to.address, name, control)
        self.socket = to.socket


class PortSendtoBatch(SendtoBatch):
    """Datagram by datagram: where ``sendmmsg`` is missing, and in virtual time.

    Addresses of its paths are ``PortAddress``.
    """

    def __init__(self) -> None:
        super().__init__(lambda datagram, to: to.socket.sendto(datagram, to.address))


class PortMmsgBatch(MmsgBatch):
    """By ``sendmmsg``. Addresses of its paths are ``PortAddress``.

    Args:
        sock: of the family of all of them, to ask what the kernel can; not owned.
    """

    def target(self, address: PortAddress) -> PortTarget:
        """See ``PacketBatch``."""
        to = address.address
        if isinstance(to, SocketPath):
            return PortTarget(address, to.name, to.local)
        return PortTarget(address, mmsg.pack_name(self._socket.family, to), b"")

    def flush(self) -> None:
        """See ``PacketBatch``. Cost: a system call for each socket in a row."""
        owners = self._owners
        if not owners:
            return
        self._owners = []
        self.used = 0
        begin, count = 0, len(owners)
        while begin < count:
            sock = _socket_of(owners[begin])
            end = begin + 1
            while end < count and _socket_of(owners[end]) is sock:
                end += 1
            self._send_run(owners, begin, end, sock.fileno())
            begin = end


def _socket_of(waiting: Committed) -> PortSocket:
    target = waiting[1]
    assert isinstance(target, PortTarget)  # noqa: S101 whoever committed got it from this batch
    return target.socket


def transmit(path: SendPath, datagram: bytes) -> None:
    """Send one datagram that is not on the hot path; one that is refused counts with the path."""
    batch = path.batch
    if len(datagram) > MAX_DATAGRAM_BYTES or path.target is None:
        path.dropped += 1
        return
    slot = batch.free_slot()
    at = batch.offsets[slot]
    batch.view[at : at + len(datagram)] = datagram
    batch.lengths[2 * slot + 1] = len(datagram)
    batch.commit(path, 1)
    batch.flush()
