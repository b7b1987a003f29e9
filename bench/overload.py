"""More than the machine holds: who is inside keeps sound, who comes is told to come later.

The daemon gets one processor (affinity; the generator gets the others), so that a machine of any
size is full soon; on a machine of one processor its limit is set low instead (``--max-load``).
Rooms with pictures come one after the other until one is refused, and as many again go on asking:
twice what was held at first. Some of them are let in, as what is given up makes room. From the
first refusal on, what those who were inside get is
counted. Meanwhile the daemon's ``/load`` is read: what it gives up, in which order. At last the
meeting is ended, and the daemon is watched giving everything back.

    python -m bench.overload
    python -m bench.overload --per-second 10 --seconds 60
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from typing import Any

from bench.command import command_line, void_is_told
from bench.figures import Figure, VoidRunError, table
from bench.load import Figures, Load, Meeting, cpu_seconds, daemon_figures, meeting
from tests.peers import child
from tests.peers.daemon import ADMIN_TOKEN

MOST_LEGS = 400
SENDERS = 9
PER_SECOND = 5.0
SECONDS, SHORT_SECONDS = 40.0, 15.0
ONE_PROCESSOR_LOAD = 0.45
"""``limits.max_load`` where the generator has to share the only processor."""
LOOK_S = 0.5
BUSY = 0.8
"""Of its limit, what the daemon has to have used for its being full to prove anything."""
GIVEN_BACK_S = 120.0
END_S = 60.0

PACKETS_BAR = 49.5
GAP_BAR_MS = 60.0
"""Three packets: what a receiver's buffer bears without being heard."""
RETRY_BAR_S = 5.0


