"""What a meeting costs as it grows: cores and memory at each number of legs.

For each number in ``--legs`` a daemon of its own holds that many rooms (sixteen send 640×360 at 25
pictures a second, four speak, all receive 1280×720 at 25 pictures and 1.5 Mbit/s of one 4×4 view);
for each in ``--audio-legs`` as many rooms with sound alone. Cores and memory are those of the
daemon's process and its children. The smallest meeting gives the fixed cost, which is that of the
meeting as such: decoders, one composed picture, one encoder, the mix; the difference between two
neighbouring meetings, by leg, is the marginal cost there. Memory is what is resident, with what
processes share counted in each.

One run of a meeting differs from the next by a few hundredths of a core, which is as much as thirty
rooms add. So all sizes are held in ``--turns``, one after the other and again: points are medians
of the turns, and of what one more leg costs the least and the most of a turn are given beside.

Each meeting is measured when what was given up while all came at once is given back. A point at
which the generator was starved of processor time is left out and said so.

    python -m bench.growth --seconds 20 --turns 3 --plots docs/plots
"""

import argparse
import asyncio
import itertools
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from bench.command import command_line, void_is_told
from bench.figures import Figure, VoidRunError, table
from bench.load import Figures, Load, meeting

LEGS = (20, 50, 100, 145, 250)
SHORT_LEGS = (20, 50, 145)
AUDIO_LEGS = (145, 500)
SHORT_S, LONG_S = 5.0, 20.0
SHORT_TURNS, LONG_TURNS = 1, 3

CORES_BAR = {145: 1.2}
"""Of figure 1; at 250 legs 1.4 is the stretch, at 500 with sound alone that they are held."""
MEMORY_BAR_MB = 1.0
BEND = 1.25
"""The last stretch may cost this many times what the first did, by leg: two runs on one machine
are not alike to less."""
MIN_AUDIO_PPS, MIN_VIDEO_FPS = 49.5, 24.5


