"""The operator console in real Chromium, with 145 rooms and without media."""

import json
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Locator, Page, expect

from mcu.api.problem import Problem
from mcu.console.pages import STATIC
from mcu.sentences import sentence
from tests.peers.chromium_page import ChromiumPage, picture
from tests.peers.stub_daemon import OBSERVER, OPERATOR, StubDaemon
from tests.peers.stub_roster import CONFERENCE
from tests.peers.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATH = f"/api/v1/conferences/{CONFERENCE}"


@pytest_asyncio.fixture(loop_scope="session")
async def daemon() -> AsyncIterator[StubDaemon]:
    async with StubDaemon() as daemon:
        yield daemon


@pytest_asyncio.fixture(loop_scope="session")
async def chromium(browser: Browser) -> AsyncIterator[ChromiumPage]:
    async with ChromiumPage(browser) as chromium:
        yield chromium
        assert chromium.faults == []
        assert chromium.complaints == []


@pytest_asyncio.fixture(loop_scope="session")
async def desk(daemon: StubDaemon, chromium: ChromiumPage) -> Page:
    """The conference's screen of a signed-in operator, in Vietnamese."""
    await open_desk(daemon, chromium.page)
    return chromium.page


async def open_desk(daemon: StubDaemon, page: Page, token: str = OPERATOR) -> None:
    await page.goto(f"{daemon.url}/#token={token}")
    await page.locator(".conference-entry").click()
    await expect(page.locator(".row[id]")).to_have_count(len(daemon.people))


def row(page: Page, id_: str) -> Locator:
    return page.locator(f"[id='row-{id_}']")


def of_state(daemon: StubDaemon, state: str) -> list[str]:
    return [id_ for id_, person in daemon.people.items() if person["state"] == state]


async def names(page: Page) -> list[str]:
    return await page.locator(".row[id] .name b").all_inner_texts()


async def test_a_token_in_the_link_becomes_a_cookie_and_leaves_no_trace(
    daemon: StubDaemon, chromium: ChromiumPage
) -> None:
    page = chromium.page
    await page.goto(f"{daemon.url}/#token={OPERATOR}")
    await expect(page.locator(".conference-entry")).to_be_visible()
    assert OPERATOR not in page.url
    stored = await page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert OPERATOR not in stored
    assert OPERATOR not in await page.evaluate("document.cookie + history.state")
    (cookie,) = await chromium.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == (
        "mcu_session", True, "Strict",
    )  # fmt: skip
    await page.reload()
    await expect(page.locator(".conference-entry")).to_be_visible()


async def test_signing_in_by_hand_and_with_a_wrong_token(
    daemon: StubDaemon, chromium: ChromiumPage
) -> None:
    page = chromium.page
    await page.goto(daemon.url)
    await page.locator("input[name=token]").fill("wrong")
    await page.keyboard.press("Enter")
    await expect(page.locator(".problem")).to_contain_text("Mã truy cập không đúng")
    await expect(page.locator(".server-words")).to_have_count(0)
    await page.locator("input[name=token]").fill(OPERATOR)
    await page.keyboard.press("Enter")
    await expect(page.locator(".conference-entry")).to_be_visible()


async def test_trouble_stands_first(daemon: StubDaemon, desk: Page) -> None:
    lost = {daemon.people[id_]["label"] for id_ in of_state(daemon, "lost")}
    poor = {
        person["label"]
        for person in daemon.people.values()
        if person["state"] == "connected" and person["quality"]["grade"] == "poor"
    }
    listed = await names(desk)
    assert set(listed[: len(lost)]) == lost
    assert set(listed[len(lost) : len(lost) + len(poor)]) == poor


