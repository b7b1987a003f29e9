"""``mcu demo`` as a newcomer runs it: a conference that is seen and heard, and ends cleanly."""

import asyncio
import os
import re
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from mcu.bridge.picture import background_rgb
from mcu.demo import LAYOUT, ROOMS
from mixer.video.layout import LAYOUTS
from tests.peers.meeting import decode, mean_rgb
from tests.peers.waiting import until, until_read

pytestmark = pytest.mark.timeout(120)

STOP_S = 15.0
LOOK_EVERY_S = 0.1


def environment(folder: Path) -> dict[str, str]:
    outside = {key: value for key, value in os.environ.items() if not key.startswith("MCU_")}
    return {**outside, "MCU_HTTP__PORT": "0", "MCU_MEDIA__PORT": "0", "TMPDIR": str(folder)}


def children_of(pid: int) -> list[int]:
    words = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(word) for word in words]


async def test_the_demonstration_runs_and_leaves_nothing_behind(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mcu", "demo"),
        env=environment(tmp_path),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        lines = [""]
        while "Ctrl-C" not in lines[-1]:
            lines.append((await process.stdout.readline()).decode())
            assert lines[-1], "it ended at once"
        said = "".join(lines)
        found = re.search(r"Console: +(http://\S+)/#token=(\S+)", said)
        assert found is not None, said
        url, token = found.groups()
        picture_url = re.search(r"(http://\S+main\.jpg)", said)
        assert picture_url is not None, said

        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http:

            async def read(address: str) -> bytes:
                async with http.get(address) as response:
                    assert response.status == 200, await response.text()
                    return await response.read()

            async def roster() -> list[dict[str, Any]]:
                async with http.get(f"{url}/api/v1/conferences") as response:
                    (conference,) = (await response.json())["items"]
                path = f"{url}/api/v1/conferences/{conference['id']}/participants"
                async with http.get(path) as response:
                    items: list[dict[str, Any]] = (await response.json())["items"]
                return items

            await until_read(
                roster,
                lambda items: (
                    {one["state"] for one in items} == {"connected"} and len(items) == len(ROOMS)
                ),
                timeout_s=60,
            )
            children = children_of(process.pid)
            assert len(children) == 2  # the software rooms, and the video process

            # Every room stands in the picture with its colour, and somebody speaks.
            colours = {background_rgb(name) for _, name, _, _ in ROOMS}
            corners = [(x + w * 0.1, y + h * 0.15) for x, y, w, h in LAYOUTS[LAYOUT].slots]

            def complete(jpeg: bytes) -> bool:
                picture = decode(jpeg)
                return all(
                    any(
                        max(abs(a - b) for a, b in zip(colour, there, strict=True)) < 14
                        for colour in colours
                    )
                    for there in (mean_rgb(picture, x, y, 8) for x, y in corners)
                )

            jpeg = await until_read(lambda: read(picture_url[1]), complete, every_s=0.3)
            (tmp_path / "demo.jpg").write_bytes(jpeg)
            await until_read(roster, lambda items: any(one["speaking"] for one in items))
            documents = re.search(r"API: +(http://\S+)", said)
            assert documents is not None, said
            assert b"swagger" in await read(documents[1])
            assert b"<html" in await read(f"{url}/")

        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(STOP_S):
            assert await process.wait() == 0
        assert not [pid for pid in children if os.path.exists(f"/proc/{pid}")]  # noqa: ASYNC240
        assert [name for name in os.listdir(tmp_path) if name.startswith("mcu-")] == []
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()


async def test_its_children_end_with_it_even_when_it_is_killed(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mcu", "demo"),
        env=environment(tmp_path),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    group = process.pid
    try:
        assert process.stdout is not None
        while "Ctrl-C" not in (line := (await process.stdout.readline()).decode()):
            assert line, "it ended at once"
        children = children_of(process.pid)
        assert len(children) == 2
        process.kill()
        await process.wait()
        async with asyncio.timeout(STOP_S):
            await until(lambda: not any(map(runs, children)), LOOK_EVERY_S)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


def runs(pid: int) -> bool:
    """Whether a process goes on; one that nobody has waited for yet does not."""
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
