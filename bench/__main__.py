"""All benchmarks in their short form, one after the other: ``make bench``.

Each measures the real daemon, or a part of it, beside something it is compared to in the same run,
and gives its figures with the bars they are held against. Less than ten minutes on two cores, in
which nothing else should run; how long each takes and what is left is told as it goes. What another
program is needed for and not there is left out, with the reason; so is a run whose load generator
was starved, which would prove nothing.

    python -m bench                      the short form of all
    python -m bench capacity rest        of some
    python -m bench --long               as long as for docs/performance.md: more than an hour

Each is a command of its own as well, whose ``--help`` explains its load: ``python -m bench.rest``.
Commands of their own alone, with ``--help`` too:

    alarms, wall, recording, readiness,
    reports                              what these add to a meeting that goes on without them
    profile                              which libraries the daemon's processor time goes to
    detect                               how often alarms find what is there, and what is not
    kernels_audio, kernels_video, kernels_send, kernels_receive, kernels_playout,
    kernels_sip, kernels_detect          one piece of work each, beside what one would write without
    janus                                ``audio`` without aiortc
    plots                                the plots of docs/performance.md
"""

import asyncio
import importlib
import json
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from bench.command import command_line
from bench.figures import Figure, VoidRunError, table

BENCHMARKS = {
    "capacity": "a province of 145 rooms",
    "floor": "against the least that the work costs",
    "growth": "from room to room",
    "audio": "sound alone, against Janus and aiortc",
    "composition": "pictures, against ffmpeg and GStreamer",
    "quality": "what sound and pictures are worth",
    "lipsync": "sound and picture together",
    "joins": "from the click to the picture",
    "rest": "operators at work meanwhile",
    "sip": "hardware rooms that call and are called",
    "churn": "rooms that come and go",
    "badleg": "one room that misbehaves",
    "overload": "more than the machine holds",
    "netem": "a room on bad networks",
}
"""Module → what it shows; each has ``async def measure(*, short: bool) -> list[Figure]``."""

EXPECTED_S: dict[str, tuple[int, int]] = {
    "capacity": (52, 280),
    "floor": (60, 200),
    "growth": (42, 680),
    "audio": (45, 300),
    "composition": (57, 400),
    "quality": (18, 400),
    "lipsync": (30, 80),
    "joins": (48, 110),
    "rest": (23, 75),
    "sip": (37, 260),
    "churn": (46, 1_930),
    "badleg": (52, 370),
    "overload": (57, 200),
    "netem": (30, 420),
}
"""Short and long form on two cores with nothing else running; for the progress alone."""


Results = dict[str, list[Figure] | str]


async def run(
    names: Sequence[str], *, short: bool, done: Callable[[Results], None] = lambda _: None
) -> Results:
    """Figures of each, or why there are none.

    Args:
        done: is given all there are, after each.
    """
    results: Results = {}
    for number, name in enumerate(names, 1):
        print(
            f"[{number}/{len(names)}] {name}: {BENCHMARKS[name]}; "
            f"about {expected([name], short=short)}, "
            f"all that is left {expected(names[number - 1 :], short=short)}",
            file=sys.stderr,
        )
        began = time.monotonic()
        module = importlib.import_module(f"bench.{name}")
        try:
            results[name] = await module.measure(short=short)
        except VoidRunError as error:
            results[name] = str(error)
            print(f"    void: {error}", file=sys.stderr)
        except Exception as error:
            # What was measured in the minutes before is not lost with it.
            traceback.print_exc()
            results[name] = f"{type(error).__name__}: {error}"
        print(f"    {time.monotonic() - began:.0f} s", file=sys.stderr)
        done(results)
    return results


def expected(names: Sequence[str], *, short: bool) -> str:
    """How long some take together (``5 min 10 s``)."""
    return spoken(sum(EXPECTED_S[name][0 if short else 1] for name in names))


def spoken(seconds: float) -> str:
    """Seconds, or minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def report(results: Results) -> str:
    """Markdown: a table for each benchmark, or why there is none."""
    parts = []
    for name, found in results.items():
        body = f"void: {found}" if isinstance(found, str) else table(found)
        parts.append(f"## {name}: {BENCHMARKS[name]}\n\n{body}\n")
    return "\n".join(parts)


def write(path: Path, results: Results) -> None:
    """What there is, so that a long run which is ended leaves what it found."""
    values = {
        name: found if isinstance(found, str) else [one.as_json() for one in found]
        for name, found in results.items()
    }
    path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Run what was asked for and print it."""
    parser = command_line(__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--long", action="store_true", help="the long form")
    parser.add_argument(
        "--json", type=Path, help="write the figures to this file as well, after each benchmark"
    )
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    began = time.monotonic()
    save = partial(write, options.json) if options.json is not None else lambda _: None
    names = options.names or list(BENCHMARKS)
    results = asyncio.run(run(names, short=not options.long, done=save))
    print(report(results))
    figures = [one for found in results.values() if not isinstance(found, str) for one in found]
    missed = sum(one.holds is False for one in figures)
    void = sum(isinstance(found, str) for found in results.values())
    print(
        f"{len(figures)} figures, {missed} below their bars; {void} void; "
        f"{spoken(time.monotonic() - began)}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
