"""All benchmarks in their short form, one after the other: ``make bench``.

Each measures the real daemon, or a part of it, beside something it is compared to in the same run,
and gives its figures with the bars they are held against. Some ten minutes on two cores, during
which nothing else should run. What another program is needed for and not there is left out, with
the reason; so is a run whose load generator was starved, which would prove nothing.

    python -m bench                      the short form of all
    python -m bench capacity rest        of some
    python -m bench --long               as long as for docs/performance.md; takes hours

Each is a command of its own as well, whose ``--help`` explains its load: ``python -m bench.rest``.
"""

import argparse
import asyncio
import importlib
import json
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

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
    "churn": "rooms that come and go",
    "badleg": "one room that misbehaves",
    "overload": "more than the machine holds",
}
"""Module → what it shows; each has ``async def measure(*, short: bool) -> list[Figure]``."""


async def run(names: Sequence[str], *, short: bool) -> dict[str, list[Figure] | str]:
    """Figures of each, or why there are none."""
    results: dict[str, list[Figure] | str] = {}
    for number, name in enumerate(names, 1):
        print(f"[{number}/{len(names)}] {name}: {BENCHMARKS[name]}", file=sys.stderr)
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
    return results


def report(results: dict[str, list[Figure] | str]) -> str:
    """Markdown: a table for each benchmark, or why there is none."""
    parts = []
    for name, found in results.items():
        body = f"void: {found}" if isinstance(found, str) else table(found)
        parts.append(f"## {name}: {BENCHMARKS[name]}\n\n{body}\n")
    return "\n".join(parts)


def main() -> None:
    """Run what was asked for and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--long", action="store_true", help="the long form")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    results = asyncio.run(run(options.names or list(BENCHMARKS), short=not options.long))
    print(report(results))
    if options.json is not None:
        values = {
            name: found if isinstance(found, str) else [one.as_json() for one in found]
            for name, found in results.items()
        }
        options.json.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    figures = [one for found in results.values() if not isinstance(found, str) for one in found]
    missed = sum(one.holds is False for one in figures)
    void = sum(isinstance(found, str) for found in results.values())
    print(f"{len(figures)} figures, {missed} below their bars; {void} void", file=sys.stderr)


if __name__ == "__main__":
    main()
