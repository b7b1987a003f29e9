"""What one room that misbehaves does to all the others: nothing, beyond noise.

The same meeting is measured with one more room that is good, then with that room doing one thing
wrong after the other, with a good one again after each third and at the end; what the good ones
differ by is the noise. The room stands in a slot of the view and speaks, so all it sends is wanted.

    broken-h264, broken-vp8   flipped bits, pictures cut short, units made up, damaged key frames
    flood                     a hundred times the packets and bits agreed, all authentic
    timestamps                times that jump, go backwards, stand still
    sizes                     each picture a key frame of another size, 90×90 to 4K in a second
    large                     4K at 25 pictures into a small slot
    stalls                    stops within a picture, is silent for 1.5 s, lets all go at once
    rtcp                      1,000 PLI a second, NACK of everything, absurd REMB

Who sends so much takes processor time of its own, on the cores that are measured. ``flood`` and
``rtcp`` are therefore held against a run as well in which the same process is a good room and sends
the same packets to a socket that is none of the daemon's (``flood-elsewhere``): what remains is the
daemon's. ``broken-vp8`` is so too: a room that speaks VP8 is sent what an encoder of its own makes,
however good it is.

    python -m bench.badleg --seconds 30
    python -m bench.badleg --faults flood,rtcp --legs 40
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from bench.badleg_peer import FAULTS
from bench.command import command_line, void_is_told
from bench.figures import Figure, VoidRunError, table
from bench.load import Figures, Load, Loaded, Meeting, meeting
from tests.peers import child
from tests.peers.daemon import ADMIN_TOKEN

LEGS, SHORT_LEGS = 60, 15
SENDERS = 15
"""Rooms with pictures; the sixteenth slot of the view is the bad one's."""
SECONDS, SHORT_SECONDS = 20.0, 5.0
SHORT_FAULTS = ("broken-h264", "flood", "sizes")
COSTLY = ("broken-vp8", "flood", "rtcp")
"""These are measured ``-elsewhere`` as well."""
CODED_APART = ("broken-vp8",)
"""... and the server works for these rooms, however good they are."""
ELSEWHERE = "-elsewhere"
GOOD_EACH = 3
"""After so many faults there is a good room again."""
JOIN_S = 60.0
BEGUN_S = 1.0
"""What is wrong has its effect by then."""
TRIES = 3
"""Of each, where the generator was starved: the others need not be measured again."""

PACKETS_BAR, PICTURES_BAR = 49.5, 24.5
NOISE = {"cores": 0.08, "late": 1.0, "gap": 20.0, "sound": 8.0, "picture": 15.0}
"""Least difference taken for more than noise, where the good runs are nearer: cores, %, ms."""

COMPARED = {
    "cores": ("server_cores", "cores", "cores of the server"),
    "late": ("ticks_late_percent", "%", "ticks of sound that began late"),
    "gap": ("audio_gap_ms_max", "ms", "longest gap between packets of sound"),
    "sound": ("audio_added_latency_ms_p99", "ms", "sound added, p99"),
    "picture": ("video_added_latency_ms_p99", "ms", "picture added, p99"),
}


