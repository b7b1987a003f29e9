"""A drill with real rooms and real pages: faults are found, dealt with, and over by themselves."""

import os
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.peers.chromium_page import ChromiumPage
from tests.peers.daemon import ADMIN_TOKEN, Daemon
from tests.peers.software_bridge import SoftwareBridge
from tests.peers.waiting import until_read

pytestmark = pytest.mark.timeout(300)

PICTURES = os.environ.get("PAGE_PICTURES")
"""A directory for screenshots, to be looked at; none are taken without it."""
NAMES = {"truong-sa": "Đặc khu Trường Sa", "van-ninh": "Xã Vạn Ninh"}


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    async with Daemon(tmp_path / "data") as daemon:
        unit = {"id": "khanh-hoa", "name": "Tỉnh Khánh Hòa", "level": "province"}
        await daemon.call("POST", "/units", unit)
        for id_, name in NAMES.items():
            await daemon.call("POST", "/bridges", {"id": id_, "name": name, "unit": "khanh-hoa"})
        yield daemon


async def picture(page: Page, name: str) -> None:
    if PICTURES:
        await page.set_viewport_size({"width": 1366, "height": 768})
        await page.screenshot(path=f"{PICTURES}/{name}.png")


async def start(daemon: Daemon) -> str:
    body = {"name": "Diễn tập", "unit": "khanh-hoa", "bridges": list(NAMES), "drill": True}
    return str((await daemon.call("POST", "/conferences", body))["id"])


async def until(
    daemon: Daemon, path: str, reached: Callable[[Any], bool], timeout_s: float = 90.0
) -> Any:
    """What an address says once that holds."""
    return await until_read(lambda: daemon.call("GET", path), reached, timeout_s=timeout_s)


async def inject(daemon: Daemon, drill: str, **fault: object) -> int:
    return int((await daemon.call("POST", f"{drill}/faults", fault))["number"])


def connected(room: dict[str, Any]) -> bool:
    return bool(room["state"] == "connected")


async def test_a_black_camera_is_found_and_its_end_too(daemon: Daemon) -> None:
    path = f"/conferences/{await start(daemon)}"
    token = (await daemon.call("POST", "/bridges/truong-sa/token"))["token"]
    async with SoftwareBridge(daemon.url, token, "--audio", "speech"):
        await until(daemon, f"{path}/participants/truong-sa", connected)
        await inject(
            daemon, f"{path}/drill", kind="black", participants=["truong-sa"], duration_s=600
        )
        found = await until(daemon, f"{path}/drill", lambda one: one["faults"][0]["marks"])
        (mark,) = found["faults"][0]["marks"]
        assert (mark["kind"], mark["what"]) == ("detected", "black")
        (alarm,) = (await daemon.call("GET", f"{path}/alarms"))["items"]
        assert (alarm["kind"], alarm["participant"]) == ("black", "truong-sa")
        await daemon.call("POST", f"{path}/alarms/{alarm['number']}/acknowledge")
        await daemon.call("DELETE", f"{path}/drill/faults")
        found = await until(
            daemon, f"{path}/drill", lambda one: one["faults"][0]["recovered_s"] is not None
        )
        kinds = [one["kind"] for one in found["faults"][0]["marks"]]
        assert kinds == ["detected", "noticed", "recovered"]


async def test_a_lost_leg_returns_and_loss_is_seen_in_quality(daemon: Daemon) -> None:
    path = f"/conferences/{await start(daemon)}"
    tokens = [(await daemon.call("POST", f"/bridges/{one}/token"))["token"] for one in NAMES]
    async with (
        SoftwareBridge(daemon.url, tokens[0], "--audio", "speech"),
        SoftwareBridge(daemon.url, tokens[1], "--audio", "speech"),
    ):
        bad, good = (f"{path}/participants/{one}" for one in NAMES)
        for room in (bad, good):
            await until(daemon, room, connected)
        fault = {"participants": ["truong-sa"]}
        await inject(daemon, f"{path}/drill", kind="loss", loss_percent=20, duration_s=600, **fault)

        def loses(room: dict[str, Any]) -> bool:
            return bool((room["quality"]["loss_percent"] or 0) > 8)

        await until(daemon, bad, loses)
        assert (await daemon.call("GET", good))["quality"]["loss_percent"] in (None, 0)
        await daemon.call("DELETE", f"{path}/drill/faults")
        await until(daemon, bad, lambda one: not loses(one))

        (leg,) = (await daemon.call("GET", bad))["legs"]
        await inject(daemon, f"{path}/drill", kind="lost", duration_s=12, **fault)
        await until(daemon, bad, lambda one: one["state"] == "lost")
        await until(daemon, bad, connected)
        assert (await daemon.call("GET", bad))["legs"] == [leg]  # the same, by itself
        assert (await daemon.call("GET", good))["state"] == "connected"

        await inject(daemon, f"{path}/drill", kind="restart", duration_s=3)
        await until(daemon, bad, lambda one: one["state"] == "lost")
        for room in (bad, good):
            await until(daemon, room, connected)
        found = await until(
            daemon, f"{path}/drill", lambda one: one["faults"][-1]["recovered_s"] is not None
        )
        assert [one["kind"] for one in found["faults"]] == ["loss", "lost", "restart"]


