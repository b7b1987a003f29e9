"""What it costs to watch rooms: the same meeting without alarms and with them, one after another.

Both runs are ``bench.capacity``'s: the real daemon, real legs. Rooms that no view shows send a
picture a second in either, so that those whose turn it is have something to be looked at. The
addition is what alarms cost; its ratio to the meeting without them is what to quote. Run by hand,
as it takes two meetings:

    python -m bench.alarms --legs 145 --video --seconds 60
"""

import asyncio
import json
import sys

from bench.command import command_line, void_is_told
from bench.figures import Figure
from bench.load import Figures, Load, meeting

LEGS = 145
SETTLE_S = 5.0
SHORT_S, LONG_S = 20.0, 120.0
MAX_SHARE_OF_A_CORE = 0.1
"""The budget: all levels, and so many rooms listened to and looked at that each of 145 has had its
turn within five minutes."""


async def measure(*, short: bool) -> list[Figure]:
    """The addition at a whole province."""
    found = await run(Load(LEGS, SHORT_S if short else LONG_S, video=True, thumbnails=True))
    without = f"{found['without']['server_cores']:.3f} cores without"
    return [
        Figure(
            f"alarms of {LEGS} rooms", found["added_cores"], "cores", MAX_SHARE_OF_A_CORE,
            against=without,
        ),
        Figure("ticks missed with alarms", found["with"]["ticks_missed"], "", 0),
    ]  # fmt: skip


async def run(load: Load) -> Figures:
    """Without, then with.

    Raises:
        VoidRunError: the generator was starved.
    """
    found: Figures = {}
    for name, enabled in (("without", "false"), ("with", "true")):
        print(f"{name} alarms: {load.legs} legs, {load.seconds:g} s", file=sys.stderr)
        settings = {"MCU_ALARMS__ENABLED": enabled}
        async with meeting(load, environment=settings) as held, held.loaded() as loaded:
            await loaded.measured(seconds=SETTLE_S, thumbnails=load.thumbnails)
            found[name] = await loaded.measured(thumbnails=load.thumbnails)
        found[name].pop("marks_ms", None)
    added = found["with"]["server_cores"] - found["without"]["server_cores"]
    found["added_cores"] = round(added, 4)
    found["ratio"] = round(found["with"]["server_cores"] / found["without"]["server_cores"], 4)
    return found


def main() -> None:
    """Parse, run, print one JSON line; exit 1 when the run is void."""
    parser = command_line(__doc__)
    parser.add_argument("--legs", type=int, default=LEGS)
    parser.add_argument("--seconds", type=float, default=SHORT_S)
    parser.add_argument("--video", action="store_true")
    options = parser.parse_args()
    with void_is_told():
        load = Load(options.legs, options.seconds, video=options.video, thumbnails=options.video)
        found = asyncio.run(run(load))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