async def test_a_room_on_a_weak_line_says_which_picture_it_gets_and_why(
    daemon: StubDaemon, desk: Page
) -> None:
    id_ = of_state(daemon, "connected")[0]
    line = {"grade": "fair", "loss_percent": 2.0, "jitter_ms": 5.0, "round_trip_ms": 40.0}
    small = {
        "step": "180p", "width": 320, "height": 180, "bitrate_bps": 190_000, "best": False,
        "reason": "rate", "text": "", "loss_percent": 40.0, "carries_bps": 290_000,
    }  # fmt: skip
    daemon.emit("quality.measured", quality={id_: {**line, "receives": small}})
    cell = row(desk, id_).locator(".quality")
    await expect(cell).to_contain_text("180p")
    await expect(cell).to_have_attribute("title", re.compile("nhận 180p, 190 kbit/s"))
    await expect(cell).to_have_attribute("title", re.compile("chỉ tải được 290 kbit/s"))
    sound = {**small, "step": "audio", "bitrate_bps": 0, "reason": "loss"}
    daemon.emit("quality.measured", quality={id_: {**line, "receives": sound}})
    await expect(cell).to_contain_text("chỉ tiếng")
    await expect(cell).to_have_attribute("title", re.compile("vì mất gói 40%"))
    best = {**small, "step": "720p", "best": True, "reason": None}
    daemon.emit("quality.measured", quality={id_: {**line, "receives": best}})
    await expect(cell).not_to_contain_text("720p")
    daemon.emit(
        "quality.measured", quality={id_: {**line, "receives": best, "refused": "too_large"}}
    )
    await expect(cell).to_have_attribute("title", re.compile("không hiển thị hình"))
    await row(desk, id_).dblclick(position={"x": 60, "y": 10})
    await expect(desk.locator(".room dl")).to_contain_text("không hiển thị hình: lớn hơn 1920×1088")


async def test_load_is_told_with_what_is_given_up_and_what_to_do(
    daemon: StubDaemon, desk: Page
) -> None:
    banner = desk.locator(".banner.load")
    await expect(banner).to_have_count(0)
    await daemon.watched()
    daemon.strain(level="strained", given_up=["view-rate"], view_fps=15, processors=0.93)
    await expect(banner).to_have_attribute("role", "status")
    await expect(banner).to_contain_text("Máy chủ gần hết công suất")
    await expect(banner).to_contain_text("Tạm thời: 15 hình/giây")
    await expect(banner).to_contain_text("Chưa mời thêm điểm cầu")
    await expect(banner).to_have_attribute("title", re.compile("bận 93%"))
    everything = ["view-rate", "small-renditions", "small-slots"]
    refused = {"load": 3, "joins": 1, "max_legs": 7}
    daemon.strain(level="overloaded", given_up=everything, view_fps=10, refused=refused)
    await expect(banner).to_have_attribute("role", "alert")
    await expect(banner).to_contain_text("chưa nhận thêm điểm cầu")
    await expect(banner).to_contain_text("10 hình/giây; các điểm cầu đường truyền yếu dùng chung")
    await expect(banner).to_contain_text("đã từ chối 4 lần")
    await desk.locator(".top a.bare").click()
    await expect(desk.locator(".conference-entry")).to_be_visible()
    await expect(banner).to_contain_text("chưa nhận thêm điểm cầu")
    daemon.strain(level="none", given_up=[], view_fps=25)
    await expect(banner).to_have_count(0)


async def test_an_answer_older_than_what_was_told_changes_nothing(
    daemon: StubDaemon, desk: Page
) -> None:
    await daemon.watched()
    daemon.load_read.clear()
    daemon.load_answered.clear()
    streams = len(daemon.resumed_from)
    await desk.locator(".top a.bare").click()
    await daemon.load_read.wait()
    await until(lambda: len(daemon.resumed_from) > streams, 0.01)  # what the list listens to
    daemon.strain(level="strained", given_up=["view-rate"], view_fps=15, processors=0.93)
    banner = desk.locator(".banner.load")
    await expect(banner).to_be_visible()
    async with desk.expect_response("**/api/v1/load"):
        daemon.load_answered.set()
    await desk.evaluate("new Promise((shown) => requestAnimationFrame(() => setTimeout(shown)))")
    await expect(banner).to_be_visible()


async def test_a_lost_room_moves_up_but_not_under_the_pointer(
    daemon: StubDaemon, desk: Page
) -> None:
    id_ = of_state(daemon, "connected")[-1]
    label = daemon.people[id_]["label"]
    await desk.locator(".rows").hover()
    before = await names(desk)
    daemon.change(id_, "participant.lost", state="lost")
    await expect(desk.locator(".held")).to_be_visible()
    assert await names(desk) == before
    await expect(row(desk, id_)).to_have_class(re.compile(r"\blost\b"))
    await desk.mouse.move(200, 60)
    await expect(desk.locator(".held")).to_be_hidden()
    lost = len(of_state(daemon, "lost"))
    assert label in (await names(desk))[:lost]