async def test_a_drill_is_held_by_keys(daemon: Daemon) -> None:
    token = (await daemon.call("POST", "/bridges/truong-sa/token"))["token"]
    async with ChromiumPage() as console, ChromiumPage() as page:
        desk = console.page
        await desk.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
        await desk.goto(f"{daemon.url}/#/start")
        await desk.get_by_label("Tên hội nghị").fill("Diễn tập mất đường truyền")
        box = desk.get_by_role("checkbox", name=re.compile("^Diễn tập"))
        await box.focus()
        await desk.keyboard.press("Space")
        await expect(box).to_be_checked()
        await desk.locator("form.start button[type=submit]").press("Enter")
        await expect(desk.locator(".title h1")).to_have_text("Diễn tập mất đường truyền")
        await expect(desk.locator(".drill-badge")).to_be_visible()
        (running,) = (await daemon.call("GET", "/conferences"))["items"]
        path = f"/conferences/{running['id']}"
        async with SoftwareBridge(daemon.url, token, "--audio", "speech"):
            await until(daemon, f"{path}/participants/truong-sa", connected)
            await desk.keyboard.press("Shift+D")
            kind = desk.locator("#drill-kind")
            await expect(kind).to_be_focused()
            await kind.select_option("black")
            room = desk.get_by_role("checkbox", name=NAMES["truong-sa"])
            await room.focus()
            await desk.keyboard.press("Space")
            inject = desk.get_by_role("button", name="Tạo lỗi")
            await expect(inject).to_be_in_viewport()
            await inject.press("Enter")
            active = desk.locator(".drill-active li")
            await expect(active).to_contain_text("Camera đen hình")
            await expect(active).to_contain_text(NAMES["truong-sa"])
            row = desk.locator(".drill-timeline tbody tr")
            await expect(row.locator("td").nth(1)).to_contain_text(" s", timeout=90_000)
            await picture(desk, "console-drill-vi")
            await desk.locator("#row-truong-sa").focus()
            await desk.keyboard.press("m")
            await expect(row.locator("td").nth(3)).to_contain_text("tắt mic")
            await desk.keyboard.press("Shift+D")
            await expect(kind).to_be_focused()  # else it has the focus when Enter comes
            await desk.get_by_role("button", name="Đưa vào kịch bản").press("Enter")
            await expect(desk.locator(".drill-script li")).to_have_count(1)
            await active.get_by_role("button").press("Enter")
            await expect(desk.locator(".drill-active li")).to_have_count(0)
            await desk.get_by_role("button", name="Chạy kịch bản").press("Enter")
            await expect(desk.locator(".drill-active li")).to_have_count(1)
            await desk.get_by_role("button", name="EN", exact=True).click()
            await expect(desk.locator(".drill-badge")).to_have_text("Drill")
            await picture(desk, "console-drill-en")
            await row.first.scroll_into_view_if_needed()
            await picture(desk, "console-drill-timeline-en")
            found = await daemon.call("GET", f"{path}/drill")
            assert [one["step"] for one in found["faults"]] == [None, 1]
        other = (await daemon.call("POST", "/bridges/van-ninh/token"))["join_url"]
        await page.page.goto(other)
        await page.page.get_by_role("button", name="Sẵn sàng vào họp").click()
        await expect(page.page.locator(".chip.drill")).to_be_visible()
        await picture(page.page, "join-drill")
        assert console.faults == []
