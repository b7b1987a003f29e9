"""``mcu demo``: a small province in a running conference, to be looked at in a browser.

Everything in it is real: the daemon as ``mcu serve`` runs it, its REST API, and software rooms in
a process of their own that join as any WebRTC peer does. Its data lies in a temporary directory.
"""

import asyncio
import os
import secrets
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import SecretStr

from config.settings import Settings
from mcu.daemon import Daemon

PROVINCE = {"id": "khanh-hoa", "name": "Tỉnh Khánh Hòa", "level": "province"}
ROOMS = (
    ("trung-tam", "Trung tâm điều hành", "khanh-hoa", 90),
    ("nha-trang", "Phường Nha Trang", "phuong-nha-trang", 50),
    ("cam-ranh", "Phường Cam Ranh", "phuong-cam-ranh", 50),
    ("dien-khanh", "Xã Diên Khánh", "xa-dien-khanh", 40),
    ("van-ninh", "Xã Vạn Ninh", "xa-van-ninh", 40),
    ("truong-sa", "Đặc khu Trường Sa", "dac-khu-truong-sa", 60),
)
"""Room id, name, unit, importance; every unit but the province's own is a commune below it."""

LAYOUT = "1+5"
CONFERENCE = "Giao ban trực tuyến (minh họa)"
STOP_S = 5.0


async def run(settings: Settings) -> int:
    """Run the demonstration until interrupted; gives the exit code."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    token = f"demo-{secrets.token_urlsafe(24)}"
    with tempfile.TemporaryDirectory(prefix="mcu-demo-") as folder:
        auth = settings.auth.model_copy(update={"bootstrap_token": SecretStr(token)})
        settings = settings.model_copy(
            update={"data_dir": Path(folder), "auth": auth, "site": None}
        )
        async with Daemon(settings) as daemon:
            conference = await _start_conference(daemon.url, token)
            rooms = await _start_rooms(daemon.url, token, settings.media.time_zone)
            print(
                f"\n  A conference of {len(ROOMS)} rooms is running.\n"
                f"  Console:   {daemon.url}/#token={token}\n"
                f"  API:       {daemon.url}/api/v1/docs\n"
                f"  Picture:   curl -H 'Authorization: Bearer {token}' -o main.jpg "
                f"{daemon.url}/api/v1/conferences/{conference}/views/main.jpg\n"
                f"  Stop with Ctrl-C.\n",
                flush=True,
            )
            waiting = asyncio.ensure_future(stop.wait())
            ended = asyncio.ensure_future(rooms.wait())
            await asyncio.wait({waiting, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not stop.is_set():
                print("mcu: the software rooms have stopped; see above", file=sys.stderr)
            waiting.cancel()
            await _stop(rooms)
            await ended
            return 0 if stop.is_set() else 1


async def _start_conference(url: str, token: str) -> str:
    async with aiohttp.ClientSession(
        headers={"Authorization": f"Bearer {token}"}, raise_for_status=True
    ) as http:

        async def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
            # The address is our own and its self-signed certificate was made a moment ago.
            async with http.post(f"{url}/api/v1{path}", json=body, ssl=False) as response:
                found: dict[str, Any] = await response.json()
                return found

        await post("/units", PROVINCE)
        for room, name, unit, importance in ROOMS:
            if unit != PROVINCE["id"]:
                commune = {"id": unit, "name": name, "level": "commune", "parent": PROVINCE["id"]}
                await post("/units", commune)
            await post(
                "/bridges",
                {
                    "id": room,
                    "name": name,
                    "unit": unit,
                    "kind": "webrtc",
                    "importance": importance,
                },
            )
        conference = await post(
            "/conferences",
            {
                "name": CONFERENCE,
                "unit": PROVINCE["id"],
                "bridges": "subtree",
                "chair": ROOMS[0][0],
                "layout": LAYOUT,
            },
        )
        return str(conference["id"])


async def _start_rooms(url: str, token: str, time_zone: str) -> asyncio.subprocess.Process:
    """The rooms' process; it waits for the daemon and follows it, also when that is killed.

    Its clocks show our time.
    """
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "mcu", "bridge", "--audio", "speech", "--count", str(len(ROOMS)), "--insecure"),
        "--until-input-ends",
        stdin=asyncio.subprocess.PIPE,
        env={**_without_settings(), "MCU_SERVER": url, "MCU_TOKEN": token, "TZ": time_zone},
    )


def _without_settings() -> dict[str, str]:
    """Our environment; the daemon's own settings mean nothing to the rooms."""
    return {key: value for key, value in os.environ.items() if not key.startswith("MCU_")}


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
