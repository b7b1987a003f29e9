"""How fast the REST API answers while a whole meeting runs.

145 rooms send and receive as in ``bench.capacity``; meanwhile ``--rate`` requests a second come at
even distances: every ``SHARES``-th kind in turn, reads of the conference, one page of all its
participants, one participant, a leg's statistics, the layout; and steering: one room muted and
unmuted, all but the speakers muted and unmuted, two places of the layout exchanged, a message
shown. Three operators' event streams are open and read; how long after a message was asked for it
comes out of one of them is measured too.

A request's time counts from the moment it was due, not from when the client got round to sending
it, so a server that stands still shows in all requests that came due meanwhile. Requests come
from a process that does nothing else.

    python -m bench.rest --seconds 60
"""

import asyncio
import itertools
import json
import random
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import numpy as np

from bench.command import command_line, void_is_told
from bench.figures import Figure, VoidRunError, table
from bench.load import Figures, Load, Meeting, meeting
from tests.peers.daemon import ADMIN_TOKEN

LEGS = 145
RATE_HZ = 100
SHORT_S, LONG_S = 11.0, 60.0
P99_BAR_MS = 50.0
STREAMS = 3
CONNECTIONS = 32
EVENT_LIMIT_BYTES = 1 << 22

SHARES = {
    "conference": 22,
    "participant": 20,
    "leg": 20,
    "layout": 14,
    "participants": 12,
    "mute one": 6,
    "mute all": 2,
    "unmute all": 2,
    "set layout": 1,
    "message": 1,
}
"""Requests of each kind in a hundred."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request below ``/api/v1/conferences/{conference}`` or, absolute, below ``/api/v1``."""

    kind: str
    method: str
    path: str
    body: Any = None


