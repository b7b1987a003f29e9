"""One socket of a SIP leg: who is at its other end, and what keeps strangers out.

RTP, RTCP or both come over it, plain, or as SRTP with keys from the descriptions (SDES) or from a
handshake (DTLS). Where the peer is, is found by its packets (``Latch``) or by its checks (ICE).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from typing import Any, Protocol

from mcu.legs.budget import (
    CHECKS_PER_WINDOW,
    RTCP_BYTES_PER_WINDOW,
    RTCP_LEAST_BYTES,
    PacketBudget,
    WindowBudget,
)
from mcu.legs.sip_context import SipContext
from mcu.legs.sip_early import EarlyKeys
from mcu.legs.sip_handshake import Handshake
from mcu.legs.sip_keys import Sessions
from mcu.media.bad_line import BadLine, BadReceiver
from mcu.media.latch import Latch
from mcu.media.path import SendPath
from mcu.media.port_batch import PortAddress, PortSocket, transmit
from mcu.media.rtp import HEADER_BYTES
from mcu.media.srtp import MAX_DATAGRAM_BYTES, PacketBuffer, SrtpError
from signalling.offer_answer.agreement import Address, Dtls, Ice, Plain, Sdes, Security
from signalling.webrtc.dtls import Closed, Connected, DtlsEvent, Failed, is_dtls
from signalling.webrtc.ice import IceLite, Nominated
from signalling.webrtc.stun import is_stun

MAX_CHECKED = 64
"""Addresses that authentic checks came from; a peer has a few."""
STRANGERS_PER_WINDOW = 50
"""Packets from elsewhere that are looked at: 200 a second, as many as a peer sends that moved."""


class ComponentOwner(Protocol):
    """Whose socket it is."""

    def plausible(self, payload_type: int) -> bool:
        """Whether packets of this type were agreed on."""

    def is_key(self, payload_type: int) -> bool:
        """Whether packets of this type carry pressed keys."""

    def packet_opened(self, packet: memoryview, length: int, now: float) -> None:
        """An RTP packet that is the peer's, in its slot."""

    def report_opened(self, packet: bytes, now: float) -> None:
        """A compound packet of RTCP that is the peer's."""

    def component_ready(self, component: Component, now: float) -> None:
        """Keys are there: packets can be sent."""

    def component_settled(self, component: Component, host: str) -> None:
        """It was found where the peer is."""

    def component_failed(self, component: Component, reason: str, now: float) -> None:
        """No keys will come."""


