"""The floor and a roll call from the room's button to the operator's record, in real pages."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.interop.test_pages_with_daemon import NAMES, ROOM, enter, expect_playing, start
from tests.peers.chromium_page import ChromiumPage, picture
from tests.peers.daemon import ADMIN_TOKEN, Daemon

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Daemon]:
    async with Daemon(tmp_path_factory.mktemp("procedure") / "data") as daemon:
        await daemon.register(NAMES)
        yield daemon


@pytest_asyncio.fixture(loop_scope="session")
async def daemon(running: Daemon) -> AsyncIterator[Daemon]:
    yield running
    await running.clear()


async def test_a_room_asks_speaks_and_is_called(daemon: Daemon, browser: Browser) -> None:
    async with ChromiumPage(browser) as room, ChromiumPage(browser) as console:
        conference = await start(daemon)
        path = f"/conferences/{conference}"
        await enter(daemon, room.page)
        await expect_playing(room.page, "video.composed")
        desk = console.page
        await desk.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
        await desk.goto(f"{daemon.url}/#/conferences/{conference}")
        row = desk.locator(f"#row-{ROOM}")
        await expect(row).to_have_class(re.compile(r"\bconnected\b"), timeout=30_000)
        await daemon.call("POST", f"{path}/mute", {"scope": "all"})

        # The floor: asked for by the hand, given for a time, taken back by a key.
        await room.page.mouse.move(200, 200)  # the buttons hide while nobody touches anything
        await room.page.get_by_role("button", name="Xin phát biểu").click()
        await expect(room.page.locator(".status")).to_contain_text("Đã xin phát biểu: thứ 1")
        await desk.keyboard.press("q")
        await expect(desk.locator(".floor-queue")).to_contain_text(NAMES[ROOM])
        await desk.get_by_role("button", name=f"Cho {NAMES[ROOM]} phát biểu").click()
        await expect(room.page.locator(".hint.floor")).to_contain_text("Mời phát biểu")
        await expect(room.page.locator(".hint.floor .clock-down")).to_have_text(
            re.compile(r"^[23]:\d\d$")
        )
        await expect(desk.locator(".floor-holder")).to_contain_text(NAMES[ROOM])
        await expect(row.locator(".muting").first).to_have_attribute("aria-pressed", "false")
        drawn = desk.get_by_role("button", name="Đồng hồ trên hình")
        await drawn.click()
        await expect(drawn).to_have_attribute("aria-pressed", "true")
        (pinned,) = (await daemon.call("GET", f"{path}/overlays"))["items"]
        assert (pinned["kind"], pinned["view"], pinned["until"]) == ("floor", None, None)
        await picture(desk, "floor-drawn-vi")
        await drawn.press("Enter")
        await expect(drawn).to_have_attribute("aria-pressed", "false")
        assert (await daemon.call("GET", f"{path}/overlays"))["items"] == []
        await desk.get_by_role("button", name="Thu quyền phát biểu").first.click()
        await expect(room.page.locator(".hint.floor")).to_have_count(0)
        await expect(row.locator(".muting").first).to_have_attribute("aria-pressed", "true")
        await room.page.keyboard.press("h")
        await expect(room.page.locator(".status")).to_contain_text("thứ 1")
        await room.page.keyboard.press("h")
        await expect(desk.locator(".floor-queue li")).to_have_count(0)

        # The roll call: the room answers by its button, the other is absent by rule.
        await desk.keyboard.press("r")
        await desk.get_by_role("button", name="Gọi từng điểm cầu").click()
        await expect(room.page.locator(".hint.called")).to_contain_text("Mời trả lời")
        await expect(desk.locator(".roll-now")).to_contain_text(NAMES[ROOM])
        await room.page.locator(".hint.called button").click()
        await expect(desk.locator(".roll-now")).to_contain_text("Đã gọi hết")
        await expect(desk.locator(".roll-rows .present")).to_contain_text(NAMES[ROOM])
        await expect(desk.locator(".roll-rows .absent")).to_contain_text(NAMES["van-ninh"])
        await expect(desk.locator(".roll-rows img")).to_have_count(1)
        await desk.get_by_role("button", name="Ký xác nhận").click()
        await expect(desk.locator(".roll-call h3")).to_contain_text("đã ký")
        record = await daemon.call("GET", f"{path}/roll-calls/1")
        assert [(each["status"], each["source"]) for each in record["rows"]] == [
            ("present" if each["participant"] == ROOM else "absent",
             "room" if each["participant"] == ROOM else "rule")
            for each in record["rows"]
        ]  # fmt: skip
        await correct_by_keys(desk, NAMES["van-ninh"])
        row = (await daemon.call("GET", f"{path}/roll-calls/1"))["rows"]
        assert [
            (each["status"], each["note"]) for each in row if each["participant"] == "van-ninh"
        ] == [("late", "đến sau khai mạc")]
        assert console.faults == []
        assert room.faults == []


async def correct_by_keys(desk: Page, name: str) -> None:
    """Correct a signed entry without the mouse, and in English."""
    choice = desk.get_by_label(f"Điểm danh {name}")
    await choice.focus()
    await desk.keyboard.press("ArrowDown")  # opens it, and marks nobody yet
    await desk.keyboard.press("ArrowDown")
    await desk.keyboard.press("ArrowDown")
    await desk.keyboard.press("ArrowDown")
    await desk.keyboard.press("Enter")
    dialog = desk.locator("dialog")
    await expect(dialog).to_contain_text(f"Sửa kết quả: {name}")
    await expect(dialog.locator("textarea")).to_be_focused()
    await expect(dialog.get_by_role("button", name="Ghi thêm lần sửa")).to_be_disabled()
    await picture(desk, "correction-vi")
    await desk.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(choice).to_be_focused()
    await desk.locator(".languages button[lang=en]").click()
    await desk.get_by_label(f"Mark {name}").select_option("absent")
    await expect(dialog).to_contain_text(f"Why is {name} corrected?")
    await desk.keyboard.press("Shift+Tab")
    await desk.keyboard.press("ArrowUp")
    await expect(dialog.get_by_label("Late")).to_be_checked()
    await desk.keyboard.press("Tab")
    await desk.keyboard.type("đến sau khai mạc")
    await picture(desk, "correction-en")
    await desk.keyboard.press("Tab")
    await desk.keyboard.press("Enter")
    await expect(dialog).to_have_count(0)
    await expect(desk.locator(".roll-rows .late")).to_contain_text("đến sau khai mạc")


async def test_a_record_is_signed_when_the_meeting_is_over(
    daemon: Daemon, browser: Browser
) -> None:
    async with ChromiumPage(browser) as console:
        conference = await start(daemon)
        path = f"/conferences/{conference}"
        desk = console.page
        await desk.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
        await desk.goto(f"{daemon.url}/#/conferences/{conference}")
        await daemon.call("POST", f"{path}/roll-calls", {"mode": "presence"})
        await expect(desk.locator("#tab-roll-call")).to_be_visible()
        await desk.keyboard.press("r")
        await expect(desk.locator(".roll-call h3")).to_be_visible()
        await daemon.call("DELETE", path)
        await expect(desk.locator(".roll-call h3")).to_contain_text("chưa ký")
        await desk.get_by_role("button", name="Ký, còn lại là vắng").click()
        await expect(desk.locator(".roll-call h3")).to_contain_text("đã ký")
        record = await daemon.call("GET", f"{path}/roll-calls/1")
        assert record["state"] == "signed"
        assert record["counts"]["absent"] == len(NAMES)
        assert console.faults == []