@asynccontextmanager
async def bad_leg(held: Meeting, fault: str) -> AsyncIterator[None]:
    """One room more than the load's, until the block ends.

    Raises:
        VoidRunError: it could not join.
    """
    process = await child.start(
        sys.executable, "-m", "bench.badleg_peer",
        "--url", held.legs_url().replace("{leg}", str(held.load.legs)),
        "--token", ADMIN_TOKEN, "--fault", fault.removesuffix(ELSEWHERE),
        *(["--elsewhere"] if fault.endswith(ELSEWHERE) else []),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = b""
        with suppress(TimeoutError):
            async with asyncio.timeout(JOIN_S):
                line = await process.stdout.readline()
        if line.strip() != b"sending":
            raise VoidRunError(f"the room that is to misbehave ({fault}) could not join")
        yield
        if process.returncode is not None:
            raise VoidRunError(f"the room that is to misbehave ({fault}) ended before its time")
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def compare(legs: int, seconds: float, faults: Sequence[str]) -> dict[str, Figures]:
    """What the others get beside each fault, in the order of ``order_of``.

    Raises:
        VoidRunError: the generator was starved, a room could not join, or pictures were given
            up beside a good room already.
    """
    load = Load(legs=legs, seconds=seconds, video=True, video_senders=SENDERS)
    results: dict[str, Figures] = {}
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(meeting(load))
        await _seat(held)
        order = order_of(faults)
        loaded = await stack.enter_async_context(held.loaded())
        for number, name in enumerate(order, 1):
            print(f"    [{number}/{len(order)}] {name}", file=sys.stderr)
            for tries_left in reversed(range(TRIES)):
                try:
                    results[name] = await _beside(held, loaded, name.partition(" ")[0])
                    break
                except VoidRunError:
                    if not tries_left:
                        raise
            if name == "good" and results[name]["video_fps_per_leg_min"] < PICTURES_BAR:
                raise VoidRunError(
                    "pictures were given up beside a good room: the machine was full before "
                    "anything was wrong; take a calmer one"
                )
    return results


def order_of(faults: Sequence[str]) -> list[str]:
    """Faults with what they are held against: ``good``, ``good 2``, …, ``flood-elsewhere``."""
    order, goods = ["good"], 1
    for number, fault in enumerate(faults, 1):
        order += [fault + ELSEWHERE, fault] if fault in COSTLY else [fault]
        if number % GOOD_EACH == 0 or number == len(faults):
            goods += 1
            order.append(f"good {goods}")
    return order


async def _beside(held: Meeting, loaded: Loaded, fault: str) -> Figures:
    """What the others get, and what the daemon could not use."""
    before = await held.daemon.metrics()
    async with bad_leg(held, fault):
        await asyncio.sleep(BEGUN_S)
        found = await loaded.measured()
    return found | {"dropped": _dropped(before, await held.daemon.metrics())}


async def _seat(held: Meeting) -> None:
    """Give the room beyond the load's the last slot of the view."""
    rooms = [f"b{number}" for number in (*range(SENDERS), held.load.legs)]
    await held.daemon.call(
        "PUT",
        f"/conferences/{held.conference}/layout",
        {"view": "main", "layout": "4x4", "slots": [{"participant": room} for room in rooms]},
    )


def _dropped(before: dict[str, float], after: dict[str, float]) -> dict[str, int]:
    """What the daemon could not use, by reason."""
    return {
        key.split('"')[1]: int(value - before.get(key, 0.0))
        for key, value in after.items()
        if key.startswith("mcu_dropped_total") and value > before.get(key, 0.0)
    }


def figures_of(results: dict[str, Figures]) -> list[Figure]:
    """Rates beside each fault, and what is more than beside a good room."""
    found = []
    goods = [one for name, one in results.items() if name.startswith("good")]
    good = goods[0]
    for fault, one in results.items():
        if fault.startswith("good") or fault.endswith(ELSEWHERE):
            continue
        elsewhere = results.get(fault + ELSEWHERE)
        found += [
            Figure(f"{fault}: sound packets a second, worst of the others",
                   one["audio_pps_per_leg_min"], "", PACKETS_BAR, at_least=True,
                   against=f"good {good['audio_pps_per_leg_min']}"),
            Figure(f"{fault}: pictures a second, worst of the others",
                   one["video_fps_per_leg_min"], "", PICTURES_BAR, at_least=True,
                   against=f"good {good['video_fps_per_leg_min']}"),
            Figure(f"{fault}: ticks of sound missed", one["ticks_missed"], "", 0.0),
        ]  # fmt: skip
        for what, (key, unit, words) in COMPARED.items():
            usual = [value[key] for value in goods if key in value]
            if key not in one or len(usual) < 2:
                continue
            noise = max(NOISE[what], 2 * (max(usual) - min(usual)))
            against = f"good {', '.join(str(value) for value in usual)}"
            held_to = sum(usual) / len(usual)
            if (
                elsewhere is not None
                and key in elsewhere
                and (what != "cores" or fault in CODED_APART)
            ):
                # Beside good rooms, and who sends it takes as much of the machine.
                held_to = max(held_to, elsewhere[key])
                against += f"; the same sent elsewhere {elsewhere[key]}"
            found.append(
                Figure(f"{fault}: {words}, more than beside a good room",
                       round(one[key] - held_to, 3), unit, round(noise, 3), against=against)
            )  # fmt: skip
    return found


async def measure(*, short: bool) -> list[Figure]:
    """See the module.

    Raises:
        VoidRunError: see ``compare``.
    """
    if short:
        return figures_of(await compare(SHORT_LEGS, SHORT_SECONDS, SHORT_FAULTS))
    faults = [one for one in FAULTS if one != "good"]
    return figures_of(await compare(LEGS, SECONDS, faults))


def main() -> None:
    """Parse, run, print a table and one JSON line; exit 1 when the run is void."""
    parser = command_line(__doc__)
    parser.add_argument("--legs", type=int, default=LEGS, help="other rooms, at least 15")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for each fault")
    parser.add_argument("--faults", help="some of them, with commas; all where not given")
    options = parser.parse_args()
    every = [one for one in FAULTS if one != "good"]
    faults = options.faults.split(",") if options.faults else every
    unknown = set(faults) - set(every)
    if unknown or options.legs < SENDERS:
        parser.error(f"faults are {', '.join(every)}; legs at least {SENDERS}")
    with void_is_told():
        results = asyncio.run(compare(options.legs, options.seconds, faults))
    print(table(figures_of(results)), file=sys.stderr)
    print(json.dumps(results))


if __name__ == "__main__":
    main()
