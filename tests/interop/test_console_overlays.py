"""Overlays in the console: pinned, told to others, removed; by keyboard alone."""

import pytest
from playwright.async_api import Browser, expect

from tests.peers.chromium_page import ChromiumPage
from tests.peers.stub_daemon import OPERATOR, StubDaemon
from tests.peers.stub_roster import CONFERENCE

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]


async def test_texts_and_the_countdown_are_pinned_and_removed(browser: Browser) -> None:
    async with StubDaemon() as daemon, ChromiumPage(browser, locale="en-GB") as chromium:
        page = chromium.page
        await page.goto(f"{daemon.url}/#token={OPERATOR}")
        await page.locator(".conference-entry").click()
        await expect(page.locator(".row[id]").first).to_be_visible()
        await page.keyboard.press("t")
        await page.locator("#overlay-text").fill("Giải lao đến 9 giờ")
        await page.locator(".overlays select").nth(0).select_option("bottom-right")
        await page.locator(".overlays select").nth(1).select_option("chair")
        await page.locator(".overlays select").nth(2).select_option("300")
        await page.locator("#overlay-text").press("Enter")
        entries = page.locator(".overlay-list li")
        await expect(entries).to_have_count(1)
        await expect(entries.first).to_contain_text("bottom right · the chair")
        path = f"/api/v1/conferences/{CONFERENCE}/overlays"
        assert daemon.last(path)[2] == {
            "text": "Giải lao đến 9 giờ", "position": "bottom-right", "view": "chair",
            "duration_s": 300,
        }  # fmt: skip
        await expect(page.locator("#overlay-text")).to_have_value("")
        countdown = page.get_by_role("button", name="Show the floor's countdown")
        await countdown.press("Enter")
        await expect(entries).to_have_count(2)
        await expect(countdown).to_be_disabled()
        assert daemon.last(path)[2]["kind"] == "floor"
        # What another operator does, and what is over, is seen here too.
        daemon.emit("overlay.removed", number=2, reason="over")
        await expect(entries).to_have_count(1)
        await entries.get_by_role("button").press("Enter")
        await expect(entries).to_have_count(0)
        assert (chromium.faults, chromium.complaints) == ([], [])
