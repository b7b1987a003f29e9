"""A server and its participants on a link in virtual time: one that loses, doubles and disorders
datagrams by a seed, or a stream that only cuts and delays."""

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from signalling.bfcp import (
    BfcpClient,
    ChairPolicy,
    ClientEvent,
    FloorServer,
    ServerEvent,
    queue_policy,
)

FLOOR = 1
CONFERENCE = 77


@dataclass(frozen=True)
class Faults:
    loss: float = 0.0
    doubled: float = 0.0
    delay_s: float = 0.02
    jitter_s: float = 0.0


PERFECT = Faults()
BAD = Faults(loss=0.1, doubled=0.1, jitter_s=0.3)
"""10% lost, 10% doubled; up to 300 ms of jitter puts datagrams out of order."""


@dataclass(order=True)
class _Due:
    at: float
    number: int
    action: Callable[[], None] = field(compare=False)


class Link:
    """A floor control server, participants 1 to ``count``, and what lies between."""

    def __init__(
        self,
        count: int,
        *,
        reliable: bool = False,
        faults: Faults = PERFECT,
        seed: int = 0,
        policy: ChairPolicy = queue_policy,
    ) -> None:
        self.now = 1_000.0
        self.rng = random.Random(seed)
        self.faults = faults
        self.cut: set[int] = set()
        """Participants that nothing comes from or to."""
        self.lose: Callable[[bytes], bool] = lambda _data: False
        self.datagrams = 0
        self.server = FloorServer(CONFERENCE, (FLOOR,), policy)
        self.clients: dict[int, BfcpClient] = {}
        self.server_events: list[ServerEvent] = []
        self.takes_server_events = True
        """Else whoever drives the server takes them itself."""
        self.client_events: dict[int, list[ClientEvent]] = {}
        self._reliable = reliable
        self._due: list[_Due] = []
        self._count = itertools.count()
        self._last_at: dict[tuple[int, bool], float] = {}
        for user in range(1, count + 1):
            self.add(user)

    def add(self, user: int, *, chair: bool = False) -> None:
        self.server.open(
            user,
            reliable=self._reliable,
            name=f"room {user}",
            chair=chair,
            first_transaction=self.rng.randrange(1, 0x10000),
        )
        self.clients[user] = BfcpClient(
            CONFERENCE,
            user,
            FLOOR,
            reliable=self._reliable,
            first_transaction=self.rng.randrange(1, 0x10000),
        )
        self.client_events[user] = []

    def start(self, seconds: float = 1.0) -> None:
        """Let all participants look at the floor."""
        for client in self.clients.values():
            client.start(self.now)
        self.run(seconds)
        self.server_events.clear()

    def run(self, seconds: float) -> None:
        """Let time go by, up to the moment, and do what is due in it."""
        end = self.now + seconds
        while True:
            self._collect()
            timers = [self.server.next_timer()]
            timers += (client.next_timer() for client in self.clients.values())
            times = [time for time in timers if time is not None]
            if self._due:
                times.append(self._due[0].at)
            if not times or min(times) > end:
                break
            self.now = max(self.now, min(times))
            while self._due and self._due[0].at <= self.now:
                heapq.heappop(self._due).action()
                self._collect()
            self.server.handle_timer(self.now)
            for client in self.clients.values():
                client.handle_timer(self.now)
        self.now = end

    def _collect(self) -> None:
        for user, data in self.server.data_to_send():
            self._carry(user, data, to_server=False)
        for user, client in self.clients.items():
            for data in client.data_to_send():
                self._carry(user, data, to_server=True)
            self.client_events[user] += client.events()
        if self.takes_server_events:
            self.server_events += self.server.events()

    def _carry(self, user: int, data: bytes, *, to_server: bool) -> None:
        self.datagrams += 1
        if self._reliable:
            self._stream(user, data, to_server)
            return
        faults, rng = self.faults, self.rng
        if rng.random() < faults.loss or user in self.cut or self.lose(data):
            return
        for _ in range(2 if rng.random() < faults.doubled else 1):
            at = self.now + faults.delay_s + rng.random() * faults.jitter_s
            self._deliver(at, user, data, to_server)

    def _stream(self, user: int, data: bytes, to_server: bool) -> None:
        """In order, cut anywhere."""
        middle = self.rng.randrange(len(data) + 1)
        for piece in (data[:middle], data[middle:]):
            delay = self.faults.delay_s + self.rng.random() * self.faults.jitter_s
            at = max(self.now + delay, self._last_at.get((user, to_server), 0.0))
            self._last_at[user, to_server] = at
            self._deliver(at, user, piece, to_server)

    def _deliver(self, at: float, user: int, data: bytes, to_server: bool) -> None:
        def arrive() -> None:
            if to_server:
                self.server.receive(user, data, self.now)
            elif user not in self.cut:
                self.clients[user].receive(data, self.now)

        heapq.heappush(self._due, _Due(at, next(self._count), arrive))

    @property
    def holder(self) -> int | None:
        request = self.server.holder(FLOOR)
        return None if request is None else request.user
