"""Reports in the console: of the conference that is open, and of those that are over."""

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.peers.chromium_page import ChromiumPage, picture
from tests.peers.daemon import ADMIN_TOKEN, Daemon

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]


@pytest_asyncio.fixture(loop_scope="session")
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    async with Daemon(tmp_path / "data") as daemon:
        names = {"van-ninh": "Xã Vạn Ninh", "dien-khanh": "Xã Diên Khánh"}
        await daemon.register(names, unit="tinh")
        yield daemon


@pytest_asyncio.fixture(loop_scope="session")
async def console(browser: Browser) -> AsyncIterator[ChromiumPage]:
    async with ChromiumPage(browser, size=(1366, 768)) as chromium:
        yield chromium
        assert chromium.faults == []


async def start(daemon: Daemon, name: str) -> str:
    body = {"name": name, "unit": "tinh", "bridges": ["van-ninh", "dien-khanh"]}
    return str((await daemon.call("POST", "/conferences", body))["id"])


async def test_the_report_of_a_conference_that_runs_and_of_one_that_is_over(
    daemon: Daemon, console: ChromiumPage, tmp_path: Path
) -> None:
    page = console.page
    over = await start(daemon, "Giao ban tháng 10")
    await daemon.call("DELETE", f"/conferences/{over}")
    running = await start(daemon, "Giao ban tháng 11")

    await page.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
    await page.locator(f"a[href='#/conferences/{running}']").click()
    await page.get_by_role("button", name="Báo cáo").press("Enter")
    dialog = page.locator("dialog")
    await expect(dialog).to_contain_text("Hội nghị đang diễn ra")
    await expect(dialog.get_by_role("button", name="Bằng tiếng Việt")).to_be_focused()
    await picture(page, "report-dialog")
    async with page.expect_download() as printed:
        await page.keyboard.press("Enter")
    paper = tmp_path / "report.pdf"
    await (await printed.value).save_as(paper)
    assert paper.read_bytes().startswith(b"%PDF-")
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)

    await page.goto(f"{daemon.url}/#/ended")
    await page.locator(".languages button[lang=en]").click()
    entry = page.locator(".unit-entry")
    await expect(entry).to_have_count(1)
    await picture(page, "ended")
    await page.keyboard.press("/")
    await page.keyboard.type("giao ban thang 10")
    await page.get_by_role("button", name="Report of Giao ban tháng 10").press("Enter")
    async with page.expect_download() as tabled:
        await dialog.get_by_role("button", name="Rooms", exact=True).press("Enter")
    table = tmp_path / "rooms.csv"
    await (await tabled.value).save_as(table)
    rows = list(csv.DictReader(io.StringIO(table.read_text("utf-8-sig"))))
    assert [row["participant"] for row in rows] == ["van-ninh", "dien-khanh"]
    assert {row["unit_name"] for row in rows} == {"Tỉnh Khánh Hòa"}