async def test_search_needs_no_diacritics_and_filters_count(daemon: StubDaemon, desk: Page) -> None:
    await desk.keyboard.press("/")
    await desk.keyboard.type("dien khanh")
    listed = await names(desk)
    assert 5 < len(listed) < 40
    assert "UBND huyện Diên Khánh" in listed
    await desk.keyboard.press("Escape")
    await desk.keyboard.press("Escape")
    await expect(desk.locator(".row[id]")).to_have_count(145)
    lost = of_state(daemon, "lost")
    await desk.locator("[data-filter=lost]").click()
    await expect(desk.locator(".row[id]")).to_have_count(len(lost))
    await expect(desk.locator("[data-filter=lost] b")).to_have_text(str(len(lost)))


async def test_muting_a_room_is_seen_when_the_event_says_so(daemon: StubDaemon, desk: Page) -> None:
    id_ = next(iter(daemon.people))
    button = row(desk, id_).locator(".muting").first
    await expect(button).to_have_attribute("aria-pressed", "false")
    await button.click()
    await expect(button).to_have_attribute("aria-pressed", "true")
    assert ("PATCH", f"{PATH}/participants/{id_}", {"audio_muted": True}) in daemon.calls


async def test_the_presentation_is_given_and_taken_back(daemon: StubDaemon, desk: Page) -> None:
    first, second = of_state(daemon, "connected")[:2]
    button = row(desk, first).get_by_role("button", name="Cho trình chiếu")
    await expect(button).to_have_attribute("aria-pressed", "false")
    await button.click()
    back = row(desk, first).get_by_role("button", name="Thu trình chiếu")
    await expect(back).to_have_attribute("aria-pressed", "true")
    assert ("PUT", f"{PATH}/presentation", {"participant": first}) in daemon.calls
    await expect(row(desk, first)).to_contain_text("Đang trình chiếu")
    note = desk.locator(".air-note.showing")
    await expect(note).to_contain_text(daemon.people[first]["label"])
    # A room takes it by its own remote control.
    daemon.conference["presentation"] = second
    daemon.emit("presentation.started", participant=second, replaced=first)
    await expect(note).to_contain_text(daemon.people[second]["label"])
    await expect(row(desk, first)).not_to_contain_text("Đang trình chiếu")
    await note.get_by_role("button").click()
    await expect(note).to_have_count(0)
    # By the keyboard; who is not there cannot be given it.
    await row(desk, first).click()
    await desk.keyboard.press("p")
    await expect(note).to_contain_text(daemon.people[first]["label"])
    await desk.keyboard.press("p")
    await expect(note).to_have_count(0)
    absent = of_state(daemon, "expected")[0]
    await expect(row(desk, absent).get_by_role("button", name="Cho trình chiếu")).to_be_disabled()


async def test_what_others_do_is_seen_too(daemon: StubDaemon, desk: Page) -> None:
    first, second, third = list(daemon.people)[:3]
    daemon.change(first, label="Phòng họp số 1")
    await expect(row(desk, first)).to_contain_text("Phòng họp số 1")
    daemon.conference["broadcast"] = second
    daemon.emit("broadcast.started", participant=second)
    await expect(desk.locator(".air-note")).to_contain_text(daemon.people[second]["label"])
    daemon.emit("conference.locked")
    await expect(desk.get_by_role("button", name="Đã khóa")).to_be_visible()
    daemon.emit("participant.removed", participant=daemon.people.pop(third))
    await expect(desk.locator(".row[id]")).to_have_count(144)
    daemon.emit("conference.ended", reason="ended", ended_at=daemon.conference["started_at"])
    await expect(desk.locator(".banner")).to_contain_text("Hội nghị đã kết thúc")


async def test_an_event_that_was_overtaken_changes_nothing(daemon: StubDaemon, desk: Page) -> None:
    first, second = list(daemon.people)[:2]
    old = dict(daemon.people[first])
    daemon.change(first, label="Mới")
    daemon.emit("participant.changed", participant=old)
    daemon.change(second, label="Sau đó")
    await expect(row(desk, second)).to_contain_text("Sau đó")
    await expect(row(desk, first)).to_contain_text("Mới")


