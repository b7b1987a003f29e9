"""An agency is invited across the tree in real pages: one operator asks, another accepts."""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.peers.chromium_page import ChromiumPage
from tests.peers.daemon import Daemon

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]

PICTURES = os.environ.get("PAGE_PICTURES")
"""A directory for screenshots, to be looked at; none are taken without it."""
UNITS = (
    ("khanh-hoa", "Tỉnh Khánh Hòa", "province"),
    ("cong-an", "Công an tỉnh", "agency"),
)
BRIDGES = (
    ("ubnd", "UBND tỉnh", "khanh-hoa"),
    ("cong-an-tinh", "Phòng họp Công an tỉnh", "cong-an"),
)


async def picture(page: Page, name: str) -> None:
    if PICTURES:
        await page.screenshot(path=f"{PICTURES}/{name}.png")


async def operator(daemon: Daemon, unit: str, name: str) -> str:
    body: dict[str, Any] = {"name": name, "role": "operator", "unit": unit}
    return str((await daemon.call("POST", "/tokens", body))["token"])


async def test_an_agency_is_asked_and_accepts_by_the_keyboard(
    tmp_path: Path, browser: Browser
) -> None:
    async with Daemon(tmp_path / "data") as daemon:
        for id_, name, level in UNITS:
            await daemon.call("POST", "/units", {"id": id_, "name": name, "level": level})
        for id_, name, unit in BRIDGES:
            await daemon.call("POST", "/bridges", {"id": id_, "name": name, "unit": unit})
        province = await operator(daemon, "khanh-hoa", "Lê Minh")
        agency = await operator(daemon, "cong-an", "Trực ban")
        body = {"name": "Họp toàn tỉnh", "unit": "khanh-hoa", "bridges": ["ubnd"]}
        conference = (await daemon.call("POST", "/conferences", body))["id"]
        async with ChromiumPage(browser) as one, ChromiumPage(browser) as other:
            desk, duty = one.page, other.page
            await duty.goto(f"{daemon.url}/#token={agency}")
            await expect(duty.locator(".empty")).to_be_visible()
            await desk.goto(f"{daemon.url}/#token={province}")
            await desk.goto(f"{daemon.url}/#/conferences/{conference}")
            await desk.get_by_role("button", name="Thêm điểm cầu", exact=True).press("Enter")
            elsewhere = desk.get_by_role("region", name="Cơ quan ở nơi khác")
            wanted = elsewhere.get_by_role("button", name="Phòng họp Công an tỉnh")
            await expect(wanted).to_contain_text("Công an tỉnh")
            await picture(desk, "invitable")
            await wanted.press("Enter")
            await desk.keyboard.press("Escape")
            await desk.keyboard.press("o")
            asked = desk.get_by_role("region", name="Điểm cầu mời từ nơi khác").locator("li")
            await expect(asked).to_contain_text("đã mời, chưa trả lời")
            await picture(desk, "invited")

            received = duty.get_by_role("region", name="Lời mời cho điểm cầu của bạn")
            await expect(received).to_contain_text("Họp toàn tỉnh mời Phòng họp Công an tỉnh")
            await picture(duty, "received")
            await received.get_by_role("button", name="tham dự").first.press("Enter")
            await expect(received.get_by_role("button", name="rời")).to_be_visible()
            await expect(asked).to_contain_text("đã nhận lời")
            await expect(desk.locator("#row-cong-an-tinh")).to_be_visible()

            # The agency's operator looks at the conference, and steers nothing of it.
            await duty.locator(f"a[href='#/conferences/{conference}']").press("Enter")
            await expect(duty.locator("#row-cong-an-tinh")).to_be_visible()
            await expect(duty.get_by_role("button", name="Kết thúc")).to_have_count(0)
            await picture(duty, "guest-desk")
            await expect(desk.get_by_role("button", name="Kết thúc")).to_have_count(1)

            await asked.get_by_role("button", name="Rút lời mời").press("Enter")
            await expect(desk.locator("#row-cong-an-tinh")).to_have_count(0)
            await desk.locator(".languages button[lang=en]").click()
            await expect(desk.locator(".convening-rows")).to_contain_text("withdrawn")
            await picture(desk, "withdrawn-en")
            assert one.faults == other.faults == []