@dataclass(frozen=True, slots=True)
class Point:
    """One meeting.

    Args:
        cores: CPU seconds a second. memory_mb: resident, of all processes.
        worst: what the worst room got: packets of sound a second, and pictures.
        ticks_missed: steps of the audio clock left out.
        turns: cores of each turn that was held, of which ``cores`` is the median.
    """

    legs: int
    cores: float
    memory_mb: float
    worst: tuple[float, float]
    ticks_missed: int
    turns: Mapping[int, float] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether every room got all of it."""
        audio, video = self.worst
        return audio >= MIN_AUDIO_PPS and video >= MIN_VIDEO_FPS and not self.ticks_missed


@dataclass(frozen=True, slots=True)
class Growth:
    """Meetings of one kind, smallest first.

    Raises:
        VoidRunError: fewer than two of them could be held.
    """

    points: tuple[Point, ...]

    def __post_init__(self) -> None:
        if len(self.points) < 2:
            raise VoidRunError("growth needs two meetings that the generator could load")

    @property
    def marginal(self) -> list[tuple[Point, Point, float]]:
        """(from, to, % of a core per added leg) of neighbouring meetings."""
        return [
            (one, two, (two.cores - one.cores) / (two.legs - one.legs) * 100)
            for one, two in zip(self.points, self.points[1:], strict=False)
        ]

    def marginal_of_turns(self, one: Point, two: Point) -> list[float]:
        """% of a core per added leg, of each turn in which both meetings were held."""
        return [
            (two.turns[turn] - cores) / (two.legs - one.legs) * 100
            for turn, cores in one.turns.items()
            if turn in two.turns
        ]

    @property
    def fixed_cores(self) -> float:
        """Of a meeting without rooms: the first stretch carried on to none."""
        first, _, per_leg = self.marginal[0]
        return first.cores - first.legs * per_leg / 100

    @property
    def memory_mb_per_leg(self) -> float:
        """From the smallest meeting to the largest."""
        first, last = self.points[0], self.points[-1]
        return (last.memory_mb - first.memory_mb) / (last.legs - first.legs)


async def measure(*, short: bool) -> list[Figure]:
    """Figure 12, and memory per leg of figure 10."""
    legs, audio_legs = (SHORT_LEGS, ()) if short else (LEGS, AUDIO_LEGS)
    seconds, turns = (SHORT_S, SHORT_TURNS) if short else (LONG_S, LONG_TURNS)
    video = await grow(legs, seconds, turns, video=True)
    audio = await grow(audio_legs, seconds, turns, video=False)
    return figures(Growth(tuple(video)), audio)


async def grow(legs: Sequence[int], seconds: float, turns: int, *, video: bool) -> list[Point]:
    """One daemon after the other, and again; a void one is told on stderr and left out."""
    held: dict[int, dict[int, Figures]] = {number: {} for number in sorted(legs)}
    for turn, number in itertools.product(range(turns), held):
        kind = "video" if video else "sound alone"
        print(f"{number} legs, {kind}, turn {turn + 1} of {turns}", file=sys.stderr)
        try:
            async with meeting(Load(number, seconds, video=video)) as one, one.loaded() as rooms:
                await rooms.settled()
                held[number][turn] = await rooms.measured()
        except VoidRunError as error:
            print(f"VOID at {number} legs: {error}", file=sys.stderr)
    return [point_of(found, video=video) for found in held.values() if found]


def point_of(turns: Mapping[int, Figures], *, video: bool) -> Point:
    """Medians of cores and memory; the worst room and all missed ticks of any turn.

    Args:
        turns: what one size of meeting measured, by turn; one at least.
    """
    cores = {turn: float(found["server_cores"]) for turn, found in turns.items()}
    worst_fps = min(found["video_fps_per_leg_min"] for found in turns.values()) if video else inf
    return Point(
        legs=next(iter(turns.values()))["legs"],
        cores=statistics.median(cores.values()),
        memory_mb=statistics.median(found["server_memory_mb"] for found in turns.values()),
        worst=(min(found["audio_pps_per_leg_min"] for found in turns.values()), worst_fps),
        ticks_missed=sum(found["ticks_missed"] for found in turns.values()),
        turns=cores,
    )


def figures(video: Growth, audio: Sequence[Point]) -> list[Figure]:
    """Cores at each size, fixed and marginal cost, bend, memory."""
    found = [_held(point, "") for point in video.points]
    found.append(Figure("fixed cost of a meeting", video.fixed_cores, "cores"))
    for one, two, per_leg in video.marginal:
        name = f"one more leg between {one.legs} and {two.legs}"
        found.append(Figure(name, per_leg, "% of a core", against=_range(video, one, two)))
    first, last = video.marginal[0], video.marginal[-1]
    if len(video.marginal) > 1:
        found.append(
            Figure(
                "marginal cost, last stretch ÷ first",
                last[2] / first[2],
                "x",
                BEND,
                against=f"{first[2]:.3f}% between {first[0].legs} and {first[1].legs} legs",
            )
        )
        found.append(_steepest_rise(video.marginal))
    found.append(Figure("memory per leg", video.memory_mb_per_leg, "MB", MEMORY_BAR_MB))
    found += [_held(point, " with sound alone") for point in audio]
    return found


def _range(growth: Growth, one: Point, two: Point) -> str:
    turns = growth.marginal_of_turns(one, two)
    if len(turns) < 2:
        return ""
    return f"{min(turns):.3f} to {max(turns):.3f} in {len(turns)} turns"


def _steepest_rise(marginal: Sequence[tuple[Point, Point, float]]) -> Figure:
    """Between neighbouring stretches: a bend in the middle does not show at the ends.

    Without a bar: of two small differences of cores more than half may be chance.
    """
    one, two = max(itertools.pairwise(marginal), key=lambda pair: pair[1][2] - pair[0][2])
    return Figure(
        "marginal cost, steepest rise from stretch to stretch",
        two[2] - one[2],
        "% of a core",
        against=f"from {one[2]:.3f}% between {one[0].legs} and {one[1].legs} legs to {two[2]:.3f}% "
        f"between {two[0].legs} and {two[1].legs}",
    )


def _held(point: Point, kind: str) -> Figure:
    audio, video = point.worst
    pictures = "" if video == inf else f", {video:.1f} pictures"
    turns = point.turns.values()
    spread = f"{min(turns):.3f} to {max(turns):.3f} cores; " if len(turns) > 1 else ""
    rate = f"{audio:.1f} packets of sound{pictures} a second"
    return Figure(
        f"{point.legs} legs{kind}" + ("" if point.whole else " (not all of them whole)"),
        point.cores,
        "cores",
        CORES_BAR.get(point.legs) if not kind else None,
        against=f"{spread}{point.memory_mb:.0f} MB; worst room {rate}; "
        f"{point.ticks_missed} ticks missed",
    )


def plot(points: Sequence[Point], path: Path, title: str) -> None:
    """Cores and memory over legs, as SVG, each turn as a dot; a line through the first two points.

    Raises:
        ImportError: matplotlib is missing (``pip install .[bench]``).
    """
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "growth"  # the same points give the same file
    from matplotlib import pyplot

    growth = Growth(tuple(points))
    legs = [point.legs for point in points]
    figure, axes = pyplot.subplots(figsize=(7, 4))
    axes.plot(legs, [point.cores for point in points], "o-", color="#1d5fa8", label="cores")
    every = [(point.legs, cores) for point in points for cores in point.turns.values()]
    if every:
        axes.plot(*zip(*every, strict=True), ".", color="#8aa9c8", label="cores, each turn")
    slope = growth.marginal[0][2] / 100
    line = [growth.fixed_cores + slope * number for number in (0, legs[-1])]
    axes.plot((0, legs[-1]), line, "--", color="#8aa9c8", label="first stretch carried on")
    axes.set(xlabel="legs", ylabel="cores", title=title, xlim=(0, None), ylim=(0, None))
    memory = axes.twinx()
    memory.plot(legs, [p.memory_mb for p in points], "s:", color="#b3541e", label="memory")
    memory.set(ylabel="MB", ylim=(0, None))
    handles = [*axes.get_legend_handles_labels()[0], *memory.get_legend_handles_labels()[0]]
    axes.legend(handles=handles, loc="lower right")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
    pyplot.close(figure)


async def _run(options: argparse.Namespace) -> list[Figure]:
    turns = options.turns
    video = await grow(options.legs, options.seconds, turns, video=True)
    audio = await grow(options.audio_legs, options.seconds, turns, video=False)
    if options.plots is not None:
        plot(video, options.plots / "growth.svg", "One meeting, 720p for every room")
        if len(audio) > 1:
            plot(audio, options.plots / "growth-audio.svg", "One meeting, sound alone")
    return figures(Growth(tuple(video)), audio)


def main() -> None:
    """Parse, run, print the table; exit 1 when the run is void."""
    parser = command_line(__doc__)
    parser.add_argument("--legs", type=int, nargs="+", default=LEGS)
    parser.add_argument("--audio-legs", type=int, nargs="*", default=AUDIO_LEGS)
    parser.add_argument("--seconds", type=float, default=LONG_S, help="of each measurement")
    parser.add_argument("--turns", type=int, default=LONG_TURNS, help="of each size")
    parser.add_argument("--plots", type=Path, help="folder for the SVG plots")
    with void_is_told():
        found = asyncio.run(_run(parser.parse_args()))
    print(table(found))


if __name__ == "__main__":
    main()
