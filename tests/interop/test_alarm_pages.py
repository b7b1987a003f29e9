"""A room in trouble in real pages: raised by the daemon, acknowledged and dealt with by keys."""

import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.peers.chromium_page import ChromiumPage, picture
from tests.peers.daemon import ADMIN_TOKEN, Daemon
from tests.peers.software_bridge import SoftwareBridge

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]

NAMES = {"truong-sa": "Đặc khu Trường Sa", "van-ninh": "Xã Vạn Ninh"}
CONTACT = {"name": "Nguyễn Văn An", "phone": "0258 3822 111"}


@pytest_asyncio.fixture(loop_scope="session")
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    async with Daemon(tmp_path / "data") as daemon:
        await daemon.register(NAMES, contact=CONTACT)
        yield daemon


async def test_a_room_that_howls_is_dealt_with_by_keys(daemon: Daemon, browser: Browser) -> None:
    """A steady tone is what a howl is: the room's own, for nobody else makes one."""
    body = {"name": "Giao ban", "unit": "khanh-hoa", "bridges": list(NAMES)}
    conference = (await daemon.call("POST", "/conferences", body))["id"]
    token = (await daemon.call("POST", "/bridges/truong-sa/token"))["token"]
    async with (
        ChromiumPage(browser) as console,
        SoftwareBridge(daemon.url, token, "--audio", "tone"),
    ):
        desk = console.page
        await desk.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
        await desk.goto(f"{daemon.url}/#/conferences/{conference}")
        await expect(desk.locator("#row-truong-sa")).to_be_visible()
        tab = desk.get_by_role("tab", name=re.compile("^Sự cố"))
        await expect(tab.locator(".count")).to_have_text("1", timeout=90_000)
        await desk.keyboard.press("w")
        row = desk.locator(".alarm-rows li")
        await expect(row).to_contain_text("Hú rít")
        await expect(row).to_contain_text(NAMES["truong-sa"])
        await expect(row).to_contain_text("0258 3822 111")
        await expect(row.locator(".alarm-what")).to_be_focused()
        await expect(desk.locator("#row-truong-sa .tag.alarm")).to_contain_text("Hú rít")
        await expect(desk.locator(".rows [role=row]").first).to_have_id("row-truong-sa")
        await picture(desk, "console-alarms-vi")
        # Whom to call: by one key, with the number where everybody can read it.
        await desk.evaluate(
            """() => addEventListener("click", (event) => {
                const link = event.target.closest("a[href^='tel:']");
                if (link) { event.preventDefault(); window.dialled = link.href; }
            })"""
        )
        await desk.keyboard.press("Shift+T")
        assert await desk.evaluate("() => window.dialled") == "tel:02583822111"
        said = desk.get_by_text("Đang gọi Nguyễn Văn An: 0258 3822 111").first
        await expect(said).to_be_visible()
        await expect(row.locator(".alarm-what")).to_be_focused()
        await desk.keyboard.press("Shift+W")
        await expect(row).to_contain_text("đã biết")
        await desk.keyboard.press("i")
        await expect(desk.get_by_text(re.compile("Đã lập hồ sơ")).first).to_be_visible()
        await desk.locator(".alarm-what").focus()
        await desk.keyboard.press("m")
        await expect(desk.locator(".alarm-rows li")).to_have_count(0, timeout=60_000)
        found = await daemon.call("GET", f"/conferences/{conference}/alarms?state=cleared")
        (alarm,) = found["items"]
        assert (alarm["kind"], alarm["severity"]) == ("howl", "critical")
        assert alarm["acknowledged_by"]

        await desk.locator(".alarms-head a[href='#/incidents']").click()
        await desk.locator(".incident-list a").click()
        await expect(desk.locator(".incident h2")).to_contain_text("Hú rít: Đặc khu Trường Sa")
        await desk.get_by_label("Người xử lý").fill("Trần Thị Bình")
        await desk.get_by_label("Ghi chú").fill("Đã hạ loa, dặn kỹ thuật viên")
        await picture(desk, "console-incident-vi")
        await desk.locator(".incident").get_by_role("button", name="Đóng").press("Enter")
        await expect(desk.locator(".incident .quiet").first).to_contain_text("đã đóng")
        (incident,) = (await daemon.call("GET", "/incidents"))["items"]
        assert (incident["state"], incident["assignee"]) == ("closed", "Trần Thị Bình")
        assert incident["entries"][-1]["text"] == "Đã hạ loa, dặn kỹ thuật viên"
        await desk.get_by_role("button", name="EN", exact=True).click()
        await expect(desk.locator(".incident h2")).to_contain_text("Howl: Đặc khu Trường Sa")
        await picture(desk, "console-incident-en")
        assert console.faults == []


async def test_an_alarm_leads_to_the_incident_that_it_has(daemon: Daemon) -> None:
    body = {"name": "Giao ban", "unit": "khanh-hoa", "bridges": list(NAMES)}
    conference = (await daemon.call("POST", "/conferences", body))["id"]
    token = (await daemon.call("POST", "/bridges/van-ninh/token"))["token"]
    async with ChromiumPage() as console, SoftwareBridge(daemon.url, token) as bridge:
        desk = console.page
        await desk.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
        await desk.goto(f"{daemon.url}/#/conferences/{conference}")
        await expect(desk.locator("#row-van-ninh.connected")).to_be_visible(timeout=60_000)
        await bridge.stop(signal.SIGKILL)
        row = desk.locator(".alarm-rows li", has_text="Mất tín hiệu")
        await desk.keyboard.press("w")
        await expect(row).to_be_visible(timeout=60_000)
        await row.get_by_role("button", name="Lập hồ sơ").click()
        link = row.get_by_role("link", name=re.compile(r"^Hồ sơ sự cố #i-\w+ \(đang mở\)$"))
        await expect(link).to_be_visible()
        await expect(row.get_by_role("button", name="Lập hồ sơ")).to_have_count(0)
        await picture(desk, "console-alarm-incident-vi")
        # The same key as before leads to it, and so does the link.
        await row.locator(".alarm-what").focus()
        await desk.keyboard.press("i")
        await expect(desk.locator(".incident h2")).to_contain_text("Mất tín hiệu: Xã Vạn Ninh")
        (incident,) = (await daemon.call("GET", "/incidents"))["items"]
        await daemon.call("PATCH", f"/incidents/{incident['id']}", {"state": "closed"})
        await desk.go_back()
        await desk.get_by_role("tab", name=re.compile("^Sự cố")).click()
        closed = f"Hồ sơ sự cố #{incident['id']} (đã đóng)"
        await row.get_by_role("link", name=closed, exact=True).click()
        await expect(desk.locator(".incident .quiet").first).to_contain_text("đã đóng")
        assert console.faults == []
