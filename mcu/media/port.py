"""The one media port: tells STUN, DTLS, SRTP and SRTCP apart and finds the leg they are for.

No socket and no clock here. ``mcu.media.udp`` drains a socket into ``datagram_received``; tests
hand datagrams in themselves.
"""

from collections import Counter
from typing import Any, Protocol

from mcu.media.rtp import HEADER_BYTES, is_rtcp
from mcu.media.send import SendTo
from mcu.media.srtp import MAX_DATAGRAM_BYTES, PacketBuffer
from signalling.webrtc.stun import is_stun, receiving_ufrag

SocketAddress = tuple[Any, ...]
"""As the socket gives and takes it: ``(host, port)`` or ``(host, port, flow, scope)``."""

Address = tuple[str, int]

MAX_ADDRESSES_PER_LEG = 8
_MAPPED_PREFIX = "::ffff:"


class Endpoint(Protocol):
    """A leg as the port sees it. None of these raises."""

    def receive_stun(self, datagram: bytes, address: SocketAddress, now: float) -> None:
        """A connectivity check named this leg, or came from one of its addresses."""

    def receive_dtls(self, datagram: bytes, address: SocketAddress, now: float) -> None:
        """A handshake datagram from an address of this leg."""

    def receive_srtp(self, datagram: bytes, now: float) -> None:
        """An RTP datagram from an address of this leg."""

    def receive_srtcp(self, datagram: bytes, now: float) -> None:
        """An RTCP datagram from an address of this leg."""


class MediaPort:
    """Routes datagrams to legs and sends theirs.

    Args:
        sendto: of a non-blocking UDP socket, or a stand-in with its signature.
        dual_stack: the socket is IPv6 and takes IPv4 peers as mapped addresses.

    ``dropped`` counts datagrams nobody could use, by reason.
    """

    def __init__(self, sendto: SendTo, *, dual_stack: bool = False) -> None:
        self.sendto = sendto
        self.dual_stack = dual_stack
        self.buffer = PacketBuffer()
        self.dropped: Counter[str] = Counter()
        self.datagrams_received = 0
        self._by_ufrag: dict[str, Endpoint] = {}
        self._by_address: dict[SocketAddress, Endpoint] = {}
        self._addresses: dict[Endpoint, list[SocketAddress]] = {}

    def register(self, endpoint: Endpoint, ufrag: str) -> None:
        """Checks that name ``ufrag`` are for ``endpoint``; several names may be."""
        self._by_ufrag[ufrag] = endpoint
        self._addresses.setdefault(endpoint, [])

    def forget_ufrag(self, ufrag: str) -> None:
        """Checks that name ``ufrag`` are nobody's any more."""
        self._by_ufrag.pop(ufrag, None)

    def bind(self, endpoint: Endpoint, address: SocketAddress) -> None:
        """Datagrams from ``address`` are for ``endpoint``, as an authenticated check showed.

        An address that another leg used goes over to the newer one (a NAT reuses its ports); a
        leg keeps its last ``MAX_ADDRESSES_PER_LEG``.
        """
        before = self._by_address.get(address)
        if before is endpoint:
            return
        own = self._addresses.get(endpoint)
        if own is None:
            return
        if before is not None:
            self._addresses[before].remove(address)
        self._by_address[address] = endpoint
        own.append(address)
        if len(own) > MAX_ADDRESSES_PER_LEG:
            del self._by_address[own.pop(0)]

    def unregister(self, endpoint: Endpoint) -> None:
        """Forget a leg altogether."""
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

    def datagram_received(self, datagram: bytes, address: SocketAddress, now: float) -> None:
        """Take one datagram from the socket (RFC 7983). Raises nothing, whatever it holds.

        Cost: one dictionary look-up for media.
        """
        self.datagrams_received += 1
        if not datagram:
            self.dropped["empty"] += 1
            return
        first = datagram[0]
        if 128 <= first <= 191:
            leg = self._by_address.get(address)
            if leg is None:
                self.dropped["unknown_address"] += 1
            elif not HEADER_BYTES <= len(datagram) <= MAX_DATAGRAM_BYTES:
                self.dropped["media_size"] += 1
            elif is_rtcp(datagram):
                leg.receive_srtcp(datagram, now)
            else:
                leg.receive_srtp(datagram, now)
        elif first < 4:
            self._receive_stun(datagram, address, now)
        elif 20 <= first <= 63:
            leg = self._by_address.get(address)
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
            leg = self._by_address.get(address)
        if leg is None:
            self.dropped["unknown_stun"] += 1
            return
        leg.receive_stun(datagram, address, now)

    def transmit(self, datagram: bytes, address: SocketAddress) -> bool:
        """Send one datagram that is not on the hot path; False: the socket did not take it."""
        try:
            self.sendto(memoryview(datagram), address)
        except OSError:
            self.dropped["send"] += 1
            return False
        return True

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
