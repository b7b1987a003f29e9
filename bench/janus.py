"""Sound alone: our daemon and Janus' AudioBridge under the same load, one after the other.

    python -m bench.janus --legs 10 25 50 100 145 --seconds 20

Of the rooms four speak and the others are quiet: each sends 50 Opus packets of 20 ms a second and
gets 50. With ours every room is real ICE, DTLS and SRTP (``bench.generator``); with Janus (Debian's
``janus``, an AudioBridge room of 48 kHz) every room is a plain RTP participant, which spares Janus
the encryption and reports by RTCP (``bench.plain_rtp``). Cores are CPU seconds of the server's
processes for a second; gap is the longest time between two packets at any room. Two rooms of each
run decode what they get: a run in which a room heard nothing is void, and so is one whose generator
was starved.

Needs the Debian package ``janus`` (1.0 or later).
"""

import asyncio
import json
import sys
from collections.abc import Sequence

from bench.command import command_line, void_is_told
from bench.figures import Figure, VoidRunError, table
from bench.janus_server import janus
from bench.load import JOIN_ALLOWANCE_S, Figures, Load, cpu_seconds, meeting, memory_bytes
from tests.peers import child

BAR = 0.25
BAR_LEGS = 100
HEARD_DBOV = -50.0
"""Speech through a mix is louder than this at some time."""


async def load_janus(load: Load) -> Figures:
    """The load against Janus: the generator's figures and the server's cores.

    Raises:
        VoidRunError: Janus is missing or let nobody in, nothing was heard, or the generator was
            starved.
    """
    async with janus() as server:
        generator = await child.start(
            sys.executable, "-m", "bench.plain_rtp",
            "--legs", str(load.legs), "--seconds", str(load.seconds),
            "--speakers", str(load.speakers), "--sampled", str(load.sampled),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert generator.stdin is not None
        assert generator.stdout is not None
        try:
            async with asyncio.timeout(JOIN_ALLOWANCE_S + load.seconds):
                line = await generator.stdout.readline()
                if not line:
                    raise VoidRunError("the generator failed; see its messages above")
                targets = await server.join(json.loads(line))
                generator.stdin.write(json.dumps(targets).encode() + b"\n")
                if (await generator.stdout.readline()).strip() != b"measuring":
                    raise VoidRunError("the generator failed; see its messages above")
                cpu, memory = cpu_seconds(server.pid), memory_bytes(server.pid)
                found: Figures = json.loads(await generator.stdout.readline())
                cores = (cpu_seconds(server.pid) - cpu) / found["seconds"]
        except TimeoutError as error:
            raise VoidRunError("the generator of plain RTP did not end in time") from error
        finally:
            if generator.returncode is None:
                generator.terminate()
            await generator.wait()
    check(found)
    return {
        "legs": load.legs,
        "server_cores": round(cores, 3),
        "server_cores_per_leg": round(cores / load.legs, 5),
        "server_memory_mb": round(memory / 1e6, 1),
    } | found


def check(found: Figures) -> None:
    """Raises: VoidRunError, where figures prove nothing."""
    if found["generator_starved"]:
        raise VoidRunError("the generator of plain RTP was starved of processor time")
    if found["sampled_loudest_dbov"] < HEARD_DBOV:
        raise VoidRunError(f"a room heard nothing: {found['sampled_loudest_dbov']} dBov at most")


async def load_ours(load: Load) -> Figures:
    """The load against our daemon."""
    async with meeting(load) as held:
        return await held.measured()


def ratio_figure(ours: Figures, theirs: Figures) -> Figure:
    """Cores per leg against Janus'; the bar is for BAR_LEGS and more."""
    legs = ours["legs"]
    return Figure(
        f"audio-only leg at {legs} legs: {100 * ours['server_cores_per_leg']:.2f}% of a core, "
        f"{ours['audio_pps_per_leg_min']:.1f} packets/s, gap {ours['audio_gap_ms_max']:.0f} ms",
        ours["server_cores_per_leg"] / theirs["server_cores_per_leg"],
        "x Janus",
        BAR if legs >= BAR_LEGS else None,
        against=f"Janus {100 * theirs['server_cores_per_leg']:.2f}%, "
        f"{theirs['audio_pps_per_leg_min']:.1f} packets/s, "
        f"gap {theirs['audio_gap_ms_max']:.0f} ms",
    )


async def compare(legs: Sequence[int], seconds: float) -> list[tuple[Figures, Figures]]:
    """Ours and Janus' figures at each number of legs.

    Raises:
        VoidRunError: see ``load_janus``.
    """
    pairs = []
    for number in legs:
        load = Load(legs=number, seconds=seconds)
        print(f"{number} legs, {seconds:g} s: Janus", file=sys.stderr)
        theirs = await load_janus(load)
        print(f"{number} legs, {seconds:g} s: ours", file=sys.stderr)
        pairs.append((await load_ours(load), theirs))
    return pairs


async def measure(*, short: bool) -> list[Figure]:
    """Figure 2: core per audio-only leg against Janus'.

    Raises:
        VoidRunError: see ``load_janus``.
    """
    pairs = await compare((BAR_LEGS,) if short else (10, 25, 50, 100, 145), 8.0 if short else 20.0)
    return [ratio_figure(*pair) for pair in pairs]


def main() -> None:
    """Parse, run, print a table and one JSON line."""
    parser = command_line(__doc__)
    parser.add_argument("--legs", type=int, nargs="+", default=[10, 25, 50, 100, 145])
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement")
    options = parser.parse_args()
    with void_is_told():
        pairs = asyncio.run(compare(options.legs, options.seconds))
    print(table(ratio_figure(*pair) for pair in pairs))
    print(json.dumps([{"ours": ours, "janus": theirs} for ours, theirs in pairs]))


if __name__ == "__main__":
    main()
