"""Rooms that come one after the other, also when one was refused, until twice as many have come.

Started by ``bench.overload``. Those inside send and receive as in ``bench.generator``; what those
get who were inside at the first refusal is counted from then on, while others go on asking and may
be let in. One JSON line at the end.
"""

import argparse
import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import uvloop

from bench.generator import Generator, arguments
from bench.generator_leg import GeneratorLeg


@dataclass(slots=True)
class Refusal:
    """What a room was told that was not let in."""

    status: int
    retry_after: str
    detail: str


@dataclass(slots=True)
class Crowd:
    """Who came, and what became of them."""

    inside: list[GeneratorLeg] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    full_after_s: float = 0.0


class CrowdGenerator(Generator):
    """Legs of a generator that ask to come in at a steady pace.

    Args:
        options: the generator's, with ``per_second``.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__(options)
        self._crowd = Crowd()

    async def run(self) -> dict[str, Any]:
        """Let them come; gives the figures of those inside."""
        options = self._options
        self._make_legs()
        sender = asyncio.create_task(self._send())
        headers = {"Authorization": f"Bearer {options.token}"}
        waiting = iter(enumerate(list(self.legs)))
        crowd, self.legs = self._crowd, self._crowd.inside
        print("measuring", flush=True)
        async with aiohttp.ClientSession(headers=headers) as http:
            began = time.monotonic()
            async with asyncio.TaskGroup() as joining:
                while not crowd.refusals:
                    entry = next(waiting, None)
                    if entry is None:
                        break
                    joining.create_task(self._ask(http, *entry))
                    await asyncio.sleep(1.0 / options.per_second)
            crowd.full_after_s = time.monotonic() - began
            if not crowd.refusals:
                raise RuntimeError(f"all {options.legs} rooms were let in")
            let_in = len(crowd.inside)
            measuring = asyncio.create_task(self._measure(self._options.seconds))
            # Twice as many as are inside have asked some time before the end.
            pace = max(options.per_second, 1.2 * let_in / options.seconds)
            ask_at = time.monotonic()
            while not measuring.done():
                entry = next(waiting, None)
                if entry is not None:
                    await self._ask(http, *entry)
                ask_at += 1.0 / pace
                await asyncio.sleep(max(0.0, ask_at - time.monotonic()))
            figures = await measuring
        sender.cancel()
        for leg in self.legs:
            leg.close()
        return figures | {
            "inside_at_first_refusal": let_in,
            "inside": len(crowd.inside),
            "refused": len(crowd.refusals),
            "full_after_s": round(crowd.full_after_s, 1),
            "statuses": sorted({one.status for one in crowd.refusals}),
            "retry_after": sorted({one.retry_after for one in crowd.refusals}),
            "details": sorted({one.detail for one in crowd.refusals}),
        }

    async def _ask(self, http: aiohttp.ClientSession, number: int, leg: GeneratorLeg) -> None:
        url = self._options.url.replace("{leg}", str(number))
        refusal = await refused(http, url, leg)
        if refusal is None:
            self._crowd.inside.append(leg)
            self._sending.append(leg)
        else:
            leg.close()
            self._crowd.refusals.append(refusal)
        inside, outside = len(self._crowd.inside), len(self._crowd.refusals)
        print(f"\rinside {inside}, refused {outside}", end="", file=sys.stderr)


async def refused(http: aiohttp.ClientSession, url: str, leg: GeneratorLeg) -> Refusal | None:
    """Offer; None: the leg is in, connected.

    Raises:
        TimeoutError: it was let in, and no connection came about.
    """
    async with http.post(
        url, data=leg.offer(), headers={"Content-Type": "application/sdp"}
    ) as response:
        body = await response.text()
        if response.status != 201:
            detail = json.loads(body).get("detail", "")
            return Refusal(response.status, response.headers.get("Retry-After", ""), detail)
    leg.apply_answer(body)
    async with asyncio.timeout(30.0):
        await leg.connected
    return None


def main() -> None:
    """Run one crowd."""
    parser = arguments()
    parser.add_argument("--per-second", type=float, default=5.0, help="rooms that ask to come in")
    options = parser.parse_args()
    options.sampled = min(options.sampled, options.legs)
    options.speakers = min(options.speakers, options.legs)
    print(json.dumps(uvloop.run(CrowdGenerator(options).run())), flush=True)


if __name__ == "__main__":
    main()
