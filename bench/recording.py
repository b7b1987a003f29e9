"""What recording adds to a meeting: the same rooms, in turns with it and without.

A recorder takes the pictures and the sound that the rooms are sent anyway, so the cost is that of
one thread that puts packets into a file. Turns follow each other while the rooms stay, and each
with recording is compared with the one before it; the figure is the median of those differences.
The file of every turn is decoded afterwards: a recording that costs nothing as it holds nothing
would be none. A second view that nobody watches is recorded too, as then an encoder runs for the
recorder alone.

    python -m bench.recording --legs 24 --turns 6
"""

import asyncio
import statistics
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import av

from bench.command import command_line, void_is_told
from bench.figures import Figure, VoidRunError, table
from bench.load import Figures, Load, Loaded, Meeting, meeting
from tests.peers.daemon import ADMIN_TOKEN

LEGS, PROVINCE = 24, 145
SHORT_S, LONG_S = 8.0, 20.0
SHORT_TURNS, LONG_TURNS = 2, 6
FREE_MB = "64"
ADDED_BAR_CORES = 0.05
"""A twentieth of a processor for a meeting that is recorded."""
FPS_LEAST = 24.0


@dataclass(slots=True)
class Turns:
    """What was measured, a figure of each turn.

    Args:
        without, shared, alone: no recording; of the view that all see; of one nobody sees besides.
        files: (seconds, pictures, bytes) of each recording of the shared view.
    """

    without: list[Figures] = field(default_factory=list)
    shared: list[Figures] = field(default_factory=list)
    alone: list[Figures] = field(default_factory=list)
    files: list[tuple[float, int, int]] = field(default_factory=list)


async def measure(*, short: bool) -> list[Figure]:
    """Figures of recording."""
    legs = LEGS if short else PROVINCE
    seconds, turns = (SHORT_S, SHORT_TURNS) if short else (LONG_S, LONG_TURNS)
    return await recorded(legs, seconds, turns)


async def recorded(legs: int, seconds: float, turns: int) -> list[Figure]:
    """A meeting whose recording is switched on and off.

    Raises:
        VoidRunError: the generator was starved, or a recording ended by itself.
    """
    load = Load(legs, seconds, video=True, video_senders=min(16, legs))
    settings = {"MCU_RECORDING__RESERVE_MB": FREE_MB}
    found = Turns()
    async with meeting(load, environment=settings) as held, held.loaded() as rooms:
        for _ in range(turns):
            found.without.append(await rooms.measured())
            found.shared.append(await _recording(held, rooms, "main", found))
            found.alone.append(await _recording(held, rooms, "chair", None))
    return figures(found)


async def _recording(held: Meeting, rooms: Loaded, view: str, found: Turns | None) -> Figures:
    """One turn with a view recorded."""
    path = f"/conferences/{held.conference}/recordings"
    started = await held.daemon.call("POST", path, {"view": view})
    await asyncio.sleep(1.0)  # its first key frame is not the cost of a meeting
    measured = await rooms.measured()
    one = f"{path}/{started['id']}"
    await held.daemon.call("POST", f"{one}/stop")
    async with asyncio.timeout(30):
        while True:
            ended = await held.daemon.call("GET", one)
            if ended["parts"] and all(part["sha256"] for part in ended["parts"]):
                break
            await asyncio.sleep(0.2)
    if ended["reason"] != "stopped":
        raise VoidRunError(f"the recording ended by itself: {ended['reason']}")
    if found is not None:
        found.files += [await _read(held, part) for part in ended["parts"]]
    await held.daemon.call("DELETE", one)
    return measured


async def _read(held: Meeting, part: dict[str, Any]) -> tuple[float, int, int]:
    """(seconds, pictures, bytes) of a file as a player finds them."""
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.get(f"{held.daemon.url}{part['url']}") as response,
    ):
        response.raise_for_status()
        body = await response.read()
    return (*await asyncio.to_thread(_decode, body), len(body))


def _decode(body: bytes) -> tuple[float, int]:
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        Path(file.name).write_bytes(body)
        with av.open(file.name) as opened:
            pictures = sum(1 for _ in opened.decode(video=0))
            return (opened.duration or 0) / av.time_base, pictures


def figures(found: Turns) -> list[Figure]:
    """The additions, and what was got for them."""
    shared, alone = added(found.shared, found.without), added(found.alone, found.without)
    without = statistics.median(one["server_cores"] for one in found.without)
    legs = found.without[0]["legs"]
    seconds = sum(one[0] for one in found.files)
    size = sum(one[2] for one in found.files)
    late = statistics.median(one["tick_lateness_ms_p99"] for one in found.shared)
    late_without = statistics.median(one["tick_lateness_ms_p99"] for one in found.without)
    return [
        Figure(
            "added by recording the view that all see",
            shared,
            "cores",
            ADDED_BAR_CORES,
            against=f"{legs} rooms without: {without:.2f} cores",
        ),
        Figure(
            "encoders added by it",
            _encoders(found.shared) - _encoders(found.without),
            "",
            0.0,
            against=f"{_encoders(found.without):.0f} without",
        ),
        Figure(
            "added by a view that nobody else sees",
            alone,
            "cores",
            against=f"{_encoders(found.alone) - _encoders(found.without):.0f} encoder more",
        ),
        Figure(
            "pictures a second in the file",
            sum(one[1] for one in found.files) / seconds if seconds else 0.0,
            "",
            FPS_LEAST,
            at_least=True,
            against=f"{size * 8 / seconds / 1000 if seconds else 0:.0f} kbit/s",
        ),
        Figure(
            "sound mixed late with it, p99", late, "ms", against=f"without {late_without:.1f} ms"
        ),
    ]


def added(more: list[Figures], less: list[Figures]) -> float:
    """Median of how many cores more each turn took than the one it is compared with."""
    pairs = zip(more, less, strict=True)
    return statistics.median(
        float(one["server_cores"]) - float(other["server_cores"]) for one, other in pairs
    )


def _encoders(turns: list[Figures]) -> float:
    return statistics.median(float(one["video_encoders"]) for one in turns)


def main() -> None:
    """Parse, run, print the table; exit 1 when the run is void."""
    parser = command_line(__doc__)
    parser.add_argument("--legs", type=int, default=LEGS)
    parser.add_argument("--seconds", type=float, default=LONG_S, help="of each turn")
    parser.add_argument("--turns", type=int, default=LONG_TURNS)
    options = parser.parse_args()
    with void_is_told():
        found = asyncio.run(recorded(options.legs, options.seconds, options.turns))
    print(table(found))


if __name__ == "__main__":
    main()
