"""Rooms in real Chromium meet: right colours in the right tiles, everybody's tone but one's own."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.peers.chromium_room import BLUE, GREEN, RED, ChromiumRoom, Colour
from tests.peers.daemon import Daemon
from tests.peers.waiting import until_read

BRIDGES = {
    "dien-khanh": "Xã Diên Khánh",
    "vinh-nguyen": "Phường Vĩnh Nguyên",
    "truong-sa": "Đặc khu Trường Sa",
}
COLOURS = {"dien-khanh": RED, "vinh-nguyen": GREEN, "truong-sa": BLUE}
TONES_HZ = {"dien-khanh": 440.0, "vinh-nguyen": 1010.0, "truong-sa": 2130.0}
"""No tone is near a harmonic, sum or difference of others, which any codec makes a little of."""
OWN_TONE_BELOW_DB = 40.0


def centre(slot: int, columns: int = 2) -> tuple[float, float]:
    """The centre of a slot of a square grid, 0-1, a little up: labels stand at the bottom."""
    row, column = divmod(slot, columns)
    return ((column + 0.5) / columns, (row + 0.4) / columns)


async def fixed_grid(daemon: Daemon, conference: str, bridges: list[str]) -> dict[str, int]:
    """A 2x2 grid with every bridge in the slot of its place in the list."""
    slots = [{"participant": bridge} for bridge in bridges]
    slots += [{} for _ in range(4 - len(slots))]
    for view in ("main", "chair"):
        await daemon.call(
            "PUT",
            f"/conferences/{conference}/layout",
            {"view": view, "layout": "2x2", "slots": slots},
        )
    return {bridge: index for index, bridge in enumerate(bridges)}


async def until_hears_all_but_itself(room: ChromiumRoom, own: str) -> None:
    """Until one window of the spectrum (0.7 s) has everybody else and not the room itself."""
    others = [tone for bridge, tone in TONES_HZ.items() if bridge != own]
    await room.wait_for_tones(others)
    await until_read(
        lambda: room.tone_levels_db([*others, TONES_HZ[own]]),
        lambda levels: min(levels[:-1]) - levels[-1] >= OWN_TONE_BELOW_DB,
    )


@pytest.mark.timeout(180)
@pytest.mark.parametrize("codec", ["video/H264", "video/VP8"])
async def test_three_rooms_see_and_hear_each_other(tmp_path: Path, codec: str) -> None:
    async with AsyncExitStack() as stack:
        daemon = await stack.enter_async_context(Daemon(tmp_path / "data"))
        conference, tokens = await daemon.province(BRIDGES)
        slots = await fixed_grid(daemon, conference, list(BRIDGES))
        rooms = {}
        for bridge in BRIDGES:
            room = ChromiumRoom(tmp_path, COLOURS[bridge], TONES_HZ[bridge])
            rooms[bridge] = await stack.enter_async_context(room)
            await room.join(daemon.url, conference, tokens[bridge], codec=codec)
        expected: dict[tuple[float, float], Colour] = {
            centre(slot): COLOURS[bridge] for bridge, slot in slots.items()
        }
        for bridge, room in rooms.items():
            await room.wait_for_picture()
            await room.wait_for_colours(expected, timeout_s=30)
            await until_hears_all_but_itself(room, bridge)
            statistics = await room.statistics()
            assert codec in statistics.values()
        # One composed picture serves all three.
        metrics = await daemon.metrics()
        assert metrics['mcu_encoders{kind="video"}'] == 1
        picture = tmp_path / f"view-{codec[6:]}.png"
        await rooms["dien-khanh"].page.screenshot(path=picture)


@pytest.mark.timeout(120)
async def test_two_rooms_meet_over_ipv6(tmp_path: Path) -> None:
    bridges = {key: BRIDGES[key] for key in list(BRIDGES)[:2]}
    async with AsyncExitStack() as stack:
        daemon = await stack.enter_async_context(
            Daemon(
                tmp_path / "data",
                host="::1",
                environment={"MCU_MEDIA__PUBLIC_ADDRESSES": '["::1"]'},
            )
        )
        conference, tokens = await daemon.province(bridges)
        slots = await fixed_grid(daemon, conference, list(bridges))
        for bridge in bridges:
            room = ChromiumRoom(tmp_path, COLOURS[bridge], TONES_HZ[bridge])
            await stack.enter_async_context(room)
            await room.join(daemon.url, conference, tokens[bridge])
        await room.wait_for_colours(
            {centre(slot): COLOURS[bridge] for bridge, slot in slots.items()}, timeout_s=30
        )
        legs = [
            leg
            for participant in (
                await daemon.call("GET", f"/conferences/{conference}/participants")
            )["items"]
            for leg in participant["legs"]
        ]
        found = await daemon.call("GET", f"/legs/{legs[0]}")
        assert found["remote_address"].startswith("[")


@pytest.mark.timeout(120)
async def test_a_publisher_and_a_viewer_use_whip_and_whep(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        daemon = await stack.enter_async_context(Daemon(tmp_path / "data"))
        conference, tokens = await daemon.province({"dien-khanh": BRIDGES["dien-khanh"]})
        await fixed_grid(daemon, conference, ["dien-khanh"])
        publisher = await stack.enter_async_context(ChromiumRoom(tmp_path, RED, 500.0))
        await publisher.join(
            daemon.url,
            conference,
            tokens["dien-khanh"],
            path=f"/whip/{conference}",
            receives=False,
        )
        viewer = await stack.enter_async_context(ChromiumRoom(tmp_path, BLUE, 900.0))
        observer = await daemon.call(
            "POST", "/tokens", {"name": "phòng họp", "role": "observer", "unit": "tinh"}
        )
        await viewer.join(
            daemon.url,
            conference,
            observer["token"],
            path=f"/whep/{conference}?view=main",
            sends=False,
        )
        await viewer.wait_for_colours({centre(0): RED}, timeout_s=30)
        await viewer.wait_for_tones([500.0])
        roster = await daemon.call("GET", f"/conferences/{conference}/participants")
        assert [item["state"] for item in roster["items"]] == ["connected"]
        await viewer.leave()
        await publisher.leave()
        roster = await daemon.call("GET", f"/conferences/{conference}/participants")
        assert [item["state"] for item in roster["items"]] == ["left"]
