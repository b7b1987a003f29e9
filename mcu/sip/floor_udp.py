"""Floor control over UDP: a socket of the range of the media, which only the peer is heard on."""

import socket
from collections import Counter
from collections.abc import Hashable
from typing import Any

from mcu.media.latch import Elsewhere, Latch, may_be_at
from mcu.media.path import SendPath
from mcu.media.port_batch import PortAddress, transmit
from mcu.media.ports import MediaPorts
from mcu.media.srtp import PacketBuffer
from mcu.sip.floor_line import FloorEnd, FloorNames, Pace
from signalling.offer_answer.agreement import Address


class FloorDatagrams:
    """See ``FloorLine``; a ``PortReceiver`` of its socket.

    Answers go to the address that was announced, or to the one where the peer was found, as a
    device behind address translation announces one that it cannot be reached at.

    Args:
        sock: of ``ports``; not owned, to be closed after the line.
        elsewhere: the site lets the peer be found at another host than it has announced.
    """

    def __init__(
        self,
        sock: socket.socket,
        ports: MediaPorts,
        end: FloorEnd,
        names: FloorNames,
        remote: Address | None,
        *,
        elsewhere: Elsewhere,
        now: float,
    ) -> None:
        self.peer: Hashable | None = None
        self.dropped: Counter[str] = Counter()
        """``source``, ``rate``, ``media``."""
        self._socket = sock
        self._ports = ports
        self._end = end
        self._names = names
        self._elsewhere = elsewhere
        self._pace = Pace(now)
        self._latch = Latch(remote, elsewhere=elsewhere, now=now)
        self._path = SendPath(ports.batch, plain=True)
        self._is_closed = False
        self._lead_to(remote)
        ports.listen(sock, self)

    def send(self, data: bytes) -> None:
        """See ``FloorLine``."""
        if not self._is_closed:
            transmit(self._path, data)

    def announce(self, remote: Address | None, now: float) -> None:
        """See ``FloorLine``."""
        self._latch.announce(remote, now)
        self._lead_to(remote)

    def close(self) -> None:
        """See ``FloorLine``."""
        if not self._is_closed:
            self._is_closed = True
            self._ports.forget(self._socket)

    # PortReceiver

    def receive(self, packet: PacketBuffer, now: float) -> None:
        """See ``PortReceiver``: media have nothing to do here."""
        self.dropped["media"] += 1

    def receive_from(self, packet: PacketBuffer, key: Hashable, address: Any, now: float) -> None:
        """See ``PortReceiver``: media have nothing to do here."""
        self.dropped["media"] += 1

    def receive_other(self, datagram: bytes, key: Hashable, address: Any, now: float) -> None:
        """See ``PortReceiver``."""
        if self._is_closed:  # it waited for its turn meanwhile
            return
        if not self._is_of_peer(self._ports.peer_address(address), datagram, now):
            self.dropped["source"] += 1
        elif not self._pace.passes(now):
            self.dropped["rate"] += 1
        else:
            self._path.address = PortAddress(self._socket, address)
            self._end.heard(datagram, now)

    # Inside

    def _is_of_peer(self, source: Address, datagram: bytes, now: float) -> bool:
        latch = self._latch
        if source == latch.locked:
            latch.heard_at = now
            return True
        if not latch.considers(source, now, signed=True):
            return False
        if not (may_be_at(source[0], self._elsewhere) or latch.expects(source[0])):
            return False
        return self._names.are_in(datagram, reliable=False) and latch.take(source, now, signed=True)

    def _lead_to(self, remote: Address | None) -> None:
        if remote is not None:
            self._path.address = PortAddress(self._socket, self._ports.socket_address(remote))
