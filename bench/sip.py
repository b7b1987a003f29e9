"""SIP under load: calls and registrations a second, and a meeting that goes on undisturbed.

Three loads, one after the other:

* The agent alone, without sockets (``bench.sip_agent``): calls that come, are answered and hung up,
  and rooms that register with their credentials, as fast as one processor does it. ``--profile``
  says where the time goes.
* The endpoint on sockets, in a process of its own without media, with SIPp as load: ``--at-once``
  calls or registrations under way, the next one begins when one has ended.
* The daemon with a meeting of ``--legs`` rooms with sound and pictures (``bench.load``): first
  alone, then while ``--rate`` rooms a second call into another conference (they sign in, have a leg
  for half a second, hang up), then while ``--rooms`` hardware rooms are called at once
  (``bench.sip_rooms``: they answer at once and send sound), while their conference is ended, and
  while they, called again, all hang up in one moment. What counts is that the ticks of the meeting
  are not late, and when all rooms are in, or have been told that it is over.

The lateness of ticks is of the last 80 seconds: only runs as long as that tell the loads apart by
it. Whatever is late or missed is counted for each load alone.

    python -m bench.sip
    python -m bench.sip --rate 50 --seconds 90 --profile
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from pyinstrument import Profiler

from bench.command import command_line, void_is_told
from bench.figures import Figure, VoidRunError, table
from bench.load import Figures, Loaded, cpu_seconds
from bench.sip_agent import SECRET, Cost, calls, registrations
from bench.sip_load import Outcome, load
from bench.sip_province import Province, province
from signalling.sip import AgentSettings, Listener, TimerValues
from tests.peers import child

RATE_HZ = 20.0
AT_ONCE = 40

RATE_BAR_HZ = 100.0
ALL_IN_BAR_S = 10.0
LATENESS_BAR_MS = 5.0
GAP_BAR_MS = 60.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done.

    Args:
        agent: calls and registrations of the agent alone. sockets: the same through sockets.
        legs: rooms of the meeting. calm_s, seconds: it is measured alone, and with calls.
        rooms: hardware rooms that are called at once.
    """

    agent: int = 5_000
    sockets: int = 5_000
    legs: int = 10
    calm_s: float = 82.0
    seconds: float = 82.0
    rate_hz: float = RATE_HZ
    at_once: int = AT_ONCE
    rooms: int = 145


SHORT = Size(agent=600, sockets=600, calm_s=3.0, seconds=4.0)


# The agent alone


def alone(count: int, profile: bool) -> list[Figure]:
    """What the agent does without sockets."""
    profiler = Profiler(interval=0.0005) if profile else None
    if profiler is not None:
        profiler.start()
    called, registered = calls(count), registrations(count)
    if profiler is not None:
        profiler.stop()
        print(profiler.output_text(show_all=True), file=sys.stderr)
    return [
        *cost_figures("calls", called),
        *cost_figures("registrations", registered),
        table_size(),
    ]


def cost_figures(what: str, cost: Cost) -> list[Figure]:
    """Of the agent alone."""
    each_us = cost.seconds / cost.count * 1e6
    return [
        Figure(f"{what} a second, the agent alone", round(cost.per_second), "", RATE_BAR_HZ,
               at_least=True, against=f"{each_us:.0f} µs each"),
    ]  # fmt: skip


def table_size() -> Figure:
    """What the limit of transactions allows for ever: over UDP each stays 64 * T1."""
    kept_s = TimerValues().give_up_s
    most = AgentSettings((Listener("udp", "127.0.0.1", 0),)).max_transactions
    return Figure(
        "calls a second for ever, by the limit of transactions", most / (2 * kept_s), "", RATE_HZ,
        at_least=True, against=f"{most} transactions, two a call, each kept for {kept_s:.0f} s",
    )  # fmt: skip


# Through sockets


