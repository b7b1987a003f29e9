"""How many rooms one machine holds: the real daemon under a real load, in one command.

Every room is real ICE, DTLS and SRTP. All of them send Opus, ``--speakers`` of them speech and the
others a quiet room; with ``--video`` ``--video-senders`` of them send 640×360 H.264 at 25 pictures
a second, and all receive 1280×720 at 25 pictures and 1.5 Mbit/s of one view (``--layout``).
``--sampled`` rooms decrypt and decode all they get; of the others packets are counted by their
clear RTP headers. One room marks its sound and pictures, another finds the marks: that is the
latency the server adds.

The daemon and the load generator are processes of their own on this machine. The daemon's cost
is read from the kernel (CPU seconds of its process and its children), what the rooms get from
the generator, ticks from the daemon's ``/metrics``. The run ends with one JSON line; ``--json``
writes it to a file, with how long each mark took, of which ``bench.plots`` draws.

    python -m bench.capacity --legs 145 --video --seconds 60
    python -m bench.capacity --legs 50 --video --baseline aiortc

A baseline is loaded with the same media by the same generator right after the daemon, with as
many legs as it can be expected to hold (``--baseline-legs``), and compared by cores per leg.
"""

import asyncio
import json
import sys
from dataclasses import fields, replace
from pathlib import Path

from bench.command import command_line, void_is_told
from bench.figures import Figure
from bench.load import Figures, Load, baseline_server, measured, meeting

LEGS = 145
SHORT_S, LONG_S = 20.0, 120.0
BASELINE_LEGS = 4


async def measure(*, short: bool) -> list[Figure]:
    """Figures 1, 3 with picture, 7 and 9: a whole province, and the baseline beside it."""
    load = Load(LEGS, SHORT_S if short else LONG_S, video=True)
    found = await run(load, "aiortc", BASELINE_LEGS, SHORT_S / 2 if short else LONG_S)
    theirs = found["baseline"]
    against = f"aiortc, {theirs['legs']} legs: {theirs['server_cores']:.2f} cores"
    ratio = theirs["server_cores_per_leg"] / found["server_cores_per_leg"]
    added = {kind: f"{kind}_added_latency_ms_p99" for kind in ("audio", "video")}
    slowest = f"aiortc {theirs[added['audio']]:.0f} ms" if added["audio"] in theirs else ""
    return [
        Figure(f"{LEGS} rooms, sound and picture", found["server_cores"], "cores", 1.2),
        Figure("ticks missed", found["ticks_missed"], "", 0),
        Figure("tick lateness p99, last 80 s", found["tick_lateness_ms_p99"], "ms", 5),
        Figure("ticks over 5 ms late meanwhile", found["ticks_late_percent"], "%", 1),
        Figure("sound, worst room", found["audio_pps_per_leg_min"], "packets/s", 49.5, True),
        Figure("picture, worst room", found["video_fps_per_leg_min"], "fps", 24.5, True),
        Figure("a room against aiortc", ratio, "times less", 30, True, against),
        Figure("sound added p99", found[added["audio"]], "ms", 60, against=slowest),
        Figure("picture added p99", found[added["video"]], "ms", 100),
        Figure(f"{LEGS} rooms joined at once", found["all_joined_s"], "s", 10),
    ]


async def run(
    load: Load,
    baseline: str | None = None,
    baseline_legs: int = 4,
    baseline_seconds: float | None = None,
) -> Figures:
    """The daemon, then the baseline if one is asked for, for as long if nothing else is said.

    Raises:
        VoidRunError: the generator was starved; the figures would be its own.
    """
    print(f"daemon: {load.legs} legs, {load.seconds:g} s", file=sys.stderr)
    async with meeting(load) as held:
        figures = await held.measured()
    if baseline:
        smaller = replace(
            load,
            legs=min(baseline_legs, load.legs),
            seconds=load.seconds if baseline_seconds is None else baseline_seconds,
        )
        print(f"{baseline}: {smaller.legs} legs, {smaller.seconds:g} s", file=sys.stderr)
        async with baseline_server(baseline) as (url, pid):
            theirs = await measured(smaller, url, "", pid)
        figures["baseline"] = {"name": baseline} | theirs
        figures["ratio_cores_per_leg"] = round(
            figures["server_cores_per_leg"] / theirs["server_cores_per_leg"], 4
        )
    return figures


def main() -> None:
    """Parse, run, print one JSON line; exit 1 when the run is void."""
    parser = command_line(__doc__)
    parser.add_argument("--legs", type=int, default=20, help="rooms that join")
    parser.add_argument("--video", action="store_true", help="video both ways, not audio alone")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the measurement")
    parser.add_argument("--video-senders", type=int, default=16, help="rooms that send pictures")
    parser.add_argument("--speakers", type=int, default=4, help="rooms that speak")
    parser.add_argument("--viewers", type=int, default=0, help="of the legs, send no media")
    parser.add_argument("--sampled", type=int, default=2, help="legs that decode all they get")
    parser.add_argument(
        "--layout", default="4x4", choices=["2x2", "3x3", "4x4", "5x5", "6x6", "7x7"]
    )
    parser.set_defaults(thumbnails=False)
    parser.add_argument("--baseline", choices=["aiortc"], help="run the same load against it too")
    parser.add_argument(
        "--baseline-legs", type=int, default=4, help="as many as the baseline holds"
    )
    parser.add_argument("--json", type=Path, help="write the figures and all marks to this file")
    options = vars(parser.parse_args())
    load = Load(**{field.name: options[field.name] for field in fields(Load)})
    with void_is_told():
        figures = asyncio.run(run(load, options["baseline"], options["baseline_legs"]))
    if options["json"] is not None:
        options["json"].write_text(json.dumps(figures) + "\n", encoding="utf-8")
    print(json.dumps(shown(figures)))


def shown(figures: Figures) -> Figures:
    """Without the single marks, which are for plots."""
    own = {key: value for key, value in figures.items() if key != "marks_ms"}
    return own | ({"baseline": shown(own["baseline"])} if "baseline" in own else {})


if __name__ == "__main__":
    main()
