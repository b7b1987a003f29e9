"""Whether a meeting in which rooms come and go for half an hour leaves anything behind.

``--legs`` rooms stay and keep sending and receiving sound and pictures; ``--rate`` times a second
one of six others joins or leaves (each tenth without a goodbye, unless ``--polite``). Two of these
six stand in the view and send pictures, one of them speaks, so decoders, encoders and mixes come
and go with them. Before and after, at rest, these are counted over the daemon and its children:
descriptors, threads, the loop's tasks, decoders, encoders, renditions, legs. Memory is read every
two seconds; its mean over the last minute is held against that over minute five (in the short
form: over the last and the second sixth).

    python -m bench.churn --minutes 30
"""

import asyncio
import itertools
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import psutil

from bench.command import command_line, void_is_told
from bench.figures import Figure, VoidRunError, table
from bench.generator_leg import GeneratorLeg
from bench.load import Figures, Load, Meeting, meeting, memory_bytes
from bench.media import CodedPictures, CodedSound, coded_pictures, coded_silence, coded_speech
from mcu.media.srtp import PacketBuffer
from signalling.webrtc.dtls import DtlsCertificate
from tests.peers.daemon import ADMIN_TOKEN

LEGS = 20
GUESTS = 6
SEEN_GUESTS = 2
"""Of them so many stand in the view, in the places of the last of the rooms that stay."""
WARM_UP_CHANGES = 4 * GUESTS
RUDE_EACH = 10
RATE_HZ, SHORT_RATE_HZ = 1.0, 10.0
MINUTES, SHORT_MINUTES = 30.0, 0.3
REST_S = 8.0
"""Encoders and pools that nobody uses any more are given up by then."""
SILENT_LEG_S = 40.0
"""A leg that said no goodbye is gone by then (ICE consent, RFC 7675)."""
SLACK_S, SLACK_SHARE = 8.0, 0.1
"""So much longer than their time joins and leaves may take: of a long run a share."""
SAMPLE_S = 2.0
COUNTS, COUNTS_APART_S = 8, 0.7
"""Readings of what is held, and seconds between them."""
PHASE_S = 0.01
MEMORY_BAR_PERCENT = 5.0

COUNTED = {
    "tasks": "mcu_tasks",
    "audio decoders": 'mcu_decoders{kind="audio"}',
    "video decoders": 'mcu_decoders{kind="video"}',
    "audio encoders": 'mcu_encoders{kind="audio"}',
    "video encoders": 'mcu_encoders{kind="video"}',
    "audio renditions": 'mcu_renditions{kind="audio"}',
    "video renditions": 'mcu_renditions{kind="video"}',
}


@dataclass(slots=True)
class Found:
    """What was seen of the daemon.

    Args:
        before, after: counts at rest, by name.
        memory: (seconds since the churn began, bytes).
        joins, leaves: how many there were. failed: joins that did not succeed.
    """

    before: dict[str, int] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)
    memory: list[tuple[float, int]] = field(default_factory=list)
    joins: int = 0
    leaves: int = 0
    failed: int = 0


class Guests:
    """Rooms that come and go, and send while they are there.

    Args:
        http: goes to the daemon by one connection, so that those do not come and go too.
        url: where offers are POSTed; ``{leg}`` in it becomes the room's number.
        first: number of the first guest's room.
    """

    def __init__(self, http: aiohttp.ClientSession, origin: str, url: str, first: int) -> None:
        self.inside: dict[int, GeneratorLeg] = {}
        self._joining: set[GeneratorLeg] = set()
        self._http, self._origin, self._url, self._first = http, origin, url, first
        self._buffer, self._certificate = PacketBuffer(), DtlsCertificate.generate()
        self._speech: CodedSound = coded_speech("a guest")
        self._silence: CodedSound = coded_silence()
        self._pictures: CodedPictures = coded_pictures()

    async def join(self, guest: int) -> None:
        """Raises: RuntimeError, TimeoutError: it did not come in."""
        seen = guest < SEEN_GUESTS
        leg = GeneratorLeg(
            f"guest-{guest}",
            self._buffer,
            self._certificate,
            sound=self._speech if guest == 0 else self._silence,
            pictures=self._pictures if seen else None,
            video=True,
            sampled=False,
        )
        self._joining.add(leg)
        try:
            await leg.join(self._http, self._url.replace("{leg}", str(self._first + guest)))
        except (RuntimeError, TimeoutError, aiohttp.ClientError):
            leg.close()
            raise
        finally:
            self._joining.discard(leg)
        self.inside[guest] = leg

    async def leave(self, guest: int, *, goodbye: bool) -> None:
        """Hang up, or just be gone."""
        leg = self.inside.pop(guest)
        leg.close()
        if goodbye:
            async with self._http.delete(self._origin + leg.location) as response:
                await response.read()

    async def send(self) -> None:
        """Media of those inside, until cancelled."""
        began = time.monotonic()
        for phase in itertools.count():
            await asyncio.sleep(max(0.0, began + phase * PHASE_S - time.monotonic()))
            now = time.monotonic()
            for guest, leg in self.inside.items():
                if (guest + phase) % 2 == 0:
                    leg.send_audio(now)
                if (guest + phase) % 4 == 0:
                    leg.send_picture(now)
            if phase % 10 == 0:
                for leg in (*self.inside.values(), *self._joining):
                    leg.handle_timer(now)

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        """Media while this is open; who is still inside then is closed."""
        task = asyncio.create_task(self.send())
        try:
            yield
        finally:
            task.cancel()
            for leg in self.inside.values():
                leg.close()
        if task.done() and not task.cancelled():
            task.result()


