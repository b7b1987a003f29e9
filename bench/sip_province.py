"""A meeting beside which hardware rooms call, are called, and go: for ``bench.sip``."""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.figures import VoidRunError
from bench.load import Figures, Load, Meeting, meeting
from bench.sip_load import Outcome, load
from bench.sip_rooms import HANG_UP, address_of
from tests.peers import child
from tests.peers.free_ports import free_port

CALLERS = 40
"""Rooms that call in turn: each has hung up long before it calls again."""
CALL_S = 0.5
ALL_IN_S = 60.0
LOOK_S = 0.2


@dataclass(slots=True)
class Province:
    """A meeting in a daemon that takes and makes calls of hardware rooms.

    Args:
        sip: where it is called. calls: the conference that is called; secrets: who calls it.
        rooms: the process of the hardware rooms.
    """

    held: Meeting
    sip: str
    calls: str
    rooms: asyncio.subprocess.Process
    secrets: dict[str, str] = field(default_factory=dict)
    called_in: str = ""
    """The conference of the hardware rooms, while it runs."""

    async def called(self, seconds: float, rate_hz: float) -> Outcome:
        """Rooms call in for so long."""
        with tempfile.TemporaryDirectory() as folder:
            return await load(
                Path(folder), "call-room", self.sip, calls=round(seconds * rate_hz),
                rate_hz=rate_hz, at_once=CALLERS, users=self.secrets,
                options={
                    "s": self.calls,
                    "auth_uri": f"{self.calls}@{self.sip}",
                    "d": str(round(CALL_S * 1000)),
                },
            )  # fmt: skip

    async def seen(self, order: str = "") -> dict[str, float]:
        """What the hardware rooms have seen, after they did what they are told."""
        assert self.rooms.stdin is not None
        assert self.rooms.stdout is not None
        self.rooms.stdin.write(f"{order}\n".encode())
        found: dict[str, float] = json.loads(await self.rooms.stdout.readline())
        return found

    async def call_all(self, count: int) -> Figures:
        """Call all hardware rooms at once, and wait until they are in.

        Raises:
            VoidRunError: they were not within ALL_IN_S.
        """
        daemon = self.held.daemon
        bridges = [f"room{number}" for number in range(count)]
        body = {"name": "Gọi tất cả", "unit": "tinh", "bridges": bridges}
        began = time.monotonic()
        before = (await self.seen())["calls"]
        self.called_in = (await daemon.call("POST", "/conferences", body))["id"]
        await self.until_inside(count, "were in", began)
        joined_s = time.monotonic() - began
        while (seen := await self.seen())["heard"] < count:
            if time.monotonic() - began > ALL_IN_S:
                raise VoidRunError(f"only {seen['heard']} of {count} rooms got sound")
            await asyncio.sleep(LOOK_S)
        return {
            "joined_s": joined_s,
            "answered_s": seen["last_answered_at"] - began,
            "heard_s": seen["last_heard_at"] - began,
            "calls": seen["calls"] - before,
        }

    async def end(self, count: int) -> Figures:
        """End the conference of the hardware rooms, and wait until all have been told.

        Raises:
            VoidRunError: they were not within ALL_IN_S.
        """
        before = (await self.seen())["ended"]
        began = time.monotonic()
        await self.held.daemon.call("DELETE", f"/conferences/{self.called_in}")
        answered_s = time.monotonic() - began
        while (seen := await self.seen())["ended"] - before < count:
            if time.monotonic() - began > ALL_IN_S:
                raise VoidRunError(f"only {seen['ended'] - before} of {count} rooms were told")
            await asyncio.sleep(LOOK_S)
        return {"answered_s": answered_s, "over_s": seen["last_ended_at"] - began}

    async def hang_up(self) -> Figures:
        """Let all hardware rooms hang up at once, and wait until none is in.

        Raises:
            VoidRunError: some were after ALL_IN_S.
        """
        began = time.monotonic()
        await self.seen(HANG_UP)
        await self.until_inside(0, "had not left", began)
        return {"over_s": time.monotonic() - began}

    async def until_inside(self, count: int, what: str, began: float) -> None:
        """Wait until so many are in the conference of the hardware rooms."""
        path = f"/conferences/{self.called_in}/participants?limit=500"
        inside = -1
        while inside != count:
            if time.monotonic() - began > ALL_IN_S:
                raise VoidRunError(f"{inside} rooms, not {count}, {what} after {ALL_IN_S} s")
            await asyncio.sleep(LOOK_S)
            roster = (await self.held.daemon.call("GET", path))["items"]
            inside = sum(one["state"] == "connected" for one in roster)


@asynccontextmanager
async def province(legs: int, seconds: float, hardware: int) -> AsyncIterator[Province]:
    """The daemon, its conferences, and the process of the hardware rooms.

    Args:
        legs: rooms of the meeting; for so many seconds at a time. hardware: rooms that are called.
    """
    sip_port = free_port()
    environment = {
        "MCU_SIP__HOST": "127.0.0.1", "MCU_SIP__UDP_PORT": str(sip_port),
        "MCU_SIP__TCP_PORT": "0", "MCU_SIP__TLS_PORT": "0",
        # All callers share one address and one phone, which knows MD5 only.
        "MCU_SIP__MESSAGES_PER_SECOND": "10000", "MCU_SIP__MESSAGE_BURST": "10000",
        "MCU_SIP__DIGEST_ALGORITHMS": '["MD5"]',
        "MCU_LIMITS__MAX_LEGS": str(legs + CALLERS + hardware + 10),
    }  # fmt: skip
    rooms = await child.start(
        sys.executable, "-m", "bench.sip_rooms", "--count", str(hardware),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert rooms.stdout is not None
    try:
        port = json.loads(await rooms.stdout.readline())["port"]
        held_load = Load(legs=legs, seconds=seconds, video=True, layout="3x3",
                         video_senders=legs)  # fmt: skip
        async with meeting(held_load, spare_legs=0, environment=environment) as held:
            secrets = {}
            for number in range(CALLERS):
                secrets[f"caller{number}"] = await _room(held, f"caller{number}")
            for number in range(hardware):
                address = f"sip:room{number}@{address_of(number)}:{port}"
                await _room(held, f"room{number}", address)
            body = {"name": "Gọi vào", "unit": "tinh", "bridges": list(secrets)}
            calls = (await held.daemon.call("POST", "/conferences", body))["id"]
            yield Province(held, f"127.0.0.1:{sip_port}", calls, rooms, secrets)
    finally:
        if rooms.returncode is None:
            rooms.terminate()
        await rooms.wait()


async def _room(held: Meeting, name: str, address: str = "") -> str:
    """Register a hardware room; gives its secret where it has no address, and calls itself."""
    body: dict[str, Any] = {"id": name, "name": name, "unit": "tinh", "kind": "sip"}
    if address:
        body["address"] = address
    await held.daemon.call("POST", "/bridges", body)
    if address:
        return ""
    found = await held.daemon.call("POST", f"/bridges/{name}/sip-secret", {})
    return str(found["secret"])
