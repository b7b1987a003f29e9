"""The endpoint: drives the agent of ``signalling.sip`` by sockets and a clock.

Whoever gives the agent a command does so by ``do``, which sends at once what follows from it.
Events go to the handler, which may give commands in turn. Sound comes first on this loop: what
arrives waits in a queue of bounded length, and only a little of it is taken in each turn.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Final, TypeVar, Unpack

import structlog

from mcu.sip.admission import Admission
from mcu.sip.counts import TransportCounts
from mcu.sip.inbox import Inbox
from mcu.sip.lookup import Dns, Locator, Names
from mcu.sip.settings import CallOptions, EndpointSettings
from mcu.sip.streams import Streams
from mcu.sip.trace import Trace
from mcu.sip.udp import SipUdp, local_address
from mcu.sip.ways import Ways
from signalling.sip import (
    AgentSettings,
    CallId,
    CallReceived,
    DigestVerifier,
    Event,
    Hop,
    Listener,
    Registrar,
    SendMessage,
    SipError,
    Transport,
    UserAgent,
    Watchers,
)
from signalling.sip.fields import with_brackets
from signalling.sip.uri import parse_uri

TURN_S: Final = 0.002
"""What messages may take of one turn of the loop, of those that come and those that go."""

Result = TypeVar("Result")
Handler = Callable[[Event, float], None]

log = structlog.get_logger(__name__)


class SipEndpoint:
    """One agent on the network: ``open`` first, ``close`` in ``finally``.

    Args:
        agent: what the agent is told; its listeners are filled in here.
        handler: gets every event of the agent.
        verifier, registrar, watchers: see ``UserAgent``.
        names: DNS; of tests.
    """

    def __init__(
        self,
        settings: EndpointSettings,
        agent: AgentSettings,
        handler: Handler,
        *,
        verifier: DigestVerifier | None = None,
        registrar: Registrar | None = None,
        watchers: Watchers | None = None,
        names: Names | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.counts = TransportCounts()
        self.trace = Trace()
        self.agent: UserAgent
        self.listeners: tuple[Listener, ...] = ()
        self._agent_settings = agent
        self._handler = handler
        self._agent = partial(UserAgent, verifier=verifier, registrar=registrar, watchers=watchers)
        self._names = names
        self._clock = clock
        self._admission = Admission(settings.limits)
        self._locator: Locator
        self._loop: asyncio.AbstractEventLoop
        self._udp: SipUdp | None = None
        self._streams: Streams
        self._ways: Ways
        self._waiting = Inbox()
        self._outgoing: deque[SendMessage] = deque()
        self._turn: asyncio.Handle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf
        self._pumping = False
        self._is_closed = False

    async def open(self) -> None:
        """Listen.

        Raises:
            OSError: an address is in use or not ours; nothing stays open.
        """
        self._loop = asyncio.get_running_loop()
        settings, host = self.settings, self.settings.host
        self._streams = Streams(
            self._loop, settings, self._admission, self.counts, self._stream_received, self._clock
        )
        ports: dict[Transport, int] = {}
        try:
            if settings.udp_port is not None:
                received = self._udp_received
                self._udp = SipUdp(
                    self._loop, host, settings.udp_port, received, self.counts, self._unreachable
                )
                ports["udp"] = self._udp.port
            if settings.tcp_port is not None:
                ports["tcp"] = self._streams.listen("tcp", host, settings.tcp_port)
            if settings.tls_port is not None:
                ports["tls"] = self._streams.listen("tls", host, settings.tls_port)
        except OSError:
            await self.close()
            raise
        self.listeners = tuple(
            Listener(kind, address, port)
            for kind, port in ports.items()
            for address in self._own_addresses()
        )
        self.agent = self._agent(
            replace(
                self._agent_settings,
                listeners=self.listeners,
                tell_local=settings.public_host is None,
            )
        )
        families = (4, 6) if host == "::" else (6,) if ":" in host else (4,)
        self._locator = Locator(self._names or Dns(), tuple(ports), families)
        self._ways = Ways(
            self._loop,
            settings,
            self._udp,
            self._streams,
            self._locator,
            clock=self._clock,
            failed=self._failed,
        )

    async def close(self) -> None:
        """Stop at once; calls are to be ended before. Idempotent."""
        if self._is_closed:
            return
        if self.listeners:
            self._flush(math.inf)
        self._is_closed = True
        for handle in (self._turn, self._timer):
            if handle is not None:
                handle.cancel()
        if self.listeners:
            await self._ways.close()
        if self._udp is not None:
            self._udp.close()
        await self._streams.close()

    def sweep(self) -> None:
        """Close silent connections now; it is done by itself every few seconds."""
        self._streams.leave_silent()

    @property
    def connections(self) -> int:
        """Open connections, and those that are being set up."""
        return len(self._streams)

    @property
    def waiting(self) -> int:
        """Messages that came and were not looked at yet."""
        return len(self._waiting)

    def kernel_drops(self) -> int:
        """Datagrams that the kernel threw away, as they came faster than they were read."""
        return 0 if self._udp is None else self._udp.kernel_drops()

    def do(self, command: Callable[[UserAgent, float], Result]) -> Result:
        """Give the agent a command, and do what follows from it.

        Raises:
            SipError: as the command does.
        """
        now = self._clock()
        result = command(self.agent, now)
        self._pump(now)
        return result

    def call(self, target: str, sdp: bytes | None, **how: Unpack[CallOptions]) -> CallId:
        """Call somebody; see ``UserAgent.call``.

        Raises:
            SipError: ``target`` or ``caller`` is no SIP address.
        """

        def command(agent: UserAgent, now: float) -> CallId:
            call = agent.call(target, sdp, now, **how)
            self.keep_trace(call)
            return call

        return self.do(command)

    def told_host(self, hop: Hop) -> str:
        """Our name or address as a peer at ``hop`` is told it, IPv6 in brackets."""
        own = self.settings.public_host or hop.local
        if not own:
            same = [one.host for one in self.listeners if (":" in one.host) == (":" in hop.host)]
            own = (same or [self.listeners[0].host])[0]
        return with_brackets(own)

    def own_address(self, hop: Hop, user: str) -> str:
        """An address of ours as a peer at ``hop`` can call it, by the same transport."""
        port = next(
            (one.port for one in self.listeners if one.transport == hop.transport),
            self.listeners[0].port,
        )
        way = "" if hop.transport == "udp" else f";transport={hop.transport}"
        return f"sip:{user}@{self.told_host(hop)}:{port}{way}"

    def keep_trace(self, call: CallId) -> str | None:
        """Keep what is said in a call longer than what strangers send; gives its Call-ID."""
        call_id = self.agent.call_id(call)
        if call_id is not None:
            self.trace.keep(call_id)
        return call_id

    async def locate(self, target: str) -> tuple[Hop, ...]:
        """Where a request for an address can be sent, the first to be tried first (RFC 3263).

        Raises:
            SipError: it is no SIP address. Nowhere: it leads nowhere.
        """
        uri = parse_uri(self._agent_settings.outbound_proxy or target, "target")
        if not uri.is_sip:
            raise SipError("target", "cannot be reached by SIP")
        return tuple(self._with_local(hop) for hop in await self._locator.locate(uri))

    # what comes

    def _udp_received(self, data: bytes, source: Hop) -> None:
        if self._admission.admits(source.host, self._clock()):
            self._received(data, source)
        else:
            self.counts.dropped["rate"] += 1

    def _stream_received(self, data: bytes, source: Hop) -> None:
        self._received(data, source)

    def _received(self, data: bytes, source: Hop) -> None:
        self.counts.received[source.transport] += 1
        if self._is_closed or not self._waiting.put(data, source):
            self.counts.dropped["crowd"] += 1
            return
        self._want_turn()

    def _unreachable(self, host: str, port: int) -> None:
        """ICMP says so: whoever waits for an answer from there waits in vain (18.4)."""
        if not self._is_closed:
            self._loop.call_soon(self._tell_unreachable, Hop("udp", host, port))

    def _tell_unreachable(self, hop: Hop) -> None:
        if not self._is_closed:
            now = self._clock()
            for message in self.agent.unreachable(hop, now):
                self.trace.failed(message, datetime.now(UTC), "icmp")
            self._pump(now)

    def _want_turn(self) -> None:
        if self._turn is None and not self._is_closed:
            self._turn = self._loop.call_soon(self._take_turn)

    def _take_turn(self) -> None:
        """Take some of what waits, at least one, and send some of what is to go."""
        self._turn = None
        ends = self._clock() + TURN_S
        while self._waiting:
            self._take(*self._waiting.take())
            if self._clock() >= ends:
                break
        self._flush(ends)
        if self._waiting:
            self._want_turn()

    def _take(self, data: bytes, source: Hop) -> None:
        now = self._clock()
        try:
            self.trace.add(data, "received", str(source), datetime.now(UTC))
            self.agent.receive(data, source, now)
        except Exception:
            # A defect that one message meets must not cost the others.
            self.counts.faults += 1
            log.exception("sip_message_failed", source=str(source))
        self._pump(now)

    def _timer_due(self) -> None:
        self._timer, self._timer_at = None, math.inf
        now = self._clock()
        try:
            self.agent.handle_timer(now)
        except Exception:
            self.counts.faults += 1
            log.exception("sip_timer_failed")
        self._pump(now)

    # what follows

    def _pump(self, now: float) -> None:
        """Do everything that the agent wants done. A handler's commands come back to here."""
        if self._pumping:
            return
        self._pumping = True
        try:
            while effects := self.agent.effects():
                for effect in effects:
                    if isinstance(effect, SendMessage):
                        self._outgoing.append(effect)
                    else:
                        self._tell(effect, now)
        finally:
            self._pumping = False
        self._flush(self._clock() + TURN_S)
        self._set_timer()

    def _tell(self, event: Event, now: float) -> None:
        if isinstance(event, CallReceived):
            self.keep_trace(event.call)
        try:
            self._handler(event, now)
        except Exception:
            self.counts.faults += 1
            log.exception("sip_event_failed", event_type=type(event).__name__)

    def _set_timer(self) -> None:
        at = self.agent.next_timer()
        if at is None or self._is_closed or self._timer_at <= at:
            return  # one that is due too early finds nothing to do, and is set again
        if self._timer is not None:
            self._timer.cancel()
        # Rounded up to the loop's milliseconds: a timer that comes early would be set once more.
        delay_s = math.ceil(max(0.0, at - self._clock()) * 1000) / 1000
        self._timer, self._timer_at = self._loop.call_later(delay_s, self._timer_due), at

    def _flush(self, ends: float) -> None:
        while self._outgoing:
            self._send(self._outgoing.popleft())
            if self._clock() >= ends:
                break
        if self._outgoing:
            self._want_turn()

    def _send(self, message: SendMessage) -> None:
        try:
            data = message.data
        except Exception:
            self.counts.faults += 1
            log.exception("sip_message_not_written")
            self._failed(message, "fault")
            return
        self.trace.add(data, "sent", str(message.hop), datetime.now(UTC))
        self._ways.send(message, data)

    def _failed(self, message: SendMessage, cause: str, detail: str = "") -> None:
        """Tell the agent in a turn of its own: it may be in the middle of something."""
        self.counts.unsent[cause] += 1
        self.trace.failed(message, datetime.now(UTC), cause, detail)
        if not self._is_closed:
            self._loop.call_soon(self._tell_failed, message)

    def _tell_failed(self, message: SendMessage) -> None:
        if not self._is_closed:
            now = self._clock()
            self.agent.transport_failed(message, now)
            self._pump(now)

    # inside

    def _with_local(self, hop: Hop) -> Hop:
        """With our address as the peer will see it, so that Via and Contact name it."""
        host = self.settings.host
        if host not in ("::", "0.0.0.0"):  # noqa: S104 compared, not bound
            return replace(hop, local=host)
        return replace(hop, local=local_address(hop.host, hop.port or 0))

    def _own_addresses(self) -> tuple[str, ...]:
        settings = self.settings
        if settings.public_host is not None:
            return (settings.public_host,)
        if settings.host not in ("::", "0.0.0.0"):  # noqa: S104 compared, not bound
            return (settings.host,)
        return settings.addresses or ("127.0.0.1", "::1")
