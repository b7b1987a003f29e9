"""The real daemon as a process of its own, on loopback, with a data directory of its own."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from tests.peers import child
from tests.peers.free_ports import free_port

ADMIN_TOKEN = "test-administrator-token-0123456789"
START_TIMEOUT_S = 80.0


class Daemon:
    """``mcu serve``; an async context manager.

    Args:
        data_dir: kept over ``kill`` and ``start``.
        host: HTTP address. environment: further ``MCU_…`` settings.
    """

    def __init__(
        self, data_dir: Path, *, host: str = "127.0.0.1", environment: dict[str, str] | None = None
    ) -> None:
        self.data_dir = data_dir
        self.http_port = free_port()
        self.media_port = free_port()
        literal = f"[{host}]" if ":" in host else host
        self.url = f"http://{literal}:{self.http_port}"
        self._environment = {
            "MCU_HTTP__HOST": host,
            "MCU_HTTP__PORT": str(self.http_port),
            "MCU_MEDIA__HOST": "::",
            "MCU_MEDIA__PORT": str(self.media_port),
            "MCU_DATA_DIR": str(data_dir),
            "MCU_AUTH__BOOTSTRAP_TOKEN": ADMIN_TOKEN,
            # A busy machine makes tests slow; it is not to make them fail.
            "MCU_LIMITS__OVERLOAD_PROTECTION": "false",
            **(environment or {}),
        }
        self._process: asyncio.subprocess.Process | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What the daemon has logged so far."""
        return (self.data_dir / "daemon.log").read_text(errors="replace")

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {ADMIN_TOKEN}"},
            timeout=aiohttp.ClientTimeout(total=60),
        )
        try:
            await self.start()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._end()

    async def _end(self) -> None:
        assert self._session is not None
        await self._session.close()
        if self._process is not None and self._process.returncode is None:
            await self.stop()

    async def start(self) -> None:
        """Start it and wait until it is ready."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with (self.data_dir / "daemon.log").open("ab") as out:
            self._process = await child.start(
                sys.executable,
                "-m",
                "mcu",
                "serve",
                env={**os.environ, **self._environment},
                stdout=out,
                stderr=out,
            )
        async with asyncio.timeout(START_TIMEOUT_S):
            while not await self._ready():
                if self._process.returncode is not None:
                    raise RuntimeError(f"the daemon ended: {self.log[-4000:]}")
                await asyncio.sleep(0.1)

    async def _ready(self) -> bool:
        assert self._session is not None
        try:
            async with self._session.get(f"{self.url}/readyz") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    async def kill(self) -> None:
        """``kill -9``: nothing is said goodbye to, nothing is flushed."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        await self._process.wait()

    async def stop(self) -> int:
        """SIGTERM; gives the exit code."""
        assert self._process is not None
        self._process.terminate()
        async with asyncio.timeout(60):
            return await self._process.wait()

    async def call(
        self, method: str, path: str, body: Any = None, *, token: str | None = None
    ) -> Any:
        """One REST call below ``/api/v1``; raises AssertionError with the body on an error."""
        assert self._session is not None
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self._session.request(
            method, f"{self.url}/api/v1{path}", json=body, headers=headers
        ) as response:
            text = await response.text()
            assert response.status < 400, f"{method} {path}: {response.status} {text}"
            return await response.json() if text else None

    async def metrics(self) -> dict[str, float]:
        """Samples of ``/metrics`` by name with labels."""
        assert self._session is not None
        async with self._session.get(f"{self.url}/metrics") as response:
            assert response.status == 200, await response.text()
            text = await response.text()
        samples = {}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                samples[name] = float(value)
        return samples

    async def register(
        self,
        rooms: Mapping[str, str],
        *,
        unit: str = "khanh-hoa",
        unit_name: str = "Tỉnh Khánh Hòa",
        **bridge: Any,
    ) -> None:
        """A province with rooms (id -> name) that have a page; ``bridge``: what more they have."""
        await self.call("POST", "/units", {"id": unit, "name": unit_name, "level": "province"})
        for id_, name in rooms.items():
            body = {"id": id_, "name": name, "unit": unit, "kind": "webrtc", **bridge}
            await self.call("POST", "/bridges", body)

    async def clear(self) -> None:
        """End all conferences and delete all scenarios: who comes next finds rooms alone."""
        for kind in ("conferences", "scenarios"):
            for one in (await self.call("GET", f"/{kind}"))["items"]:
                await self.call("DELETE", f"/{kind}/{one['id']}")

    async def province(
        self, bridges: dict[str, str], **conference: Any
    ) -> tuple[str, dict[str, str]]:
        """A unit with bridges (id -> name) and a running conference of all of them.

        Returns: the conference's id, and each bridge's token.
        """
        await self.register(bridges, unit="tinh", unit_name="Tỉnh")
        tokens = {
            bridge: (await self.call("POST", f"/bridges/{bridge}/token"))["token"]
            for bridge in bridges
        }
        found = await self.call(
            "POST",
            "/conferences",
            {"name": "Họp", "unit": "tinh", "bridges": list(bridges), **conference},
        )
        return found["id"], tokens