async def test_mute_all_spares_the_chair_and_can_be_undone(daemon: StubDaemon, desk: Page) -> None:
    chair = daemon.conference["chair"]
    before = {id_ for id_, person in daemon.people.items() if person["audio_muted"]}
    await desk.get_by_role("button", name="Tắt mic tất cả").click()
    await expect(desk.locator(".toast")).to_contain_text("trừ chủ tọa")
    after = {id_ for id_, person in daemon.people.items() if person["audio_muted"]}
    assert after == set(daemon.people) - {chair}
    await desk.keyboard.press("z")
    other = next(id_ for id_ in daemon.people if id_ not in before and id_ != chair)
    await expect(row(desk, other).locator(".muting").first).to_have_attribute(
        "aria-pressed", "false"
    )
    assert {id_ for id_, person in daemon.people.items() if person["audio_muted"]} == before


async def test_how_pictures_fit_is_chosen_with_the_keyboard_and_stays(
    daemon: StubDaemon, desk: Page
) -> None:
    whole, filling = desk.locator("[data-fit=letterbox]"), desk.locator("[data-fit=crop]")
    await expect(whole).to_have_attribute("aria-pressed", "true")
    await whole.focus()
    await desk.keyboard.press("Tab")
    await desk.keyboard.press("Space")
    await expect(filling).to_have_attribute("aria-pressed", "true")
    await expect(whole).to_have_attribute("aria-pressed", "false")
    assert daemon.last(f"{PATH}/layout") == (
        "PUT", f"{PATH}/layout", {"view": "main", "layout": "1+7", "slots": None, "fit": "crop"},
    )  # fmt: skip
    await desk.locator("[data-layout='2x2']").click()
    await expect(desk.locator("[data-layout='2x2']")).to_have_attribute("aria-pressed", "true")
    await expect(filling).to_have_attribute("aria-pressed", "true")
    await filling.press("Enter")  # what is so already is not asked for again
    assert len([call for call in daemon.calls if call[0] == "PUT"]) == 2
    await desk.get_by_role("button", name="Hoàn tác").first.click()
    await expect(whole).to_have_attribute("aria-pressed", "true")
    await expect(desk.locator("[data-layout='2x2']")).to_have_attribute("aria-pressed", "true")


async def test_a_layout_is_chosen_from_its_drawing_and_undone(
    daemon: StubDaemon, desk: Page
) -> None:
    await desk.locator("[data-layout='2+8']").click()
    await expect(desk.locator("[data-layout='2+8']")).to_have_attribute("aria-pressed", "true")
    assert daemon.last(f"{PATH}/layout") == (
        "PUT", f"{PATH}/layout", {"view": "main", "layout": "2+8", "slots": None},
    )  # fmt: skip
    assert await desk.locator("[data-layout='2+8'] rect").count() == 10
    await desk.get_by_role("button", name="Hoàn tác").click()
    await expect(desk.locator("[data-layout='1+7']")).to_have_attribute("aria-pressed", "true")


async def test_a_room_is_put_into_a_place_by_keyboard(daemon: StubDaemon, desk: Page) -> None:
    await desk.keyboard.press("s")
    await expect(desk.locator(".slot")).to_have_count(8)
    await desk.locator(".slot").nth(2).press("Enter")
    dialog = desk.get_by_role("dialog")
    await dialog.get_by_role("searchbox").fill("tru so")
    await dialog.get_by_role("searchbox").fill("vinh phuong")
    await expect(dialog.locator(".pick-list li")).to_have_count(1)
    await desk.keyboard.press("Enter")
    await expect(desk.locator(".slot").nth(2)).to_contain_text("Xã Vĩnh Phương")
    method, _, body = daemon.last(f"{PATH}/layout")
    assert method == "PUT"
    assert body["slots"][0] == {"speaker": 1}
    assert daemon.people[body["slots"][2]["participant"]]["label"] == "Xã Vĩnh Phương"
    assert len(body["slots"]) == 8
    assert body["slots"][1] == {"participant": daemon.conference["chair"]}


async def test_a_room_is_dragged_into_a_place(daemon: StubDaemon, desk: Page) -> None:
    id_ = of_state(daemon, "connected")[3]
    await desk.keyboard.press("s")
    await row(desk, id_).scroll_into_view_if_needed()
    await row(desk, id_).locator(".name").drag_to(desk.locator(".slot").nth(4))
    await expect(desk.locator(".slot").nth(4)).to_contain_text(daemon.people[id_]["label"])


