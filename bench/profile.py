"""Where the daemon's processor time goes: by library, and by what its thread of packets is at.

The load is ``bench.capacity``'s. Meanwhile ``perf`` looks ``--rate`` times a second of processor
time at which library each process of the daemon is in (``cpu-clock``: no hardware counters are
needed). Rows are groups of libraries; ``packets`` is the daemon itself with its sound, its API and
all that concerns packets, ``pictures`` are its video processes. Shares are of the time of both, and
hardly depend on what else the machine does; a generator that was starved of processor time, and so
sent less than it should, is told and makes nothing void. Cores are shares of what the kernel
counted meanwhile; looking takes some percent itself.

    python -m bench.profile --legs 145 --video --seconds 20
    python -m bench.profile --legs 100 --seconds 20

With ``--functions FILE`` py-spy writes beside it which functions of Python hold the interpreter of
the daemon's own process (collapsed stacks, as flame graphs are drawn from).

Needs the Debian package linux-perf, and root or ``kernel.perf_event_paranoid`` below 2.
"""

import argparse
import asyncio
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.command import command_line, void_is_told
from bench.figures import VoidRunError
from bench.load import Figures, Load, Meeting, meeting
from tests.peers import child

RATE_HZ = 499
SEPARATOR = "\x1f"
GROUPS: Mapping[str, re.Pattern[str]] = {
    "Python": re.compile(r"^python3|^libpython"),
    "kernel": re.compile(r"^\[|vmlinux|\.ko$"),
    "x264": re.compile(r"^libx264"),
    "libavcodec (decoding)": re.compile(r"^libavcodec"),
    "libswscale (scaling)": re.compile(r"^libswscale|^libavutil"),
    "Opus": re.compile(r"^libopus"),
    "SRTP": re.compile(r"srtp|^libcrypto|^_binding"),
    "numpy": re.compile(r"_umath|numpy|openblas"),
    "C library": re.compile(r"^libc[.-]|^libm[.-]|^libpthread|^ld-linux"),
    "other modules in C": re.compile(r"\.cpython-|\.abi3\."),
}
"""Name → libraries' file names; the first that fits counts."""
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Row:
    """A group of libraries: % of all processor time, in the daemon's own process and its others."""

    group: str
    packets: float
    pictures: float

    @property
    def whole(self) -> float:
        """In all processes."""
        return self.packets + self.pictures


def group_of(library: str) -> str:
    """Which of ``GROUPS`` a library belongs to, by its file name."""
    return next((name for name, files in GROUPS.items() if files.search(library)), OTHER)


def read_report(lines: Iterable[str], daemon: Collection[int]) -> list[Row]:
    """Rows of perf's report, the greatest first.

    Args:
        lines: ``overhead SEPARATOR tid:command SEPARATOR library``: what perf sorts by as ``pid``
            are threads. daemon: ids of all threads of its own process.
    Raises:
        VoidRunError: there is nothing in it.
    """
    found: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for line in lines:
        parts = [part.strip() for part in line.split(SEPARATOR)]
        if len(parts) != 3 or not parts[0].endswith("%"):
            continue
        thread = int(parts[1].partition(":")[0])
        found[group_of(parts[2])][thread not in daemon] += float(parts[0][:-1])
    whole = sum(map(sum, found.values()))
    if not whole:
        raise VoidRunError("perf saw nothing of the daemon")
    rows = [
        Row(group, *(100.0 * share / whole for share in shares)) for group, shares in found.items()
    ]
    return sorted(rows, key=lambda row: -row.whole)


def table(rows: Iterable[Row], cores: float) -> str:
    """Markdown."""
    lines = [
        "| library | packets, % | pictures, % | together, % | cores |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {row.group} | {row.packets:.1f} | {row.pictures:.1f} | {row.whole:.1f} "
            f"| {cores * row.whole / 100:.3f} |"
        )
    return "\n".join(lines)


async def profiled(
    load: Load, rate_hz: int, functions: Path | None = None
) -> tuple[list[Row], Figures]:
    """One meeting, looked at for as long as it is measured.

    Raises:
        VoidRunError: perf is missing or may not look; the rooms could not join.
    """
    if shutil.which("perf") is None:
        raise VoidRunError("perf is not installed: apt-get install linux-perf")
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "perf.data"

        async def look() -> None:
            await asyncio.gather(
                _record(held, load.seconds, rate_hz, data),
                *([_functions(held, load.seconds, functions)] if functions is not None else []),
            )

        async with meeting(load) as held:
            figures = await held.measured(during=look, starved_is_void=False)
            threads = {one.id for one in psutil.Process(held.daemon.pid).threads()}
            rows = read_report(await asyncio.to_thread(_report, data), threads)
    return rows, figures


async def _record(held: Meeting, seconds: float, rate_hz: int, data: Path) -> None:
    daemon = psutil.Process(held.daemon.pid)
    pids = ",".join(str(one.pid) for one in (daemon, *daemon.children(recursive=True)))
    await _run(
        "perf", "record", "--quiet", "-e", "cpu-clock", "-F", str(rate_hz), "-p", pids,
        "-o", str(data), "--", "sleep", str(seconds),
    )  # fmt: skip


async def _functions(held: Meeting, seconds: float, path: Path) -> None:
    """--nonblocking: a daemon that stands still for each look would be another one."""
    await _run(
        str(Path(sys.executable).with_name("py-spy")), "record", "--gil", "--nonblocking",
        "--format", "raw", "--rate", "200", "--pid", str(held.daemon.pid),
        "--duration", str(round(seconds)), "--output", str(path),
    )  # fmt: skip


async def _run(*command: str) -> None:
    process = await child.start(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    try:
        _, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    if process.returncode:
        raise VoidRunError(f"{command[0]} failed: {said.decode(errors='replace')[-500:].strip()}")


def _report(data: Path) -> list[str]:
    done = subprocess.run(
        ["perf", "report", "--stdio", "--quiet", "-i", str(data), "-t", SEPARATOR,
         "--sort", "pid,dso"],
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise VoidRunError(f"perf report failed: {done.stderr[-500:].strip()}")
    return done.stdout.splitlines()


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line(__doc__)
    parser.add_argument("--legs", type=int, default=145, help="rooms that join")
    parser.add_argument("--video", action="store_true", help="video both ways, not sound alone")
    parser.add_argument(
        "--reports", action="store_true", help="of rooms, by RTCP; see bench.capacity"
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="looked at")
    parser.add_argument(
        "--rate", type=int, default=RATE_HZ, help="looks a second of each processor"
    )
    parser.add_argument("--functions", type=Path, help="stacks of Python's functions to this file")
    return parser


def main() -> None:
    """Parse, run, print the table and one JSON line; exit 1 when the run is void."""
    options = arguments().parse_args()
    load = Load(options.legs, options.seconds, video=options.video, reports=options.reports)
    with void_is_told():
        rows, figures = asyncio.run(profiled(load, options.rate, options.functions))
    cores = figures["server_cores"]
    print(table(rows, cores))
    starved = figures["generator_starved"]
    if starved:
        print("the generator was starved: rooms sent less than they should", file=sys.stderr)
    shares = {row.group: [round(row.packets, 2), round(row.pictures, 2)] for row in rows}
    told = {"legs": load.legs, "server_cores": cores, "generator_starved": starved}
    print(json.dumps(told | {"percent": shares}))


if __name__ == "__main__":
    main()
