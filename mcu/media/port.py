"""The one media port: tells STUN, DTLS, SRTP and SRTCP apart and finds the leg they are for.

No socket and no clock here. ``mcu.media.udp`` drains a socket into ``datagram_received``; tests
hand datagrams in themselves.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from mcu.media.batch import PacketBatch, SendTo, SendtoBatch
from mcu.media.inflow import Inflow
from mcu.media.lane import OUT_OF_STEP, Lane
from mcu.media.mmsg import SocketPath
from mcu.media.path import SendPath
from mcu.media.rtp import HEADER_BYTES
from mcu.media.slots import Slots
from mcu.media.srtp import MAX_DATAGRAM_BYTES, PacketBuffer
from signalling.webrtc.stun import is_stun, receiving_ufrag

SocketAddress = tuple[Any, ...]
"""As the socket gives and takes it: ``(host, port)``, ``(host, port, flow, scope)``, or a
``SocketPath``, which also says at which of our addresses."""

Address = tuple[str, int]

MAX_ADDRESSES_PER_LEG = 8
_MAPPED_PREFIX = "::ffff:"


class Endpoint(Protocol):
    """A leg as the port sees it. None of these raises."""

    @property
    def lane(self) -> Lane:
        """Of its sound."""

    def receive_stun(self, datagram: bytes, address: SocketAddress, now: float) -> None:
        """A connectivity check named this leg, or came from one of its addresses."""

    def receive_dtls(self, datagram: bytes, address: SocketAddress, now: float) -> None:
        """A handshake datagram from an address of this leg."""

    def receive_srtp(self, packet: PacketBuffer, now: float) -> None:
        """An RTP datagram from an address of this leg, to be opened where it lies."""

    def receive_srtcp(self, packet: PacketBuffer, now: float) -> None:
        """An RTCP datagram from an address of this leg, to be opened where it lies."""


class MediaPort:
    """Routes datagrams to legs and sends theirs.

    Args:
        sendto: of a non-blocking UDP socket, or a stand-in with its signature.
        dual_stack: the socket is IPv6 and takes IPv4 peers as mapped addresses.
        batch: sends for all legs; by ``sendto`` when None.

    ``dropped`` counts datagrams nobody could use, by reason.
    """

    def __init__(
        self, sendto: SendTo, *, dual_stack: bool = False, batch: PacketBatch | None = None
    ) -> None:
        self.batch = SendtoBatch(sendto) if batch is None else batch
        self.dual_stack = dual_stack
        self.buffer = PacketBuffer()
        """For packets of RTCP, which are protected and sent one by one."""
        self._arrived = PacketBuffer()
        self.inflow = Inflow()
        """Takes the sound of all legs that are in step."""
        self.dropped: Counter[str] = Counter()
        self.datagrams_received = 0
        self._by_ufrag: dict[str, Endpoint] = {}
        self._by_address: dict[Hashable, Endpoint] = {}
        self._addresses: dict[Endpoint, list[Hashable]] = {}
        self._fronts: dict[Endpoint, Endpoint] = {}
        """What stands before a leg, and the leg behind it:"""
        self._behind: dict[Endpoint, Endpoint] = {}

    def register(self, endpoint: Endpoint, ufrag: str) -> None:
        """Checks that name ``ufrag`` are for ``endpoint``; several names may be."""
        self._by_ufrag[ufrag] = self._fronts.get(endpoint, endpoint)
        self._addresses.setdefault(endpoint, [])

    def put_before(self, endpoint: Endpoint, front: Endpoint | None) -> None:
        """Let ``front`` take whatever comes for a leg, which is registered; None: itself again.

        Cost: O(registered legs), and nothing for any packet.
        """
        before = self._fronts.pop(endpoint, endpoint)
        self._behind.pop(before, None)
        after = endpoint if front is None else front
        if front is not None:
            self._fronts[endpoint] = front
            self._behind[front] = endpoint
        for ufrag, leg in self._by_ufrag.items():
            if leg is before:
                self._by_ufrag[ufrag] = after
        for key in self._addresses.get(endpoint, ()):
            self._by_address[key] = after

    def forget_ufrag(self, ufrag: str) -> None:
        """Checks that name ``ufrag`` are nobody's any more."""
        self._by_ufrag.pop(ufrag, None)

    def bind(self, endpoint: Endpoint, address: SocketAddress) -> None:
        """Datagrams from ``address`` are for ``endpoint``, as an authenticated check showed.

        An address that another leg used goes over to the newer one (a NAT reuses its ports); a
        leg keeps its last ``MAX_ADDRESSES_PER_LEG``.
        """
        key = _key(address)
        before = self._by_address.get(key)
        if before is endpoint:
            return
        own = self._addresses.get(endpoint)
        front = self._fronts.get(endpoint, endpoint)
        if own is None or before is front:
            return
        if before is not None:
            self._addresses[self._behind.get(before, before)].remove(key)
        self._by_address[key] = front
        own.append(key)
        if len(own) > MAX_ADDRESSES_PER_LEG:
            del self._by_address[own.pop(0)]

    def unregister(self, endpoint: Endpoint) -> None:
        """Forget a leg altogether."""
        if endpoint in self._fronts:
            self.put_before(endpoint, None)
        for address in self._addresses.pop(endpoint, []):
            del self._by_address[address]
        for ufrag in [one for one, leg in self._by_ufrag.items() if leg is endpoint]:
            del self._by_ufrag[ufrag]

    @property
    def endpoints(self) -> int:
        """How many legs are registered."""
        return len(self._addresses)

    @property
    def addresses(self) -> int:
        """How many peer addresses are bound."""
        return len(self._by_address)

    def packets_received(
        self, slots: Slots, keys: Sequence[Hashable], arrived_at: npt.NDArray[np.float64]
    ) -> Sequence[int]:
        """Take sound that is in step out of a turn's datagrams.

        Args:
            slots: the datagrams lie in the first of them. keys: of each, as ``Reader.keys`` gives
            them. arrived_at: float64, of each.
        Returns: numbers of the others, which are to be taken one by one.
        """
        endpoints = map(self._by_address.get, keys)
        lanes = [OUT_OF_STEP if leg is None else leg.lane for leg in endpoints]
        others = self.inflow.take(slots, lanes, arrived_at)
        self.datagrams_received += len(lanes) - len(others)
        return others

    def packet_received(self, packet: PacketBuffer, key: Hashable, now: float) -> bool:
        """Take a datagram of the RTP range (RFC 7983) that lies in its slot; False: it is none.

        Args:
            key: as ``Reader.key`` gives it.
        Raises nothing, whatever it holds. Cost: one dictionary look-up.
        """
        size = packet.length[0]
        view = packet.view
        if not size or view[0] & 0xC0 != 0x80:
            return False
        self.datagrams_received += 1
        leg = self._by_address.get(key)
        if leg is None:
            self.dropped["unknown_address"] += 1
        elif not HEADER_BYTES <= size <= MAX_DATAGRAM_BYTES:
            self.dropped["media_size"] += 1
        elif 192 <= view[1] <= 223:  # RFC 5761 4
            leg.receive_srtcp(packet, now)
        else:
            leg.receive_srtp(packet, now)
        return True

    def datagram_received(self, datagram: bytes, address: SocketAddress, now: float) -> None:
        """Take any datagram (RFC 7983). Raises nothing, whatever it holds."""
        first = datagram[0] if datagram else 0
        if 128 <= first <= 191:
            packet = self._arrived
            size = min(len(datagram), len(packet.view))
            packet.view[:size] = datagram[:size]
            packet.length[0] = size
            self.packet_received(packet, _key(address), now)
            return
        self.datagrams_received += 1
        if not datagram:
            self.dropped["empty"] += 1
        elif first < 4:
            self._receive_stun(datagram, address, now)
        elif 20 <= first <= 63:
            leg = self._by_address.get(_key(address))
            if leg is None:
                self.dropped["unknown_address"] += 1
            else:
                leg.receive_dtls(datagram, address, now)
        else:
            self.dropped["unknown_protocol"] += 1

    def _receive_stun(self, datagram: bytes, address: SocketAddress, now: float) -> None:
        if not is_stun(datagram):
            self.dropped["not_stun"] += 1
            return
        ufrag = receiving_ufrag(datagram)
        leg = self._by_ufrag.get(ufrag) if ufrag is not None else None
        if leg is None:
            leg = self._by_address.get(_key(address))
        if leg is None:
            self.dropped["unknown_stun"] += 1
            return
        leg.receive_stun(datagram, address, now)

    def transmit(self, datagram: bytes, address: SocketAddress) -> bool:
        """Send one datagram that is not on the hot path; False: the socket did not take it."""
        path = SendPath(self.batch)
        if len(datagram) <= MAX_DATAGRAM_BYTES:
            batch = self.batch
            path.address = address
            slot = batch.free_slot()
            at = batch.offsets[slot]
            batch.view[at : at + len(datagram)] = datagram
            batch.lengths[2 * slot + 1] = len(datagram)
            batch.commit(path, 1)
            batch.flush()
            if not path.dropped:
                return True
        self.dropped["send"] += 1
        return False

    def peer_address(self, address: SocketAddress) -> Address:
        """The address a peer knows itself by: IPv4 where it is an IPv4-mapped one."""
        host, port = str(address[0]), int(address[1])
        # The socket writes mapped addresses in dotted form.
        if self.dual_stack and host.startswith(_MAPPED_PREFIX) and "." in host:
            host = host[len(_MAPPED_PREFIX) :]
        return host, port

    def socket_address(self, address: Address) -> SocketAddress:
        """The form the socket takes for an address as from ``peer_address``."""
        if self.dual_stack and ":" not in address[0]:
            return (_MAPPED_PREFIX + address[0], address[1], 0, 0)
        return address


def _key(address: SocketAddress) -> Hashable:
    return address.name if isinstance(address, SocketPath) else address
