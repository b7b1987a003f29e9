"""Has reports made, one at a time, by a process of their own (``report_process``)."""

import asyncio
import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog

from mcu.operations.report_request import Form, Request
from mcu.sentences import sentence

MOST_S: Final = 60.0
WAIT_S: Final = 10.0
"""For reports that others asked for before."""

log = structlog.get_logger(__name__)


class ReportFailed(Exception):  # noqa: N818 - what it is
    """There is no report now; says what to do."""


class Reporter:
    """One process at a time: two reports asked for at once come one after the other.

    Args:
        store: the file. zone: name of the time zone of printed times and of months.
        targets: what a conference's id stands behind in the audit.
    """

    def __init__(self, store: Path, zone: str, targets: str) -> None:
        self._make = partial(Request, str(store), zone=zone, targets=targets)
        self._turn = asyncio.Lock()

    async def make(self, form: Form, subject: str, **options: Any) -> bytes:
        """What ``report_process`` answers to ``Request``.

        Args:
            options: the other fields of ``Request`` that the form asks for.

        Raises:
            ReportFailed: it cannot be made, takes too long, or too many wait.
        """
        try:
            async with asyncio.timeout(WAIT_S):
                await self._turn.acquire()
        except TimeoutError:
            raise ReportFailed(sentence("report.another")) from None
        try:
            return await _run(self._make(form, subject, **options))
        finally:
            self._turn.release()


def _environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """Where this program's modules are; without its settings, which hold secrets."""
    plain = {name: value for name, value in inherited.items() if not name.startswith("MCU_")}
    return {**plain, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)}


async def _run(request: Request) -> bytes:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mcu.operations.report_process",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=_environment(os.environ),
    )  # fmt: skip
    try:
        async with asyncio.timeout(MOST_S):
            made, complaint = await process.communicate(request.to_json())
    except TimeoutError:
        raise ReportFailed(sentence("report.too-long", longest_s=MOST_S)) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        said = complaint.decode(errors="replace").strip().splitlines()[-1:]
        log.error("report_failed", subject=request.subject, form=request.form, said="".join(said))
        raise ReportFailed(sentence("report.failed"))
    return made