class Client:
    """Sends requests at even distances and keeps how long each took.

    Args:
        rooms: participants' ids, in the order of the layout. legs: ids of their legs.
        speakers: how many of the first rooms speak; they are never muted.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        conference: str,
        rooms: Sequence[str],
        legs: Sequence[str],
        *,
        speakers: int,
        columns: int,
    ) -> None:
        self.took_ms: dict[str, list[float]] = defaultdict(list)
        self.failed: dict[str, int] = defaultdict(int)
        self._http = http
        self._base = f"{url}/api/v1"
        self._path = f"/conferences/{conference}"
        self._conference = conference
        self._rooms, self._legs, self._speakers = rooms, legs, speakers
        self._columns = columns
        self._turn = itertools.count()
        self._messages: dict[str, float] = {}
        self._random = random.Random(1)

    async def run(self, seconds: float, rate_hz: float) -> None:
        """Send for so long, then wait for what is still out."""
        order = plan(SHARES, self._random)
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number, kind in zip(range(round(seconds * rate_hz)), order, strict=False):
                due = began + number / rate_hz
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                group.create_task(self._send(self.request(kind), due))

    def request(self, kind: str) -> Request:
        """The next one of a kind; those with a state of their own go to and fro."""
        turn = next(self._turn)
        room = self._rooms[turn % len(self._rooms)]
        if kind == "participant":
            return Request(kind, "GET", f"{self._path}/participants/{room}")
        if kind == "participants":
            return Request(kind, "GET", f"{self._path}/participants?limit=500")
        if kind == "leg":
            return Request(kind, "GET", f"/legs/{self._legs[turn % len(self._legs)]}")
        if kind == "layout":
            return Request(kind, "GET", f"{self._path}/layout?view=main")
        if kind == "mute one":
            quiet = self._rooms[self._speakers + turn % (len(self._rooms) - self._speakers)]
            muted = bool(turn & 1)
            return Request(
                kind, "PATCH", f"{self._path}/participants/{quiet}", {"audio_muted": muted}
            )
        if kind in ("mute all", "unmute all"):
            body = {"scope": "all", "except": list(self._rooms[: self._speakers])}
            return Request(kind, "POST", f"{self._path}/{kind.split()[0]}", body)
        if kind == "set layout":
            return Request(kind, "PUT", f"{self._path}/layout", self._layout())
        if kind == "message":
            text = f"message {turn}"
            return Request(kind, "PUT", f"{self._path}/message", {"text": text, "duration_s": 1.0})
        return Request(kind, "GET", self._path)

    def _layout(self) -> dict[str, Any]:
        """The view with the first room, which the latency probe looks at, where it was."""
        places = list(self._rooms[: self._columns * self._columns])
        one, other = self._random.sample(range(1, len(places)), 2)
        places[one], places[other] = places[other], places[one]
        slots = [{"participant": room} for room in places]
        return {"view": "main", "layout": f"{self._columns}x{self._columns}", "slots": slots}

    async def _send(self, request: Request, due: float) -> None:
        if request.kind == "message":
            self._messages[request.body["text"]] = due
        try:
            async with self._http.request(
                request.method, self._base + request.path, json=request.body
            ) as response:
                await response.read()
                good = response.status < 400
        except (aiohttp.ClientError, TimeoutError) as error:
            print(f"{request.kind}: {error!r}", file=sys.stderr)
            good = False
        if not good:
            self.failed[request.kind] += 1
        self.took_ms[request.kind].append((time.monotonic() - due) * 1000.0)

    async def read_events(self) -> None:
        """Read one event stream until cancelled; messages seen on it are timed."""
        async with self._http.get(
            f"{self._base}/events",
            params={"conference": self._conference},
            timeout=aiohttp.ClientTimeout(total=None),
        ) as response:
            async for line in response.content:
                if line.startswith(b"data: ") and b'"message.' in line[:200]:
                    self._event(json.loads(line[6:]))

    def _event(self, event: dict[str, Any]) -> None:
        sent_at = self._messages.pop(str(event["data"].get("text")), None)
        if sent_at is not None:
            self.took_ms["event"].append((time.monotonic() - sent_at) * 1000.0)

    @asynccontextmanager
    async def streams(self, count: int) -> AsyncIterator[None]:
        """Some event streams, open and read."""
        tasks = [asyncio.create_task(self.read_events()) for _ in range(count)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for one in ended:
            if isinstance(one, Exception):
                raise VoidRunError(f"an event stream broke off: {one!r}")


def plan(shares: dict[str, int], seed: random.Random) -> Iterable[str]:
    """Kinds for ever, each hundred with its shares in another order."""
    kinds = [kind for kind, share in shares.items() for _ in range(share)]
    while True:
        seed.shuffle(kinds)
        yield from kinds


async def measure(*, short: bool) -> list[Figure]:
    """Figure 11."""
    return await answered(LEGS, RATE_HZ, SHORT_S if short else LONG_S)


async def answered(legs: int, rate_hz: float, seconds: float) -> list[Figure]:
    """A meeting with requests beside it.

    Raises:
        VoidRunError: the generator was starved.
    """
    load = Load(legs, seconds, video=True)
    client: Client | None = None

    async def beside() -> None:
        nonlocal client
        connector = aiohttp.TCPConnector(limit=CONNECTIONS + STREAMS)
        async with aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {ADMIN_TOKEN}"},
            connector=connector,
            read_bufsize=EVENT_LIMIT_BYTES,
        ) as http:
            client = await _client(http, held, load)
            async with client.streams(STREAMS):
                await client.run(seconds - 1.0, rate_hz)

    async with meeting(load) as held:
        measured = await held.measured(during=beside)
    if client is None:
        raise VoidRunError("no request was sent")
    return figures(client, measured, rate_hz)


async def _client(http: aiohttp.ClientSession, held: Meeting, load: Load) -> Client:
    path = f"/conferences/{held.conference}/participants?limit=500"
    people = (await held.daemon.call("GET", path))["items"]
    rooms = [person["id"] for person in people if person["legs"]]
    legs = [leg for person in people for leg in person["legs"]]
    return Client(
        http,
        held.daemon.url,
        held.conference,
        rooms,
        legs,
        speakers=load.speakers,
        columns=int(load.layout.split("x")[0]),
    )


def figures(client: Client, measured: Figures, rate_hz: float) -> list[Figure]:
    """p99 of all and of each kind, p50 beside it; failures and missed ticks."""
    found = []
    everything = [one for kind in SHARES for one in client.took_ms.get(kind, ())]
    if not everything:
        raise VoidRunError("no request was answered")
    rows = {f"all at {rate_hz:g} a second": everything, **client.took_ms}
    for kind, took in sorted(rows.items(), key=lambda row: -len(row[1])):
        p50, p99 = (float(np.percentile(took, percent)) for percent in (50, 99))
        found.append(
            Figure(
                f"REST p99, {kind}",
                p99,
                "ms",
                P99_BAR_MS,
                against=f"p50 {p50:.1f} ms, longest {max(took):.0f} ms, {len(took)} times",
            )
        )
    found.append(
        Figure(
            "REST requests that failed", sum(client.failed.values()), "", 0.0,
            against=", ".join(f"{kind} {count}" for kind, count in client.failed.items()),
        )
    )  # fmt: skip
    found.append(
        Figure(
            f"audio ticks missed meanwhile, {measured['legs']} legs",
            measured["ticks_missed"],
            "",
            0.0,
            against=f"lateness p99 {measured['tick_lateness_ms_p99']} ms, "
            f"daemon {measured['server_cores']} cores",
        )
    )
    return found


def main() -> None:
    """Parse, run, print the table; exit 1 when the run is void."""
    parser = command_line(__doc__)
    parser.add_argument("--legs", type=int, default=LEGS)
    parser.add_argument("--rate", type=float, default=RATE_HZ, help="requests a second")
    parser.add_argument("--seconds", type=float, default=LONG_S)
    options = parser.parse_args()
    with void_is_told():
        found = asyncio.run(answered(options.legs, options.rate, options.seconds))
    print(table(found))


if __name__ == "__main__":
    main()
