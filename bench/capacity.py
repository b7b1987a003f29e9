"""How many rooms one machine holds: the real daemon under a real load, in one command.

    python -m bench.capacity --legs 145 --video --seconds 60
    python -m bench.capacity --legs 50 --video --baseline aiortc
    python -m bench.capacity --legs 100 --baseline janus

The load. Every room is real ICE, DTLS and SRTP, one conference, one daemon:

  sound     all rooms send Opus, a packet every 20 ms without pauses (no DTX), with its level (RFC
            6464): --speakers of them speech, the others the noise of a quiet room; all get 50
            packets a second
  pictures  with --video: --video-senders rooms send 640×360 H.264 at 25 pictures a second and 500
            kbit/s, moving and full of detail; the others send none, as rooms do that no slot
            shows. All get 1280×720 at 25 pictures a second and 1.5 Mbit/s of one view (--layout)
  viewers   --viewers of the rooms send no media
  sampled   --sampled rooms decrypt and decode all they get; of the others packets are counted by
            their clear RTP headers. One room marks its sound and pictures, another finds the marks:
            that is the latency the server adds (bench.latency)
  reports   all rooms report as Chromium does: on each stream sender or receiver reports with CNAME,
            2.6 a second on both, and each 60 ms when each packet of the picture came
            (transport-wide feedback, of all rooms): as many as Chromium 156 sends. They number the
            pictures they send and are told when those came. --no-reports leaves all of it out,
            from the offer on; bench.reports measures both in one call
  not in it loss and repetitions: bad lines are bench.netem's
  daemon    as it comes, alarms and overload protection on, but for limits that let all rooms in at
            once. Where it may, as root for instance, it goes before other programs, which baselines
            do not (docs/decisions/0017). Environment variables (MCU_ALARMS__ENABLED=false) reach it

The daemon and the load generator are processes of their own on this machine. The daemon's cost
is read from the kernel (CPU seconds of its process and its children), what the rooms get from
the generator, ticks from the daemon's /metrics. A run whose generator was starved of processor
time is void: it ends with VOID, the reason, and exit code 1. The run ends with one JSON line;
--json writes it to a file, with how long each mark took, of which bench.plots draws.

A baseline is loaded with the same media by the same generator right after the daemon, and compared
by cores per leg: aiortc (bench/baselines) with as many legs as it can be expected to hold
(--baseline-legs), Janus' AudioBridge, which knows sound alone and gets plain RTP, with as many as
the daemon.

Other loads are commands of their own, whose --help explains them: python -m bench --help names all.
"""

import argparse
import asyncio
import json
import sys
from dataclasses import fields, replace
from pathlib import Path

from bench.command import command_line, void_is_told
from bench.figures import Figure
from bench.janus import load_janus
from bench.load import Figures, Load, baseline_server, measured, meeting

LEGS = 145
SHORT_S, LONG_S = 20.0, 120.0
BASELINE_LEGS = 4

TOLD = {
    "legs, seconds": "what was loaded, and how long it was measured",
    "server_cores, server_cores_per_leg": "CPU seconds a second of the daemon and its children",
    "server_loop_cores": (
        "of these, the thread of packets, sound and requests: there is one, however many cores"
    ),
    "server_memory_mb": "resident, of all processes; what they share counts in each",
    "generator_cores, generator_late_phases, generator_starved, generator_send_drops": (
        "whether the load was what it should be"
    ),
    "audio_pps_per_leg_min, audio_pps_per_leg_mean": "packets of sound a second, worst room, mean",
    "audio_gap_ms_max": "longest time between two of them, worst room",
    "video_fps_per_leg_min, video_packets_per_leg_mean": "pictures and packets of them a second",
    "sampled_legs, sampled_audio_decoded_pps_min, sampled_video_decoded_fps_min": (
        "what the rooms that decode made of it"
    ),
    "undecryptable, decode_errors": "what they could not use",
    "reports_pps_per_leg_min, feedback_pps_per_leg_min": (
        "reports, and transport-wide feedback, that the room sent which sent fewest, a second"
    ),
    "uplink_feedback_pps_per_sender_min": (
        "transport-wide feedback on its pictures that a room got, the worst of --video-senders"
    ),
    "audio_added_latency_ms_p50, _p95, _p99, _max, audio_marks; video_… alike": (
        "how long the server held the marks, and how many were found of five a second"
    ),
    "join_ms_p95, all_joined_s": "from a room's offer to its keys; until all were in",
    "ticks_missed, ticks_late_percent": "steps of the audio clock left out; begun over 5 ms late",
    "tick_lateness_ms_p99, video_tick_lateness_ms_p99": "of the last 4,096 ticks: 82 s of sound",
    "line_steps": "how often a room went over to another picture, as its reports had it",
    "frames_skipped, given_up_at_end": "pictures left out; what is given up for the load",
    "audio_encoders, video_encoders, …_decoders, …_renditions": "at the end",
    "stage_seconds": "what media stages took from the joins on, wall time of their threads",
    "baseline, ratio_cores_per_leg": "the same of the baseline; ours by its cores per leg",
}
"""What stands in the JSON line."""