async def test_the_whole_desk_by_keyboard(daemon: StubDaemon, desk: Page) -> None:
    first = (await desk.locator(".row[id]").first.get_attribute("id") or "").removeprefix("row-")
    await desk.keyboard.press("ArrowDown")
    await expect(row(desk, first)).to_be_focused()
    await desk.keyboard.press("ArrowRight")
    await expect(row(desk, first).locator("button").first).to_be_focused()
    await desk.keyboard.press("ArrowLeft")
    await expect(row(desk, first)).to_be_focused()
    await desk.keyboard.press("b")
    await expect(desk.locator(".air-note")).to_contain_text(daemon.people[first]["label"])
    await desk.keyboard.press("b")
    await expect(desk.locator(".air-note")).to_be_hidden()
    muted = daemon.people[first]["audio_muted"]
    await desk.keyboard.press("m")
    await expect(row(desk, first).locator(".muting").first).to_have_attribute(
        "aria-pressed", str(not muted).lower()
    )
    await desk.keyboard.press("Enter")
    await expect(desk.locator(".room h2")).to_contain_text(daemon.people[first]["label"])
    await expect(desk.locator(".phone")).to_contain_text("0258 3822 000")
    await desk.keyboard.press("t")
    await expect(desk.locator("#message-text")).to_be_focused()
    await desk.keyboard.type("mbs?")
    await expect(desk.locator("#message-text")).to_have_value("mbs?")
    await desk.keyboard.press("Escape")
    await desk.keyboard.press("?")
    await expect(desk.get_by_role("dialog")).to_contain_text("Phím tắt")
    await desk.get_by_label("Dùng phím đơn làm phím tắt").uncheck()
    await desk.keyboard.press("Escape")
    await expect(desk.get_by_role("dialog")).to_be_hidden()
    await desk.keyboard.press("g")
    await expect(desk.locator(".cell")).to_have_count(0)


async def test_the_message_goes_over_the_picture_and_away(daemon: StubDaemon, desk: Page) -> None:
    await desk.keyboard.press("t")
    await desk.locator("#message-text").fill("Mời UBND huyện Vạn Ninh phát biểu")
    await desk.get_by_role("button", name="Hiện thông báo").click()
    await expect(desk.locator(".message-now")).to_contain_text("Mời UBND huyện Vạn Ninh phát biểu")
    assert daemon.last(f"{PATH}/message")[2]["duration_s"] == 60
    await desk.get_by_role("button", name="Xóa").click()
    await expect(desk.locator(".message-now")).to_be_hidden()


async def test_disconnecting_a_room_closes_its_legs(daemon: StubDaemon, desk: Page) -> None:
    id_ = of_state(daemon, "connected")[5]
    leg = daemon.people[id_]["legs"][0]
    await row(desk, id_).dblclick(position={"x": 60, "y": 10})
    await desk.get_by_role("button", name="Ngắt kết nối").click()
    await expect(row(desk, id_)).to_have_class(re.compile(r"\bleft\b"))
    assert ("DELETE", f"/api/v1/legs/{leg}", None) in daemon.calls


async def test_rooms_and_guests_are_added_to_a_running_conference(
    daemon: StubDaemon, desk: Page
) -> None:
    id_ = of_state(daemon, "connected")[4]
    label = daemon.people[id_]["label"]
    await row(desk, id_).dblclick(position={"x": 60, "y": 10})
    await desk.get_by_role("button", name="Đưa ra").click()
    await desk.get_by_role("dialog").get_by_role("button", name="Đưa ra").click()
    await expect(row(desk, id_)).to_have_count(0)
    await desk.get_by_role("button", name="Thêm điểm cầu").click()
    dialog = desk.get_by_role("dialog")
    await expect(dialog.locator(".pick-list button")).to_have_count(1)
    await dialog.get_by_role("button", name=label).click()
    await expect(row(desk, id_)).to_contain_text(label)
    await expect(dialog.locator(".pick-list")).to_contain_text("Không còn điểm cầu nào khác")
    await dialog.get_by_label("Khách, theo tên").fill("Sở Tài chính")
    await dialog.get_by_role("button", name="Thêm khách").click()
    await expect(row(desk, "guest-1")).to_contain_text("Sở Tài chính")


