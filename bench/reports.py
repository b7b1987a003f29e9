"""What reports of rooms cost: the same meeting without and with them, in turn, in one call.

All runs are ``bench.capacity``'s: the real daemon, real legs. In the ones rooms report as browsers
do (``python -m bench.capacity --help`` says what), in the others they send no RTCP, offer none of
its feedback and number nothing. Both sides of it are in the addition: what the daemon does with
their reports, and its own feedback on what they send.

    python -m bench.reports --legs 145 --video --seconds 60

Prints one JSON line: the mean of each kind's cores, what is added (of each turn too), and the
figures of all runs, as ``bench.capacity`` tells them.
"""

import asyncio
import json
import statistics
import sys
from dataclasses import replace

from bench.command import command_line, void_is_told
from bench.load import Figures, Load, meeting

LEGS = 145
SECONDS = 40.0
TURNS = 2


async def run(load: Load, turns: int) -> Figures:
    """Turn after turn, each without and with.

    Raises:
        VoidRunError: the generator was starved.
    """
    without: list[Figures] = []
    reporting: list[Figures] = []
    for turn in range(turns):
        for reports, runs in ((False, without), (True, reporting)):
            name = "with" if reports else "without"
            print(f"turn {turn + 1} of {turns}: {name} reports", file=sys.stderr)
            async with meeting(replace(load, reports=reports)) as held:
                runs.append(await held.measured())
            runs[-1].pop("marks_ms", None)
    return added(without, reporting)


def added(without: list[Figures], reporting: list[Figures]) -> Figures:
    """What reports add, to the server and to the generator."""

    def mean(runs: list[Figures], name: str) -> float:
        return statistics.fmean(one[name] for one in runs)

    def difference(name: str) -> float:
        return round(mean(reporting, name) - mean(without, name), 4)

    return {
        "cores_without": round(mean(without, "server_cores"), 4),
        "cores_with": round(mean(reporting, "server_cores"), 4),
        "cores_added": difference("server_cores"),
        "cores_added_each": [
            round(one["server_cores"] - other["server_cores"], 4)
            for one, other in zip(reporting, without, strict=True)
        ],
        "loop_cores_added": difference("server_loop_cores"),
        "generator_cores_added": difference("generator_cores"),
        "without": without,
        "with": reporting,
    }


def main() -> None:
    """Parse, run, print one JSON line; exit 1 when the run is void."""
    parser = command_line(__doc__)
    parser.add_argument("--legs", type=int, default=LEGS, help="rooms that join")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each measurement")
    parser.add_argument("--video", action="store_true", help="video both ways, not audio alone")
    parser.add_argument("--turns", type=int, default=TURNS, help="meetings of each kind")
    options = parser.parse_args()
    with void_is_told():
        load = Load(options.legs, options.seconds, video=options.video)
        found = asyncio.run(run(load, options.turns))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