class Component:
    """See above; a ``PortReceiver``.

    Args:
        sock: bound; read from now on until ``close``. Not owned.
        rtp: RTP comes over it; otherwise RTCP alone.
        announced: where the peer is, as its description says.
        security: as agreed. ice: our end of the peer's checks, None where it makes none.
        sessions: of SRTP where another component has made them (SDES).
    """

    def __init__(
        self,
        context: SipContext,
        sock: PortSocket,
        owner: ComponentOwner,
        *,
        rtp: bool,
        announced: Address | None,
        security: Security,
        ice: IceLite | None,
        sessions: Sessions | None,
        now: float,
    ) -> None:
        self.peer: Hashable | None = None
        self.dropped: Counter[str] = Counter()
        self.path = SendPath(context.ports.batch, plain=isinstance(security, Plain))
        self.sessions = sessions
        """None while there are no keys, or none are needed."""
        self._context = context
        self._ports = context.ports
        self._socket = sock
        self._owner = owner
        self._rtp = rtp
        self._latch = Latch(announced, elsewhere=context.elsewhere, now=now, reports=not rtp)
        self._ice = ice
        self._checked: set[Hashable] = set()
        self._early = EarlyKeys(owner.is_key)
        self._handshake: Handshake | None = None
        self._budget = PacketBudget()
        self._rtcp_budget = WindowBudget(RTCP_BYTES_PER_WINDOW)
        self._stranger_budget = WindowBudget(STRANGERS_PER_WINDOW)
        self._check_budget = WindowBudget(CHECKS_PER_WINDOW)
        self._closed = False
        self._line: BadLine | None = None
        self._aim(announced)
        self._secure(security)
        context.ports.listen(sock, self)

    @property
    def ready(self) -> bool:
        """Whether there are keys, or none are needed."""
        return self.path.plain or self.sessions is not None

    @property
    def srtp_profile(self) -> str | None:
        """A name in ``mcu.media.srtp.PROFILES``; None: plain, or no keys yet."""
        return None if self.sessions is None else self.sessions.profile

    @property
    def address(self) -> tuple[str, int] | None:
        """Where the peer is, as far as is known."""
        to = self.path.address
        return None if to is None else self._ports.peer_address(to)

    # Drills

    def go_by(self, line: BadLine | None) -> None:
        """Let what passes over this socket go by a bad line; None: as it is."""
        before, self._line = self._line, line
        self._ports.forget(self._socket)
        if before is not None:
            before.batch.forget(self.path)
        if line is None:
            self.path.go_by(self._ports.batch)
            self._ports.listen(self._socket, self)
            return
        line.batch.carry(self.path, lambda data, to, at: self._send_badly(line, data, to, at))
        self.path.go_by(line.batch)
        stands_for_us = BadReceiver(
            line,
            known=lambda: self.peer,
            receive=self.receive,
            receive_from=self.receive_from,
            receive_other=self.receive_other,
        )
        self._ports.listen(self._socket, stands_for_us)

    def _send_badly(self, line: BadLine, data: bytes, to: PortAddress, now: float) -> None:
        def leave(at: float) -> None:
            if not self._closed:
                path = SendPath(self._ports.batch, plain=True)
                path.address = to
                transmit(path, data)

        line.down(len(data), now, leave)

    # Descriptions

    def renew(self, security: Security, sessions: Sessions | None) -> None:
        """Other keys were agreed on; ``sessions`` as at first."""
        self.sessions = sessions
        self._handshake = None
        self._secure(security)

    def _secure(self, security: Security) -> None:
        """Take keys, or prepare a handshake."""
        self.path.plain = isinstance(security, Plain)
        if isinstance(security, Sdes) and self.sessions is None:
            self.sessions = Sessions.of_descriptions(security)
        elif isinstance(security, Dtls):
            self._handshake = Handshake(self._context, security)
        self.path.handle = None if self.sessions is None else self.sessions.outbound.handle
        # Plain before and after a handshake is the same to ``handle``, not to what is sent.
        self.path.changed()

    def restart_ice(self, ours: Ice, theirs: Ice) -> None:
        """Take new credentials; the address in use stays until the peer nominates another."""
        if self._ice is not None:
            self._ice.restart(ours.ufrag, ours.pwd, theirs.ufrag, theirs.pwd)

    def announce(self, address: Address | None, now: float) -> None:
        """The peer's new description names another address."""
        self._latch.announce(address, now)
        self.peer = None
        self._aim(address)

    def _aim(self, address: Address | None) -> None:
        """Send to an address of a description, until the peer is heard from elsewhere."""
        if address is None:
            self.path.address = None
            return
        to = PortAddress(self._socket, self._ports.socket_address(address))
        try:
            self.path.address = to
        except OSError:
            # An IPv6 address where this machine has none.
            self.dropped["unusable_address"] += 1
            self.path.address = None

    # PortReceiver

    def receive_from(self, packet: PacketBuffer, key: Hashable, address: Any, now: float) -> None:
        """See ``PortReceiver``: it may be the peer, whose address is not known yet or has changed.

        With ICE only addresses of authentic checks are considered.
        """
        if self._closed:
            return
        source = self._ports.peer_address(address)
        signed = not self.path.plain
        if not self._considers(source, key, now, signed=signed):
            self.dropped["stranger"] += 1
            if not signed and self._ice is None and self._latch.may_become(source):
                self._early.keep(key, packet, now)
            return
        # What floods the port from elsewhere costs the peer nothing, wherever it begins from.
        expected = self._latch.expects(source[0])
        if not expected and not self._stranger_budget.spend(now):
            self.dropped["flood_strangers"] += 1
            return
        if not signed:
            if not self._plausible(packet):
                self.dropped["implausible"] += 1
                return
            if not self._latch.take(source, now, signed=False):
                self._early.keep(key, packet, now)
                return
            self._settle(key, address)
            for early, at in self._early.release(key):
                self._owner.packet_opened(early, len(early), at)
            self.receive(packet, now)
        elif self.receive(packet, now):
            self._latch.take(source, now, signed=True)
            if self._ice is None or self.path.address is None:
                self._settle(key, address)

    def _considers(self, source: Address, key: Hashable, now: float, *, signed: bool) -> bool:
        """Whether it may be the peer: with ICE whose checks were authentic, else by its address."""
        if self._ice is not None:
            return key in self._checked
        return self._latch.considers(source, now, signed=signed)

    def receive_other(self, datagram: bytes, key: Hashable, address: Any, now: float) -> None:
        """See ``PortReceiver``."""
        if self._closed or not datagram:
            return
        if is_dtls(datagram):
            self._receive_dtls(datagram, key, address, now)
        elif self._ice is not None and is_stun(datagram):
            self._receive_check(self._ice, datagram, key, address, now)
        else:
            self.dropped["unknown_protocol"] += 1

    # Packets

    def _plausible(self, packet: PacketBuffer) -> bool:
        """Whether an unsigned packet can be the peer's: what it is, and of which type."""
        second = packet.view[1]
        if packet.length[0] < HEADER_BYTES:
            return False
        if 192 <= second <= 223:
            return not self._rtp or 200 <= second <= 201
        return self._rtp and self._owner.plausible(second & 0x7F)

    def receive(self, packet: PacketBuffer, now: float) -> bool:
        """See ``PortReceiver``: open a packet and hand it on.

        Returns: False where it is not the peer's, or not now.
        """
        size = packet.length[0]
        sessions = self.sessions
        if not HEADER_BYTES <= size <= MAX_DATAGRAM_BYTES:
            self.dropped["media_size"] += 1
            return False
        if self._closed or (sessions is None and not self.path.plain):
            self.dropped["not_connected"] += 1
            return False
        if 192 <= packet.view[1] <= 223:  # RFC 5761 4
            return self._receive_rtcp(packet, size, now)
        if not self._rtp:
            self.dropped["rtp_on_rtcp_port"] += 1
            return False
        if not self._budget.spend(now):
            self.dropped["flood"] += 1
            return False
        if sessions is not None:
            try:
                size = sessions.open(packet)
            except SrtpError as error:
                self._budget.give_back()
                self.dropped[f"srtp_{error.reason}"] += 1
                return False
        self._latch.heard_at = now
        self._owner.packet_opened(packet.view, size, now)
        return True

    def _receive_rtcp(self, packet: PacketBuffer, size: int, now: float) -> bool:
        cost = max(size, RTCP_LEAST_BYTES)
        if not self._rtcp_budget.spend(now, cost) or not self._budget.spend(now):
            self.dropped["flood_rtcp"] += 1
            return False
        if self.sessions is None:
            opened = packet.bytes()
        else:
            try:
                opened = self.sessions.open_rtcp(packet)
            except SrtpError as error:
                self._budget.give_back()
                self._rtcp_budget.give_back(cost)
                self.dropped[f"srtcp_{error.reason}"] += 1
                return False
        self._latch.heard_at = now
        self._owner.report_opened(opened, now)
        return True

    def _settle(self, key: Hashable, address: Any) -> None:
        """The peer is there: its packets come the short way, and ours go there."""
        self.peer = key
        self.path.address = PortAddress(self._socket, address)
        self._owner.component_settled(self, self._ports.peer_address(address)[0])

    def trust(self, host: str) -> None:
        """The peer is at ``host``, as its other component found out."""
        self._latch.trust(host)

    def send_rtcp(self, packet: bytes) -> None:
        """Send a compound packet, if there is anybody to send it to."""
        if not packet or self.path.target is None or not self.ready:
            return
        if self.sessions is not None:
            try:
                packet = self.sessions.outbound.protect_rtcp(packet)
            except SrtpError as error:
                self.dropped[f"srtcp_{error.reason}"] += 1
                return
        transmit(self.path, packet)

    def forget_ssrc(self, ssrc: int) -> None:
        """Drop SRTP's state of an SSRC."""
        if self.sessions is not None:
            self.sessions.inbound.forget(ssrc)

    # Handshakes and checks

    def start(self, now: float) -> None:
        """Begin a handshake, where it is ours to begin and it is known with whom."""
        if self._handshake is not None:
            self._take(self._handshake.start(self.path.address, now), now)

    def _receive_dtls(self, datagram: bytes, key: Hashable, address: Any, now: float) -> None:
        handshake = self._handshake
        if handshake is None:
            self.dropped["unknown_protocol"] += 1
            return
        # What is at the other end is shown by its certificate, wherever it is.
        if not self._considers(self._ports.peer_address(address), key, now, signed=True):
            self.dropped["stranger"] += 1
            return
        self._take(handshake.receive(datagram, PortAddress(self._socket, address), now), now)

    def _receive_check(
        self, ice: IceLite, datagram: bytes, key: Hashable, address: Any, now: float
    ) -> None:
        if not self._check_budget.spend(now):
            self.dropped["flood_stun"] += 1
            return
        source = self._ports.peer_address(address)
        events = ice.receive_datagram(datagram, source, now)
        if events:
            if len(self._checked) >= MAX_CHECKED:
                self._checked.clear()  # whoever still is there checks again
            self._checked.add(key)
            if self.path.address is None or any(isinstance(one, Nominated) for one in events):
                self._settle(key, address)
        for answer, _ in ice.datagrams_to_send(now):
            path = SendPath(self._ports.batch, plain=True)
            path.address = PortAddress(self._socket, address)
            transmit(path, answer)
        if any(isinstance(one, Nominated) for one in events):
            self.start(now)

    def _take(self, events: list[DtlsEvent], now: float) -> None:
        for event in events:
            if isinstance(event, Connected):
                self.sessions = Sessions.of_handshake(event.keys)
                self.path.handle = self.sessions.outbound.handle
                if self._ice is None and self.peer is None and self._handshake is not None:
                    # Who has shook hands is the peer; its media may still come from elsewhere.
                    self.path.address = self._handshake.path.address
                self._owner.component_ready(self, now)
            elif isinstance(event, Failed):
                self.dropped[f"dtls_{event.reason}"] += 1
                detail = f"dtls {event.reason}: {event.detail}".removesuffix(": ")
                self._owner.component_failed(self, detail, now)
            elif isinstance(event, Closed):
                # The call ends by signalling; until then there is nothing to be sent.
                self.path.handle = None

    # The timer

    def handle_timer(self, now: float) -> None:
        """Repeat what a handshake needs."""
        if self._handshake is not None:
            self._take(self._handshake.handle_timer(now), now)

    def next_timer(self) -> float | None:
        """When ``handle_timer`` has something to do."""
        return None if self._handshake is None else self._handshake.next_timer()

    def drops(self) -> Counter[str]:
        """What it dropped, by reason."""
        dropped = self.dropped + Counter(send=self.path.dropped)
        if self._handshake is not None:
            dropped += Counter(dtls=self._handshake.dropped, flood_dtls=self._handshake.refused)
        return dropped

    def close(self, now: float) -> None:
        """Say goodbye to the handshake's peer and read no more. Idempotent."""
        if self._closed:
            return
        if self._line is not None:
            self.go_by(None)
        self._closed = True
        if self._handshake is not None:
            self._handshake.close(now)
        self.path.address = None
        self.path.handle = None
        self.sessions = None
        self._ports.forget(self._socket)
