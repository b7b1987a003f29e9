"""What an operator steers from panels: rooms of one unit in turn, without some; a room's name."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.peers.chromium_page import LAPTOP, ChromiumPage, picture
from tests.peers.daemon import ADMIN_TOKEN, Daemon

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]

DISTRICT = "huyen-van-ninh"
ROOMS = {
    "tinh-uy": ("Hội trường Tỉnh ủy", "khanh-hoa"),
    "van-ninh": ("Huyện Vạn Ninh", DISTRICT),
    "dai-lanh": ("Xã Đại Lãnh", DISTRICT),
    "van-tho": ("Xã Vạn Thọ", DISTRICT),
}


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Daemon]:
    async with Daemon(tmp_path_factory.mktemp("steering") / "data") as daemon:
        await daemon.register({})
        unit = {"id": DISTRICT, "name": "Huyện Vạn Ninh", "level": "district"}
        await daemon.call("POST", "/units", unit | {"parent": "khanh-hoa"})
        for bridge, (name, unit_) in ROOMS.items():
            body = {"id": bridge, "name": name, "unit": unit_, "kind": "webrtc"}
            await daemon.call("POST", "/bridges", body)
        yield daemon


@pytest_asyncio.fixture(loop_scope="session")
async def daemon(running: Daemon) -> AsyncIterator[Daemon]:
    yield running
    await running.clear()


@pytest_asyncio.fixture(loop_scope="session")
async def desk(daemon: Daemon, browser: Browser) -> AsyncIterator[tuple[Page, str]]:
    """The desk of a conference of all, and the conference's address."""
    body: dict[str, Any] = {"name": "Giao ban", "unit": "khanh-hoa", "bridges": "subtree"}
    body["chair"] = "tinh-uy"
    conference = (await daemon.call("POST", "/conferences", body))["id"]
    async with ChromiumPage(browser, size=LAPTOP) as chromium:
        page = chromium.page
        await page.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
        await page.goto(f"{daemon.url}/#/conferences/{conference}")
        await expect(page.locator(".row[id]")).to_have_count(len(ROOMS))
        yield page, f"/conferences/{conference}"
        assert chromium.faults == []
        assert chromium.complaints == []


async def test_rooms_of_a_unit_are_shown_in_turn_without_one(
    daemon: Daemon, desk: tuple[Page, str]
) -> None:
    page, path = desk
    await page.keyboard.press("q")
    polling = page.locator(".polling")
    await polling.get_by_label("Mỗi").select_option("15")
    await polling.get_by_label("Hiện").select_option("main")
    scope = polling.get_by_label("Thuộc")
    assert await scope.locator("option").all_inner_texts() == [
        "tất cả đơn vị", "Tỉnh Khánh Hòa", "\u2003Huyện Vạn Ninh",
    ]  # fmt: skip
    await scope.select_option(DISTRICT)
    leave_out = polling.get_by_label("Bỏ qua một điểm cầu")
    await leave_out.select_option("van-tho")
    await leave_out.select_option("dai-lanh")
    await picture(page, "polling-vi")
    await polling.get_by_role("button", name="Vẫn xem Xã Đại Lãnh").press("Enter")
    await polling.get_by_role("button", name="Xem lần lượt").click()
    await expect(polling.locator(".floor-now")).to_contain_text("Huyện Vạn Ninh · trừ Xã Vạn Thọ")
    found = await daemon.call("GET", f"{path}/polling")
    assert (found["interval_s"], found["view"]) == (15, "main")
    assert (found["scope"], found["except"]) == (DISTRICT, ["van-tho"])
    await page.locator(".languages button[lang=en]").click()
    await expect(polling.locator(".floor-now")).to_contain_text("without Xã Vạn Thọ")
    await polling.get_by_role("button", name="Stop").click()
    # What was chosen is offered anew, from the beginning.
    await expect(polling.get_by_label("Rooms of")).to_have_value("")


async def test_a_room_has_another_name_and_rank_in_this_conference(
    daemon: Daemon, desk: tuple[Page, str]
) -> None:
    page, path = desk
    await page.locator("#row-dai-lanh").click()
    await page.keyboard.press("Enter")
    edit = page.get_by_role("button", name="Tên và thứ tự ưu tiên của Xã Đại Lãnh")
    await edit.press("Enter")
    dialog = page.locator("dialog")
    name = dialog.get_by_label("Tên trên hình")
    await expect(name).to_be_focused()
    await name.fill("Đại Lãnh (dự phòng)")
    await dialog.get_by_label("Mức ưu tiên").fill("70")
    await picture(page, "naming-vi")
    await page.keyboard.press("Enter")
    await expect(dialog).to_have_count(0)
    await expect(page.locator("#row-dai-lanh")).to_contain_text("Đại Lãnh (dự phòng)")
    room = await daemon.call("GET", f"{path}/participants/dai-lanh")
    assert (room["label"], room["importance"], room["name"]) == (
        "Đại Lãnh (dự phòng)", 70, "Xã Đại Lãnh",
    )  # fmt: skip


async def test_lists_are_downloaded_as_tables(daemon: Daemon, desk: tuple[Page, str]) -> None:
    page, _ = desk
    for address, link in (
        ("units", "Điểm cầu (CSV)"), ("units", "Đơn vị (CSV)"), ("scenarios", "CSV"),
        ("readiness", "CSV"), ("ended", "CSV"),
    ):  # fmt: skip
        await page.goto(f"{daemon.url}/#/{address}")
        async with page.expect_download() as coming:
            await page.get_by_role("link", name=link, exact=True).click()
        saved = await (await coming.value).path()
        text = saved.read_text("utf-8-sig")
        assert text.startswith("id,name,"), (address, text)
        if link == "Điểm cầu (CSV)":
            assert {line.split(",")[0] for line in text.splitlines()[1:]} == set(ROOMS)
