"""How a room bears bad networks: the real daemon, a real Chromium, a bad line between them.

A conference of a few generator rooms that speak and send moving pictures on good lines, and one
room in Chromium whose every datagram passes an emulator in user space (``mcu.media.impairment``;
the kernel's netem is not available everywhere). Each network lasts ``--seconds``, then the line is
good again, until the room has its best picture back or ``--rest`` seconds are over.

    python -m bench.netem
    python -m bench.netem --networks clean,loss-10,300k --seconds 20

Columns, of the time in which the network was bad unless they say otherwise:

  gap        longest time between two packets of sound that reached the room (ms)
  concealed  sound that Chromium had to make up, of all it played (%)
  freeze     longest time between two pictures on Chromium's screen (ms)
  froze      Chromium's own totalFreezesDuration (ms) and freezeCount
  recovery   from the moment the line is good again to the first new picture (ms)
  rung, in   the picture the daemon gave at the end, and when it had last changed it (s)
  best again from the moment the line is good again to the best picture (s); -: not within --rest
  up lost    of what the room sent, sound and pictures (%)
  lost, rtx, pli   the daemon's view: share lost as reported last, packets repeated, key frames
             asked for; nack/pli: Chromium's of the same time
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.command import command_line
from bench.figures import Figure
from bench.netem_page import PageRoom
from bench.netem_relay import HOST, Relay
from bench.netem_room import RelayedRoom
from mcu.engine.adaptation import REGRET_S
from mcu.media.impairment import Conditions
from tests.peers import child
from tests.peers.daemon import ADMIN_TOKEN, Daemon

Figures = dict[str, Any]
POLL_S = 0.25
SETTLE_S, SHORT_SETTLE_S = 8.0, 4.0
GENERATOR_ROOMS = 3
SECONDS, REST_S, SEED = 15.0, 30.0, 1
SHORT_NETWORKS = ("loss-5", "path-change", "300k")
"""The one after which a leg has to climb is the last: nothing waits for that."""
SHORT_SECONDS, SHORT_REST_S = 5.0, 4.0


@dataclass(frozen=True, slots=True)
class Network:
    """A bad line.

    Args:
        up, down: from and to the room.
        cut_s: nothing comes through for so long. moves: the room's address changes.
        on_page: the room is on the join page, whose requests are cut as well.
    """

    down: Conditions
    up: Conditions
    cut_s: float = 0.0
    moves: bool = False
    on_page: bool = False


def _both(**changes: Any) -> Network:
    one = replace(Conditions(delay=0.02), **changes)
    return Network(one, one)


NETWORKS: Mapping[str, Network] = {
    "clean": _both(),
    "loss-1": _both(loss=0.01),
    "loss-5": _both(loss=0.05),
    "loss-10": _both(loss=0.10),
    "loss-20": _both(loss=0.20),
    "bursts": _both(burst_begins=0.01, burst_packets=12.0, burst_loss=0.5),
    "jitter-40": _both(jitter=0.04),
    "jitter-200": _both(jitter=0.2),
    "reordering": _both(late=0.1, late_s=0.03, duplicates=0.02),
    "300k": Network(Conditions(delay=0.02, rate_bps=300_000), Conditions(delay=0.02)),
    "1M": Network(Conditions(delay=0.02, rate_bps=1_000_000), Conditions(delay=0.02)),
    "300k-up": Network(Conditions(delay=0.02), Conditions(delay=0.02, rate_bps=300_000)),
    "blackout-10s": replace(_both(), cut_s=10.0),
    # So long a browser does not bear: the join page has to come back by itself.
    "blackout-30s": replace(_both(), cut_s=30.0, on_page=True),
    "path-change": replace(_both(), moves=True),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured.

    Args:
        networks: names, one after the other. seconds: each lasts, but those that cut the line.
        rest_s: good line after each, at most. settle_s: before the first.
        seed: of all that is random about the line.
    """

    networks: Sequence[str] = tuple(NETWORKS)
    seconds: float = SECONDS
    rest_s: float = REST_S
    settle_s: float = SETTLE_S
    seed: int = SEED


