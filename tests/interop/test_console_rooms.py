"""Rooms in the console: made, changed, made hardware rooms; keys and mouse, both languages."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from tests.peers.chromium_page import DESK, LAPTOP, ChromiumPage, chromium_browser, picture
from tests.peers.daemon import ADMIN_TOKEN, Daemon

pytestmark = [pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium_browser() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    async with Daemon(tmp_path / "data") as daemon:
        for unit, parent in (("yen-bai", None), ("van-chan", "yen-bai")):
            level = "province" if parent is None else "commune"
            body = {"id": unit, "name": f"Đơn vị {unit}", "level": level, "parent": parent}
            await daemon.call("POST", "/units", body)
        body = {"id": "hop", "name": "Phòng họp", "unit": "van-chan"}
        await daemon.call("POST", "/bridges", body)
        yield daemon


async def open_rooms(daemon: Daemon, page: Page, language: str) -> Locator:
    await page.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
    await page.locator(f".languages button[lang={language}]").click()
    await page.locator("a[href='#/rooms']").click()
    await expect(page.locator(".sip-room")).to_have_count(1)  # none is a hardware room: all
    return page.locator("dialog")


async def bridge(daemon: Daemon, name: str) -> Any:
    return await daemon.call("GET", f"/bridges/{name}")


async def test_a_web_room_becomes_a_hardware_room_by_keys(daemon: Daemon, browser: Browser) -> None:
    async with ChromiumPage(browser) as chromium:
        page = chromium.page
        dialog = await open_rooms(daemon, page, "vi")
        await page.get_by_role("button", name="Sửa Phòng họp").press("Enter")
        await expect(dialog.get_by_label("Tên", exact=True)).to_be_focused()
        await expect(dialog.get_by_label("Mã")).to_be_disabled()
        address, save = dialog.get_by_label("Địa chỉ SIP"), dialog.get_by_role("button", name="Lưu")
        await expect(address).to_be_disabled()
        await expect(save).to_be_disabled()
        await dialog.get_by_label("Loại").press("ArrowDown")
        await expect(dialog.get_by_label("Loại")).to_have_value("sip")
        await address.fill("sip:phong@10.0.0.7:99999")
        await dialog.get_by_label("Điện thoại").fill("không có")
        before = await dialog.bounding_box()
        await address.press("Enter")
        # What can be seen here is said in the page's language, before anything is sent.
        phone = dialog.get_by_label("Điện thoại")
        await expect(phone).to_be_focused()
        await expect(dialog.locator("#room-note-phone")).to_contain_text("Chỉ chữ số")
        assert await dialog.bounding_box() == before, "nothing moves where something is wrong"
        await phone.fill("0216 3870 123")
        await expect(dialog.locator(".wrong")).to_have_count(0)
        await phone.press("Enter")
        # What the server finds stands beside its field, in the page's language alone.
        await expect(address).to_be_focused()
        await expect(address).to_have_attribute("aria-describedby", "room-note-address")
        await expect(dialog.locator("#room-note-address")).to_contain_text("Viết như sip:")
        await expect(dialog.locator(".server-words")).to_have_count(0)
        await expect(dialog.locator(".problem")).to_have_count(0)
        assert await dialog.bounding_box() == before
        await picture(page, "room-wrong-address")
        assert (await bridge(daemon, "hop"))["kind"] == "webrtc"
        await address.fill("phong@10.0.0.7")
        await dialog.get_by_label("Người trực").fill("Nguyễn Văn A")
        await dialog.get_by_label("Mức ưu tiên").fill("40")
        await dialog.get_by_label("Tên đăng nhập").fill("mcu")
        await address.press("Enter")
        await expect(dialog.locator(".wrong input")).to_be_focused()  # a user without a password
        await dialog.get_by_label("Mật khẩu").fill("khong-dau-1")
        await address.press("Enter")
        await expect(dialog).to_have_count(0)
        await expect(page.get_by_role("button", name="Sửa Phòng họp")).to_be_focused()
        now = await bridge(daemon, "hop")
        assert (now["kind"], now["address"], now["importance"]) == ("sip", "sip:phong@10.0.0.7", 40)
        assert now["contact"] == {"name": "Nguyễn Văn A", "phone": "0216 3870 123"}
        assert now["sip"]["has_outbound"]
        await expect(page.locator("#sip-hop")).to_contain_text("sip:phong@10.0.0.7")
        await expect(page.get_by_role("button", name="Tạo mật khẩu")).to_be_visible()
        assert chromium.faults == []


async def test_a_new_hardware_room_is_offered_its_secret(daemon: Daemon, browser: Browser) -> None:
    async with ChromiumPage(browser, size=DESK) as chromium:
        page = chromium.page
        dialog = await open_rooms(daemon, page, "en")
        await page.get_by_role("button", name="New room").click()
        await dialog.get_by_role("button", name="Save").click()
        await expect(dialog.get_by_label("Name", exact=True)).to_be_focused()
        await expect(dialog.locator("#room-note-name")).to_contain_text("Type a name.")
        await dialog.get_by_label("Name", exact=True).fill("Phòng họp")
        await dialog.get_by_label("Unit").select_option("van-chan")
        await dialog.get_by_label("Kind").select_option("sip")
        await expect(dialog.get_by_label("Id", exact=True)).to_have_attribute(
            "placeholder", "phong-hop"
        )
        await dialog.get_by_label("Id", exact=True).fill("hop")
        await dialog.get_by_role("button", name="Save").click()
        await expect(dialog.locator(".room-line.wrong, .problem")).to_have_count(1)  # it is taken
        await picture(page, "room-taken")
        await dialog.get_by_label("Id", exact=True).fill("")
        await dialog.get_by_role("button", name="Save").click()
        await expect(dialog.locator("h2")).to_have_text("SIP secret: Phòng họp")
        await dialog.get_by_role("button", name="Make a secret").click()
        await expect(dialog.locator(".account dd")).to_have_count(3)
        await expect(dialog.locator(".account dd").nth(1)).to_have_text("phong-hop")
        await page.keyboard.press("Escape")
        await expect(dialog).to_have_count(0)
        made = await bridge(daemon, "phong-hop")
        assert (made["kind"], made["unit"], made["address"]) == ("sip", "van-chan", "")
        assert made["sip"]["has_secret"]
        await expect(page.locator("#sip-phong-hop")).to_contain_text("no address")
        await page.get_by_label("Which rooms are shown").select_option("sip")
        await expect(page.locator(".sip-room")).to_have_count(1)
        await page.get_by_label("Which rooms are shown").select_option("webrtc")
        await expect(page.locator("#sip-hop")).to_be_visible()
        assert chromium.faults == []


async def test_it_goes_back_and_whoever_is_overtaken_is_told(
    daemon: Daemon, browser: Browser
) -> None:
    await daemon.call("PATCH", "/bridges/hop", {"kind": "sip", "address": "sip:phong@10.0.0.7"})
    outbound = {"user_name": "mcu", "secret": "secret-of-device"}
    await daemon.call("PUT", "/bridges/hop/sip-outbound", outbound)
    async with ChromiumPage(browser) as chromium:
        page = chromium.page
        dialog = await open_rooms(daemon, page, "en")
        edit = page.get_by_role("button", name="Change Phòng họp")
        await edit.click()
        await expect(dialog).to_contain_text("stored")
        await picture(page, "room-hardware")
        await dialog.get_by_role("button", name="Forget it").click()
        await expect(dialog.get_by_role("button", name="Forget it")).to_have_count(0)
        assert not (await bridge(daemon, "hop"))["sip"]["has_outbound"]
        await daemon.call("PATCH", "/bridges/hop", {"name": "Phòng lớn"})
        await dialog.get_by_label("Kind").select_option("webrtc")
        await expect(dialog).to_contain_text("Its address and secret are lost")
        await expect(dialog.get_by_label("SIP address")).to_be_disabled()
        await dialog.get_by_role("button", name="Save").click()
        await expect(dialog.locator(".problem")).to_be_visible()  # somebody else was faster
        await page.keyboard.press("Escape")
        await page.reload()
        await page.get_by_role("button", name="Change Phòng lớn").click()
        await dialog.get_by_label("Kind").select_option("webrtc")
        await dialog.get_by_role("button", name="Save").click()
        await expect(dialog).to_have_count(0)
        now = await bridge(daemon, "hop")
        assert (now["kind"], now["address"], now["sip"]) == ("webrtc", "", None)
        assert chromium.faults == []


@pytest.mark.parametrize("size", [LAPTOP, DESK], ids=["laptop", "desk"])
@pytest.mark.parametrize("language", ["vi", "en"])
async def test_the_form_fits(
    daemon: Daemon, browser: Browser, size: tuple[int, int], language: str
) -> None:
    async with ChromiumPage(browser, size=size) as chromium:
        page = chromium.page
        dialog = await open_rooms(daemon, page, language)
        await page.locator(".sip-room button").first.click()
        await dialog.locator("select[name=kind]").select_option("sip")
        await dialog.locator("input[name=name]").fill("")
        for field in ("address", "phone", "importance", "user"):
            await dialog.locator(f"input[name={field}]").fill("không")
        before = await dialog.bounding_box()
        await dialog.locator("button[type=submit]").click()
        await expect(dialog.locator(".room-line.wrong")).to_have_count(6)
        assert await dialog.bounding_box() == before
        cut = """(box) => [box, ...box.querySelectorAll('*')].filter((e) => e.tagName !== "INPUT"
            && getComputedStyle(e).display !== "inline" && e.scrollWidth > e.clientWidth + 1
            ).map((e) => e.outerHTML)"""
        assert await dialog.evaluate(cut) == []
        assert not await dialog.evaluate("(box) => box.scrollHeight > box.clientHeight + 1")
        await picture(page, f"room-form-{language}")
        await page.keyboard.press("Escape")
        await picture(page, f"rooms-{language}")
        assert chromium.faults == []
