"""``mcu bridge`` as a process of its own."""

import asyncio
import os
import signal
import sys
import time
from types import TracebackType
from typing import Self

from tests.peers import child

STOP_TIMEOUT_S = 60.0


class SoftwareBridge:
    """An async context manager; what is left at the end is terminated.

    Attributes:
        said: lines of standard error so far.
    """

    def __init__(self, server: str, token: str, *arguments: str) -> None:
        self.said: list[str] = []
        self._command = (sys.executable, "-m", "mcu", "bridge", *arguments)
        outside = {key: value for key, value in os.environ.items() if not key.startswith("MCU_")}
        self._environment = {**outside, "MCU_SERVER": server, "MCU_TOKEN": token}
        self._process: asyncio.subprocess.Process
        self._reading: asyncio.Task[None]
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._process = await child.start(
            *self._command, env=self._environment, stderr=asyncio.subprocess.PIPE
        )
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reading

    async def until_said(self, words: str, *, after: int = 0, timeout_s: float = 30.0) -> int:
        """Until a line from number ``after`` on has the words; gives the number of the next one."""
        async with asyncio.timeout(timeout_s):
            while True:
                for number, line in enumerate(self.said[after:], after):
                    if words in line:
                        return number + 1
                assert not self._reading.done(), f"it ended and said {self.said}"
                self._news.clear()
                await self._news.wait()

    async def ended(self) -> int:
        """Its exit code, when it has ended by itself."""
        async with asyncio.timeout(60):
            code = await self._process.wait()
        await self._reading
        return code

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Tell it to stop; gives the exit code and how long that took."""
        began = time.monotonic()
        self._process.send_signal(number)
        async with asyncio.timeout(STOP_TIMEOUT_S):
            code = await self._process.wait()
        return code, time.monotonic() - began

    async def _read(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            self.said.append(line.decode().rstrip())
            self._news.set()
        self._news.set()