class Bench:
    """One daemon, one conference, one room behind the relay."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._daemon: Daemon
        self._relay: Relay
        self._room: RelayedRoom

    async def run(self) -> list[Figures]:
        """All networks, one after the other."""
        async with AsyncExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            self._daemon = await stack.enter_async_context(
                Daemon(folder / "data", environment={"MCU_MEDIA__HOST": HOST})
            )
            names = {f"b{number}": f"Xã {number}" for number in range(GENERATOR_ROOMS)}
            conference, tokens = await self._daemon.province(
                names | {"weak": "Xã xa", "page": "Xã ở xa"}, layout="2x2"
            )
            url = f"{self._daemon.url}/api/v1/conferences/{conference}/legs?bridge=b{{leg}}"
            await self._start_generator(stack, url)
            self._relay = Relay((HOST, self._daemon.media_port), self._plan.seed)
            await self._relay.open()
            stack.callback(self._relay.close)
            clean = NETWORKS["clean"]
            self._relay.set(clean.up, clean.down, "first")
            self._room = await stack.enter_async_context(RelayedRoom(folder, self._relay))
            await self._room.join(self._daemon.url, conference, tokens["weak"])
            print("the room is in", file=sys.stderr)
            await asyncio.sleep(self._plan.settle_s)
            found = []
            networks = self._plan.networks
            for number, name in enumerate(networks, 1):
                print(f"[{number}/{len(networks)}] ", end="", file=sys.stderr)
                figures = await self._measure(name, last=number == len(networks))
                print(json.dumps(figures), file=sys.stderr)
                found.append(figures)
            return found

    async def _start_generator(self, stack: AsyncExitStack, url: str) -> None:
        generator = await child.start(
            sys.executable, "-m", "bench.generator", "--url", url, "--token", ADMIN_TOKEN,
            "--legs", str(GENERATOR_ROOMS), "--video", "--speakers", "2", "--sampled", "0",
            "--seconds", "100000", stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip

        async def end() -> None:
            if generator.returncode is None:
                generator.terminate()
            await generator.wait()

        stack.push_async_callback(end)
        assert generator.stdout is not None
        async with asyncio.timeout(60):
            if (await generator.stdout.readline()).strip() != b"measuring":
                raise RuntimeError("the generator could not join; see its messages above")

    async def _measure(self, name: str, *, last: bool) -> Figures:
        network = NETWORKS[name]
        print(f"{name}: {network.cut_s or self._plan.seconds:g} s", file=sys.stderr)
        if network.on_page:
            return {"network": name, **await self._page_comes_back(network)}
        relay, room = self._relay, self._room
        relay.set(network.up, network.down, name)
        await room.restart()
        relay.sound.reset()
        before, ours = await room.seen(), await self._leg()
        began = time.monotonic()
        relay.cut(bool(network.cut_s))
        if network.moves:
            await relay.change_path()
        rung, changed_at = await self._watch(network.cut_s or self._plan.seconds, began)
        after, ours_after = await room.seen(), await self._leg()
        gap_s = relay.sound.longest_gap_s
        if relay.sound.last_at is not None:
            gap_s = max(gap_s, asyncio.get_running_loop().time() - relay.sound.last_at)
        clean = NETWORKS["clean"]
        relay.set(clean.up, clean.down, "rest")
        fell = not (ours_after["receives"] or {}).get("best", True)
        recovery_ms, best_s = await self._recover()
        if fell and not last:
            # The next network is not to be taken for a try that failed: the wait would double.
            await asyncio.sleep(REGRET_S)
        video, video_after = ours["sent"]["video"], ours_after["sent"]["video"]
        up_lost = {kind: _lost(ours, ours_after, kind) for kind in ("audio", "video")}
        samples = max(1, after.samples - before.samples)
        return {
            "network": name,
            "audio_gap_ms": round(gap_s * 1000),
            "concealed_percent": round(100 * (after.concealed - before.concealed) / samples, 2),
            "picture_freeze_ms": round(after.longest_gap_ms),
            "chromium_freezes_ms": round((after.freeze_s - before.freeze_s) * 1000),
            "chromium_freezes": after.freezes - before.freezes,
            "recovery_ms": recovery_ms,
            "rung": rung,
            "rung_after_s": changed_at,
            "best_again_s": best_s,
            "reason": (ours_after["receives"] or {}).get("text", ""),
            "reported_loss_percent": round(video_after["fraction_lost"] * 100, 1),
            "repeated": video_after["retransmissions"] - video["retransmissions"],
            "plis": video_after["plis"] - video["plis"],
            "up_lost_percent": up_lost,
            "up_video_bps": ours_after["received"]["video"]["bitrate_bps"],
            "chromium_nacks": after.nacks - before.nacks,
            "chromium_plis": after.plis - before.plis,
            "chromium_height": after.height,
            "remb_bps": ours_after["remb_bps"],
        }

    async def _page_comes_back(self, network: Network) -> Figures:
        relay = Relay((HOST, self._daemon.media_port), self._plan.seed)
        await relay.open()
        try:
            relay.set(network.up, network.down, "page")
            async with PageRoom(relay) as room:
                await room.join(self._daemon, "page")
                await asyncio.sleep(self._plan.settle_s)
                return await room.blackout(network.cut_s, self._plan.rest_s)
        finally:
            relay.close()

    async def _watch(self, seconds: float, began: float) -> tuple[str, float]:
        """The rung at the end of so many seconds, and when it came (0: it was there before)."""
        rung, changed_at = await self._rung(), 0.0
        while time.monotonic() - began < seconds:
            await asyncio.sleep(POLL_S)
            now_gets = await self._rung()
            if now_gets != rung:
                rung, changed_at = now_gets, round(time.monotonic() - began, 1)
        return rung, changed_at

    async def _recover(self) -> tuple[int | None, float | None]:
        """Milliseconds to the first picture, seconds to the best one, of a line good again."""
        began = time.monotonic()
        frames = (await self._room.seen()).frames
        first: int | None = None
        while time.monotonic() - began < self._plan.rest_s:
            passed = time.monotonic() - began
            if first is None and (await self._room.seen()).frames > frames:
                first = round(passed * 1000)
            receives = (await self._leg())["receives"]
            if first is not None and receives is not None and receives["best"]:
                return first, round(passed, 1)
            await asyncio.sleep(0.05 if first is None else POLL_S)
        return first, None

    async def _leg(self) -> Figures:
        path = self._room.leg.removeprefix("/api/v1")
        found: Figures = await self._daemon.call("GET", path)
        return found

    async def _rung(self) -> str:
        receives = (await self._leg())["receives"]
        if receives is None:
            return "?"
        return f"{receives['step']} {receives['bitrate_bps'] // 1000}k"


def _lost(before: Figures, after: Figures, kind: str) -> float:
    """What the daemon did not get of a stream, percent; repaired losses are none."""
    first, last = before["received"][kind], after["received"][kind]
    lost = max(0, last["packets_lost"] - first["packets_lost"])
    came = last["packets"] - first["packets"]
    percent: float = round(100 * lost / max(1, lost + came), 1)
    return percent


def table(found: list[Figures]) -> str:
    """For people, and for docs/performance.md."""
    head = (
        "network", "gap", "concealed", "freeze", "froze", "recovery", "rung", "in", "best again",
        "up lost", "lost", "rtx", "pli", "nack/pli",
    )  # fmt: skip
    rows = [head, ("---",) * len(head)]
    for one in found:
        if "rung" not in one:
            # The page's room comes back as another leg: there is nothing of one to compare.
            gap, freeze, recovery = (
                "-" if one[key] is None else str(one[key])
                for key in ("audio_gap_ms", "picture_freeze_ms", "recovery_ms")
            )
            concealed = f"{one['concealed_percent']:.1f}"
            rows.append((one["network"], gap, concealed, freeze, "-", recovery, *"--------"))
            continue
        best = one["best_again_s"]
        recovery = one["recovery_ms"]
        rows.append(
            (
                one["network"],
                str(one["audio_gap_ms"]),
                f"{one['concealed_percent']:.1f}",
                str(one["picture_freeze_ms"]),
                f"{one['chromium_freezes_ms']} ({one['chromium_freezes']})",
                "-" if recovery is None else str(recovery),
                one["rung"],
                f"{one['rung_after_s']:g}",
                "-" if best is None else f"{best:g}",
                "{audio:g}/{video:g}".format(**one["up_lost_percent"]),
                f"{one['reported_loss_percent']:g}%",
                str(one["repeated"]),
                str(one["plis"]),
                f"{one['chromium_nacks']}/{one['chromium_plis']}",
            )
        )
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


async def measure(*, short: bool) -> list[Figure]:
    """What a room hears and sees on bad networks: of three (short), or of all.

    Needs Chromium (Debian: chromium).
    """
    plan = Plan(SHORT_NETWORKS, SHORT_SECONDS, SHORT_REST_S, SHORT_SETTLE_S) if short else Plan()
    return figures_of(await Bench(plan).run())


def figures_of(found: Sequence[Figures]) -> list[Figure]:
    """Two for each network; what else was seen stands beside them. There is no bar for these."""
    figures = []
    for one in found:
        after = one["recovery_ms"]
        again = "no picture again" if after is None else f"next picture {after} ms after its end"
        freeze = one["picture_freeze_ms"]
        sound = one["audio_gap_ms"]
        figures.append(
            Figure(
                f"{one['network']}: sound that Chromium made up",
                one["concealed_percent"],
                "%",
                against="no sound again" if sound is None else f"longest gap {sound} ms",
            )
        )
        if freeze is None:
            continue
        of_chromium = ""
        if "rung" in one:
            of_chromium = (
                f"; Chromium: {one['chromium_freezes']} freezes, "
                f"{one['chromium_freezes_ms']} ms; {one['rung']} at the end"
            )
        figures.append(
            Figure(
                f"{one['network']}: longest time between two pictures",
                freeze,
                "ms",
                against=f"{again}{of_chromium}",
            )
        )
    return figures


def main() -> None:
    """Parse, run, print the table and one JSON line."""
    parser = command_line(__doc__)
    parser.add_argument(
        "--networks", default=",".join(NETWORKS), help=f"some of {', '.join(NETWORKS)}"
    )
    parser.add_argument("--seconds", type=float, default=SECONDS, help="each network lasts")
    parser.add_argument(
        "--rest", type=float, default=REST_S, help="seconds of good line after each, at most"
    )
    parser.add_argument(
        "--seed", type=int, default=SEED, help="of all that is random about the line"
    )
    options = parser.parse_args()
    plan = Plan(options.networks.split(","), options.seconds, options.rest, seed=options.seed)
    unknown = set(plan.networks) - set(NETWORKS)
    if unknown:
        parser.error(f"no such network: {', '.join(sorted(unknown))}")
    found = asyncio.run(Bench(plan).run())
    print(table(found))
    print(json.dumps({"seconds": plan.seconds, "seed": plan.seed, "networks": found}))


if __name__ == "__main__":
    main()
