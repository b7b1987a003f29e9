"""Steers libre's BFCP, which runs as a process of its own (``tests.peers.libre_bfcp``)."""

import asyncio
import ctypes
import json
import sys
from pathlib import Path
from typing import Any, Self

from tests.peers.libre_bfcp import LIBRARY

ROOT = Path(__file__).parents[2]
WAIT_S = 20.0


def is_installed() -> bool:
    """Whether tests with it can run (Debian: libre0)."""
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        return False
    return True


class Libre:
    """The process; an async context manager.

    Args:
        arguments: see ``tests.peers.libre_bfcp``.

    Attributes:
        port: where it is. conference, user: under which numbers it asks.
    """

    def __init__(self, *arguments: str) -> None:
        self.arguments = arguments
        self.port = 0
        self.conference, self.user = 1, 3

    async def __aenter__(self) -> Self:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.peers.libre_bfcp", *self.arguments,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT,
        )  # fmt: skip
        self.port = (await self.next())["port"]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            await asyncio.wait_for(self.process.wait(), WAIT_S)
        except TimeoutError:
            self.process.kill()
            raise

    async def next(self) -> dict[str, Any]:
        """What happened next."""
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), WAIT_S)
        found: dict[str, Any] = json.loads(line)
        return found

    def ask(self, to: int, what: str, *attributes: tuple[str, int], version: int = 2) -> None:
        """Send a request to that port."""
        assert self.process.stdin is not None
        command = {
            "to": to, "ask": what, "version": version, "conference": self.conference,
            "user": self.user, "attributes": attributes,
        }  # fmt: skip
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