async def test_ending_asks_first(daemon: StubDaemon, desk: Page) -> None:
    await desk.get_by_role("button", name="Kết thúc").click()
    dialog = desk.get_by_role("dialog")
    await expect(dialog).to_contain_text("Không thể hoàn tác")
    await expect(dialog.get_by_role("button", name="Hủy")).to_be_focused()
    await dialog.get_by_role("button", name="Hủy").click()
    assert not [call for call in daemon.calls if call[0] == "DELETE"]
    await desk.get_by_role("button", name="Kết thúc").click()
    await dialog.get_by_role("button", name="Kết thúc với tất cả").click()
    await expect(desk.locator(".banner")).to_contain_text("Hội nghị đã kết thúc")


async def test_a_refusal_says_what_to_do_and_what_the_server_said(
    daemon: StubDaemon, desk: Page
) -> None:
    words = "Bridge x is not in your unit."
    daemon.refuse[f"PUT {PATH}/layout"] = web.Response(
        status=403, text=words, headers={"kind": "forbidden"}
    )
    await desk.locator("[data-layout='3x3']").click()
    toast = desk.get_by_role("alert").filter(has_text="không có quyền")
    await expect(toast).to_contain_text(words)
    await expect(desk.locator("[data-layout='1+7']")).to_have_attribute("aria-pressed", "true")
    await expect(desk.locator("[data-layout='3x3']")).to_be_enabled()


async def test_a_refusal_with_a_code_is_said_in_the_pages_language(
    daemon: StubDaemon, desk: Page
) -> None:
    daemon.refuse[f"PUT {PATH}/layout"] = Problem("conflict", sentence("agenda.roll-call"))
    await desk.locator("[data-layout='3x3']").click()
    toast = desk.get_by_role("alert").filter(has_text="Điểm danh chưa xong")
    await expect(toast).to_have_text(
        "Điểm danh chưa xong. Ký hoặc hủy điểm danh trước khi chuyển mục."
    )
    await picture(desk, "refusal-conflict-vi")
    wait = Problem("rate-limited", sentence("requests.too-many", who="x", wait_s=4))
    daemon.refuse[f"PUT {PATH}/layout"] = wait
    await desk.locator("[data-layout='3x3']").click()
    toast = desk.get_by_role("alert").filter(has_text="Gửi quá nhiều yêu cầu")
    await expect(toast).to_contain_text("Chờ 4 giây rồi thử lại.")
    await expect(desk.locator(".toast .server-words")).to_have_count(0)


async def test_a_full_server_is_said_over_the_picture_in_the_pages_language(
    daemon: StubDaemon, chromium: ChromiumPage
) -> None:
    full = sentence("server.full", why="its processors are busy", wait_s=7)
    daemon.refuse[f"POST /whep/{CONFERENCE}"] = Problem(
        "unavailable", full, headers={"Retry-After": "7"}
    )
    await open_desk(daemon, chromium.page)
    note = chromium.page.locator(".stage-note")
    await expect(note).to_contain_text("Máy chủ đã quá tải")
    await expect(note).to_contain_text("Thử lại sau 7 giây.")
    await expect(note.locator(".server-words")).to_have_count(0)
    await picture(chromium.page, "server-full-vi")
    await chromium.page.locator(".languages button[lang=en]").click()
    await expect(note).to_contain_text("The server is full")
    await picture(chromium.page, "server-full-en")


async def test_a_lost_server_is_said_and_events_are_resumed(daemon: StubDaemon, desk: Page) -> None:
    id_ = next(iter(daemon.people))
    daemon.change(id_, label="Trước")
    await expect(row(desk, id_)).to_contain_text("Trước")
    seen = str(len(daemon.log))
    await daemon.stop()
    banner = desk.locator(".banner.bad").first
    await expect(banner).to_contain_text("Mất kết nối với máy chủ")
    await expect(banner).to_contain_text("Thử lại sau")
    await expect(desk.locator(".row[id]")).to_have_count(145)
    daemon.people[id_]["version"] += 1
    daemon.people[id_]["label"] = "Trong lúc mất"
    await daemon.start()
    await expect(row(desk, id_)).to_contain_text("Trong lúc mất", timeout=30_000)
    await expect(banner).to_be_hidden()
    assert daemon.resumed_from[-1] == seen