@contextmanager
def pinned(processors: set[int]) -> Iterator[None]:
    """Processes started meanwhile run on these processors alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, processors)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Watch:
    """Reads ``/load`` and keeps what was seen."""

    def __init__(self, held: Meeting) -> None:
        self._held = held
        self.steps: list[dict[str, Any]] = []
        """Each change of level or of what is given up."""
        self.now: dict[str, Any] = {}
        self.busiest = 0.0
        """Most of its processors that the daemon used in a second."""
        self.calm = asyncio.Event()
        """Set while nothing is given up."""

    async def run(self) -> None:
        """Look until cancelled."""
        began = time.monotonic()
        while True:
            self.now = await self._held.daemon.call("GET", "/load")
            self.busiest = max(self.busiest, self.now["processors"])
            kept = {name: self.now[name] for name in ("level", "given_up", "view_fps", "signs")}
            if not self.steps or {**self.steps[-1], **kept} != self.steps[-1]:
                at = round(time.monotonic() - began, 1)
                self.steps.append({"at_s": at, "legs": self.now["legs"], **kept})
            if self.now["level"] == "none":
                self.calm.set()
            else:
                self.calm.clear()
            await asyncio.sleep(LOOK_S)


async def crowd(held: Meeting, load: Load, per_second: float, processors: set[int]) -> Figures:
    """The generator's figures and the server's cores.

    Raises:
        VoidRunError: it was starved, or everybody was let in.
    """
    with pinned(processors):
        generator = await child.start(
            sys.executable, "-m", "bench.overload_crowd", "--url", held.legs_url(),
            "--token", ADMIN_TOKEN, "--per-second", str(per_second), *load.arguments(),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
    assert generator.stdout is not None
    try:
        async with asyncio.timeout(2 * MOST_LEGS / per_second + load.seconds + END_S):
            await generator.stdout.readline()
            began, cpu = time.monotonic(), cpu_seconds(held.daemon.pid)
            line = await generator.stdout.readline()
            cores = (cpu_seconds(held.daemon.pid) - cpu) / (time.monotonic() - began)
    finally:
        if generator.returncode is None:
            generator.terminate()
        await generator.wait()
    if not line:
        raise VoidRunError("the crowd ended early; see its messages above")
    figures: Figures = json.loads(line)
    if figures["generator_starved"]:
        raise VoidRunError("the generator was starved of processor time; take a calmer machine")
    return figures | {"server_cores": round(cores, 3)}


async def run(
    load: Load, per_second: float, max_load: float | None = None, *, short: bool = False
) -> Figures:
    """One crowd, and what the daemon did about it.

    Args:
        short: do not wait until everything is given back.
    Raises:
        VoidRunError: see ``crowd``.
    """
    ours = sorted(os.sched_getaffinity(0))
    one, others = {ours[0]}, set(ours[1:]) or set(ours)
    limit = max_load or (0.95 if len(ours) > 1 else ONE_PROCESSOR_LOAD)
    environment = {"MCU_LIMITS__MAX_LOAD": str(limit)}
    async with AsyncExitStack() as stack:
        with pinned(one):
            held = await stack.enter_async_context(
                meeting(load, spare_legs=0, environment=environment)
            )
        watch = Watch(held)
        watching = asyncio.create_task(watch.run())
        try:
            before = await held.daemon.metrics()
            figures = await crowd(held, load, per_second, others)
            figures |= daemon_figures(before, await held.daemon.metrics())
            figures["at_the_end"] = watch.now
            if watch.busiest < BUSY * limit:
                raise VoidRunError(
                    f"the daemon never got more than {watch.busiest:.0%} of its processor: "
                    "another program had it; take a calmer machine"
                )
            if not short:
                await held.daemon.call("DELETE", f"/conferences/{held.conference}")
                ended_at = time.monotonic()
                with suppress(TimeoutError):
                    async with asyncio.timeout(GIVEN_BACK_S):
                        await watch.calm.wait()
                figures["given_back_after_s"] = round(time.monotonic() - ended_at, 1)
            figures["steps"] = watch.steps
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
    return figures


def figures_of(found: Figures) -> list[Figure]:
    """What those inside got, and what those outside were told."""
    inside, refused = found["inside"], found["refused"]
    first = found["inside_at_first_refusal"]
    told = [float(one) for one in found["retry_after"] if one.isdecimal()]
    all_told = len(told) == len(found["retry_after"]) and found["statuses"] == [503]
    order = [what for step in found["steps"] for what in step["given_up"]]
    first_seen = list(dict.fromkeys(order))
    right = ["view-rate", "small-renditions", "small-slots"][: len(first_seen)]
    return [
        Figure("rooms inside when the machine is full", found["inside_at_first_refusal"]),
        Figure("rooms inside at the end, with pictures given up", inside),
        Figure("rooms that asked, for each one inside then", round((inside + refused) / first, 2),
               "", 1.9, at_least=True),
        Figure("refused with 503 and Retry-After", float(all_told), "", 1.0, at_least=True,
               against="; ".join(found["details"])),
        Figure("shortest Retry-After", min(told, default=0.0), "s", RETRY_BAR_S, at_least=True),
        Figure("sound packets a second inside, worst room", found["audio_pps_per_leg_min"], "",
               PACKETS_BAR, at_least=True),
        Figure("longest gap between packets of sound", found["audio_gap_ms_max"], "ms",
               GAP_BAR_MS),
        Figure("ticks of sound missed", found["ticks_missed"], "", 0.0),
        Figure("pictures a second inside, worst room", found.get("video_fps_per_leg_min", 0.0),
               against=" → ".join(f"{one['view_fps']}/s at {one['at_s']:g} s with {one['legs']}"
                                  for one in found["steps"])),
        Figure("given up in order: view rate, small renditions, small slots",
               float(bool(first_seen) and first_seen == right), "", 1.0, at_least=True,
               against=", ".join(first_seen)),
        *(
            [Figure("everything given back after the meeting's end", found["given_back_after_s"],
                    "s", GIVEN_BACK_S - 1.0)]
            if "given_back_after_s" in found else []
        ),
    ]  # fmt: skip


async def measure(*, short: bool) -> list[Figure]:
    """See the module.

    Raises:
        VoidRunError: see ``crowd``.
    """
    load = Load(legs=MOST_LEGS, seconds=SHORT_SECONDS if short else SECONDS, video=True,
                video_senders=SENDERS, layout="3x3")  # fmt: skip
    return figures_of(await run(load, 2 * PER_SECOND if short else PER_SECOND, short=short))


def main() -> None:
    """Parse, run, print a table and one JSON line; exit 1 when the run is void."""
    parser = command_line(__doc__)
    parser.add_argument("--legs", type=int, default=MOST_LEGS, help="rooms that may ask, at most")
    parser.add_argument("--per-second", type=float, default=PER_SECOND, help="that ask to come in")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="counted when it is full")
    parser.add_argument("--max-load", type=float, help="limits.max_load of the daemon")
    options = parser.parse_args()
    load = Load(legs=options.legs, seconds=options.seconds, video=True, video_senders=SENDERS,
                layout="3x3")  # fmt: skip
    with void_is_told():
        found = asyncio.run(run(load, options.per_second, options.max_load))
    print(table(figures_of(found)), file=sys.stderr)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
