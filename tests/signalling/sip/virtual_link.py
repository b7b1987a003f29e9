"""Agents on a link in virtual time: UDP that loses and doubles by a seed; TCP that does not."""

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from sipmessage import Request

from signalling.sip.agent import UserAgent
from signalling.sip.digest import DigestVerifier
from signalling.sip.effects import CallReceived, Event
from signalling.sip.hop import Hop, Transport
from signalling.sip.registrar import Registrar
from signalling.sip.settings import AgentSettings, Listener
from signalling.sip.transactions import SendMessage

OFFER = b"v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 5004 RTP/AVP 0\r\n"
ANSWER = b"v=0\r\no=b 1 1 IN IP4 192.0.2.2\r\ns=-\r\nt=0 0\r\nm=audio 5006 RTP/AVP 0\r\n"
SECOND_OFFER = OFFER.replace(b"a 1 1", b"a 1 2")
SECOND_ANSWER = ANSWER.replace(b"b 1 1", b"b 1 2")


@dataclass(frozen=True)
class Faults:
    loss: float = 0.0
    doubled: float = 0.0
    delay_s: float = 0.02
    jitter_s: float = 0.0


PERFECT = Faults()
BAD = Faults(loss=0.1, doubled=0.1, jitter_s=0.3)
"""10% lost, 10% doubled; up to 300 ms of jitter puts messages out of order."""


@dataclass(order=True)
class _Due:
    at: float
    number: int
    action: Callable[[], None] = field(compare=False)


class Link:
    """A network and its clock."""

    def __init__(self, seed: int = 0, faults: Faults = PERFECT) -> None:
        self.now = 1_000.0
        self.rng = random.Random(seed)
        self.faults = faults
        self.ends: dict[str, End] = {}
        self.log: list[tuple[float, str, str, str]] = []
        self.cut: set[str] = set()
        """Hosts nothing comes from or to."""
        self.unreachable: set[str] = set()
        """Hosts a transport says at once that it cannot reach."""
        self.dropped: Callable[[SendMessage], bool] = lambda _message: False
        self._due: list[_Due] = []
        self._count = itertools.count()

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something in so many seconds."""
        heapq.heappush(self._due, _Due(self.now + seconds, next(self._count), action))

    def carry(self, sender: "End", message: SendMessage) -> None:
        hop = message.hop
        what = message.message
        name = what.method if isinstance(what, Request) else str(what.code)
        self.log.append((self.now, sender.host, hop.host, name))
        if hop.host in self.unreachable:
            self.at(0.0, lambda: sender.failed(message))
            return
        end = self.ends.get(hop.host)
        if end is None or {hop.host, sender.host} & self.cut or self.dropped(message):
            return
        data = message.data
        source = Hop(hop.transport, sender.host, 5060, 1 if hop.is_reliable else None)
        faults = PERFECT if hop.is_reliable else self.faults
        if self.rng.random() < faults.loss:
            return
        for _ in range(1 + (self.rng.random() < faults.doubled)):
            delay = faults.delay_s + self.rng.random() * faults.jitter_s
            self.at(delay, lambda: end.take(data, source))

    def run(self, seconds: float) -> None:
        """Let time pass."""
        until = self.now + seconds
        while True:
            times = [end.agent.next_timer() for end in self.ends.values()]
            timers = [at for at in times if at is not None]
            next_due = self._due[0].at if self._due else float("inf")
            at = min([next_due, *timers])
            if at > until:
                break
            self.now = max(self.now, at)
            if next_due <= at:
                heapq.heappop(self._due).action()
                for end in self.ends.values():
                    end.flush()
                continue
            for end in self.ends.values():
                end.tick()
        self.now = until

    def sent(self, name: str, sender: "End | None" = None) -> list[float]:
        """When a method or status was put on the wire."""
        return [
            at
            for at, host, _, what in self.log
            if what == name and (sender is None or host == sender.host)
        ]


class End:
    """One agent, what it has told, and what it does about it."""

    def __init__(
        self,
        link: Link,
        host: str,
        transport: Transport = "udp",
        settings: AgentSettings | None = None,
        verifier: DigestVerifier | None = None,
        registrar: Registrar | None = None,
    ) -> None:
        self.link = link
        self.host = host
        self.events: list[Event] = []
        self.hooks: list[Callable[[Event], None]] = []
        own = settings or AgentSettings((Listener(transport, host, 5060),))
        rng = random.Random(link.rng.random())
        self.agent = UserAgent(own, verifier, registrar, rng)
        link.ends[host] = self

    @property
    def address(self) -> str:
        return f"sip:room@{self.host}"

    def call(self, other: "End", sdp: bytes | None = OFFER, **options: object) -> str:
        options.setdefault("caller", f"<{self.address}>")
        name = self.agent.call(other.address, sdp, self.link.now, **options)  # type: ignore[arg-type]
        self.flush()
        return name

    def do(self, command: str, *arguments: object, **options: object) -> object:
        """Give the agent a command that takes the time last."""
        result = getattr(self.agent, command)(*arguments, self.link.now, **options)
        self.flush()
        return result

    def take(self, data: bytes, source: Hop) -> None:
        self.agent.receive(data, source, self.link.now)
        self.flush()

    def failed(self, message: SendMessage) -> None:
        self.agent.transport_failed(message, self.link.now)
        self.flush()

    def tick(self) -> None:
        at = self.agent.next_timer()
        if at is not None and at <= self.link.now:
            self.agent.handle_timer(self.link.now)
            self.flush()

    def flush(self) -> None:
        while effects := self.agent.effects():
            for effect in effects:
                if isinstance(effect, SendMessage):
                    self.link.carry(self, effect)
                    continue
                self.events.append(effect)
                for hook in self.hooks:
                    hook(effect)

    def of(self, kind: type) -> list:  # type: ignore[type-arg]
        """What was told of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def one(self, kind: type):  # type: ignore[no-untyped-def]
        """The only one told of its kind."""
        (event,) = self.of(kind)
        return event

    def names(self) -> list[str]:
        return [type(event).__name__ for event in self.events]

    def answers(self, sdp: bytes = ANSWER, ring_s: float = 0.5, answer_s: float = 2.0) -> None:
        """From now on, ring and then take every call."""

        def hook(event: Event) -> None:
            if isinstance(event, CallReceived):
                self.link.at(ring_s, lambda: self.do("ring", event.call))
                self.link.at(answer_s, lambda: self.do("accept", event.call, sdp))

        self.hooks.append(hook)


def pair(
    seed: int = 0, faults: Faults = PERFECT, transport: Transport = "udp"
) -> tuple[Link, End, End]:
    link = Link(seed, faults)
    return link, End(link, "192.0.2.1", transport), End(link, "192.0.2.2", transport)
