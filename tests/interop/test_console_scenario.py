"""Scenarios and agendas in real Chromium with the real daemon: prepared, held, by keys too."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.peers.chromium_page import DESK, LAPTOP, ChromiumPage, picture
from tests.peers.daemon import ADMIN_TOKEN, Daemon

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]

ROOMS = {
    "tinh-uy": "Hội trường Tỉnh ủy",
    "dien-khanh": "Xã Diên Khánh",
    "van-ninh": "Xã Vạn Ninh",
    "truong-sa": "Đặc khu Trường Sa",
}


def scenario(begins_at: datetime) -> dict[str, Any]:
    return {
        "id": "giao-ban",
        "name": "Giao ban trực tuyến tháng 11",
        "unit": "khanh-hoa",
        "chair": "tinh-uy",
        "begins_at": begins_at.isoformat(),
        "items": [
            {"id": "mo", "title": "Khai mạc, điểm danh", "duration_s": 300, "layout": "lecture",
             "unmuted": ["chair"]},
            {"id": "dk", "title": "Báo cáo phòng chống bão", "duration_s": 600,
             "speaker": "dien-khanh", "broadcast": True, "unmuted": ["chair"],
             "note": "Nhắc tắt mic khi hết giờ"},
            {"id": "ts", "title": "Báo cáo tình hình biển đảo", "duration_s": 600,
             "speaker": "truong-sa", "broadcast": True, "unmuted": ["chair"],
             "message": "Đặc khu Trường Sa báo cáo"},
            {"id": "tl", "title": "Thảo luận", "duration_s": 1200, "layout": "2x2"},
            {"id": "kl", "title": "Kết luận của chủ tọa", "duration_s": 600, "unmuted": ["chair"]},
        ],
        "duties": [
            {"role": "Trực điều khiển", "name": "Nguyễn Văn An", "phone": "0258 3822 111"},
            {"role": "Trực kỹ thuật", "name": "Trần Thị Bình", "phone": "+84 905 123 456",
             "bridge": "truong-sa"},
        ],
        "contingencies": [
            {"when": "Mất tín hiệu chủ tọa", "then": "Gọi lại ngay; phó chủ tịch điều hành"},
        ],
    }  # fmt: skip


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Daemon]:
    async with Daemon(tmp_path_factory.mktemp("scenario") / "data") as daemon:
        await daemon.register(ROOMS)
        yield daemon


@pytest_asyncio.fixture(loop_scope="session")
async def daemon(running: Daemon) -> AsyncIterator[Daemon]:
    yield running
    await running.clear()
    for kind, kept in (("bridges", set(ROOMS)), ("units", {"khanh-hoa"})):
        for one in (await running.call("GET", f"/{kind}"))["items"]:
            if one["id"] not in kept:
                await running.call("DELETE", f"/{kind}/{one['id']}")


@pytest_asyncio.fixture(loop_scope="session", params=[LAPTOP, DESK], ids=["1366", "1920"])
async def console(request: pytest.FixtureRequest, browser: Browser) -> AsyncIterator[ChromiumPage]:
    async with ChromiumPage(browser, size=request.param) as chromium:
        yield chromium
        assert chromium.faults == []
        assert chromium.complaints == []


async def open_list(daemon: Daemon, page: Page) -> None:
    await page.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
    await page.locator("a[href='#/scenarios']").click()


async def english(page: Page) -> None:
    await page.locator(".languages button[lang=en]").click()


async def vietnamese(page: Page) -> None:
    await page.locator(".languages button[lang=vi]").click()


async def test_what_was_not_entered_is_said_at_its_field(
    daemon: Daemon, console: ChromiumPage
) -> None:
    page = console.page
    await open_list(daemon, page)
    await page.locator("a[href='#/scenarios/new']").click()
    await page.get_by_role("button", name="Thêm mục").click()
    await page.get_by_role("button", name="Lưu").click()
    name = page.get_by_label("Tên hội nghị")
    await expect(name).to_be_focused()
    await expect(page.locator(".scenario-head .faults")).to_have_text(
        "Tên: Chưa nhập. Nhập mục này."
    )
    await expect(page.locator(".agenda-form .faults")).to_have_text(
        "Mục 1 · Nội dung: Chưa nhập. Nhập mục này."
    )
    assert await name.get_attribute("aria-describedby") == "fault-name"
    await expect(page.locator(".server-words")).to_have_count(0)
    await picture(page, "scenario-missing-vi")


async def test_a_scenario_is_written_checked_and_kept(
    daemon: Daemon, console: ChromiumPage
) -> None:
    page = console.page
    await open_list(daemon, page)
    await expect(page.locator(".empty")).to_contain_text("Chưa có kịch bản nào")
    await page.locator("a[href='#/scenarios/new']").click()
    await page.get_by_label("Tên hội nghị").fill("Giao ban tháng 12")
    await page.get_by_role("button", name="Thêm mục").click()
    first = page.locator(".agenda-form li").first
    await first.get_by_label("Nội dung mục").fill("Khai mạc")
    await first.get_by_label("Số phút dự kiến").fill("2000")
    await page.get_by_role("button", name="Thêm người trực").click()
    duty = page.locator("li.duty")
    await duty.get_by_label("Nhiệm vụ").fill("Trực kỹ thuật")
    await duty.get_by_label("Họ tên").fill("Nguyễn Văn An")
    await duty.get_by_label("Điện thoại").fill("gọi tôi")
    await page.get_by_role("button", name="Kiểm tra").click()
    await expect(page.locator(".problem")).to_be_visible()
    minutes = first.get_by_label("Số phút dự kiến")
    await expect(first.locator(".faults")).to_contain_text("Thời lượng: ")
    await expect(first.locator(".faults")).to_contain_text("24 giờ")
    await expect(duty.locator(".faults")).to_contain_text("Điện thoại: ")
    await expect(minutes).to_be_focused()
    await expect(minutes).to_have_attribute("aria-invalid", "true")
    await expect(page.locator(".server-words")).to_have_count(0)
    await picture(page, "scenario-faults-vi")
    await english(page)
    await expect(first.locator(".faults")).to_contain_text("Duration: ")
    await expect(page.locator(".server-words")).to_have_count(0)
    await picture(page, "scenario-faults-en")
    await vietnamese(page)
    assert (await daemon.call("GET", "/scenarios"))["items"] == []

    await first.get_by_label("Số phút dự kiến").fill("10")
    await first.get_by_label("Điểm cầu phát biểu").select_option("van-ninh")
    await first.get_by_label("Phát người nói cho tất cả").check()
    await first.get_by_label("Ai được mở mic").select_option("chair")
    await duty.get_by_label("Điện thoại").fill("0258 3822 111")
    await page.get_by_role("button", name="Lưu").click()
    await expect(page).to_have_url(re.compile(r"#/scenarios/s-"))
    (kept,) = (await daemon.call("GET", "/scenarios"))["items"]
    whole = await daemon.call("GET", f"/scenarios/{kept['id']}")
    assert whole["items"][0] | {"id": ""} == {
        "id": "", "title": "Khai mạc", "duration_s": 600, "starts_s": None,
        "speaker": "van-ninh", "layout": None, "broadcast": True, "unmuted": ["chair"],
        "presentation": None, "polling": None, "message": None, "note": None,
    }  # fmt: skip
    assert whole["expected"] == "subtree"


async def test_a_file_is_taken_in_and_given_back(
    daemon: Daemon, console: ChromiumPage, tmp_path: Path
) -> None:
    page = console.page
    await open_list(daemon, page)
    file = tmp_path / "kich-ban.yaml"
    file.write_text("id: kb\nname: Họp bão\nunit: khanh-hoa\nitems: [{title: A, duration_s: 1}]\n")
    await page.locator("#scenario-file").set_input_files(file)
    await expect(page.locator(".problem")).to_contain_text("Mục 1 · Thời lượng: ")
    await expect(page.locator(".server-words")).to_have_count(0)
    file.write_text(file.read_text().replace("duration_s: 1", "duration_s: 60"))
    await page.locator("#scenario-file").set_input_files(file)
    await expect(page.locator(".scenario-entry")).to_contain_text("Họp bão")
    await picture(page, "scenarios-vi")
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="YAML").click()
    saved = await (await waiting.value).path()
    assert "name: Họp bão" in saved.read_text()


async def test_who_is_overtaken_is_told_and_overwrites_nothing(
    daemon: Daemon, console: ChromiumPage
) -> None:
    await daemon.call("POST", "/scenarios", scenario(datetime.now(UTC)))
    page = console.page
    await page.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
    await page.goto(f"{daemon.url}/#/scenarios/giao-ban")
    await expect(page.locator(".agenda-form li")).to_have_count(8)
    await picture(page, "scenario-form-vi")
    await english(page)
    await picture(page, "scenario-form-en")
    await daemon.call("PATCH", "/scenarios/giao-ban", {"name": "Đã đổi"})
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".problem")).to_contain_text("Somebody else changed it")
    assert (await daemon.call("GET", "/scenarios/giao-ban"))["name"] == "Đã đổi"


async def test_the_newer_version_is_loaded_beside_what_was_entered(
    daemon: Daemon, console: ChromiumPage
) -> None:
    await daemon.call("POST", "/scenarios", scenario(datetime.now(UTC)))
    page = console.page
    await page.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
    await page.goto(f"{daemon.url}/#/scenarios/giao-ban")
    first = page.locator(".agenda-form li").first
    await first.get_by_label("Nội dung mục").fill("Khai mạc của tôi")
    await page.get_by_label("Bố cục").first.select_option("2x2")
    await daemon.call("PATCH", "/scenarios/giao-ban", {"name": "Đã đổi"})
    await page.get_by_role("button", name="Lưu").click()
    load = page.get_by_role("button", name="Tải bản mới hơn")
    await expect(page.locator(".problem")).to_contain_text("Người khác vừa thay đổi")
    await picture(page, "scenario-overtaken-vi")
    await load.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("textbox", name="Tên hội nghị")).to_have_value("Đã đổi")
    await expect(first.get_by_label("Nội dung mục")).to_have_value("Khai mạc, điểm danh")
    kept = page.locator(".overtaken")
    await expect(kept).to_be_focused()
    await expect(kept.locator("tbody tr")).to_have_count(3)
    await expect(kept).to_contain_text("Khai mạc của tôi")
    await picture(page, "scenario-mine-vi")
    await english(page)
    await picture(page, "scenario-mine-en")
    await vietnamese(page)
    await kept.get_by_role("button", name="Dùng của tôi: Chương trình").click()
    await expect(first.get_by_label("Nội dung mục")).to_have_value("Khai mạc của tôi")
    await expect(kept.locator("tbody tr")).to_have_count(2)
    await page.get_by_role("button", name="Lưu").click()
    await expect(page.locator(".toast.good")).to_be_visible()
    await expect(kept).to_have_count(0)
    now = await daemon.call("GET", "/scenarios/giao-ban")
    assert (now["name"], now["layout"]) == ("Đã đổi", "auto")
    assert now["items"][0]["title"] == "Khai mạc của tôi"


async def test_rooms_are_chosen_by_unit_and_by_keys(daemon: Daemon, console: ChromiumPage) -> None:
    for unit in ("huyen-a", "huyen-b"):
        body = {"id": unit, "name": unit.upper(), "level": "district", "parent": "khanh-hoa"}
        await daemon.call("POST", "/units", body)
        for number in range(3):
            room = {"id": f"{unit}-{number}", "name": f"Phòng {number}", "unit": unit}
            await daemon.call("POST", "/bridges", room | {"kind": "webrtc"})
    page = console.page
    await open_list(daemon, page)
    await page.locator("a[href='#/scenarios/new']").click()
    await page.get_by_label("Tên hội nghị").fill("Họp huyện A")
    await page.get_by_label("Chọn từng điểm cầu").check()
    rooms = page.locator(".room-choice li:not(:has(.of-unit)) input")
    await expect(rooms.and_(page.locator(":checked"))).to_have_count(10)
    await page.get_by_role("button", name="Bỏ chọn").click()
    await expect(page.locator(".room-choice input:checked")).to_have_count(0)
    whole = page.get_by_label(re.compile("^Chọn cả HUYEN-A"))
    await whole.focus()
    await page.keyboard.press("Space")
    await expect(page.locator(".room-choice .of-unit input:checked")).to_have_count(1)
    await expect(rooms.and_(page.locator(":checked"))).to_have_count(3)
    province = page.locator(".room-choice .of-unit input").first
    assert await province.evaluate("(box) => [box.indeterminate, box.checked]") == [True, False]
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Space")
    assert await whole.evaluate("(box) => [box.indeterminate, box.checked]") == [True, False]
    await picture(page, "scenario-rooms-vi")
    await english(page)
    await picture(page, "scenario-rooms-en")
    await vietnamese(page)
    await whole.focus()
    await page.keyboard.press("Space")  # some of them: all
    await page.get_by_label("Lọc điểm cầu").fill("huyen-b")
    await expect(rooms).to_have_count(3)
    await page.get_by_role("button", name="Chọn tất cả đang hiện").click()
    await page.get_by_label("Lọc điểm cầu").fill("")
    await page.get_by_label(re.compile("^Chọn cả HUYEN-B")).uncheck()
    await page.get_by_role("button", name="Lưu").click()
    await expect(page).to_have_url(re.compile(r"#/scenarios/s-"))
    (kept,) = (await daemon.call("GET", "/scenarios"))["items"]
    whole_one = await daemon.call("GET", f"/scenarios/{kept['id']}")
    assert sorted(whole_one["expected"]) == [f"huyen-a-{number}" for number in range(3)]


async def test_a_session_is_led_by_keys_alone(daemon: Daemon, console: ChromiumPage) -> None:
    begins = datetime.now(UTC) - timedelta(minutes=7)
    await daemon.call("POST", "/scenarios", scenario(begins))
    page = console.page
    await open_list(daemon, page)
    await page.get_by_role("button", name="Mở hội nghị").focus()
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"#/conferences/"))
    path = "/conferences/" + page.url.rpartition("/")[2]
    await expect(page.locator(".row[id]")).to_have_count(len(ROOMS))
    await page.keyboard.press("a")
    await expect(page.locator(".agenda-items li")).to_have_count(5)
    await page.keyboard.press("Shift+N")
    current = page.locator(".agenda-items li.current")
    await expect(current).to_contain_text("Khai mạc, điểm danh")
    await expect(page.locator(".agenda-clock")).to_contain_text("Chậm 7:")
    await page.keyboard.press("Shift+N")
    await expect(current).to_contain_text("Báo cáo phòng chống bão")
    assert (await daemon.call("GET", path))["broadcast"] == "dien-khanh"
    await expect(page.locator(".toast.bad")).to_contain_text("Xã Diên Khánh")
    await picture(page, "agenda-vi")
    await english(page)
    await picture(page, "agenda-en")
    await page.keyboard.press("Shift+K")
    await expect(current).to_contain_text("Khai mạc, điểm danh")
    assert (await daemon.call("GET", path))["broadcast"] is None
    items = page.locator(".agenda-items li")
    await items.nth(3).get_by_role("button").focus()
    await page.keyboard.press("Enter")
    await expect(current).to_contain_text("Thảo luận")
    agenda = await daemon.call("GET", f"{path}/agenda")
    assert [len(item["held"]) for item in agenda["items"]] == [2, 1, 0, 1, 0]


async def test_the_agenda_is_edited_while_it_is_held(daemon: Daemon, console: ChromiumPage) -> None:
    await daemon.call("POST", "/scenarios", scenario(datetime.now(UTC)))
    started = await daemon.call("POST", "/conferences", {"scenario": "giao-ban"})
    path = f"/conferences/{started['id']}/agenda"
    await daemon.call("POST", f"{path}/next")
    page = console.page
    await page.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
    await page.locator(".conference-entry").click()
    await page.get_by_role("tab", name="Chương trình").click()
    await page.get_by_role("button", name="Sửa chương trình").click()
    dialog = page.locator("dialog")
    held = dialog.locator("li.now-held")
    await expect(held.get_by_role("button", name="Bỏ")).to_be_disabled()
    await held.get_by_label("Số phút dự kiến").fill("15")
    await dialog.locator(".agenda-form li").nth(3).get_by_role("button", name="Bỏ").click()
    await picture(page, "agenda-edit-vi")
    await dialog.get_by_role("button", name="Lưu").click()
    await expect(dialog).to_have_count(0)
    await expect(page.locator(".agenda-items li")).to_have_count(4)
    agenda = await daemon.call("GET", path)
    assert [item["id"] for item in agenda["items"]] == ["mo", "dk", "ts", "kl"]
    assert agenda["items"][0]["duration_s"] == 900


async def test_an_agenda_that_another_edits_is_not_overwritten_unseen(
    daemon: Daemon, console: ChromiumPage
) -> None:
    await daemon.call("POST", "/scenarios", scenario(datetime.now(UTC)))
    started = await daemon.call("POST", "/conferences", {"scenario": "giao-ban"})
    path = f"/conferences/{started['id']}/agenda"
    page = console.page
    await page.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
    await page.locator(".conference-entry").click()
    await page.get_by_role("tab", name="Chương trình").click()
    await page.get_by_role("button", name="Sửa chương trình").click()
    dialog = page.locator("dialog")
    items = dialog.locator(".agenda-form").first.locator("li")
    await items.nth(0).get_by_label("Nội dung mục").fill("Của tôi")
    agenda = await daemon.call("GET", path)
    other = [
        {name: item[name] for name in ("id", "title", "duration_s")} for item in agenda["items"]
    ]
    await daemon.call("PUT", path, {"items": [*other[:4], other[4] | {"title": "Của người khác"}]})
    await expect(page.locator(".agenda-items")).to_contain_text("Của người khác")
    save = dialog.get_by_role("button", name="Lưu", exact=True)
    await save.click()
    await expect(dialog.locator(".problem")).to_contain_text("Người khác vừa thay đổi")
    titles = [item["title"] for item in (await daemon.call("GET", path))["items"]]
    assert (titles[0], titles[4]) == ("Khai mạc, điểm danh", "Của người khác")
    await dialog.get_by_role("button", name="Tải bản mới hơn").click()
    await expect(items.nth(4).get_by_label("Nội dung mục")).to_have_value("Của người khác")
    await expect(dialog.locator(".overtaken")).to_contain_text("Của tôi")
    await picture(page, "agenda-mine-vi")
    await items.nth(0).get_by_label("Nội dung mục").fill("Của cả hai")
    await daemon.call("POST", f"{path}/next")  # touches nothing that is edited here
    await expect(page.locator(".agenda-items li.current")).to_have_count(1)
    await save.click()
    await expect(dialog).to_have_count(0)
    titles = [item["title"] for item in (await daemon.call("GET", path))["items"]]
    assert (titles[0], titles[4]) == ("Của cả hai", "Của người khác")


async def test_every_field_of_an_item_is_on_the_page(daemon: Daemon, console: ChromiumPage) -> None:
    await daemon.call("POST", "/scenarios", scenario(datetime.now(UTC)) | {"items": []})
    page = console.page
    await page.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
    await page.goto(f"{daemon.url}/#/scenarios/giao-ban")
    await page.get_by_role("button", name="Thêm mục").click()
    item = page.locator(".agenda-form li").first
    await item.get_by_label("Nội dung mục").fill("Các xã báo cáo")
    await item.get_by_label("Bắt đầu sau giờ khai mạc").fill("30")
    await item.get_by_label("Ai được mở mic").select_option("own")
    for who in ("chair", "truong-sa", "van-ninh"):
        await item.get_by_label("Thêm điểm cầu").select_option(who)
    await item.get_by_role("button", name="Không mở mic Xã Vạn Ninh").press("Enter")
    await item.get_by_label("Chủ tọa xem lần lượt").check()
    await item.get_by_label("Thuộc").select_option("khanh-hoa")
    await item.get_by_label("Số giây mỗi điểm").fill("8")
    await picture(page, "scenario-item-vi")
    await english(page)
    await picture(page, "scenario-item-en")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".toast.good")).to_be_visible()
    (kept,) = (await daemon.call("GET", "/scenarios/giao-ban"))["items"]
    assert (kept["starts_s"], kept["unmuted"]) == (1800, ["chair", "truong-sa"])
    assert kept["polling"] == {"scope": "khanh-hoa", "interval_s": 8}
    # A list that was chosen is still one when it is read again.
    await page.reload()
    await expect(item.get_by_role("button", name="Đặc khu Trường Sa is not heard")).to_be_visible()
    await item.get_by_label("Begins so many minutes").fill("")
    await item.get_by_label("Who is heard").select_option("all")
    await item.get_by_label("Chair pages through the rooms").uncheck()
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".toast.good")).to_be_visible()
    (kept,) = (await daemon.call("GET", "/scenarios/giao-ban"))["items"]
    assert (kept["starts_s"], kept["unmuted"], kept["polling"]) == (None, ["all"], None)
