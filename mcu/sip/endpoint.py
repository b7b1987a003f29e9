"""The endpoint: drives the agent of ``signalling.sip`` by sockets and a clock.

Whoever gives the agent a command does so by ``do``, which sends at once what follows from it.
Events go to the handler, which may give commands in turn. Sound comes first on this loop: what
arrives waits in a queue of bounded length, and only a little of it is taken in each turn.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, Required, TypedDict, TypeVar, Unpack

import structlog

from mcu.sip.admission import Admission
from mcu.sip.counts import TransportCounts
from mcu.sip.lookup import Dns, Locator, Names, is_address
from mcu.sip.settings import EndpointSettings
from mcu.sip.streams import Streams
from mcu.sip.trace import Trace
from mcu.sip.udp import SipUdp, local_address
from signalling.sip import (
    AgentSettings,
    CallId,
    CallReceived,
    Credentials,
    DigestVerifier,
    Event,
    Hop,
    Listener,
    Registrar,
    SendMessage,
    SipError,
    Transport,
    UserAgent,
)
from signalling.sip.fields import with_brackets
from signalling.sip.uri import parse_uri

TURN_S: Final = 0.002
"""What messages may take of one turn of the loop, of those that come and those that go."""
MAX_WAITING: Final = 2_000
MAX_WAITING_BYTES: Final = 8 << 20
"""Messages that came and wait; beyond, they are dropped and counted."""
MAX_LOOKUPS: Final = 500
"""Messages whose next hop is being looked up."""
CHOSEN_S: Final = 32.0
"""So long messages for one name go to the place that was found for the first of them."""
MAX_CHOSEN: Final = 1_000


class CallOptions(TypedDict, total=False):
    """What ``UserAgent.call`` takes besides whom to call."""

    caller: Required[str]
    hop: Hop | None
    credentials: Credentials | None
    no_answer_s: float | None
    fields: Mapping[str, str] | None
    is_flow: bool


Result = TypeVar("Result")
Handler = Callable[[Event, float], None]

log = structlog.get_logger(__name__)


class SipEndpoint:
    """One agent on the network: ``open`` first, ``close`` in ``finally``.

    Args:
        agent: what the agent is told; its listeners are filled in here.
        handler: gets every event of the agent.
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
        self._verifier = verifier
        self._registrar = registrar
        self._names = names
        self._clock = clock
        self._admission = Admission(settings.limits)
        self._locator: Locator
        self._loop: asyncio.AbstractEventLoop
        self._udp: SipUdp | None = None
        self._streams: Streams
        self._waiting: deque[tuple[bytes, Hop]] = deque()
        self._waiting_bytes = 0
        self._outgoing: deque[SendMessage] = deque()
        self._turn: asyncio.Handle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf
        self._pumping = False
        self._chosen: dict[tuple[Transport, str, int | None], tuple[Hop, float]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
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
        self.agent = UserAgent(
            replace(
                self._agent_settings,
                listeners=self.listeners,
                tell_local=settings.public_host is None,
            ),
            self._verifier,
            self._registrar,
        )
        families = (4, 6) if host == "::" else (6,) if ":" in host else (4,)
        self._locator = Locator(self._names or Dns(), tuple(ports), families)

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
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
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
            SipError: it is no SIP address.
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
        full = len(self._waiting) >= MAX_WAITING or self._waiting_bytes >= MAX_WAITING_BYTES
        if full or self._is_closed:
            self.counts.dropped["crowd"] += 1
            return
        self._waiting.append((data, source))
        self._waiting_bytes += len(data)
        self._want_turn()

    def _unreachable(self, host: str, port: int) -> None:
        """ICMP says so: whoever waits for an answer from there waits in vain (18.4)."""
        if not self._is_closed:
            self._loop.call_soon(self._tell_unreachable, Hop("udp", host, port))

    def _tell_unreachable(self, hop: Hop) -> None:
        if not self._is_closed:
            now = self._clock()
            self.agent.unreachable(hop, now)
            self._pump(now)

    def _want_turn(self) -> None:
        if self._turn is None and not self._is_closed:
            self._turn = self._loop.call_soon(self._take_turn)

    def _take_turn(self) -> None:
        """Take some of what waits, at least one, and send some of what is to go."""
        self._turn = None
        ends = self._clock() + TURN_S
        while self._waiting:
            data, source = self._waiting.popleft()
            self._waiting_bytes -= len(data)
            self._take(data, source)
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
        hop = message.hop
        try:
            data = message.data
        except Exception:
            self.counts.faults += 1
            log.exception("sip_message_not_written")
            self._failed(message, "fault")
            return
        self.trace.add(data, "sent", str(hop), datetime.now(UTC))
        if hop.connection is not None:
            if not self._streams.send(hop.connection, data):
                self._failed(message, "gone")
        elif hop.port is not None and is_address(hop.host):
            self._send_to(message, data, hop)
        elif (chosen := self._chosen_for(hop)) is not None:
            self._send_to(message, data, chosen)
        elif len(self._tasks) < MAX_LOOKUPS:
            self._run(self._look_up_and_send(message, data))
        else:
            self._failed(message, "crowd")

    def _send_to(self, message: SendMessage, data: bytes, hop: Hop) -> None:
        if hop.transport != "udp":
            wait_s = self.settings.trial_s if message.is_trial else self.settings.connect_s
            self._streams.send_to(hop, data, lambda cause: self._failed(message, cause), wait_s)
        elif self._udp is None or not self._udp.send(data, hop):
            self._failed(message, "socket")

    async def _look_up_and_send(self, message: SendMessage, data: bytes) -> None:
        hop = message.hop
        found = await self._locator.resolve(hop)
        if not found:
            self._failed(message, "lookup")
            return
        # All messages of a transaction go to one place, also those that repeat.
        if len(self._chosen) >= MAX_CHOSEN:
            self._chosen.clear()
        until = self._clock() + CHOSEN_S
        self._chosen[hop.transport, hop.host, hop.port] = found[0], until
        if hop.transport == "udp":
            self._send_to(message, data, found[0])
        else:
            self._try_in_turn(message, data, found)

    def _try_in_turn(self, message: SendMessage, data: bytes, hops: Sequence[Hop]) -> None:
        def failed(cause: str) -> None:
            if len(hops) > 1:
                self._try_in_turn(message, data, hops[1:])
            else:
                self._chosen.pop(key, None)
                self._failed(message, cause)

        key = message.hop.transport, message.hop.host, message.hop.port
        self._chosen[key] = hops[0], self._clock() + CHOSEN_S
        wait_s = self.settings.trial_s if message.is_trial else self.settings.connect_s
        self._streams.send_to(hops[0], data, failed, wait_s)

    def _chosen_for(self, hop: Hop) -> Hop | None:
        found = self._chosen.get((hop.transport, hop.host, hop.port))
        return None if found is None or found[1] < self._clock() else found[0]

    def _failed(self, message: SendMessage, cause: str) -> None:
        """Tell the agent in a turn of its own: it may be in the middle of something."""
        self.counts.unsent[cause] += 1
        if not self._is_closed:
            self._loop.call_soon(self._tell_failed, message)

    def _tell_failed(self, message: SendMessage) -> None:
        if not self._is_closed:
            now = self._clock()
            self.agent.transport_failed(message, now)
            self._pump(now)

    # inside

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

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