async def test_a_units_operator_sees_where_its_room_was_called(tmp_path: Path) -> None:
    """The province calls a commune's rooms without having to ask, as all below is its own."""
    async with Daemon(tmp_path / "data") as daemon, ChromiumPage() as one:
        unit, room, device = "xa-dai-lanh", "phong-hop", "phong-chu-tich"
        await daemon.call(
            "POST", "/units", dict(zip(("id", "name", "level"), UNITS[0], strict=True))
        )
        below = {"id": unit, "name": "Xã Đại Lãnh", "level": "commune", "parent": "khanh-hoa"}
        await daemon.call("POST", "/units", below)
        for id_, name, kind in (
            (room, "Phòng họp xã", "webrtc"),
            (device, "Phòng Chủ tịch", "sip"),
        ):
            body = {"id": id_, "name": name, "unit": unit, "kind": kind}
            await daemon.call("POST", "/bridges", body)
        page = one.page
        await page.goto(f"{daemon.url}/#token={await operator(daemon, unit, 'Trực ban')}")
        await expect(page.locator(".empty")).to_be_visible()
        elsewhere = page.get_by_role("region", name="Điểm cầu đang ở hội nghị của đơn vị khác")
        await expect(elsewhere).to_have_count(0)
        body = {"name": "Họp toàn tỉnh", "unit": "khanh-hoa", "bridges": [room, device]}
        await daemon.call("POST", "/conferences", body)
        rows = elsewhere.locator("li")
        await expect(rows).to_have_count(2)  # it is looked for again and again
        await expect(rows.last).to_contain_text("Phòng họp xã")
        for row in await rows.all():
            await expect(row).to_contain_text("ở hội nghị Họp toàn tỉnh của Tỉnh Khánh Hòa")
        await picture(page, "elsewhere-vi")
        await page.goto(f"{daemon.url}/#/rooms")
        device_row = page.locator(f"#sip-{device}")
        await expect(device_row).to_contain_text("ở hội nghị Họp toàn tỉnh của Tỉnh Khánh Hòa")
        await page.locator(".languages button[lang=en]").click()
        await expect(device_row).to_contain_text("in conference Họp toàn tỉnh of Tỉnh Khánh Hòa")
        await picture(page, "elsewhere-rooms-en")
        assert one.faults == []


async def test_accepted_while_another_conference_has_the_room_is_said_in_words(
    tmp_path: Path, browser: Browser
) -> None:
    async with Daemon(tmp_path / "data") as daemon, ChromiumPage(browser) as one:
        for id_, name, level in UNITS:
            await daemon.call("POST", "/units", {"id": id_, "name": name, "level": level})
        for id_, name, unit in BRIDGES:
            await daemon.call("POST", "/bridges", {"id": id_, "name": name, "unit": unit})
        agency = await operator(daemon, "cong-an", "Trực ban")
        started = {"unit": "khanh-hoa", "bridges": ["ubnd"], "name": "Họp toàn tỉnh"}
        conference = (await daemon.call("POST", "/conferences", started))["id"]
        own = {"unit": "cong-an", "bridges": ["cong-an-tinh"], "name": "Giao ban"}
        other = (await daemon.call("POST", "/conferences", own))["id"]
        duty = one.page
        await duty.goto(f"{daemon.url}/#token={agency}")
        invitations = f"/conferences/{conference}/invitations"
        province = await operator(daemon, "khanh-hoa", "Lê Minh")
        asked = {"bridge": "cong-an-tinh", "note": "Mang theo báo cáo"}
        await daemon.call("POST", invitations, asked, token=province)
        received = duty.get_by_role("region", name="Lời mời cho điểm cầu của bạn").locator("li")
        for words in ("Tỉnh Khánh Hòa", "Lê Minh", "Mang theo báo cáo", "đang dự Giao ban"):
            await expect(received).to_contain_text(words)
        await received.get_by_role("button", name="tham dự").first.press("Enter")
        await expect(received).to_contain_text("đã nhận lời")
        await expect(received).to_contain_text("đang dự Giao ban (Công an tỉnh) · chưa quyết định")
        await expect(received).not_to_contain_text("khanh-hoa")
        await picture(duty, "received-wanted")
        await daemon.call("DELETE", f"/conferences/{other}")
        await expect(received).to_contain_text("đã nhận lời · Chờ vào")
        await picture(duty, "received-expected")
        await daemon.call("DELETE", f"/conferences/{conference}")
        await expect(received).to_have_count(0)
        assert one.faults == []
