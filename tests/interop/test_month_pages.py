"""A bridge's month in the console: found, read, taken home; by mouse, and by keyboard alone."""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.peers.chromium_page import ChromiumPage
from tests.peers.console_session import Session, shown
from tests.peers.daemon import ADMIN_TOKEN, Daemon
from tests.peers.hands import WAITS_MS, Hands, Keyboard, by_mouse_and_by_keyboard

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]

ROOMS = {"dien-khanh": "Xã Diên Khánh", "van-ninh": "Xã Vạn Ninh"}
ZONE = "Asia/Ho_Chi_Minh"
"""The installation's: in the last night of a month it is another one elsewhere."""
HELD = ["Giao ban đầu tháng", "Họp phòng chống bão"]


@pytest_asyncio.fixture(loop_scope="session")
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    """Two conferences, one of which is over, with an incident of one room."""
    async with Daemon(tmp_path / "data") as daemon:
        await daemon.register(ROOMS)
        body = {"unit": "khanh-hoa", "bridges": list(ROOMS)}
        first = (await daemon.call("POST", "/conferences", {**body, "name": HELD[0]}))["id"]
        incident = {
            "conference": first, "bridge": "van-ninh", "severity": "major",
            "title": "Micro hỏng",
        }  # fmt: skip
        await daemon.call("POST", "/incidents", incident)
        await daemon.call("DELETE", f"/conferences/{first}")
        await daemon.call("POST", "/conferences", {**body, "name": HELD[1]})
        yield daemon


async def saved(session: Session, key: str, folder: Path) -> bytes:
    """What a button gives."""
    name = "JSON" if key == "json" else session.text(key)
    button = session.page.get_by_role("button", name=name, exact=True)
    async with session.page.expect_download(timeout=WAITS_MS) as coming:
        await session.hands.press(button)
    file = await coming.value
    assert file.suggested_filename.startswith("report-van-ninh-20")
    await file.save_as(folder / file.suggested_filename)
    return (folder / file.suggested_filename).read_bytes()


def rows(table: bytes) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"))))


@by_mouse_and_by_keyboard
async def test_a_rooms_month_is_read_and_taken_home(
    daemon: Daemon,
    tmp_path: Path,
    hands: Callable[[Page], Hands],
    size: tuple[int, int],
    language: str,
    browser: Browser,
) -> None:
    locale = {"vi": "vi-VN", "en": "en-GB"}[language]
    async with ChromiumPage(browser, size=size, locale=locale, zone=ZONE) as chromium:
        page = chromium.page
        session = Session(page, hands(page), language, f"month-{language}")
        await page.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
        await session.hands.press(session.link("month.short"))
        await shown(page.locator(".empty"), session.text("month.choose-first"))
        await session.look("none-chosen")
        await session.hands.choose(page.locator("#month-room"), "van-ninh")
        held = page.get_by_role("region", name=session.text("month.conferences")).locator(
            "tbody tr"
        )
        await expect(held).to_have_count(2, timeout=WAITS_MS)
        await shown(held.first, HELD[0])
        await shown(held.first, session.text("month.absent"))
        happened = page.get_by_role("region", name=session.text("month.incidents"))
        await shown(happened.locator("tbody tr"), "Micro hỏng")
        await session.look("read")

        for paper in ("month.pdf-vi", "month.pdf-en"):
            assert (await saved(session, paper, tmp_path)).startswith(b"%PDF-")
        table = rows(await saved(session, "month.csv", tmp_path))
        assert [row["name"] for row in table] == HELD
        table = rows(await saved(session, "month.csv-incidents", tmp_path))
        assert [row["title"] for row in table] == ["Micro hỏng"]
        whole = json.loads(await saved(session, "json", tmp_path))
        assert (whole["bridge"], whole["expected"], whole["attended"]) == ("van-ninh", 2, 0)

        this = await page.locator("#month-month").input_value()
        datetime.strptime(this, "%Y-%m")
        await session.hands.press(session.button("month.previous"))
        await shown(page.locator("main"), session.text("month.no-conferences"))
        assert await page.locator("#month-month").input_value() < this
        await session.hands.press(session.button("month.next"))
        await expect(held).to_have_count(2, timeout=WAITS_MS)
        assert (chromium.faults, chromium.complaints) == ([], [])


async def test_it_is_found_from_the_room_in_a_conference(daemon: Daemon, browser: Browser) -> None:
    async with ChromiumPage(browser, zone=ZONE) as chromium:
        page = chromium.page
        hands = Keyboard(page)
        session = Session(page, hands, "vi", "month-from-room")
        await page.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
        await hands.press(page.locator(".conference-entry"))
        await expect(page.locator(".row[id]")).to_have_count(2)
        await page.locator("#row-van-ninh").click()
        await page.keyboard.press("Enter")
        await expect(page.locator(".room")).to_be_focused()
        await hands.press(session.link("month.of", name=ROOMS["van-ninh"]))
        await shown(page.locator("main h2"), ROOMS["van-ninh"])
        await expect(page.locator(".month-table tbody tr")).to_have_count(3)
        assert chromium.faults == []
