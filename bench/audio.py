"""Sound alone: our daemon, Janus' AudioBridge and a straightforward MCU on aiortc, in one call.

    python -m bench.audio
    python -m bench.audio --legs 100 145 500 --janus-legs 145 --seconds 30

Of the rooms four speak and the others are quiet; each sends 50 Opus packets a second and gets 50.
Ours and aiortc's (``bench/baselines/aiortc_mcu.py``) are real ICE, DTLS and SRTP and report by
RTCP, Janus' rooms are plain RTP without (see ``bench.janus``). aiortc's MCU decodes and encodes for
each room, and so holds some ten of them: it is loaded with as many, and compared by cores per leg
with our largest meeting. Where it does not keep up with 50 packets a second any more, the
comparison flatters it.

A run whose generator was starved, or in which a room heard nothing, is void.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.command import command_line, void_is_told
from bench.figures import Figure, table
from bench.janus import load_janus, load_ours, ratio_figure
from bench.load import Figures, Load, baseline_server, measured

BAR = 1 / 12
BASELINE_LEGS = 10


async def load_aiortc(load: Load) -> Figures:
    """The load against the MCU on aiortc.

    Raises:
        VoidRunError: the generator could not join, or was starved.
    """
    async with baseline_server("aiortc") as (url, pid):
        return await measured(load, url, "", pid)


def aiortc_figure(ours: Figures, theirs: Figures) -> Figure:
    """Cores per leg against aiortc's."""
    own, other = ours["server_cores_per_leg"], theirs["server_cores_per_leg"]
    return Figure(
        f"audio-only leg at {ours['legs']} legs: {100 * own:.2f}% of a core",
        own / other,
        "x aiortc",
        BAR,
        against=f"aiortc, {theirs['legs']} legs: {100 * other:.2f}%, "
        f"{theirs['audio_pps_per_leg_min']:.1f} packets/s, "
        f"gap {theirs['audio_gap_ms_max']:.0f} ms",
    )


async def compare(
    legs: Sequence[int], janus_legs: int, baseline_legs: int, seconds: float
) -> tuple[list[Figures], dict[int, Figures], Figures]:
    """Ours at each number of legs, Janus' at those up to ``janus_legs``, aiortc's.

    Raises:
        VoidRunError: see ``load_janus``; Janus is missing.
    """
    print(f"aiortc: {baseline_legs} legs, {seconds:g} s", file=sys.stderr)
    aiortc = await load_aiortc(Load(legs=baseline_legs, seconds=seconds))
    ours, janus = [], {}
    for number in legs:
        load = Load(legs=number, seconds=seconds)
        if number <= janus_legs:
            print(f"Janus: {number} legs, {seconds:g} s", file=sys.stderr)
            janus[number] = await load_janus(load)
        print(f"ours: {number} legs, {seconds:g} s", file=sys.stderr)
        ours.append(await load_ours(load))
    return ours, janus, aiortc


def all_figures(
    ours: Sequence[Figures], janus: dict[int, Figures], aiortc: Figures
) -> list[Figure]:
    """Each of ours against Janus where that was measured, the last against aiortc."""
    against_janus = [ratio_figure(one, janus[one["legs"]]) for one in ours if one["legs"] in janus]
    return [*against_janus, aiortc_figure(ours[-1], aiortc)]


async def measure(*, short: bool) -> list[Figure]:
    """Figures 2 and 3 without picture: an audio-only leg against Janus' and against aiortc's.

    Raises:
        VoidRunError: Janus is missing, the generator was starved, or nothing was heard.
    """
    if short:
        found = await compare((100,), 100, BASELINE_LEGS, 8.0)
    else:
        found = await compare((10, 25, 50, 100, 145), 145, BASELINE_LEGS, 20.0)
    return all_figures(*found)


def main() -> None:
    """Parse, run, print a table and one JSON line."""
    parser = command_line(__doc__)
    parser.add_argument("--legs", type=int, nargs="+", default=[10, 25, 50, 100, 145])
    parser.add_argument("--janus-legs", type=int, default=145, help="Janus gets no more than these")
    parser.add_argument("--baseline-legs", type=int, default=BASELINE_LEGS, help="aiortc's")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    options = parser.parse_args()
    with void_is_told():
        ours, janus, aiortc = asyncio.run(
            compare(options.legs, options.janus_legs, options.baseline_legs, options.seconds)
        )
    print(table(all_figures(ours, janus, aiortc)))
    results = {"ours": ours, "janus": list(janus.values()), "aiortc": aiortc}
    if options.json is not None:
        options.json.write_text(json.dumps(results) + "\n", encoding="utf-8")
    print(json.dumps(results))


if __name__ == "__main__":
    main()
