"""How many rooms one machine holds: the real daemon under a real load, in one command.

The daemon and the load generator are processes of their own on this machine. The daemon's cost
is read from the kernel (CPU seconds of its process and its children), what the rooms get from
the generator, ticks from the daemon's ``/metrics``. The run ends with one JSON line.

    python -m bench.capacity --legs 145 --video --seconds 60
    python -m bench.capacity --legs 50 --video --baseline aiortc

A baseline is loaded with the same media by the same generator right after the daemon, with as
many legs as it can be expected to hold (``--baseline-legs``), and compared by cores per leg.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.peers.daemon import ADMIN_TOKEN, Daemon

JOIN_ALLOWANCE_S = 120.0
Figures = dict[str, Any]


def cpu_seconds(pid: int) -> float:
    """CPU seconds of a process and its living children, user and system."""
    process = psutil.Process(pid)
    times = [process.cpu_times(), *(child.cpu_times() for child in process.children(True))]
    return float(sum(one.user + one.system for one in times))


def memory_bytes(pid: int) -> int:
    """Resident memory of a process and its children; shared libraries count in each."""
    process = psutil.Process(pid)
    return sum(one.memory_info().rss for one in (process, *process.children(True)))


async def generate(options: argparse.Namespace, url: str, token: str, legs: int) -> Any:
    """Start the generator; gives its process, its output still to be read."""
    command = [
        "-m", "bench.generator", "--url", url, "--token", token, "--legs", str(legs),
        "--seconds", str(options.seconds), "--speakers", str(options.speakers),
        "--sampled", str(options.sampled), "--video-senders", str(options.video_senders),
    ]  # fmt: skip
    if options.video:
        command.append("--video")
    return await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.PIPE
    )


async def measured(
    options: argparse.Namespace, url: str, token: str, legs: int, pid: int
) -> Figures:
    """One load against one server: the generator's figures and the server's cores."""
    generator = await generate(options, url, token, legs)
    try:
        async with asyncio.timeout(JOIN_ALLOWANCE_S + options.seconds):
            line = await generator.stdout.readline()
            if line.strip() != b"measuring":
                raise RuntimeError("the generator could not join; see its messages above")
            cpu = cpu_seconds(pid)
            memory = memory_bytes(pid)
            figures: Figures = json.loads(await generator.stdout.readline())
            cores = (cpu_seconds(pid) - cpu) / figures["seconds"]
    finally:
        if generator.returncode is None:
            generator.terminate()
        await generator.wait()
    return {
        "legs": legs,
        "server_cores": round(cores, 3),
        "server_cores_per_leg": round(cores / legs, 5),
        "server_memory_mb": round(memory / 1e6, 1),
    } | figures


async def run_daemon(options: argparse.Namespace) -> Figures:
    """The load against the daemon."""
    with tempfile.TemporaryDirectory() as folder:
        limits = {
            "MCU_LIMITS__MAX_LEGS": str(options.legs + 10),
            "MCU_LIMITS__REQUESTS_PER_SECOND": "10000",
        }
        async with Daemon(Path(folder), environment=limits) as daemon:
            conference = await prepare(daemon, options)
            url = f"{daemon.url}/api/v1/conferences/{conference}/legs?bridge=b{{leg}}"
            before = await daemon.metrics()
            figures = await measured(options, url, ADMIN_TOKEN, options.legs, daemon.pid)
            after = await daemon.metrics()
    missed = 'mcu_ticks_missed_total{clock="audio"}'
    figures["ticks_missed"] = int(after[missed] - before[missed])
    for clock in ("audio", "video"):
        seconds = after[f'mcu_tick_lateness_seconds{{clock="{clock}",quantile="0.99"}}']
        key = "tick_lateness_ms_p99" if clock == "audio" else "video_tick_lateness_ms_p99"
        figures[key] = round(seconds * 1000, 2)
    figures["frames_skipped"] = int(
        after["mcu_frames_skipped_total"] - before["mcu_frames_skipped_total"]
    )
    for name in ("encoders", "decoders", "renditions"):
        for kind in ("audio", "video"):
            figures[f"{kind}_{name}"] = int(after.get(f'mcu_{name}{{kind="{kind}"}}', 0))
    figures["stage_seconds"] = {
        key.partition("{")[2].rstrip("}"): round(value - before.get(key, 0.0), 2)
        for key, value in after.items()
        if key.startswith("mcu_stage_seconds_total")
    }
    return figures


async def prepare(daemon: Daemon, options: argparse.Namespace) -> str:
    """Register the rooms and start their conference; gives its id."""
    await daemon.call("POST", "/units", {"id": "tinh", "name": "Tỉnh", "level": "province"})
    for number in range(options.legs):
        await daemon.call(
            "POST",
            "/bridges",
            {"id": f"b{number}", "name": f"Xã {number}", "unit": "tinh", "kind": "webrtc"},
        )
    bridges = [f"b{number}" for number in range(options.legs)]
    conference = await daemon.call(
        "POST", "/conferences", {"name": "Bench", "unit": "tinh", "bridges": bridges}
    )
    columns = int(options.layout.split("x")[0])
    slots = [{"participant": bridge} for bridge in bridges[: columns * columns]]
    slots += [{} for _ in range(columns * columns - len(slots))]
    await daemon.call(
        "PUT",
        f"/conferences/{conference['id']}/layout",
        {"view": "main", "layout": options.layout, "slots": slots},
    )
    return str(conference["id"])


@asynccontextmanager
async def baseline_server(name: str) -> AsyncIterator[tuple[str, int]]:
    """A baseline's process; gives its offer URL and pid."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"bench.baselines.{name}_mcu", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        port = json.loads(await process.stdout.readline())["port"]
        yield f"http://127.0.0.1:{port}/offer", process.pid
    finally:
        process.terminate()
        await process.wait()


async def run(options: argparse.Namespace) -> Figures:
    """The daemon, then the baseline if one is asked for."""
    print(f"daemon: {options.legs} legs, {options.seconds:g} s", file=sys.stderr)
    figures = await run_daemon(options)
    if options.baseline:
        legs = min(options.baseline_legs, options.legs)
        print(f"{options.baseline}: {legs} legs, {options.seconds:g} s", file=sys.stderr)
        async with baseline_server(options.baseline) as (url, pid):
            baseline = await measured(options, url, "", legs, pid)
        figures["baseline"] = {"name": options.baseline} | baseline
        figures["ratio_cores_per_leg"] = round(
            figures["server_cores_per_leg"] / baseline["server_cores_per_leg"], 4
        )
    return figures


def main() -> None:
    """Parse, run, print one JSON line; exit 1 when the run is void."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--legs", type=int, default=20, help="rooms that join")
    parser.add_argument("--video", action="store_true", help="video both ways, not audio alone")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the measurement")
    parser.add_argument("--video-senders", type=int, default=16, help="rooms that send pictures")
    parser.add_argument("--speakers", type=int, default=4, help="rooms that speak")
    parser.add_argument("--sampled", type=int, default=2, help="legs that decode all they get")
    parser.add_argument(
        "--layout", default="4x4", choices=["2x2", "3x3", "4x4", "5x5", "6x6", "7x7"]
    )
    parser.add_argument("--baseline", choices=["aiortc"], help="run the same load against it too")
    parser.add_argument(
        "--baseline-legs", type=int, default=4, help="as many as the baseline holds"
    )
    options = parser.parse_args()
    figures = asyncio.run(run(options))
    print(json.dumps(figures))
    void = figures["generator_starved"] or figures.get("baseline", {}).get("generator_starved")
    if void:
        print("VOID: the generator was starved; take fewer legs", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