async def test_meters_move_without_rendering_rows(daemon: StubDaemon, desk: Page) -> None:
    speaker = next(iter(daemon.people))
    await desk.evaluate("""() => {
        window.changes = [];
        new MutationObserver((records) => {
            for (const record of records) {
                const what = record.type === "attributes" ? record.attributeName : record.type;
                window.changes.push([what, record.target.className]);
            }
        }).observe(document.querySelector(".rows"),
            {subtree: true, childList: true, attributes: true, characterData: true});
    }""")
    for reading in range(20):
        daemon.measure(reading)
    level = row(desk, speaker).locator(".level")
    await expect(level).to_have_attribute("style", re.compile(r"scaleX\(0?\.[5-9]"))
    await expect(row(desk, speaker)).to_have_class(re.compile(r"\bspeaking\b"))
    changes = await desk.evaluate("window.changes")
    assert changes
    touched = {(what, "level" if "level" in name else "row") for what, name in changes}
    assert touched <= {("style", "level"), ("class", "row")}


async def test_an_observer_sees_everything_and_moves_nothing(
    daemon: StubDaemon, chromium: ChromiumPage
) -> None:
    page = chromium.page
    await open_desk(daemon, page, OBSERVER)
    assert await page.locator(".acts .muting:not(:disabled)").count() == 0
    assert await page.locator(".thumb:not(:disabled)").count() == 0
    await expect(page.get_by_role("button", name="Kết thúc")).to_have_count(0)
    await page.keyboard.press("ArrowDown")
    for key in ("m", "b", "d", "Shift+M", "s"):
        await page.keyboard.press(key)
    await expect(page.locator(".slot")).to_have_count(0)
    assert [
        call for call in daemon.calls if not call[1].startswith(("/api/v1/session", "/whep"))
    ] == []


async def test_an_ended_session_asks_for_a_token_and_comes_back_to_the_same_screen(
    daemon: StubDaemon, desk: Page
) -> None:
    daemon.session = None
    await daemon.drop_streams()
    await expect(desk.locator("input[name=token]")).to_be_visible()
    await desk.locator("input[name=token]").fill(OPERATOR)
    await desk.keyboard.press("Enter")
    await expect(desk.locator(".row[id]")).to_have_count(145)


async def test_starting_a_conference(daemon: StubDaemon, chromium: ChromiumPage) -> None:
    daemon.running = False
    page = chromium.page
    await page.goto(f"{daemon.url}/#token={OPERATOR}")
    await expect(page.locator(".empty")).to_be_visible()
    await page.get_by_role("link", name="Mở hội nghị").click()
    await expect(page.locator(".bridge-list li")).to_have_count(145)
    await page.get_by_label("Tên hội nghị").fill("Họp giao ban")
    await page.get_by_label("Đơn vị tổ chức").select_option("van-ninh")
    await expect(page.locator(".start-foot")).to_contain_text("14 điểm cầu")
    await page.get_by_label("Chọn từng điểm cầu").check()
    await page.get_by_label("Lọc điểm cầu").fill("van gia")
    await page.locator(".bridge-list input").check()
    await page.get_by_label("Điểm cầu chủ tọa").select_option(index=1)
    await page.locator(".thumb", has_text="1+5").click()
    await page.get_by_role("button", name="Mở hội nghị").click()
    await expect(page.locator("h1")).to_contain_text("Họp giao ban")
    (body,) = [body for method, path, body in daemon.calls if path == "/api/v1/conferences"]
    chosen = next(id_ for id_, p in daemon.people.items() if p["label"] == "Thị trấn Vạn Giã")
    assert body == {
        "name": "Họp giao ban", "unit": "van-ninh", "bridges": [chosen], "chair": chosen,
        "layout": "1+5", "pin": None, "busy": "ask", "calls": "at_once", "drill": False,
    }  # fmt: skip


