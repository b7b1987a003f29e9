"""How far the daemon is from the least that its work costs.

Three meetings against the real daemon: ``--few`` rooms, ``--many`` rooms, and the few rooms with so
many viewers (who receive, and send nothing but ICE checks) that the legs are as many. No leg
reports by RTCP, which the floor has no part of. Sixteen rooms send 640×360 at 25 pictures a second,
four speak, all legs receive sound and 1280×720 at 25 pictures and 1.5 Mbit/s of one 4×4 view. The
difference between two meetings, by leg, is what one more room or one more viewer costs.

The floor is the same work done alone by a C loop (``bench/floor.c``): the same coded pictures and
sounds received through a socket (recvmmsg) and opened (AES-128-GCM), sixteen H.264 decodes and
scalings into the canvas, one x264 encode with the daemon's settings, four Opus decodes and five
encodes, and each packet written, protected and sent (sendmmsg with UDP GSO) to each leg. It calls
the daemon's own libraries, one step after the other without a pause, on one thread, and only its
own CPU time counts, not that of the rooms it plays in between.

    python -m bench.floor --seconds 30

Needs a C compiler (Debian: gcc, libc6-dev).
"""

import asyncio
import sys
from dataclasses import dataclass
from functools import cache

from bench import floor_native
from bench.command import command_line, void_is_told
from bench.figures import Figure, table
from bench.floor_native import Floor
from bench.load import Figures, Load, meeting
from bench.media import CodedPictures, CodedSound, coded_pictures, coded_silence, coded_speech

FEW, MANY = 50, 145
SHORT_S, LONG_S = 6.0, 30.0
TOTAL_BAR = 1.5
VIEWER_BAR_PERCENT = 0.2


@dataclass(frozen=True, slots=True)
class Costs:
    """Cores of three meetings: few rooms, many, and few with viewers up to as many."""

    few: float
    many: float
    with_viewers: float

    def per_room(self, added: int) -> float:
        """% of a core that one more room costs, of ``added`` ones."""
        return (self.many - self.few) / added * 100

    def per_viewer(self, added: int) -> float:
        """% of a core that one more viewer costs."""
        return (self.with_viewers - self.few) / added * 100


async def measure(*, short: bool) -> list[Figure]:
    """Figures 4 and 5."""
    return await compare(FEW, MANY, SHORT_S if short else LONG_S)


async def compare(few: int, many: int, seconds: float) -> list[Figure]:
    """The daemon's three meetings, then the floor's.

    Raises:
        VoidRunError: no compiler, or the generator was starved.
    """
    await asyncio.to_thread(floor_native.library)  # so that a missing compiler is told at once
    daemon = Costs(
        await _cores(Load(few, seconds, video=True)),
        await _cores(Load(many, seconds, video=True)),
        await _cores(Load(many, seconds, video=True, viewers=many - few)),
    )
    print("floor: the same work alone", file=sys.stderr)
    floors = [
        await asyncio.to_thread(floor, legs, viewers, seconds)
        for legs, viewers in ((few, 0), (many, 0), (many, many - few))
    ]
    return figures(daemon, floors, few, many)


def figures(daemon: Costs, floors: list[Floor], few: int, many: int) -> list[Figure]:
    """What the two sides give; ``floors`` in the order of ``Costs``."""
    least = Costs(*(one.cores for one in floors))
    added = many - few
    total = floors[1]
    shares = ", ".join(f"{name} {cores:.3f}" for name, cores in total.stages.items())
    room, viewer = daemon.per_room(added), daemon.per_viewer(added)
    least_room, least_viewer = least.per_room(added), least.per_viewer(added)
    return [
        Figure(
            f"one more viewer ({few} to {many} legs)",
            viewer,
            "% of a core",
            VIEWER_BAR_PERCENT,
            against=f"floor {least_viewer:.3f}%",
        ),
        Figure("one more viewer ÷ floor (stretch 1.3)", viewer / least_viewer, "x floor"),
        Figure(
            "one more room, which sends sound as well",
            room,
            "% of a core",
            against=f"floor {least_room:.3f}%",
        ),
        Figure(
            f"total ÷ floor at {many} rooms",
            daemon.many / least.many,
            "x floor",
            TOTAL_BAR,
            against=f"daemon {daemon.many:.2f} cores, floor {least.many:.2f} ({shares})",
        ),
    ]


def floor(legs: int, viewers: int, seconds: float) -> Floor:
    """The floor of one meeting; blocks for about half of ``seconds``."""
    speech, silence, loops = _media()
    rest: list[CodedSound | None] = [silence] * (legs - viewers - len(speech))
    return floor_native.run(
        [*speech, *rest, *[None] * viewers], loops, speakers=len(speech), seconds=seconds
    )


@cache
def _media() -> tuple[list[CodedSound], CodedSound, list[CodedPictures]]:
    """What the load generator sends too (``bench.generator``)."""
    load = Load()
    speech = [coded_speech(f"speaker {number}") for number in range(load.speakers)]
    loops = [coded_pictures(seed=seed) for seed in range(1, 5)]
    senders = [loops[number % len(loops)] for number in range(load.video_senders)]
    return speech, coded_silence(), senders


async def _cores(load: Load) -> float:
    print(f"daemon: {load.legs} legs, {load.viewers} of them viewers", file=sys.stderr)
    async with meeting(load) as held:
        measured: Figures = await held.measured()
    return float(measured["server_cores"])


def main() -> None:
    """Parse, run, print the table; exit 1 when the run is void."""
    parser = command_line(__doc__)
    parser.add_argument("--few", type=int, default=FEW, help="rooms of the smaller meeting")
    parser.add_argument("--many", type=int, default=MANY, help="legs of the larger ones")
    parser.add_argument("--seconds", type=float, default=LONG_S, help="of each measurement")
    options = parser.parse_args()
    with void_is_told():
        found = asyncio.run(compare(options.few, options.many, options.seconds))
    print(table(found))


if __name__ == "__main__":
    main()
