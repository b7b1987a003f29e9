"""Plots for docs/performance.md, from what benchmarks wrote with ``--json``.

    python -m bench.capacity --legs 145 --video --seconds 120 --baseline aiortc --json capacity.json
    python -m bench.audio --json audio.json
    python -m bench.plots --capacity capacity.json --audio audio.json --out docs/plots

``latency.svg``: which share of all marks the server held for how long, sound and picture, beside
the baseline's. ``cores.svg``: cores of the server by room, against the others under the same load;
both scales are logarithmic. The same results give the same files.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bench.command import command_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Figures = Mapping[str, Any]

BARS_MS = {"audio": 60.0, "video": 100.0}
OURS, OTHERS = ("#1d5fa8", "#b3541e"), ("#8aa9c8", "#d9a98b")
"""Sound and picture."""
KINDS = {"audio": "sound", "video": "picture"}
MARKERS = {"ours": "o", "aiortc": "s"}


class Series(NamedTuple):
    """Cores by room of one server under one kind of load.

    Args:
        server: whose cores. kind: ``audio`` (alone) or ``video`` (with sound).
        points: rooms, and % of one core by room; ascending.
    """

    server: str
    kind: str
    points: Sequence[tuple[int, float]]


def cumulative(marks_ms: Sequence[float]) -> tuple[list[float], list[float]]:
    """Milliseconds ascending, and % of the marks that took no longer."""
    values = sorted(marks_ms)
    return values, [100.0 * (number + 1) / len(values) for number in range(len(values))]


def percentile(marks_ms: Sequence[float], percent: float) -> float:
    """As the benchmarks' own."""
    return float(np.percentile(marks_ms, percent))


def series_of(capacity: Figures | None, audio: Figures | None) -> list[Series]:
    """What there is: ours first."""
    series = []
    if audio is not None:
        series.append(_series("ours", "audio", audio["ours"]))
        if audio["janus"]:
            series.append(_series("Janus, plain RTP", "audio", audio["janus"]))
        series.append(_series("aiortc", "audio", [audio["aiortc"]]))
    if capacity is not None:
        series.append(_series("ours", "video", [capacity]))
        if "baseline" in capacity:
            series.append(_series(capacity["baseline"]["name"], "video", [capacity["baseline"]]))
    return series


def _series(server: str, kind: str, found: Sequence[Figures]) -> Series:
    points = [(int(one["legs"]), 100.0 * float(one["server_cores_per_leg"])) for one in found]
    return Series(server, kind, sorted(points))


def plot_latency(capacity: Figures, path: Path) -> None:
    """Cumulative distribution of what the server adds.

    Raises:
        ImportError: matplotlib is missing (``pip install .[bench]``).
        KeyError: the results are of a run without marks.
    """
    with _axes(path, 7, 4) as axes:
        _draw(axes, "ours", capacity, OURS, "-")
        if "baseline" in capacity and "marks_ms" in capacity["baseline"]:
            _draw(axes, capacity["baseline"]["name"], capacity["baseline"], OTHERS, "--")
        for (kind, bar), colour in zip(BARS_MS.items(), OURS, strict=True):
            axes.axvline(bar, color=colour, linewidth=0.8, linestyle=":")
            axes.annotate(
                f"{KINDS[kind]} p99 ≤ {bar:g}", (bar, 2), color=colour, fontsize=8, rotation=90
            )
        axes.axhline(99, color="#999999", linewidth=0.6)
        axes.set(
            xlabel="added by the server, ms", ylabel="% of marks", xlim=(0, None), ylim=(0, 101)
        )
        axes.set_title(f"Latency, {capacity['legs']} rooms with picture and sound")
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=8)


def _draw(axes: "Axes", name: str, one: Figures, colours: Sequence[str], line: str) -> None:
    for kind, colour in zip(KINDS, colours, strict=True):
        marks = one["marks_ms"].get(kind, [])
        if marks:
            label = f"{name}, {one['legs']} rooms: {KINDS[kind]}, p99 {percentile(marks, 99):.0f}"
            axes.plot(*cumulative(marks), line, color=colour, label=label, drawstyle="steps-post")


def plot_cores(series: Sequence[Series], path: Path) -> None:
    """Cores by room over rooms, a line or point for each server and load.

    Raises:
        ImportError: matplotlib is missing (``pip install .[bench]``).
    """
    with _axes(path, 7, 4) as axes:
        for one in series:
            colour = OURS[list(KINDS).index(one.kind)]
            loads = "sound alone" if one.kind == "audio" else "sound and picture"
            style = "-" if one.server == "ours" else "--"
            axes.plot(
                *zip(*one.points, strict=True),
                style,
                color=colour,
                marker=MARKERS.get(one.server, "^"),
                label=f"{one.server}: {loads}",
            )
            legs, percent = one.points[-1]
            axes.annotate(
                f"{percent:.2g}%", (legs, percent), (6, -3), textcoords="offset points", fontsize=8
            )
        axes.set(xscale="log", yscale="log", xlabel="rooms", ylabel="% of a core by room")
        ticks = sorted({legs for one in series for legs, _ in one.points})
        axes.set_xticks(ticks, [str(one) for one in ticks], minor=False)
        axes.set_xticks([], minor=True)
        axes.margins(x=0.1, y=0.1)
        axes.set_title("What a room costs the server")
        axes.grid(which="major", linewidth=0.3)
        axes.yaxis.set_major_formatter("{x:g}")
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=8)


@contextmanager
def _axes(path: Path, width: float, height: float) -> Iterator["Axes"]:
    """Axes of an SVG that is written when the block ends; sizes in inches."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = path.stem  # the same results give the same file
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(width, height))
    try:
        yield axes
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
    finally:
        pyplot.close(figure)


def read(path: Path) -> Any:
    """Results of one benchmark."""
    return json.loads(path.read_text(encoding="utf-8"))


def main() -> None:
    """Parse, read, draw; tell what was written."""
    parser = command_line(__doc__)
    parser.add_argument("--capacity", type=Path, help="what bench.capacity wrote")
    parser.add_argument("--audio", type=Path, help="what bench.audio wrote")
    parser.add_argument("--out", type=Path, default=Path("docs/plots"), help="folder for the plots")
    options = parser.parse_args()
    if options.capacity is None and options.audio is None:
        parser.error("nothing to draw: give --capacity, --audio or both")
    capacity = None if options.capacity is None else read(options.capacity)
    audio = None if options.audio is None else read(options.audio)
    written = [options.out / "cores.svg"]
    plot_cores(series_of(capacity, audio), written[0])
    if capacity is not None:
        written.append(options.out / "latency.svg")
        plot_latency(capacity, written[1])
    print("\n".join(str(path) for path in written))


if __name__ == "__main__":
    main()