async def measure(*, short: bool) -> list[Figure]:
    """Figure 10, but for memory per leg, which is ``bench.growth``'s."""
    if short:
        return await churn(LEGS, SHORT_MINUTES, SHORT_RATE_HZ, rude_each=0)
    return await churn(LEGS, MINUTES, RATE_HZ, rude_each=RUDE_EACH)


async def churn(legs: int, minutes: float, rate_hz: float, *, rude_each: int) -> list[Figure]:
    """Hold a meeting and let guests come and go.

    Args:
        rude_each: each so-many-th leaves without a goodbye; 0: none.
    Raises:
        VoidRunError: guests cannot join as fast as they come.
    """
    rest_s = REST_S + (SILENT_LEG_S if rude_each else 0.0)
    seconds = minutes * 60
    slack_s = max(SLACK_S, SLACK_SHARE * seconds)
    load = Load(legs, seconds, video=True, video_senders=min(legs, 16), speakers=3)
    found = Found()

    async def coming_and_going() -> None:
        sampling = asyncio.create_task(_sample(held.daemon.pid, found))
        try:
            await _change(guests, found, round(seconds * rate_hz), rate_hz, rude_each, slack_s)
        finally:
            sampling.cancel()

    # What is left behind is no matter of time: a busy machine is neither to refuse guests nor to
    # make the run void.
    environment = {"MCU_LIMITS__OVERLOAD_PROTECTION": "false"}
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(
            meeting(load, spare_legs=GUESTS, environment=environment)
        )
        loaded = await stack.enter_async_context(held.loaded())
        await _show_guests(held, load)
        http = await stack.enter_async_context(
            aiohttp.ClientSession(
                headers={"Authorization": f"Bearer {ADMIN_TOKEN}"},
                connector=aiohttp.TCPConnector(limit=1),
            )
        )
        guests = Guests(http, held.daemon.url, held.legs_url(), load.legs)
        await stack.enter_async_context(guests.sending())
        # Everything is used once before the baseline: what is made then for good is no leak.
        await _change(guests, found, WARM_UP_CHANGES, rate_hz, rude_each, slack_s)
        await asyncio.sleep(rest_s)
        found.before = await _counts_at_rest(held)
        found.joins = found.leaves = found.failed = 0
        measured = await loaded.measured(during=coming_and_going, starved_is_void=False)
        await asyncio.sleep(rest_s)
        found.after = await _counts_at_rest(held)
    return figures(found, measured, minute_five=minutes > 6)


async def _show_guests(held: Meeting, load: Load) -> None:
    """Give some guests the last places of the view."""
    columns = int(load.layout.split("x")[0])
    places = columns * columns
    rooms = [f"b{number}" for number in range(min(load.legs, places - SEEN_GUESTS))]
    rooms += [f"b{load.legs + number}" for number in range(SEEN_GUESTS)]
    slots = [{"participant": room} for room in rooms]
    slots += [{} for _ in range(places - len(slots))]
    layout = {"view": "main", "layout": load.layout, "slots": slots}
    await held.daemon.call("PUT", f"/conferences/{held.conference}/layout", layout)


