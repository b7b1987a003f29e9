"""Recording in real pages: by mouse and by keys, seen by the operator and by the room."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.interop.test_pages_with_daemon import NAMES, ROOM, enter, expect_playing, start
from tests.peers.chromium_page import ChromiumPage, picture
from tests.peers.daemon import ADMIN_TOKEN, Daemon

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    settings = {"MCU_RECORDING__RESERVE_MB": "1"}
    async with Daemon(tmp_path / "data", environment=settings) as daemon:
        await daemon.register(NAMES)
        yield daemon


async def test_recorded_by_mouse_and_by_keys(daemon: Daemon) -> None:
    async with ChromiumPage() as room, ChromiumPage() as console:
        conference = await start(daemon)
        path = f"/conferences/{conference}/recordings"
        await enter(daemon, room.page)
        await expect_playing(room.page, "video.composed")
        desk = console.page
        await desk.set_viewport_size({"width": 1366, "height": 768})
        await desk.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
        await desk.goto(f"{daemon.url}/#/conferences/{conference}")
        await expect(desk.locator(f"#row-{ROOM}")).to_have_class(
            re.compile(r"\bconnected\b"), timeout=30_000
        )

        # By mouse, with a name.
        await desk.get_by_role("tab", name="Ghi hình").click()
        await expect(desk.locator(".recordings")).to_contain_text("chưa được ghi hình")
        await desk.locator(".recording-begin input").fill("Phiên khai mạc")
        await desk.get_by_role("button", name="Bắt đầu ghi hình").click()
        await expect(desk.locator(".record")).to_have_attribute("aria-pressed", "true")
        await expect(desk.locator(".roster-tools .recorded-sign")).to_contain_text("Đang ghi hình")
        await expect(desk.locator(".recording-list .runs")).to_contain_text("Phiên khai mạc")
        await expect(room.page.locator(".chip.recorded")).to_contain_text("đang được ghi hình")
        await expect(desk.locator(".recording-parts li")).to_have_count(1, timeout=30_000)
        await picture(desk, "recording-vi")
        await picture(room.page, "recording-room-vi")
        await desk.get_by_role("button", name="Dừng bản ghi Phiên khai mạc").click()
        await expect(room.page.locator(".chip.recorded")).to_have_count(0)
        await expect(desk.locator(".recording-parts code")).to_have_count(1, timeout=30_000)

        # Its file is what the server says it is.
        async with desk.expect_download() as downloading:
            await desk.get_by_role("link", name="Tải phần 1 của Phiên khai mạc").click()
        download = await downloading.value
        part = (await daemon.call("GET", path))["items"][0]["parts"][0]
        assert (await download.path()).stat().st_size == part["size"]
        assert download.suggested_filename.startswith("Phiên khai mạc")

        # By keys, in English.
        await desk.locator(".languages button[lang=en]").click()
        await desk.keyboard.press("Shift+R")
        await expect(desk.locator(".record")).to_have_text("Recording")
        await desk.keyboard.press("Shift+R")
        await expect(desk.locator(".record")).to_have_attribute("aria-pressed", "false")
        await desk.keyboard.press("l")
        await desk.keyboard.press("j")
        await expect(desk.locator(".recording-list > li")).to_have_count(2)
        await picture(desk, "recording-en")

        # Deleted after a question, by keys.
        await desk.get_by_role("button", name="Delete the recording Phiên khai mạc").focus()
        await desk.keyboard.press("Enter")
        await expect(desk.locator("dialog")).to_contain_text("deleted for good")
        await expect(desk.locator("dialog :focus")).to_have_count(1)
        await picture(desk, "recording-delete-en")
        await desk.keyboard.press("Shift+Tab")
        await expect(desk.locator("dialog .danger")).to_be_focused()
        await desk.keyboard.press("Enter")
        await expect(desk.locator(".recording-list > li")).to_have_count(1)
        assert len((await daemon.call("GET", path))["items"]) == 1
        assert console.faults == []
        assert room.faults == []
