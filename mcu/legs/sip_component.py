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
    HANDSHAKE_PER_WINDOW,
    RTCP_BYTES_PER_WINDOW,
    RTCP_LEAST_BYTES,
    PacketBudget,
    WindowBudget,
)
from mcu.legs.sip_context import SipContext
from mcu.media.latch import Latch
from mcu.media.path import SendPath
from mcu.media.port_batch import PortAddress, PortSocket, transmit
from mcu.media.rtp import HEADER_BYTES
from mcu.media.srtp import MAX_DATAGRAM_BYTES, PacketBuffer, SrtpError, SrtpSession
from signalling.offer_answer.agreement import Address, Dtls, Ice, Plain, Sdes, Security
from signalling.webrtc.dtls import (
    Closed,
    Connected,
    DtlsEndpoint,
    DtlsEvent,
    Failed,
    is_dtls,
)
from signalling.webrtc.ice import IceLite, Nominated
from signalling.webrtc.stun import is_stun

STRANGERS_PER_WINDOW = 50
"""Packets from elsewhere that are looked at: 200 a second, as many as a peer sends that moved."""

TAG_BYTES = {"AES128_CM_SHA1_80": 10, "AES128_CM_SHA1_32": 4}
"""Of SRTP behind an MKI; the AEAD profiles put the MKI last (RFC 7714 8.2, 9.3)."""
RTCP_TAG_BYTES = 10
"""Of SRTCP with either AES-CM suite (RFC 4568 6.2.1)."""


class ComponentOwner(Protocol):
    """Whose socket it is."""

    def plausible(self, payload_type: int) -> bool:
        """Whether packets of this type were agreed on."""

    def packet_opened(self, packet: memoryview, length: int, now: float) -> None:
        """An RTP packet that is the peer's, in its slot."""

    def report_opened(self, packet: bytes, now: float) -> None:
        """A compound packet of RTCP that is the peer's."""

    def component_ready(self, component: Component, now: float) -> None:
        """Keys are there: packets can be sent."""

    def component_failed(self, component: Component, reason: str, now: float) -> None:
        """No keys will come."""