async def measure(*, short: bool) -> list[Figure]:
    """Figures 1, 3 with picture, 7 and 9: a whole province, and the baseline beside it."""
    load = Load(LEGS, SHORT_S if short else LONG_S, video=True, reports=True)
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
        Figure(
            "sound decoded, worst room of those that decode",
            found["sampled_audio_decoded_pps_min"],
            "packets/s",
            49.5,
            True,
        ),
        Figure(
            "pictures decoded, worst room of those",
            found["sampled_video_decoded_fps_min"],
            "fps",
            24.5,
            True,
        ),
        Figure(
            "packets and pictures that they could not use",
            found["undecryptable"] + found["decode_errors"],
            "",
            0,
        ),
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
        theirs = await _of_baseline(baseline, smaller)
        figures["baseline"] = {"name": baseline} | theirs
        figures["ratio_cores_per_leg"] = round(
            figures["server_cores_per_leg"] / theirs["server_cores_per_leg"], 4
        )
    return figures


async def _of_baseline(name: str, load: Load) -> Figures:
    if name == "janus":
        return await load_janus(load)
    async with baseline_server(name) as (url, pid):
        return await measured(load, url, "", pid)


def told() -> str:
    """The JSON line in words."""
    lines = ["the JSON line:"]
    for names, meaning in TOLD.items():
        lines += [f"  {names}", f"      {meaning}"]
    return "\n".join(lines)


def main() -> None:
    """Parse, run, print one JSON line; exit 1 when the run is void."""
    parser = command_line(__doc__, told())
    parser.add_argument("--legs", type=int, default=20, help="rooms that join")
    parser.add_argument("--video", action="store_true", help="video both ways, not audio alone")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the measurement")
    parser.add_argument("--video-senders", type=int, default=16, help="rooms that send pictures")
    parser.add_argument("--speakers", type=int, default=4, help="rooms that speak")
    parser.add_argument("--viewers", type=int, default=0, help="of the legs, send no media")
    parser.add_argument("--sampled", type=int, default=2, help="legs that decode all they get")
    parser.add_argument(
        "--reports", action=argparse.BooleanOptionalAction, default=True, help="of rooms, by RTCP"
    )
    parser.add_argument(
        "--layout",
        default="4x4",
        choices=["2x2", "3x3", "4x4", "5x5", "6x6", "7x7"],
        help="of the view; the first rooms stand in it",
    )
    parser.set_defaults(thumbnails=False)
    parser.add_argument(
        "--baseline", choices=["aiortc", "janus"], help="run the same load against it too"
    )
    parser.add_argument(
        "--baseline-legs",
        type=int,
        help=f"as many as the baseline holds; else {BASELINE_LEGS} of aiortc, all of Janus",
    )
    parser.add_argument("--json", type=Path, help="write the figures and all marks to this file")
    options = vars(parser.parse_args())
    if options["baseline"] == "janus" and options["video"]:
        parser.error("Janus' AudioBridge knows sound alone: leave --video out")
    if options["baseline_legs"] is None:
        janus = options["baseline"] == "janus"
        options["baseline_legs"] = options["legs"] if janus else BASELINE_LEGS
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