async def through_sockets(count: int, at_once: int) -> list[Figure]:
    """What the endpoint does with SIPp as load.

    Raises:
        VoidRunError: see ``load``; or a call failed.
    """
    endpoint = await child.start(
        sys.executable, "-m", "bench.sip_endpoint",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert endpoint.stdout is not None
    assert endpoint.stdin is not None
    users = {f"room{number}": SECRET for number in range(145)}
    figures = []
    try:
        target = f"127.0.0.1:{json.loads(await endpoint.stdout.readline())['udp']}"
        with tempfile.TemporaryDirectory() as folder:
            for what, scenario in (("calls", "uac"), ("registrations", "register-room")):
                before = cpu_seconds(endpoint.pid)
                found = await load(
                    Path(folder), scenario, target, calls=count, rate_hz=10_000.0, at_once=at_once,
                    users=users if scenario == "register-room" else None,
                )  # fmt: skip
                spent = cpu_seconds(endpoint.pid) - before
                figures.append(socket_figure(what, found, spent))
        endpoint.stdin.close()
        said = json.loads(await endpoint.stdout.readline())
        if said["faults"]:
            raise VoidRunError(f"the endpoint met {said['faults']} defects")
    finally:
        if endpoint.returncode is None:
            endpoint.terminate()
        await endpoint.wait()
    return figures


def socket_figure(what: str, found: Outcome, spent: float) -> Figure:
    """One load through sockets.

    Raises:
        VoidRunError: some of it failed, so the pace means nothing.
    """
    if found.failed:
        raise VoidRunError(f"{found.failed} of {found.made + found.failed} {what} failed")
    return Figure(
        f"{what} a second through sockets", round(found.made / found.seconds), "", RATE_BAR_HZ,
        at_least=True,
        against=f"{spent / found.seconds:.2f} cores, {found.made / spent:.0f} for each core",
    )  # fmt: skip


# Beside a meeting


async def beside_a_meeting(size: Size) -> list[Figure]:
    """A meeting alone, beside calls, and while all rooms are called.

    Raises:
        VoidRunError: SIPp is missing, the generator was starved, or not all rooms came in.
    """
    async with (
        province(size.legs, size.seconds, size.rooms) as found,
        found.held.loaded() as loaded,
    ):
        print("the meeting alone", file=sys.stderr)
        calm = await loaded.measured(seconds=size.calm_s)
        print(f"{size.rate_hz:g} calls a second beside it", file=sys.stderr)
        with_calls, made = await _with_calls(found, loaded, size)
        print(f"{size.rooms} rooms called at once", file=sys.stderr)
        crowded, joined = await _with(loaded, partial(found.call_all, size.rooms))
        print("their conference is ended", file=sys.stderr)
        ended, told = await _with(loaded, partial(found.end, size.rooms))
        await found.call_all(size.rooms)
        print("they hang up at once", file=sys.stderr)
        left, gone = await _with(loaded, found.hang_up)
        faults = (await found.held.daemon.metrics())["mcu_sip_faults_total"]
    figures = [
        *call_figures(size, calm, with_calls, made),
        *crowd_figures(size, calm, crowded, joined),
        *end_figures(f"conference of {size.rooms} rooms ended", calm, ended, told),
        *end_figures(f"{size.rooms} rooms hung up at once", calm, left, gone),
    ]
    return [*figures, Figure("messages of SIP that met a defect", faults, "", 0.0)]


async def _with_calls(found: Province, loaded: Loaded, size: Size) -> tuple[Figures, Outcome]:
    made: list[Outcome] = []

    async def during() -> None:
        made.append(await found.called(size.seconds - 1.0, size.rate_hz))

    return await loaded.measured(seconds=size.seconds, during=during), made[0]


async def _with(loaded: Loaded, act: Callable[[], Awaitable[Figures]]) -> tuple[Figures, Figures]:
    """The meeting meanwhile, and what the act says of itself."""
    said: Figures = {}

    async def during() -> None:
        said.update(await act())

    return await loaded.measured(seconds=ALL_IN_BAR_S / 2, during=during), said


def call_figures(size: Size, calm: Figures, called: Figures, made: Outcome) -> list[Figure]:
    """What the calls did to the meeting."""
    beside = f"with {size.rate_hz:g} calls a second"
    each_ms = (called["server_cores"] - calm["server_cores"]) / size.rate_hz * 1000
    whole = min(size.calm_s, size.seconds) >= 80.0
    return [
        Figure(f"calls that failed of {made.made + made.failed} beside the meeting",
               made.failed, "", 0.0),
        Figure(f"ticks of sound missed {beside}", called["ticks_missed"], "", 0.0,
               against=f"without {calm['ticks_missed']}"),
        Figure(f"ticks of sound begun late {beside}", called["ticks_late_percent"], "%",
               against=f"without {calm['ticks_late_percent']}%"),
        Figure(f"lateness of ticks {beside}, p99 of the last 80 s", called["tick_lateness_ms_p99"],
               "ms", LATENESS_BAR_MS if whole else None,
               against=f"without {calm['tick_lateness_ms_p99']} ms"),
        Figure(f"longest gap in a room's sound {beside}", called["audio_gap_ms_max"], "ms",
               GAP_BAR_MS, against=f"without {calm['audio_gap_ms_max']} ms"),
        Figure(f"cores {beside}", called["server_cores"], "",
               against=f"without {calm['server_cores']}; {each_ms:.1f} ms a call"),
    ]  # fmt: skip


def crowd_figures(size: Size, calm: Figures, crowded: Figures, joined: Figures) -> list[Figure]:
    """What calling all rooms at once came to."""
    return [
        Figure(
            f"{size.rooms} rooms called at once, all in the roster after", round(
                joined["joined_s"], 2
            ),
            "s", ALL_IN_BAR_S,
            against=f"all had answered after {joined['answered_s']:.2f} s, "
            f"heard the meeting after {joined['heard_s']:.2f} s",
        ),
        Figure("calls made for that", joined["calls"], "", size.rooms),
        Figure("ticks of sound missed meanwhile", crowded["ticks_missed"], "", 0.0,
               against=f"late {crowded['ticks_late_percent']}%, without calls "
               f"{calm['ticks_late_percent']}%"),
        Figure("longest gap in a room's sound meanwhile", crowded["audio_gap_ms_max"], "ms",
               GAP_BAR_MS, against=f"without calls {calm['audio_gap_ms_max']} ms"),
    ]  # fmt: skip


def end_figures(what: str, calm: Figures, meanwhile: Figures, said: Figures) -> list[Figure]:
    """What the end of many calls came to."""
    answered = f"answered after {said['answered_s']:.2f} s" if "answered_s" in said else ""
    return [
        Figure(f"{what}, all calls over after", round(said["over_s"], 2), "s", ALL_IN_BAR_S,
               against=answered),
        Figure(f"ticks of sound missed, {what}", meanwhile["ticks_missed"], "", 0.0,
               against=f"late {meanwhile['ticks_late_percent']}%, without calls "
               f"{calm['ticks_late_percent']}%"),
        Figure(f"longest gap in a room's sound, {what}", meanwhile["audio_gap_ms_max"], "ms",
               GAP_BAR_MS, against=f"without calls {calm['audio_gap_ms_max']} ms"),
    ]  # fmt: skip


async def run(size: Size, *, profile: bool = False) -> list[Figure]:
    """All loads; those that cannot be had are left out, with the reason.

    Raises:
        VoidRunError: the meeting could not be measured; what was before it stands on stderr.
    """
    print("the agent alone", file=sys.stderr)
    figures = alone(size.agent, profile)
    print("through sockets", file=sys.stderr)
    try:
        figures += await through_sockets(size.sockets, size.at_once)
    except VoidRunError as error:
        print(f"    void: {error}", file=sys.stderr)
    try:
        return figures + await beside_a_meeting(size)
    except VoidRunError:
        # Minutes of work that were good: a busy machine spoils the meeting alone.
        print(table(figures), file=sys.stderr)
        raise


async def measure(*, short: bool) -> list[Figure]:
    """See the module.

    Raises:
        VoidRunError: see ``run``.
    """
    return await run(SHORT if short else Size())


def main() -> None:
    """Parse, run, print the table; exit 1 when the run is void."""
    parser = command_line(__doc__)
    size = Size()
    parser.add_argument("--agent", type=int, default=size.agent, help="calls of the agent alone")
    parser.add_argument("--sockets", type=int, default=size.sockets, help="calls through sockets")
    parser.add_argument("--at-once", type=int, default=size.at_once, help="of them under way")
    parser.add_argument("--legs", type=int, default=size.legs, help="rooms of the meeting")
    parser.add_argument("--calm", type=float, default=size.calm_s, help="seconds of it alone")
    parser.add_argument("--seconds", type=float, default=size.seconds, help="of it with calls")
    parser.add_argument("--rate", type=float, default=size.rate_hz, help="calls a second")
    parser.add_argument("--rooms", type=int, default=size.rooms, help="called at once")
    parser.add_argument("--profile", action="store_true", help="of the agent alone, to stderr")
    options = parser.parse_args()
    size = Size(
        agent=options.agent, sockets=options.sockets, legs=options.legs, calm_s=options.calm,
        seconds=options.seconds, rate_hz=options.rate, at_once=options.at_once,
        rooms=options.rooms,
    )  # fmt: skip
    with void_is_told():
        figures = asyncio.run(run(size, profile=options.profile))
        print(table(figures))
        print(json.dumps([asdict(figure) for figure in figures], ensure_ascii=False))


if __name__ == "__main__":
    main()
