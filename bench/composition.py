"""One view by ours, ffmpeg (xstack) and GStreamer (compositor): what it costs, how it looks.

    python -m bench.composition
    python -m bench.composition --layouts 4x4 --seconds 10 --repeats 5

Rooms of 640×360 at 25 pictures a second (``bench.clips``: sixteen clips of about 500 kbit/s,
shown again and again where there are more slots) are decoded, scaled into the slots of a view
of 1280×720, and coded at 1.5 Mbit/s: x264 superfast, zerolatency, baseline, one thread, 0.6 s of
buffer. All of a program runs on one core. Geometry, files and rate are the same for all.

Cost is CPU time, user and system, of a program and its children. Each runs on clips of two
lengths, and what the difference costs is counted, so that nobody's start is; the least of several
runs each. ``ours`` is the video process of the daemon (``bench.composition_ours``) without labels
and clock; its coded pictures come cut apart, as from packets, while the others demux Matroska
(0.6% of what ffmpeg takes). ffmpeg is run with three of its scaling kernels (ours is the first);
the bar is against the cheapest of all. Our process runs with the memory settings that the daemon
gives it, the others as they are installed (``--large-pages-for-all``: with ours).

Quality is of luma where rooms stand, against an ideal composition: the pictures as they were
filmed, uncoded, each scaled to its place by Pillow's Lanczos filter (every plane for itself, whole
pixel areas on each other), in 8 bits. VMAF is of whole pictures, the space between rooms made
equal. It needs ``imageio-ffmpeg`` from PyPI and is left out without it. The first two seconds, in
which rate control finds its level, are left out of quality and rate.

Needs the Debian packages ffmpeg, gstreamer1.0-tools, gstreamer1.0-plugins-{base,good,bad,ugly} and
gstreamer1.0-libav.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import clips
from bench.command import command_line, void_is_told
from bench.composition_ideal import CLIPS, Ideal, Quality, looked_at
from bench.composition_programs import PROGRAMS, SHORT_PROGRAMS, need_programs
from bench.figures import Figure, VoidRunError, table
from mcu.engine.video_process.memory import environment
from mixer.video.layout import LAYOUTS
from tests.peers import child

SHORT_PICTURES = 50
"""Length of the shorter clips, and what is left out of quality."""
BAR = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one program did with one layout; ``cores`` are CPU seconds for a second of output."""

    program: str
    layout: str
    cores: float
    quality: Quality