class Component:
    """See above; a ``PortReceiver``.

    Args:
        sock: bound; read from now on until ``close``. Not owned.
        rtp: RTP comes over it; otherwise RTCP alone.
        announced: where the peer is, as its description says.
        security: as agreed. ice: our end of the peer's checks, None where it makes none.
        sessions: SRTP's in and out where another component has made them (SDES).
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
        sessions: tuple[SrtpSession, SrtpSession] | None,
        now: float,
    ) -> None:
        self.peer: Hashable | None = None
        self.dropped: Counter[str] = Counter()
        self.path = SendPath(context.ports.batch, plain=isinstance(security, Plain))
        self.security = security
        self.heard_at: float | None = None
        """When something of the peer's last came."""
        self.srtp_profile: str | None = None
        self.sessions = sessions
        self._context = context
        self._ports = context.ports
        self._socket = sock
        self._owner = owner
        self._rtp = rtp
        self._latch = Latch(announced, elsewhere=context.elsewhere, now=now)
        self._ice = ice
        self._checked: set[Hashable] = set()
        self._dtls: DtlsEndpoint | None = None
        self._handshake_path = SendPath(context.ports.batch, plain=True)
        self._budget = PacketBudget()
        self._rtcp_budget = WindowBudget(RTCP_BYTES_PER_WINDOW)
        self._stranger_budget = WindowBudget(STRANGERS_PER_WINDOW)
        self._handshake_budget = WindowBudget(HANDSHAKE_PER_WINDOW)
        self._check_budget = WindowBudget(CHECKS_PER_WINDOW)
        self._mki_bytes = 0
        self._closed = False
        self._aim(announced)
        self.secure(security)
        context.ports.listen(sock, self)

    @property
    def ready(self) -> bool:
        """Whether there are keys, or none are needed."""
        return self.path.plain or self.sessions is not None

    @property
    def address(self) -> tuple[str, int] | None:
        """Where the peer is, as far as is known."""
        to = self.path.address
        return None if to is None else self._ports.peer_address(to)

    # Descriptions

    def secure(self, security: Security) -> None:
        """Take keys, or begin a handshake; what is sent before is not protected by them."""
        self.security = security
        self.path.plain = isinstance(security, Plain)
        if isinstance(security, Sdes):
            self._mki_bytes = security.remote_mki_bytes
            if self.sessions is None:
                buffer, profile = PacketBuffer(), security.profile
                self.sessions = (
                    SrtpSession(security.remote_key, profile, buffer, outbound=False),
                    SrtpSession(security.local_key, profile, buffer, outbound=True),
                )
            self.path.handle = self.sessions[1].handle
            self.srtp_profile = security.profile
        elif isinstance(security, Dtls):
            self._mki_bytes = 0
            self._dtls = DtlsEndpoint(
                security.role, self._context.certificate, security.fingerprints
            )
        else:
            self.sessions, self.path.handle, self.srtp_profile = None, None, None

    def renew(self, security: Security, sessions: tuple[SrtpSession, SrtpSession] | None) -> None:
        """Other keys were agreed on."""
        self.sessions = sessions
        self.path.handle = None
        self._dtls = None
        self.secure(security)

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
        if self._ice is not None:
            considered = key in self._checked
        else:
            considered = self._latch.considers(source, now, signed=signed)
        if not considered:
            self.dropped["stranger"] += 1
            return
        if not self._stranger_budget.spend(now):
            self.dropped["flood_strangers"] += 1
            return
        if not signed:
            if not self._plausible(packet):
                self.dropped["implausible"] += 1
                return
            if not self._latch.take(source, now, signed=False):
                return
            self._settle(key, address)
            self.receive(packet, now)
        elif self.receive(packet, now):
            self._latch.take(source, now, signed=True)
            if self._ice is None or self.path.address is None:
                self._settle(key, address)

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
            if self._mki_bytes:
                profile = self.srtp_profile or ""
                _take_out_mki(packet, self._mki_bytes, TAG_BYTES.get(profile, 0))
            try:
                size = sessions[0].open(packet)
            except SrtpError as error:
                self._budget.give_back()
                self.dropped[f"srtp_{error.reason}"] += 1
                return False
        self.heard_at = self._latch.heard_at = now
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
            if self._mki_bytes:
                aead = self.srtp_profile not in TAG_BYTES
                _take_out_mki(packet, self._mki_bytes, 0 if aead else RTCP_TAG_BYTES)
            try:
                opened = self.sessions[0].open_rtcp(packet)
            except SrtpError as error:
                self._budget.give_back()
                self._rtcp_budget.give_back(cost)
                self.dropped[f"srtcp_{error.reason}"] += 1
                return False
        self.heard_at = self._latch.heard_at = now
        self._owner.report_opened(opened, now)
        return True

    def _settle(self, key: Hashable, address: Any) -> None:
        """The peer is there: its packets come the short way, and ours go there."""
        self.peer = key
        self.path.address = PortAddress(self._socket, address)

    def send_rtcp(self, packet: bytes) -> None:
        """Send a compound packet, if there is anybody to send it to."""
        if not packet or self.path.target is None or not self.ready:
            return
        if self.sessions is not None:
            try:
                packet = self.sessions[1].protect_rtcp(packet)
            except SrtpError as error:
                self.dropped[f"srtcp_{error.reason}"] += 1
                return
        transmit(self.path, packet)

    def forget_ssrc(self, ssrc: int) -> None:
        """Drop SRTP's state of an SSRC."""
        if self.sessions is not None:
            self.sessions[0].forget(ssrc)

    # Handshakes and checks

    def start(self, now: float) -> None:
        """Begin a handshake, where it is ours to begin and it is known with whom."""
        if self._dtls is not None and self._dtls.role == "client" and self.path.target is not None:
            self._handshake_path.address = self.path.address
            self._take(self._dtls.start(now), now)

    def _receive_dtls(self, datagram: bytes, key: Hashable, address: Any, now: float) -> None:
        dtls = self._dtls
        source = self._ports.peer_address(address)
        if dtls is None:
            self.dropped["unknown_protocol"] += 1
            return
        if self._ice is not None:
            considered = key in self._checked
        else:
            # What is at the other end is shown by its certificate, wherever it is.
            considered = self._latch.considers(source, now, signed=True)
        if not considered:
            self.dropped["stranger"] += 1
            return
        if not self._handshake_budget.spend(now):
            self.dropped["flood_dtls"] += 1
            return
        if dtls.state == "handshake":
            self._handshake_path.address = PortAddress(self._socket, address)
        self._take(dtls.receive_datagram(datagram, now), now)

    def _receive_check(
        self, ice: IceLite, datagram: bytes, key: Hashable, address: Any, now: float
    ) -> None:
        if not self._check_budget.spend(now):
            self.dropped["flood_stun"] += 1
            return
        source = self._ports.peer_address(address)
        events = ice.receive_datagram(datagram, source, now)
        if events:
            self.heard_at = now
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
        self._flush_dtls(now)
        for event in events:
            if isinstance(event, Connected):
                keys, buffer = event.keys, PacketBuffer()
                profile = keys.profile.name
                self.sessions = (
                    SrtpSession(keys.remote_key, profile, buffer, outbound=False),
                    SrtpSession(keys.local_key, profile, buffer, outbound=True),
                )
                self.srtp_profile = profile
                self.heard_at = now
                self.path.handle = self.sessions[1].handle
                if self._ice is None and self.peer is None:
                    # Who has shook hands is the peer; its media may still come from elsewhere.
                    self.path.address = self._handshake_path.address
                self._owner.component_ready(self, now)
            elif isinstance(event, Failed):
                self.dropped[f"dtls_{event.reason}"] += 1
                self._owner.component_failed(
                    self, f"dtls {event.reason}: {event.detail}".removesuffix(": "), now
                )
            elif isinstance(event, Closed):
                # The call ends by signalling; until then there is nothing to be sent.
                self.path.handle = None

    def _flush_dtls(self, now: float) -> None:
        if self._dtls is not None:
            for datagram in self._dtls.datagrams_to_send(now):
                transmit(self._handshake_path, datagram)

    # The timer

    def handle_timer(self, now: float) -> None:
        """Repeat what a handshake needs."""
        at = self.next_timer()
        if at is not None and at <= now and self._dtls is not None:
            self._take(self._dtls.handle_timer(now), now)

    def next_timer(self) -> float | None:
        """When ``handle_timer`` has something to do."""
        return None if self._dtls is None else self._dtls.next_timer()

    def drops(self) -> Counter[str]:
        """What it dropped, by reason."""
        dropped = self.dropped + Counter(send=self.path.dropped)
        if self._dtls is not None:
            dropped["dtls"] += self._dtls.dropped
        return dropped

    def close(self, now: float) -> None:
        """Say goodbye to the handshake's peer and read no more. Idempotent."""
        if self._closed:
            return
        self._closed = True
        if self._dtls is not None:
            self._dtls.close(now)
            self._flush_dtls(now)
        self.path.address = None
        self.path.handle = None
        self.sessions = None
        self._ports.forget(self._socket)


def _take_out_mki(packet: PacketBuffer, mki_bytes: int, tag_bytes: int) -> None:
    """Close the gap that an MKI leaves before the tag (RFC 3711 3.1), for libsrtp without MKIs."""
    size = packet.length[0]
    end = size - mki_bytes
    if end <= HEADER_BYTES + tag_bytes:
        return  # too short for either: libsrtp refuses it
    if tag_bytes:
        packet.view[end - tag_bytes : end] = bytes(packet.view[size - tag_bytes : size])
    packet.length[0] = end
