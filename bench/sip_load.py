"""SIPp as load, and what it says of its calls; for ``bench.sip``."""

import asyncio
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.figures import VoidRunError
from tests.peers import child
from tests.peers.sipp import SCENARIOS

ALLOWANCE_S = 60.0
_SUCCESSFUL = re.compile(r"Successful call\s*\|[^|]*\|\s*(\d+)")
_FAILED = re.compile(r"Failed call\s*\|[^|]*\|\s*(\d+)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of all calls (registrations are calls to SIPp), and how long they took."""

    made: int
    failed: int
    seconds: float


async def load(
    folder: Path,
    scenario: str,
    target: str,
    *,
    calls: int,
    rate_hz: float,
    at_once: int,
    users: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
) -> Outcome:
    """Run a scenario of ``tests.peers.sipp`` or a built-in one as load, over UDP.

    Args:
        calls: in all. rate_hz: begun a second. at_once: most that are under way.
        users: name → secret, taken in turn by scenarios that sign in.
        options: further ones of its command line.

    Raises:
        VoidRunError: SIPp is not installed, or said nothing that could be read.
    """
    if shutil.which("sipp") is None:
        raise VoidRunError("SIPp is not installed")
    command = ["sipp", target, "-i", "127.0.0.1", "-nostdin", "-m", str(calls)]
    command += ["-r", f"{rate_hz:g}", "-l", str(at_once)]
    command += ["-timeout", f"{calls / rate_hz + ALLOWANCE_S:.0f}"]
    ours = SCENARIOS / f"{scenario}.xml"
    command += ["-sf", str(ours)] if ours.exists() else ["-sn", scenario]
    if users:
        lines = ["SEQUENTIAL"]
        lines += [
            f"{name};[authentication username={name} password={secret}]"
            for name, secret in users.items()
        ]
        (folder / "users.csv").write_text("\n".join([*lines, ""]))
        command += ["-inf", "users.csv"]
    for name, value in (options or {}).items():
        command += [f"-{name}", value]
    began = time.monotonic()
    process = await child.start(
        *command,
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return outcome(out.decode(errors="replace"), time.monotonic() - began)


def outcome(screen: str, seconds: float) -> Outcome:
    """Read the last of SIPp's screens.

    Raises:
        VoidRunError: there is none.
    """
    made, failed = _SUCCESSFUL.findall(screen), _FAILED.findall(screen)
    if not made or not failed:
        raise VoidRunError(f"SIPp did not run: {screen[-500:]}")
    return Outcome(int(made[-1]), int(failed[-1]), seconds)