def cpu_seconds(command: Sequence[str], large_pages: bool) -> float:
    """Run on one core to the end; CPU seconds, user and system, with children.

    Raises:
        VoidRunError: it failed.
    """
    core = max(os.sched_getaffinity(0))
    settings = environment(os.environ) if large_pages else dict(os.environ)
    process = subprocess.Popen(
        ["taskset", "-c", str(core), *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=settings,
        preexec_fn=child.ends_with_us(),
    )
    assert process.stderr is not None
    said = process.stderr.read().decode(errors="replace")
    process.stderr.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise VoidRunError(f"{command[0]} failed: {said[-500:]}")
    return usage.ru_utime + usage.ru_stime


def compare(
    layouts: Sequence[str],
    programs: Sequence[str],
    pictures: int,
    repeats: int,
    with_vmaf: bool,
    large_pages_for_all: bool = False,
) -> list[Outcome]:
    """Run every program on every layout; programs take turns, so that noise is shared.

    Args:
        pictures: that are counted, after SHORT_PICTURES more.
    Raises:
        VoidRunError: a program is missing or failed.
    """
    need_programs()
    outcomes = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        print("making clips", file=sys.stderr)
        short, long = _make_clips(folder, SHORT_PICTURES + pictures)
        for layout in layouts:
            ideal = Ideal(layout)
            rooms = range(len(ideal.rects))
            least = dict.fromkeys(programs, (float("inf"), float("inf")))
            for turn in range(repeats):
                for number, name in enumerate(programs):
                    print(f"{layout} {turn + 1}/{repeats}: {name}", file=sys.stderr)
                    out = folder / f"view{number}.h264"
                    large_pages = large_pages_for_all or name == "ours"
                    spent = [
                        cpu_seconds(
                            PROGRAMS[name]([files[room % CLIPS] for room in rooms], layout, out),
                            large_pages,
                        )
                        for files in (short, long)
                    ]
                    least[name] = (min(spent[0], least[name][0]), min(spent[1], least[name][1]))
            for number, name in enumerate(programs):
                print(f"{layout}: looking at {name}", file=sys.stderr)
                out = folder / f"view{number}.h264"
                seen = looked_at(out, ideal, SHORT_PICTURES, with_vmaf)
                cores = (least[name][1] - least[name][0]) * clips.FPS / pictures
                outcomes.append(Outcome(name, layout, cores, seen))
    return outcomes


def _make_clips(folder: Path, pictures: int) -> tuple[list[Path], list[Path]]:
    """Clips of SHORT_PICTURES, and of all."""
    long, short = [], []
    for seed in range(CLIPS):
        long.append(folder / f"long{seed}.mkv")
        short.append(folder / f"short{seed}.mkv")
        clips.write_clip(long[-1], seed, pictures)
        clips.write_beginning(long[-1], short[-1], SHORT_PICTURES)
        for clip in (long[-1], short[-1]):
            clips.write_units(clip, clip.with_suffix(".units"))
    return short, long


def ratio_figure(layout: str, outcomes: Sequence[Outcome]) -> Figure:
    """Ours against the cheapest of the others."""
    own = next(one for one in outcomes if one.layout == layout and one.program == "ours")
    others = [one for one in outcomes if one.layout == layout and one.program != "ours"]
    best = min(others, key=lambda one: one.cores)
    return Figure(
        f"{layout} composition, {_likeness(own)}",
        own.cores / best.cores,
        "x the cheapest other",
        BAR,
        against="; ".join(
            f"{one.program} {one.cores:.3f} cores, {_likeness(one)}" for one in others
        ),
    )


def _likeness(one: Outcome) -> str:
    seen = one.quality
    return f"SSIM {seen.ssim:.4f}, PSNR {seen.psnr_db:.1f} dB at {seen.kbps:.0f} kbit/s"


def outcome_table(outcomes: Sequence[Outcome]) -> str:
    """Markdown: cost beside quality."""
    lines = [
        "| view | program | cores | x ours | kbit/s | SSIM | PSNR | VMAF |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in outcomes:
        own = next(o for o in outcomes if o.layout == one.layout and o.program == "ours")
        seen = one.quality
        score = "" if seen.vmaf is None else f"{seen.vmaf:.1f}"
        lines.append(
            f"| {one.layout} | {one.program} | {one.cores:.3f} | {one.cores / own.cores:.2f} "
            f"| {seen.kbps:.0f} | {seen.ssim:.4f} | {seen.psnr_db:.2f} dB | {score} |"
        )
    return "\n".join(lines)


async def measure(*, short: bool) -> list[Figure]:
    """Figure 6: ratio of CPU time for 4×4 and 7×7 (short: of 4 s, run once each).

    Raises:
        VoidRunError: ffmpeg or GStreamer is missing.
    """
    layouts = ("4x4", "7x7")
    programs = SHORT_PROGRAMS if short else tuple(PROGRAMS)
    pictures, repeats = (100, 1) if short else (250, 3)
    outcomes = await asyncio.to_thread(
        compare, layouts, programs, pictures, repeats, with_vmaf=not short
    )
    return [ratio_figure(layout, outcomes) for layout in layouts]


def main() -> None:
    """Parse, run, print the tables and one JSON line."""
    parser = command_line(__doc__)
    parser.add_argument("--layouts", nargs="+", default=["4x4", "7x7"], choices=sorted(LAYOUTS))
    parser.add_argument("--programs", nargs="+", default=list(PROGRAMS), choices=list(PROGRAMS))
    parser.add_argument("--seconds", type=float, default=10.0, help="of output that is counted")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each, the least counts")
    parser.add_argument("--no-vmaf", action="store_true", help="leave VMAF out")
    parser.add_argument(
        "--large-pages-for-all",
        action="store_true",
        help="give ffmpeg and GStreamer the memory settings of our video process, too",
    )
    options = parser.parse_args()
    with void_is_told():
        outcomes = compare(
            options.layouts,
            options.programs,
            round(options.seconds * clips.FPS),
            options.repeats,
            not options.no_vmaf,
            options.large_pages_for_all,
        )
    print(outcome_table(outcomes))
    if len(options.programs) > 1 and "ours" in options.programs:
        print()
        print(table(ratio_figure(layout, outcomes) for layout in options.layouts))
    print(json.dumps([asdict(one) for one in outcomes]))


if __name__ == "__main__":
    main()