async def _change(
    guests: Guests, found: Found, changes: int, rate_hz: float, rude_each: int, slack_s: float
) -> None:
    """So many joins and leaves in turn; at the end nobody is inside.

    Raises:
        VoidRunError: it takes much longer than it should: the machine does other things.
    """
    began = time.monotonic()
    order = itertools.cycle(range(GUESTS))
    leaving = itertools.cycle(range(GUESTS))
    joining = True
    for change in range(changes):
        await asyncio.sleep(max(0.0, began + change / rate_hz - time.monotonic()))
        if time.monotonic() - began > changes / rate_hz + slack_s:
            raise VoidRunError("joins and leaves take longer than they come; try a lower rate")
        print(f"\r{change + 1}/{changes} joins and leaves", end="", file=sys.stderr)
        # All come in, all go out: so each number of them happens.
        if not guests.inside:
            joining = True
        elif len(guests.inside) == GUESTS:
            joining = False
        if joining and changes - change > len(guests.inside):
            found.joins += 1
            try:
                await guests.join(next(order))
            except (RuntimeError, TimeoutError, aiohttp.ClientError) as error:
                print(f"\na guest could not join: {error!r}", file=sys.stderr)
                found.failed += 1
            continue
        joining = False
        guest = next(one for one in leaving if one in guests.inside)
        found.leaves += 1
        await guests.leave(guest, goodbye=not rude_each or found.leaves % rude_each != 0)
    for guest in list(guests.inside):
        await guests.leave(guest, goodbye=True)
    print("", file=sys.stderr)


async def _sample(pid: int, found: Found) -> None:
    began = time.monotonic()
    while True:
        found.memory.append((time.monotonic() - began, memory_bytes(pid)))
        await asyncio.sleep(SAMPLE_S)


async def _counts_at_rest(held: Meeting) -> dict[str, int]:
    """The least of each within some seconds.

    Alarms look at the rooms in turn, each with a decoder for a moment: one reading may be of two
    turns that overlap. What is left behind stays in all of them.
    """
    readings = []
    for _ in range(COUNTS):
        readings.append(await _counts(held))
        await asyncio.sleep(COUNTS_APART_S)
    return {name: min(reading[name] for reading in readings) for name in readings[0]}


async def _counts(held: Meeting) -> dict[str, int]:
    metrics = await held.daemon.metrics()
    process = psutil.Process(held.daemon.pid)
    family = [process, *process.children(recursive=True)]
    counts = {
        "descriptors": sum(one.num_fds() for one in family),
        "threads": sum(one.num_threads() for one in family),
        "processes": len(family),
        "legs": int(sum(n for name, n in metrics.items() if name.startswith("mcu_legs{"))),
    }
    return counts | {name: int(metrics.get(key, 0)) for name, key in COUNTED.items()}


def figures(found: Found, measured: Figures, *, minute_five: bool) -> list[Figure]:
    """Growth of each count, of memory, and what those noticed who stayed."""
    changes = f"{found.joins} joins, {found.leaves} leaves"
    rows = [
        Figure(f"{name} left behind", found.after[name] - count, "", 0.0, against=f"{count} before")
        for name, count in found.before.items()
    ]
    rows.append(Figure("joins that failed", found.failed, "", 0.0, against=f"of {found.joins}"))
    early, late = memory_means(found.memory, minute_five=minute_five)
    when = "minute five" if minute_five else "the second sixth"
    rows.append(
        Figure(
            f"memory against {when}",
            (late / early - 1) * 100,
            "%",
            MEMORY_BAR_PERCENT,
            against=f"{early / 1e6:.1f} MB then, {late / 1e6:.1f} MB at the end; {changes}",
        )
    )
    if not measured["generator_starved"]:
        rows.append(
            Figure(
                "longest gap in sound of a room that stayed",
                measured["audio_gap_ms_max"],
                "ms",
                against=f"{measured['ticks_missed']} ticks missed, {measured['legs']} rooms",
            )
        )
    return rows


def memory_means(samples: Sequence[tuple[float, int]], *, minute_five: bool) -> tuple[float, float]:
    """Mean memory in minute five and in the last one; else in the second and the last sixth."""
    end = samples[-1][0]
    length = 60.0 if minute_five else end / 6
    begin = 240.0 if minute_five else length
    return _mean(samples, begin, begin + length), _mean(samples, end - length, end)


def _mean(samples: Sequence[tuple[float, int]], begin: float, end: float) -> float:
    within = [size for at, size in samples if begin <= at <= end]
    if not within:
        raise VoidRunError(f"memory was not read between {begin:.0f} and {end:.0f} s")
    return sum(within) / len(within)


def main() -> None:
    """Parse, run, print the table; exit 1 when the run is void."""
    parser = command_line(__doc__)
    parser.add_argument("--legs", type=int, default=LEGS, help="rooms that stay")
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--rate", type=float, default=RATE_HZ, help="joins and leaves a second")
    parser.add_argument("--polite", action="store_true", help="nobody leaves without a goodbye")
    options = parser.parse_args()
    rude_each = 0 if options.polite else RUDE_EACH
    with void_is_told():
        found = asyncio.run(churn(options.legs, options.minutes, options.rate, rude_each=rude_each))
    print(table(found))


if __name__ == "__main__":
    main()
