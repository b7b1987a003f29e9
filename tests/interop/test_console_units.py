"""Units in the console: found, merged, split, and what they were before, in both languages."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.peers.chromium_page import ChromiumPage, picture
from tests.peers.daemon import ADMIN_TOKEN, Daemon

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]


UNITS = (
    ("khanh-hoa", "Tỉnh Khánh Hòa", "province", None),
    ("dien-khanh", "Huyện Diên Khánh", "district", "khanh-hoa"),
    ("dien-an", "Xã Diên An", "commune", "dien-khanh"),
    ("dien-toan", "Xã Diên Toàn", "commune", "dien-khanh"),
    ("van-ninh", "Huyện Vạn Ninh", "district", "khanh-hoa"),
)
ROOMS = (("an", "dien-an"), ("toan", "dien-toan"), ("bac", "van-ninh"), ("nam", "van-ninh"))


@pytest_asyncio.fixture(loop_scope="session")
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    async with Daemon(tmp_path / "data") as daemon:
        for id_, name, level, parent in UNITS:
            unit = {"id": id_, "name": name, "level": level, "parent": parent}
            await daemon.call("POST", "/units", unit)
        for id_, unit_of in ROOMS:
            bridge = {"id": id_, "name": f"Phòng {id_}", "unit": unit_of, "kind": "webrtc"}
            await daemon.call("POST", "/bridges", bridge)
        yield daemon


@pytest_asyncio.fixture(loop_scope="session")
async def console(browser: Browser) -> AsyncIterator[ChromiumPage]:
    async with ChromiumPage(browser, size=(1366, 768)) as chromium:
        yield chromium
        assert chromium.faults == []


async def open_units(daemon: Daemon, page: Page) -> None:
    await page.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
    await page.locator("a[href='#/units']").click()
    await expect(page.locator(".unit-entry").first).to_contain_text("Tỉnh Khánh Hòa")


async def test_a_unit_goes_up_in_another_and_leaves_its_history(
    daemon: Daemon, console: ChromiumPage
) -> None:
    page = console.page
    await open_units(daemon, page)
    await expect(page.locator(".unit-entry")).to_have_count(len(UNITS))
    await picture(page, "units")
    await page.keyboard.press("/")
    await page.keyboard.type("dien an")
    await expect(page.locator(".unit-entry")).to_have_count(1)
    await page.get_by_role("button", name="Nhập Xã Diên An vào đơn vị khác").press("Enter")
    dialog = page.locator("dialog")
    choice = dialog.get_by_label("Nhập vào")
    await expect(choice).to_be_focused()
    await expect(choice.locator("option[value='dien-an']")).to_have_count(0)
    await expect(dialog.get_by_role("button", name="Nhập", exact=True)).to_be_disabled()
    await choice.select_option("dien-toan")
    await picture(page, "unit-merge")
    await dialog.get_by_role("button", name="Nhập", exact=True).press("Enter")
    await expect(dialog).to_have_count(0)
    await expect(page.locator(".toasts")).to_contain_text("đã nhập vào Xã Diên Toàn")
    await expect(page.get_by_text("Không có đơn vị nào như vậy.")).to_be_visible()
    assert (await daemon.call("GET", "/bridges/an"))["unit"] == "dien-toan"
    await page.locator("#units-search").fill("")
    await page.get_by_role("button", name="Lịch sử của Xã Diên Toàn").press("Enter")
    await dialog.get_by_role("button", name="dien-an").press("Enter")
    await expect(dialog).to_contain_text("Đã nhập vào đơn vị khác")
    await expect(dialog.locator("h2")).to_contain_text("Xã Diên An")
    await picture(page, "unit-history")
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)


async def test_a_unit_is_renamed_and_moved(daemon: Daemon, console: ChromiumPage) -> None:
    page = console.page
    await open_units(daemon, page)
    await page.get_by_role("button", name="Đổi tên hoặc chuyển Xã Diên Toàn").press("Enter")
    dialog = page.locator("dialog")
    name = dialog.get_by_label("Tên")
    save = dialog.get_by_role("button", name="Lưu", exact=True)
    await expect(name).to_be_focused()
    await expect(save).to_be_disabled()
    await name.fill("Phường Diên Toàn")
    parent = dialog.get_by_label("Trực thuộc")
    await expect(parent).to_have_value("dien-khanh")
    await expect(parent.locator("option[value='dien-toan']")).to_have_count(0)
    await parent.select_option("van-ninh")
    await picture(page, "unit-change")
    await daemon.call("PATCH", "/units/dien-toan", {"level": "agency"})
    await save.press("Enter")
    await expect(dialog.locator(".problem")).to_be_visible()  # somebody else was faster
    await expect(dialog.locator(".server-words")).to_have_count(0)
    await dialog.get_by_role("button", name="Tải bản mới hơn").press("Enter")
    await expect(dialog.locator(".note[role=status]")).to_contain_text("Xã Diên Toàn · Cơ quan")
    await expect(name).to_have_value("Phường Diên Toàn")
    await expect(parent).to_have_value("van-ninh")
    await picture(page, "unit-change-newer")
    await page.locator(".languages button[lang=en]").evaluate("(button) => button.click()")
    await dialog.get_by_role("button", name="Save", exact=True).press("Enter")
    await expect(dialog).to_have_count(0)
    unit = await daemon.call("GET", "/units/dien-toan")
    assert (unit["name"], unit["parent"], unit["level"]) == (
        "Phường Diên Toàn",
        "van-ninh",
        "agency",
    )
    await page.get_by_role("button", name="Rename or move Tỉnh Khánh Hòa").press("Enter")
    await expect(dialog.get_by_label("Stands in")).to_have_value("")


async def test_a_unit_is_split_and_who_is_overtaken_is_told(
    daemon: Daemon, console: ChromiumPage
) -> None:
    page = console.page
    await open_units(daemon, page)
    await page.locator(".languages button[lang=en]").click()
    await page.get_by_role("button", name="Split Huyện Vạn Ninh").press("Enter")
    dialog = page.locator("dialog")
    names = dialog.get_by_label("Name")
    await expect(names.nth(0)).to_be_focused()
    await names.nth(0).fill("Bắc Vạn Ninh")
    await names.nth(1).fill("Nam Vạn Ninh")
    await expect(dialog.get_by_label("Id").nth(0)).to_have_attribute("placeholder", "bac-van-ninh")
    await dialog.get_by_label("Phòng bac").select_option(label="Bắc Vạn Ninh")
    await picture(page, "unit-split")
    await dialog.get_by_role("button", name="Split", exact=True).press("Enter")
    await expect(dialog.locator(".problem")).to_contain_text("nam")  # a room would be left behind
    await dialog.get_by_label("Phòng nam").select_option(label="Nam Vạn Ninh")
    await daemon.call("PATCH", "/units/van-ninh", {"name": "Vạn Ninh"})
    await dialog.get_by_role("button", name="Split", exact=True).press("Enter")
    await expect(dialog.locator(".problem")).to_be_visible()
    assert (await daemon.call("GET", "/bridges/nam"))["unit"] == "van-ninh"
    await dialog.get_by_role("button", name="Load the newer version").press("Enter")
    await expect(dialog.locator(".note[role=status]")).to_contain_text("The unit is now: Vạn Ninh")
    await expect(names.nth(1)).to_have_value("Nam Vạn Ninh")
    await dialog.get_by_role("button", name="Split", exact=True).press("Enter")
    await expect(page.locator(".unit-entry").filter(has_text="Nam Vạn Ninh")).to_be_visible()
    await expect(page.locator(".unit-entry").filter(has_text="· van-ninh ·")).to_have_count(0)
    assert (await daemon.call("GET", "/bridges/nam"))["unit"] == "nam-van-ninh"
    history = await daemon.call("GET", "/units/van-ninh/history")
    assert history["former"]["parts"] == ["bac-van-ninh", "nam-van-ninh"]
