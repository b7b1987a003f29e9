"""Rooms are convened and moved in real pages: the operator's keys, the room's page that waits."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.peers.chromium_page import ChromiumPage, picture
from tests.peers.daemon import ADMIN_TOKEN, Daemon
from tests.peers.waiting import until_read

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]

NAMES = {"truong-sa": "Đặc khu Trường Sa", "van-ninh": "Xã Vạn Ninh", "cam-lam": "Xã Cam Lâm"}
CONTACT = {"name": "Nguyễn Văn An", "phone": "0258 3822 111"}


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Daemon]:
    async with Daemon(tmp_path_factory.mktemp("convening") / "data") as daemon:
        await daemon.register(NAMES, contact=CONTACT)
        yield daemon


@pytest_asyncio.fixture(loop_scope="session")
async def daemon(running: Daemon) -> AsyncIterator[Daemon]:
    yield running
    await running.clear()


async def test_a_page_that_waits_is_called_and_joins_by_one_key(
    daemon: Daemon, browser: Browser
) -> None:
    async with ChromiumPage(browser) as room, ChromiumPage(browser) as console:
        issued = await daemon.call("POST", "/bridges/truong-sa/token")
        await room.page.goto(f"{daemon.url}/join#{issued['join_url'].split('#')[1]}")
        await expect(room.page.get_by_role("button", name="Sẵn sàng vào họp")).to_be_visible()
        body = {
            "name": "Giao ban",
            "unit": "khanh-hoa",
            "bridges": list(NAMES),
            "calls": "when_convened",
        }
        conference = (await daemon.call("POST", "/conferences", body))["id"]
        other = {"name": "Họp huyện", "unit": "khanh-hoa", "bridges": []}
        target = (await daemon.call("POST", "/conferences", other))["id"]
        desk = console.page
        await desk.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
        await desk.goto(f"{daemon.url}/#/conferences/{conference}")
        await expect(desk.locator("#row-truong-sa")).to_be_visible()
        await expect(room.page.locator(".called-in")).to_have_count(0)

        await desk.keyboard.press("Shift+O")
        await expect(desk.locator(".convening-now")).to_contain_text("0/3 đã vào")
        await expect(room.page.locator(".called-in")).to_contain_text("đang gọi điểm cầu này")
        await picture(room.page, "join-called")
        rows = desk.locator(".convening-rows li")
        await expect(rows.first).to_contain_text("chưa mở trang vào họp", timeout=15_000)
        await expect(rows.first.locator(".phone")).to_contain_text("0258 3822 111")
        await room.page.keyboard.press("j")
        await expect(desk.locator(".convening-rows .joined")).to_contain_text(
            NAMES["truong-sa"], timeout=30_000
        )
        await expect(rows.last).to_have_class("joined")
        await picture(desk, "console-convening")
        await rows.first.get_by_role("button", name=re.compile("^Không gọi")).click()
        await expect(desk.locator(".convening-rows .stopped")).to_have_count(1)
        await desk.get_by_role("button", name="Dừng gọi").click()
        await expect(desk.locator(".convening-now")).to_contain_text("đã dừng")
        board = await daemon.call("GET", f"/conferences/{conference}/convening")
        assert (board["joined"], board["within_target"], board["state"]) == (1, False, "stopped")

        # It is moved by the keyboard to another conference that runs.
        await desk.locator("#row-truong-sa").click()
        await desk.keyboard.press("x")
        choice = desk.locator("dialog .pick-list button")
        await expect(choice).to_contain_text("Họp huyện")
        await picture(desk, "console-transfer")
        await choice.press("Enter")
        await expect(desk.locator("#row-truong-sa")).to_have_count(0)
        await expect(desk.locator("dialog")).to_have_count(0)
        # It is off the one roster before it is on the other.
        roster = f"/conferences/{target}/participants"
        found = await until_read(lambda: daemon.call("GET", roster), lambda one: bool(one["items"]))
        assert [one["bridge"] for one in found["items"]] == ["truong-sa"]
        assert console.faults == []
        assert room.faults == []


async def test_a_page_joins_by_itself_where_the_room_wants_that(
    daemon: Daemon, browser: Browser
) -> None:
    async with ChromiumPage(browser) as room:
        issued = await daemon.call("POST", "/bridges/truong-sa/token")
        await room.page.goto(f"{daemon.url}/join#{issued['join_url'].split('#')[1]}")
        await room.page.get_by_label("Tự vào họp khi được gọi").check()
        body = {
            "name": "Giao ban",
            "unit": "khanh-hoa",
            "bridges": ["truong-sa"],
            "calls": "when_convened",
        }
        conference = (await daemon.call("POST", "/conferences", body))["id"]
        await daemon.call("POST", f"/conferences/{conference}/convening", {})
        await room.page.wait_for_function(
            "() => document.querySelector('video.composed')?.videoWidth > 0", timeout=60_000
        )
        board = await daemon.call("GET", f"/conferences/{conference}/convening")
        assert (board["state"], board["within_target"]) == ("complete", True)
        assert room.faults == []


async def test_a_room_that_two_want_is_moved_over_by_who_controls_both(
    daemon: Daemon, browser: Browser
) -> None:
    async with ChromiumPage(browser) as console:
        district = {"name": "Họp huyện", "unit": "khanh-hoa", "bridges": ["truong-sa"]}
        below = (await daemon.call("POST", "/conferences", district))["id"]
        body = {"name": "Họp tỉnh", "unit": "khanh-hoa", "bridges": "subtree", "busy": "ask"}
        above = (await daemon.call("POST", "/conferences", body))["id"]
        desk = console.page
        await desk.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
        await desk.goto(f"{daemon.url}/#/conferences/{above}")
        row = desk.locator(".convening-rows li")
        await expect(row).to_contain_text("đang bận ở Họp huyện")
        await picture(desk, "console-conflict")
        await row.get_by_role("button", name="Chuyển Đặc khu Trường Sa sang").press("Enter")
        await expect(desk.locator("#row-truong-sa")).to_be_visible()
        await expect(row).to_have_count(0)
        gone = await daemon.call("GET", f"/conferences/{below}/participants")
        assert gone["items"] == []
        assert console.faults == []


async def test_a_scenario_whose_room_is_busy_starts_and_asks_for_it(
    daemon: Daemon, browser: Browser
) -> None:
    async with ChromiumPage(browser) as console:
        district = {"name": "Họp huyện", "unit": "khanh-hoa", "bridges": ["truong-sa"]}
        await daemon.call("POST", "/conferences", district)
        item = {"title": "Khai mạc", "duration_s": 60}
        prepared = {"id": "kb", "name": "Họp tỉnh", "unit": "khanh-hoa", "items": [item]}
        await daemon.call("POST", "/scenarios", prepared)
        desk = console.page
        await desk.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
        await desk.get_by_role("link", name="Kịch bản").click()
        await desk.get_by_role("button", name="Mở hội nghị").press("Enter")
        row = desk.locator(".convening-rows li")
        await expect(row).to_contain_text("đang bận ở Họp huyện")
        await row.get_by_role("button", name="Chuyển Đặc khu Trường Sa sang").press("Enter")
        await expect(desk.locator("#row-truong-sa")).to_be_visible()
        assert console.faults == []


async def test_a_late_room_waits_until_it_is_let_in(daemon: Daemon, browser: Browser) -> None:
    async with ChromiumPage(browser) as room, ChromiumPage(browser) as console:
        body = {"name": "Giao ban", "unit": "khanh-hoa", "bridges": list(NAMES)}
        conference = (await daemon.call("POST", "/conferences", body))["id"]
        desk = console.page
        await desk.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
        await desk.goto(f"{daemon.url}/#/conferences/{conference}")
        await expect(desk.locator("#row-truong-sa")).to_be_visible()
        await desk.keyboard.press("Shift+L")
        await expect(desk.get_by_role("button", name="Đã khóa")).to_be_visible()
        issued = await daemon.call("POST", "/bridges/truong-sa/token")
        fragment = issued["join_url"].split("#")[1]
        await room.page.goto(f"{daemon.url}/join#{fragment}&auto=1")
        await expect(desk.locator("#row-truong-sa")).to_contain_text(
            "Chờ được mời vào", timeout=60_000
        )
        await desk.keyboard.press("o")
        await expect(desk.locator(".waiting-room")).to_contain_text(NAMES["truong-sa"])
        await room.page.wait_for_function(
            "() => document.querySelector('video.composed')?.videoWidth > 0", timeout=60_000
        )
        hint = room.page.locator(".hint.waiting")
        await expect(hint).to_contain_text("Sẽ được mời vào ngay")
        await room.page.mouse.move(200, 200)  # the buttons hide while nobody touches anything
        await room.page.locator(".languages button[lang=en]").click()
        await expect(hint).to_contain_text("You will be let in shortly")
        await picture(desk, "console-waiting")
        await picture(room.page, "join-waiting")
        await desk.keyboard.press("Shift+A")
        await expect(desk.locator(".waiting-room")).to_have_count(0)
        let_in = await daemon.call("GET", f"/conferences/{conference}/participants/truong-sa")
        assert not let_in["waiting"]
        await expect(hint).to_have_count(0)
        assert console.faults == []
        assert room.faults == []
