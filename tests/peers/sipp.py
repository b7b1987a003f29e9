"""SIPp, a second independent SIP implementation: runs a scenario and says whether it went well."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.peers import child

RUN_S = 60.0
SCENARIOS = Path(__file__).parent / "sipp_scenarios"
"""Ours, one file each; what each does stands in its first lines."""


def is_installed() -> bool:
    """Whether tests with it can run."""
    return shutil.which("sipp") is not None


@dataclass(frozen=True, slots=True)
class Run:
    """SIPp at work, or done.

    Args:
        directory: where it writes.
    """

    process: asyncio.subprocess.Process
    directory: Path

    async def done(self) -> None:
        """Wait until all its calls are over.

        Raises:
            AssertionError: a call did not go as the scenario says; shows what was said.
        """
        out, _ = await self.process.communicate()
        said = [
            (self.directory / name).read_text(errors="replace")[-3000:]
            for name in ("errors", "messages")
            if (self.directory / name).exists()
        ]
        shown = "\n".join([out.decode(errors="replace")[-2000:], *said])
        assert self.process.returncode == 0, shown

    def messages(self) -> str:
        """All that was sent and received, once it is done."""
        return (self.directory / "messages").read_text(errors="replace")


@asynccontextmanager
async def started(
    directory: Path,
    scenario: str,
    target: str | None,
    *,
    calls: int = 1,
    rate: float = 10.0,
    transport: str = "u1",
    options: Mapping[str, str] | None = None,
    keys: Mapping[str, str] | None = None,
    address: str = "127.0.0.1",
    seconds: float = RUN_S,
) -> AsyncIterator[Run]:
    """Start a scenario; it ends with the block, if it has not before.

    Args:
        scenario: the name of one of ``SCENARIOS`` or of a built-in one (``uac``), or XML.
        target: ``127.0.0.1:5060``; None for a scenario that waits for calls.
        transport: ``u1`` UDP, ``t1`` TCP on one connection.
        options: of its command line. keys: what stands for ``[name]`` in the scenario.
        seconds: after which it gives up.
    """
    directory.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - a test's folder
    command = ["sipp", *([target] if target else []), "-i", address, "-t", transport]
    command += ["-m", str(calls), "-r", str(rate), "-nostdin"]
    command += ["-timeout", f"{seconds}", "-timeout_error"]
    command += ["-trace_err", "-error_file", "errors", "-trace_msg", "-message_file", "messages"]
    for name, value in (options or {}).items():
        command += [f"-{name}", value] if value else [f"-{name}"]
    for name, value in (keys or {}).items():
        command += ["-key", name, value]
    ours = SCENARIOS / f"{scenario}.xml"
    if scenario.lstrip().startswith("<"):
        (directory / "scenario.xml").write_text(scenario)
        command += ["-sf", "scenario.xml"]
    elif ours.exists():
        command += ["-sf", str(ours)]
    else:
        command += ["-sn", scenario]
    process = await child.start(
        *command,
        cwd=directory,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Run(process, directory)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def run(
    directory: Path,
    scenario: str,
    target: str,
    *,
    calls: int = 1,
    rate: float = 10.0,
    transport: str = "u1",
    options: Mapping[str, str] | None = None,
    keys: Mapping[str, str] | None = None,
    address: str = "127.0.0.1",
) -> Run:
    """Run a scenario to its end; see ``started``.

    Raises:
        AssertionError: a call did not go as the scenario says; shows what was said.
    """
    async with started(
        directory,
        scenario,
        target,
        calls=calls,
        rate=rate,
        transport=transport,
        options=options,
        keys=keys,
        address=address,
    ) as found:
        await found.done()
    return found
