"""What the wall of live thumbnails costs, as an addition to the same meeting without it.

145 rooms as in ``bench.capacity``: 16 stand in the view and send 640×360 at 25 pictures a second.
The others send nothing while nobody looks, and one picture of 320×180 a second while somebody
does, as rooms are asked to; receiving those is part of the cost. Two operators look at the whole
wall. The meeting is measured without and with it in turn, by the same rooms in the same call.

    python -m bench.wall --seconds 60
"""

import asyncio
import base64
import json
import statistics
import sys
from collections import Counter
from typing import Any

import aiohttp

from bench.command import command_line, void_is_told
from bench.figures import Figure, table
from bench.load import Figures, Load, Loaded, Meeting, meeting
from tests.peers.daemon import ADMIN_TOKEN

LEGS = 145
SHORT_S, LONG_S = 8.0, 40.0
TURNS = 2
OPERATORS = 2
BAR_CORES = 0.25
SETTLE_S = 12.0
"""Every room has had its first key frame by then."""
LINE_BYTES = 1 << 20


class Operator:
    """One who looks at the whole wall."""

    def __init__(self) -> None:
        self.pictures: Counter[str] = Counter()
        self.jpeg_bytes = 0

    async def look(self, held: Meeting) -> None:
        """Read pictures until cancelled."""
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        url = f"{held.daemon.url}/api/v1/conferences/{held.conference}/wall/pictures"
        timeout = aiohttp.ClientTimeout(total=None)
        async with (
            aiohttp.ClientSession(headers=headers, read_bufsize=LINE_BYTES) as http,
            http.get(url, timeout=timeout) as response,
        ):
            async for line in response.content:
                if line.startswith(b'data: {"participant":'):
                    found: dict[str, Any] = json.loads(line[6:])
                    self.pictures[found["participant"]] += 1
                    self.jpeg_bytes += len(base64.b64decode(found["jpeg"]))

    def reset(self) -> None:
        """Count anew."""
        self.pictures.clear()
        self.jpeg_bytes = 0


async def run(load: Load, turns: int = TURNS) -> Figures:
    """Cores without and with the wall, and what operators saw of it."""
    without: list[Figures] = []
    with_wall: list[Figures] = []
    seen: list[Figures] = []
    async with meeting(load) as held, held.loaded() as loaded:
        for turn in range(turns):
            print(f"turn {turn + 1} of {turns}: without the wall", file=sys.stderr)
            without.append(await loaded.measured())
            print(f"turn {turn + 1} of {turns}: with it", file=sys.stderr)
            figures, looked = await _with_wall(held, loaded)
            with_wall.append(figures)
            seen.append(looked)
            if turn + 1 < turns:
                await asyncio.sleep(SETTLE_S / 2)  # the leases of who looked end
    base = statistics.fmean(one["server_cores"] for one in without)
    cores = statistics.fmean(one["server_cores"] for one in with_wall)
    return {
        "legs": load.legs,
        "cores_without": round(base, 3),
        "cores_with": round(cores, 3),
        "cores_added": round(cores - base, 3),
        "cores_added_each": [
            round(one["server_cores"] - other["server_cores"], 3)
            for one, other in zip(with_wall, without, strict=True)
        ],
        "pictures_per_room_s": round(statistics.fmean(one["per_room_s"] for one in seen), 2),
        "pictures_per_room_s_min": round(min(one["per_room_s_min"] for one in seen), 2),
        "rooms_seen": min(one["rooms"] for one in seen),
        "jpeg_bytes_mean": round(statistics.fmean(one["jpeg_bytes"] for one in seen)),
        "ticks_missed_without": sum(one["ticks_missed"] for one in without),
        "ticks_missed_with": sum(one["ticks_missed"] for one in with_wall),
        "tick_lateness_ms_p99_without": max(one["tick_lateness_ms_p99"] for one in without),
        "tick_lateness_ms_p99_with": max(one["tick_lateness_ms_p99"] for one in with_wall),
        "frames_skipped_with": sum(one["frames_skipped"] for one in with_wall),
        "pictures_per_room_s_each": [round(one["per_room_s"], 2) for one in seen],
        "given_up_each": [one["given_up_at_end"] for one in with_wall],
    }


async def _with_wall(held: Meeting, loaded: Loaded) -> tuple[Figures, Figures]:
    operators = [Operator() for _ in range(OPERATORS)]
    looking = [asyncio.create_task(one.look(held)) for one in operators]
    try:
        await loaded.measured(seconds=SETTLE_S, thumbnails=True)
        for one in operators:
            one.reset()
        figures = await loaded.measured(thumbnails=True)
        first = operators[0]
        counts = [first.pictures[f"b{number}"] for number in range(held.load.legs)]
        for task in looking:
            if task.done():
                task.result()
        return figures, {
            "rooms": sum(count > 0 for count in counts),
            "per_room_s": statistics.fmean(counts) / figures["seconds"],
            "per_room_s_min": min(counts) / figures["seconds"],
            "jpeg_bytes": first.jpeg_bytes / max(1, sum(counts)),
        }
    finally:
        for task in looking:
            task.cancel()
        await asyncio.gather(*looking, return_exceptions=True)


def load_of(seconds: float, legs: int = LEGS) -> Load:
    """The meeting."""
    return Load(legs, seconds, video=True, thumbnails=True)


async def measure(*, short: bool) -> list[Figure]:
    """The cost against its bar, and that the wall was live."""
    if short:
        return figures_of(await run(load_of(SHORT_S), 1))
    return figures_of(await run(load_of(LONG_S)))


def figures_of(found: Figures) -> list[Figure]:
    """What is shown of a run."""
    against = f"{found['cores_without']:.2f} cores without"
    rooms = found["legs"]
    return [
        Figure(f"wall of {rooms} rooms, added", found["cores_added"], "cores", BAR_CORES,
               against=against),
        Figure("pictures of a room", found["pictures_per_room_s"], "a second", 0.8, True),
        Figure("rooms with a live picture", found["rooms_seen"], "", rooms, True),
        Figure("ticks missed with it", found["ticks_missed_with"], "", 0,
               against=f"{found['ticks_missed_without']} without"),
    ]  # fmt: skip


def main() -> None:
    """Parse, run, print a table and one JSON line; exit 1 when the run is void."""
    parser = command_line(__doc__)
    parser.add_argument("--legs", type=int, default=LEGS, help="rooms that join")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement")
    options = parser.parse_args()
    with void_is_told():
        found = asyncio.run(run(load_of(options.seconds, options.legs)))
    print(table(figures_of(found)), file=sys.stderr)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
