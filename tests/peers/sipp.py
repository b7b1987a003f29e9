"""SIPp, a second independent SIP implementation: runs a scenario and says whether it went well."""

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.peers import child

RUN_S = 20.0


def is_installed() -> bool:
    """Whether tests with it can run."""
    return shutil.which("sipp") is not None


async def run(
    directory: Path,
    scenario: str,
    target: str,
    *,
    calls: int = 1,
    rate: float = 10.0,
    transport: str = "u1",
    options: Mapping[str, str] | None = None,
    address: str = "127.0.0.1",
) -> None:
    """Run a scenario of ours (XML) or a built-in one (``uac``).

    Args:
        target: ``127.0.0.1:5060``. transport: ``u1`` UDP, ``t1`` TCP on one connection.

    Raises:
        AssertionError: a call did not go as the scenario says; shows what was said.
    """
    command = ["sipp", target, "-i", address, "-t", transport, "-m", str(calls), "-r", str(rate)]
    command += ["-nostdin", "-trace_err", "-error_file", "errors", "-timeout", f"{RUN_S}"]
    command += ["-timeout_error", "-trace_msg", "-message_file", "messages"]
    for name, value in (options or {}).items():
        command += [f"-{name}", value] if value else [f"-{name}"]
    if scenario.lstrip().startswith("<"):
        (directory / "scenario.xml").write_text(scenario)
        command += ["-sf", "scenario.xml"]
    else:
        command += ["-sn", scenario]
    process = await child.start(
        *command,
        cwd=directory,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    said = [
        (directory / name).read_text(errors="replace")[-3000:]
        for name in ("errors", "messages")
        if (directory / name).exists()
    ]
    assert process.returncode == 0, "\n".join([out.decode(errors="replace")[-2000:], *said])