async def test_both_languages_are_complete_and_the_choice_is_remembered(
    daemon: StubDaemon, desk: Page
) -> None:
    def texts(language: str) -> set[str]:
        text = (STATIC / f"js/strings/{language}.js").read_text()
        return set(json.loads(text[text.index("{") : text.rindex("}") + 1]).values())

    vietnamese, english = texts("vi"), texts("en")
    every = "[...document.querySelectorAll('button,label,p,h1,h2,span,option,dt,small,th')]"
    own = f"{every}.flatMap(e => [...e.childNodes]).filter(n => n.nodeType === 3)"
    own += ".map(n => n.data.trim())"
    labels = "[...document.querySelectorAll('[aria-label],[title]')]"
    labels += ".flatMap(e => [e.ariaLabel, e.title])"
    for language, others in (("VI", english - vietnamese), ("EN", vietnamese - english)):
        await desk.get_by_role("button", name=language, exact=True).click()
        await desk.keyboard.press("?")
        shown = set(await desk.evaluate(own)) | set(await desk.evaluate(labels))
        await desk.keyboard.press("Escape")
        assert shown & others == set()
        assert len(shown) > 150
    assert await desk.evaluate("document.documentElement.lang") == "en"
    await desk.reload()
    await expect(desk.get_by_role("button", name="Mute all", exact=True)).to_be_visible()


async def test_the_policy_keeps_foreign_code_out(daemon: StubDaemon, browser: Browser) -> None:
    async with ChromiumPage(browser) as chromium:
        await chromium.page.goto(daemon.url)
        await chromium.page.evaluate("""() => {
            const script = document.createElement("script");
            script.textContent = "window.injected = true";
            document.body.append(script);
        }""")
        assert await chromium.page.evaluate("window.injected") is None
        assert any("Content Security Policy" in fault for fault in chromium.faults)


@pytest.mark.parametrize("size", [(1366, 768), (1920, 1080)])
async def test_nothing_runs_out_of_the_window(
    daemon: StubDaemon, browser: Browser, size: tuple[int, int]
) -> None:
    for locale in ("vi-VN", "en-GB"):
        async with ChromiumPage(browser, size=size, locale=locale) as chromium:
            page = chromium.page
            await open_desk(daemon, page)
            assert await page.evaluate("document.documentElement.scrollWidth") == size[0]
            assert await page.evaluate("document.documentElement.scrollHeight") == size[1]
            rows = await page.evaluate("""() => {
                const box = document.querySelector(".rows").getBoundingClientRect();
                return [...document.querySelectorAll(".row[id]")]
                    .filter(r => r.getBoundingClientRect().bottom <= box.bottom).length;
            }""")
            assert rows >= 20
            await page.keyboard.press("g")
            await expect(page.locator(".cell")).to_have_count(145)
            cells = await page.evaluate("""() => [...document.querySelectorAll(".cell")]
                .filter(c => c.getBoundingClientRect().bottom <= innerHeight).length""")
            assert cells >= 140


async def test_a_conference_that_is_not_there_is_said_to_be_gone(
    daemon: StubDaemon, chromium: ChromiumPage
) -> None:
    page = chromium.page
    await page.goto(f"{daemon.url}/#token={OPERATOR}")
    await expect(page.locator(".conference-entry")).to_be_visible()
    await page.goto(f"{daemon.url}/#/conferences/nowhere")
    await expect(page.locator(".card")).to_contain_text("Không có hội nghị này")
    await expect(page.locator(".banner")).to_have_count(0)
    asked = len(chromium.refusals)
    await page.clock.install()
    await page.clock.run_for(60_000)
    assert len(chromium.refusals) == asked, "it is not asked for again"
    await page.locator(".card").get_by_role("link").click()
    await expect(page.locator(".conference-entry")).to_be_visible()


async def test_a_session_that_ends_is_said_to_be_over(daemon: StubDaemon, desk: Page) -> None:
    daemon.session = None
    await daemon.drop_streams()
    await expect(desk.locator(".card .note")).to_contain_text("Phiên làm việc đã kết thúc")
    await desk.reload()
    await expect(desk.locator(".card .note")).to_contain_text("Phiên làm việc đã kết thúc")
    await desk.locator("input[name=token]").fill(OPERATOR)
    await desk.keyboard.press("Enter")
    await expect(desk.locator(".row[id]")).to_have_count(len(daemon.people))
    await desk.locator("header.top button").last.click()
    await expect(desk.locator("input[name=token]")).to_be_visible()
    await expect(desk.locator(".card .note")).to_have_count(0)
