"""What a readiness check costs, as an addition to the same meeting without it.

Rooms are in their conference, as in ``bench.capacity``; what the daemon costs is measured, and
measured again while all of them are checked where they are, ``measured_at_once`` at a time: their
sound is decoded though nobody hears it, kept and looked through, their pictures are looked at, and
each is played the test tone by an encoder of its own. The rooms stay the same, so that nothing
differs but the check.

The long form waits for the end of the check of 145 rooms and gives how long it took. The load's
rooms send no receiver reports and confirm nothing: all of them are found not ready, which takes as
long as to find them ready.

    python -m bench.readiness --legs 145 --seconds 60
"""

import asyncio
import json
import sys
from dataclasses import dataclass
from typing import Any

from bench.command import command_line, void_is_told
from bench.figures import Figure, VoidRunError, table
from bench.load import Figures, Load, Meeting, meeting

LEGS, SHORT_LEGS = 145, 48
SHORT_S, LONG_S = 7.0, 60.0
AT_ONCE = 12
LIMIT_S = 600.0
LATENESS_BAR_MS = 5.0
POLL_S = 1.0
BEGIN_S = 2.0
"""Until rooms are being measured."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The meeting without and with a check, and the check when it was over (None: not waited for).

    Args:
        measuring: rooms that were measured at once, the least seen meanwhile.
    """

    alone: Figures
    checked: Figures
    measuring: int
    check: dict[str, Any] | None

    @property
    def added_cores(self) -> float:
        """What the check adds."""
        return float(self.checked["server_cores"]) - float(self.alone["server_cores"])


async def measure(*, short: bool) -> list[Figure]:
    """The cost of a check; long: also how long a province takes."""
    legs = SHORT_LEGS if short else LEGS
    found = await run(legs, SHORT_S if short else LONG_S, whole=not short)
    against = f"without: {found.alone['server_cores']:.2f} cores"
    figures = [
        Figure(
            f"a check of {legs} rooms, {found.measuring} at once", found.added_cores, "cores",
            against=against,
        ),
        Figure(
            "for each room that is measured",
            found.added_cores / max(1, found.measuring),
            "cores",
        ),
        Figure("ticks missed meanwhile", found.checked["ticks_missed"], "", 0),
        Figure(
            "tick lateness p99 meanwhile",
            found.checked["tick_lateness_ms_p99"],
            "ms",
            LATENESS_BAR_MS,
            against=f"without: {found.alone['tick_lateness_ms_p99']:.1f} ms",
        ),
    ]  # fmt: skip
    if found.check is not None:
        figures.append(Figure(f"{legs} rooms checked", found.check["total_s"], "s", LIMIT_S))
    return figures


async def run(legs: int, seconds: float, *, whole: bool) -> Cost:
    """Measure without, then with a check.

    Args:
        whole: wait for its end.
    Raises:
        VoidRunError: the generator was starved, or no room was being measured.
    """
    load = Load(legs, seconds, video=True)
    settings = {"MCU_READINESS__MEASURED_AT_ONCE": str(AT_ONCE)}
    async with meeting(load, spare_legs=0, environment=settings) as held, held.loaded() as loaded:
        print(f"{legs} rooms, {seconds:g} s without a check", file=sys.stderr)
        alone = await loaded.measured()
        path = "/readiness-checks"
        begun = await held.daemon.call("POST", path, {"conference": held.conference})
        await asyncio.sleep(BEGIN_S)
        seen: list[int] = []
        print(f"{legs} rooms, {seconds:g} s with one", file=sys.stderr)
        checked = await loaded.measured(
            during=lambda: _watch(held, begun["id"], seconds - BEGIN_S, seen)
        )
        check = await _ended(held, begun["id"]) if whole else None
    if not seen or not min(seen):
        raise VoidRunError("no room was being measured: the check was over, or had not begun")
    return Cost(alone, checked, min(seen), check)


async def _watch(held: Meeting, check: str, seconds: float, seen: list[int]) -> None:
    """Note how many rooms are measured now and then."""
    for _ in range(max(1, round(seconds / POLL_S / 2))):
        now = await held.daemon.call("GET", f"/readiness-checks/{check}")
        seen.append(now["counts"]["measuring"])
        await asyncio.sleep(2 * POLL_S)


async def _ended(held: Meeting, check: str) -> dict[str, Any]:
    async with asyncio.timeout(LIMIT_S + 60):
        while True:
            found: dict[str, Any] = await held.daemon.call("GET", f"/readiness-checks/{check}")
            if not found["running"]:
                return found
            await asyncio.sleep(POLL_S)


def main() -> None:
    """Parse, run, print the figures and one JSON line; exit 1 when the run is void."""
    parser = command_line(__doc__)
    parser.add_argument("--legs", type=int, default=LEGS, help="rooms")
    parser.add_argument("--seconds", type=float, default=LONG_S, help="of each measurement")
    parser.add_argument("--whole", action="store_true", help="wait for the end of the check")
    options = parser.parse_args()
    with void_is_told():
        found = asyncio.run(run(options.legs, options.seconds, whole=options.whole))
    counted = {
        "legs": options.legs,
        "measured_at_once": found.measuring,
        "added_cores": round(found.added_cores, 3),
        "cores_without": found.alone["server_cores"],
        "cores_with": found.checked["server_cores"],
        "total_s": None if found.check is None else found.check["total_s"],
    }
    print(table([Figure(name, value) for name, value in counted.items() if value is not None]))
    print(json.dumps(counted))


if __name__ == "__main__":
    main()
