"""What an operator steers from panels: rooms of one unit in turn, without some; a room's name."""

import csv
import io
import re
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


async def test_microphones_of_one_unit_by_mouse_and_by_keys(
    daemon: Daemon, desk: tuple[Page, str]
) -> None:
    page, path = desk
    below = {id_ for id_, (_, unit) in ROOMS.items() if unit == DISTRICT}
    dialog = page.locator("dialog")
    unit = dialog.get_by_label("Đơn vị, cùng mọi đơn vị bên dưới")
    await page.get_by_role("button", name="Đơn vị…").click()
    await expect(unit).to_be_focused()
    assert await unit.locator("option").all_inner_texts() == [
        "Tỉnh Khánh Hòa", "\u2003Huyện Vạn Ninh",
    ]  # fmt: skip
    await unit.select_option(DISTRICT)
    await expect(dialog).to_contain_text("3 điểm cầu, 0 đang tắt mic")
    await picture(page, "mute-unit-vi")
    await dialog.get_by_role("button", name="Tắt mic đơn vị").click()
    await expect(dialog).to_have_count(0)
    assert await muted(daemon, path) == below

    # Who has chosen a room means its unit.
    await page.locator("#row-dai-lanh").click()
    await page.keyboard.press("u")
    await expect(unit).to_be_focused()
    await expect(unit).to_have_value(DISTRICT)
    await expect(dialog).to_contain_text("3 điểm cầu, 3 đang tắt mic")
    for key in ("Tab", "Tab", "Enter"):
        await page.keyboard.press(key)
    await expect(dialog).to_have_count(0)
    assert await muted(daemon, path) == set()
    await page.keyboard.press("z")
    await expect(page.locator("#row-dai-lanh .muting.on")).to_have_count(1)
    assert await muted(daemon, path) == below

    await page.locator(".languages button[lang=en]").click()
    await page.get_by_role("button", name="A unit…").press("Enter")
    await expect(dialog.get_by_role("button", name="Unmute the unit")).to_be_visible()
    await picture(page, "mute-unit-en")


async def test_units_whose_microphones_are_switched_are_ones_own(daemon: Daemon) -> None:
    body = {"name": "Giao ban huyện", "unit": DISTRICT, "bridges": "subtree"}
    conference = (await daemon.call("POST", "/conferences", body))["id"]
    who = {"name": "Trực ban", "role": "operator", "unit": DISTRICT}
    operator = (await daemon.call("POST", "/tokens", who))["token"]
    looker = (await daemon.call("POST", "/tokens", who | {"role": "technician"}))["token"]
    async with ChromiumPage(size=LAPTOP) as chromium:
        page = chromium.page
        await page.goto(f"{daemon.url}/#token={operator}")
        await page.goto(f"{daemon.url}/#/conferences/{conference}")
        await page.get_by_role("button", name="Đơn vị…").click()
        options = page.locator("dialog option")
        assert await options.all_inner_texts() == ["Huyện Vạn Ninh"]
        await page.get_by_role("button", name="Tắt mic đơn vị").press("Enter")
        await expect(page.locator("dialog")).to_have_count(0)
        assert len(await muted(daemon, f"/conferences/{conference}")) == 3
        assert chromium.faults == []
    async with ChromiumPage(size=LAPTOP) as chromium:
        page = chromium.page
        await page.goto(f"{daemon.url}/#token={looker}")
        await page.goto(f"{daemon.url}/#/conferences/{conference}")
        await expect(page.locator("#row-dai-lanh")).to_be_visible()
        await expect(page.get_by_role("button", name="Đơn vị…")).to_have_count(0)
        await page.keyboard.press("u")
        await expect(page.locator("dialog")).to_have_count(0)


async def muted(daemon: Daemon, path: str) -> set[str]:
    items = (await daemon.call("GET", f"{path}/participants"))["items"]
    return {each["id"] for each in items if each["audio_muted"]}


async def test_a_drill_is_told_from_a_meeting_in_every_list(daemon: Daemon) -> None:
    drill = {"name": "Diễn tập", "unit": "khanh-hoa", "bridges": [], "drill": True}
    conference = (await daemon.call("POST", "/conferences", drill))["id"]
    for about in ({"conference": conference}, {}):
        body = {"title": "Mất tiếng", "bridge": "dai-lanh", **about}
        await daemon.call("POST", "/incidents", body)
    await daemon.call("DELETE", f"/conferences/{conference}")
    meeting = {"name": "Giao ban", "unit": "khanh-hoa", "bridges": []}
    ended = (await daemon.call("POST", "/conferences", meeting))["id"]
    await daemon.call("DELETE", f"/conferences/{ended}")
    async with ChromiumPage(size=LAPTOP) as chromium:
        page = chromium.page
        await page.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
        await page.goto(f"{daemon.url}/#/ended")
        await expect(page.locator(".unit-entry", has_text="Giao ban").first).to_be_visible()
        await expect(page.locator(".unit-entry", has=page.locator(".drill-badge"))).to_have_text(
            re.compile("^Diễn tập")
        )
        await picture(page, "ended-drill-vi")
        await page.goto(f"{daemon.url}/#/incidents")
        await expect(page.locator(".incident-list li")).to_have_count(2)
        await expect(page.locator(".incident-list .drill-badge")).to_have_count(1)
        for line in await page.locator(".incident-list .quiet").all_inner_texts():
            assert "Xã Đại Lãnh" in line
        await picture(page, "incidents-drill-vi")
        assert chromium.faults == []


async def test_the_roster_is_downloaded_as_a_table(desk: tuple[Page, str]) -> None:
    page, _ = desk
    async with page.expect_download() as coming:
        await page.get_by_role("link", name="Danh sách điểm cầu dạng bảng (CSV)").click()
    saved = await (await coming.value).path()
    rows = list(csv.DictReader(io.StringIO(saved.read_text("utf-8-sig"))))
    assert {row["id"]: row["name"] for row in rows} == {
        id_: name for id_, (name, _) in ROOMS.items()
    }
    await picture(page, "roster-csv-vi")


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
