"""One TCP or TLS connection: messages cut out, keep-alives answered, floods made to wait."""

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, Protocol, cast

from mcu.sip.admission import Admission
from mcu.sip.counts import TransportCounts
from mcu.sip.settings import EndpointSettings
from signalling.sip import Hop, MessageStream, SipError, Transport
from signalling.sip.framing import PONG

MAX_UNSENT_BYTES: Final = 1 << 20
"""A peer that does not read so much is left."""
KEEP_ALIVE: Final = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))
"""After two minutes it is known that a device has lost its power."""


class StreamOwner(Protocol):
    """Whoever keeps the connections."""

    settings: EndpointSettings
    admission: Admission
    counts: TransportCounts
    clock: Callable[[], float]

    def stream_opened(self, stream: "Stream") -> None:
        """The connection stands; nothing was received yet."""

    def stream_received(self, data: bytes, source: Hop) -> None:
        """A message is complete."""

    def stream_lost(self, stream: "Stream") -> None:
        """The connection has ended."""


class Stream(asyncio.Protocol):
    """One connection.

    A source that sends too many messages is not read for a while, so that TCP slows it down.

    Args:
        number: names it in ``Hop.connection``. is_ours: we opened it. domain: whose it is to be.
    """

    def __init__(
        self,
        owner: StreamOwner,
        loop: asyncio.AbstractEventLoop,
        number: int,
        kind: Transport,
        remote: tuple[str, int],
        *,
        is_ours: bool,
        domain: str = "",
    ) -> None:
        self.number = number
        self.remote = remote
        self.is_ours = is_ours
        self.domain = domain
        self.is_open = False
        self.was_open = False
        self.hop = Hop(kind, remote[0], remote[1], number)
        self._owner = owner
        self._loop = loop
        self._transport: asyncio.Transport
        self._framing = MessageStream()
        self._waiting: deque[bytes | None] = deque()
        self._pause: asyncio.TimerHandle | None = None
        self._heard_at = owner.clock()
        self._begun_at: float | None = self._heard_at

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TCP, and TLS where it is wanted, stands."""
        self._transport = cast(asyncio.Transport, transport)
        self.is_open = self.was_open = True
        own = transport.get_extra_info("sockname")
        local = "" if own is None else plain_address(str(own[0]))
        self.hop = Hop(self.hop.transport, *self.remote, self.number, local)
        sock = transport.get_extra_info("socket")
        if sock is not None:
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                for name, value in KEEP_ALIVE:
                    sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        if self.is_ours:
            self._begun_at = None  # nothing needs to come
        self._owner.stream_opened(self)

    def data_received(self, data: bytes) -> None:
        """Cut it, and hand on what is complete."""
        self._heard_at = self._owner.clock()
        try:
            messages = self._framing.receive(data)
        except SipError:
            self.leave("framing")
            return
        if self._framing.pings:
            self._framing.pings = 0
            self._waiting.append(None)
        self._waiting.extend(messages)
        if not self._framing.is_amid_message:
            if messages or self._waiting or self.is_ours:
                self._begun_at = None
        elif messages or self._begun_at is None:
            self._begun_at = self._heard_at
        if self._pause is None:
            self._hand_on()

    def eof_received(self) -> None:
        """The peer is done; so are we."""

    def connection_lost(self, error: Exception | None) -> None:
        """It has ended, by either side."""
        self.is_open = False
        self._waiting.clear()
        if self._pause is not None:
            self._pause.cancel()
        self._owner.stream_lost(self)

    # for the owner

    def send(self, data: bytes) -> bool:
        """Send a message; False where the connection is no more."""
        if not self.is_open or self._transport.is_closing():
            return False
        self._transport.write(data)
        self._owner.counts.sent[self.hop.transport] += 1
        if self._transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self.leave("slow reader")
            return False
        return True

    def certificate(self) -> Mapping[str, Any]:
        """What the peer showed in TLS; empty for nothing."""
        return self._transport.get_extra_info("peercert") or {}

    def leave(self, cause: str) -> None:
        """Close at once; ``cause`` is counted."""
        self._owner.counts.dropped[cause] += 1
        self.is_open = False
        self._transport.abort()

    def close(self) -> None:
        """Close when what was written has gone."""
        if self.is_open:
            self._transport.close()

    def check(self, now: float) -> None:
        """Leave a peer that is silent for too long."""
        settings = self._owner.settings
        if not self.is_open:
            return
        if self._begun_at is not None and now - self._begun_at > settings.begin_s:
            self.leave("unfinished")
        elif now - self._heard_at > settings.idle_s:
            self.leave("idle")

    def _hand_on(self) -> None:
        owner, was_paused = self._owner, self._pause is not None
        self._pause = None
        while self._waiting:
            if not owner.admission.admits(self.remote[0], owner.clock()):
                owner.counts.delayed += 1
                if not was_paused:
                    self._transport.pause_reading()
                self._pause = self._loop.call_later(owner.admission.pause_s, self._hand_on)
                return
            message = self._waiting.popleft()
            if message is None:
                self._transport.write(PONG)
            else:
                owner.stream_received(message, self.hop)
        if was_paused and self.is_open:
            self._transport.resume_reading()


def plain_address(host: str) -> str:
    """An address without a scope, and an IPv4 address inside IPv6 as what it is."""
    host = host.partition("%")[0]
    return host.removeprefix("::ffff:") if "." in host else host
