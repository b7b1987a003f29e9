"""What operators see of hardware rooms, in real Chromium."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.peers.chromium_page import DESK, LAPTOP, ChromiumPage
from tests.peers.stub_daemon import OBSERVER, OPERATOR, StubDaemon
from tests.peers.stub_roster import CONFERENCE
from tests.peers.stub_sip import contact

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATH = f"/api/v1/conferences/{CONFERENCE}"


@pytest_asyncio.fixture(loop_scope="session")
async def daemon() -> AsyncIterator[StubDaemon]:
    async with StubDaemon() as daemon:
        yield daemon


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    async with ChromiumPage(browser) as chromium:
        yield chromium.page
        assert chromium.faults == []
        assert chromium.complaints == []


async def open_rooms(daemon: StubDaemon, page: Page, token: str = OPERATOR) -> None:
    await page.goto(f"{daemon.url}/#token={token}")
    await page.locator("a[href='#/rooms']").click()
    await expect(page.locator(".sip-room")).to_have_count(len(daemon.sip))


def with_account(daemon: StubDaemon, *, registered: bool) -> str:
    return next(
        id_
        for id_, sip in daemon.sip.items()
        if sip["has_secret"] and sip["registered"] == registered
    )


async def test_who_has_signed_in_and_from_where(daemon: StubDaemon, page: Page) -> None:
    await open_rooms(daemon, page)
    here, away = (with_account(daemon, registered=state) for state in (True, False))
    shown = page.locator(f"[id='sip-{here}']")
    await expect(shown).to_contain_text("Đã đăng ký · từ")
    await expect(shown).to_contain_text(daemon.sip[here]["contacts"][0]["source"])
    await expect(page.locator(f"[id='sip-{away}']")).to_contain_text("Chưa đăng ký")
    count = sum(sip["registered"] for sip in daemon.sip.values())
    await expect(page.locator(".page-head")).to_contain_text(f"{count}/{len(daemon.sip)}")
    await daemon.watched()
    daemon.sign_in(away, contact(99))
    await expect(page.locator(f"[id='sip-{away}']")).to_contain_text("10.20.99.7:5060")
    daemon.sign_in(here)
    await expect(shown).to_contain_text("Chưa đăng ký và không có địa chỉ")


async def test_whose_password_is_wrong_and_what_to_do(daemon: StubDaemon, page: Page) -> None:
    await open_rooms(daemon, page)
    room = with_account(daemon, registered=False)
    shown = page.locator(f"[id='sip-{room}']")
    await daemon.watched()
    for reason, says in (
        ("wrong_password", "Sai mật khẩu từ 10.1.2.3"),
        ("locked_out", "Tạm khóa"),
        ("no_answer", "không trả lời"),
    ):
        daemon.refuse_sign_in(room, reason)
        await expect(shown.locator(".sip-refused[role=status]")).to_contain_text(says)
    daemon.sip[room]["last_refused"] = None
    daemon.sign_in(room, contact(99))
    await expect(shown.locator(".sip-refused")).to_have_count(0)


async def test_callers_at_the_pin_prompt_and_a_room_on_hold(daemon: StubDaemon, page: Page) -> None:
    room = next(id_ for id_, who in daemon.people.items() if who["state"] == "connected")
    await page.goto(f"{daemon.url}/#token={OPERATOR}")
    await page.locator(".conference-entry").click()
    await page.get_by_role("tab", name="Tập hợp").click()
    caller = {
        "name": "Điện thoại lạ", "address": "sip:la@example.org", "source": "10.9.9.9:5070",
        "bridge": None, "since": "2026-11-22T08:00:00.000000Z", "tries_left": 2,
        "call": "ab12", "call_id": "x@10.9.9.9",
    }  # fmt: skip
    daemon.call_in(caller)
    await expect(page.locator(".callers")).to_contain_text("Điện thoại lạ")
    await expect(page.locator(".callers")).to_contain_text("la · từ 10.9.9.9,")
    await expect(page.locator(".callers")).to_contain_text("còn 2 lần nhập")
    await page.locator(".callers button").click()
    await expect(page.locator(".ladder .message")).to_have_count(len(daemon.trace))
    nameless = {"name": "0912345678@10.9.9.9:5070", "address": "sip:0912345678@10.9.9.9:5070"}
    daemon.call_in(caller, {**caller, **nameless, "call": "cd34"})
    await expect(page.locator(".callers b")).to_have_text(["Điện thoại lạ", "0912 345 678"])
    daemon.call_in()
    await expect(page.locator(".callers")).to_have_count(0)
    await expect(page.locator("dialog")).to_contain_text("Nhật ký SIP: Điện thoại lạ")
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog")).to_have_count(0)
    held = {**daemon.people[room]["quality"], "on_hold": True}
    daemon.emit("quality.measured", quality={room: held})
    line = page.locator(f"[id='row-{room}']")
    await expect(line.locator("small")).to_contain_text("đang giữ cuộc gọi")


async def test_found_by_name_and_walked_through_by_keys(daemon: StubDaemon, page: Page) -> None:
    await open_rooms(daemon, page)
    await page.keyboard.press("/")
    name = daemon.people[next(iter(daemon.sip))]["name"]
    await page.keyboard.type(name)
    await expect(page.locator(".sip-room h2", has_text=name).first).to_be_visible()
    assert await page.locator(".sip-room").count() < len(daemon.sip)
    await page.locator("#rooms-search").fill("")
    await page.keyboard.press("Escape")
    for number in (0, 1):
        await page.keyboard.press("ArrowDown")
        await expect(page.locator(".sip-room").nth(number)).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.locator(".sip-room").nth(1).locator("button").first).to_be_focused()


async def test_a_secret_is_shown_once(daemon: StubDaemon, page: Page) -> None:
    await open_rooms(daemon, page)
    room = next(id_ for id_, sip in daemon.sip.items() if not sip["has_secret"])
    entry = page.locator(f"[id='sip-{room}']")
    await expect(entry.locator("button.danger")).to_be_disabled()
    await entry.locator("button").first.click()
    await expect(page.locator("dialog button[type=submit]")).to_be_focused()
    await page.keyboard.press("Enter")
    lines = page.locator(".account dd")
    await expect(lines).to_have_text(
        ["mcu.khanhhoa.gov.vn", room, "w3xkq7m2tz9h5cfnp8ra"], use_inner_text=True
    )
    await expect(page.locator("dialog")).to_contain_text("UDP 5060, TCP 5060, TLS 5061")
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog")).to_have_count(0)
    assert "w3xkq7m2" not in await page.content()
    await expect(entry.locator("button.danger")).to_be_enabled()
    assert ("POST", f"/api/v1/bridges/{room}/sip-secret", {}) in daemon.calls


async def test_a_secret_of_ones_own(daemon: StubDaemon, page: Page) -> None:
    await open_rooms(daemon, page)
    room = with_account(daemon, registered=True)
    await page.locator(f"[id='sip-{room}'] button").first.click()
    await expect(page.locator("dialog")).to_contain_text("mất hiệu lực ngay")
    await page.locator("dialog input").fill("chosen-by-people")
    await page.locator("dialog button[type=submit]").click()
    await expect(page.locator(".account dd").last).to_have_text("chosen-by-people")
    assert daemon.last(f"/api/v1/bridges/{room}/sip-secret")[2] == {"secret": "chosen-by-people"}


async def test_revoked(daemon: StubDaemon, page: Page) -> None:
    await open_rooms(daemon, page)
    room = with_account(daemon, registered=True)
    entry = page.locator(f"[id='sip-{room}']")
    await entry.locator("button.danger").click()
    await page.locator("dialog button.danger").click()
    await expect(entry).to_contain_text("Chưa có mật khẩu")
    assert daemon.last(f"/api/v1/bridges/{room}/sip-secret")[0] == "DELETE"


async def test_who_only_watches_makes_no_secrets(daemon: StubDaemon, page: Page) -> None:
    await open_rooms(daemon, page, OBSERVER)
    await expect(page.locator(".sip-room button")).to_have_count(0)


async def open_room(daemon: StubDaemon, page: Page, room: str) -> None:
    await page.goto(f"{daemon.url}/#token={OPERATOR}")
    await page.locator(".conference-entry").click()
    await page.locator(f"[id='row-{room}']").dblclick()


async def test_the_ladder_of_a_rooms_calls(daemon: StubDaemon, page: Page) -> None:
    room = next(iter(daemon.sip))
    await open_room(daemon, page, room)
    await page.get_by_role("button", name="Nhật ký SIP").click()
    messages = page.locator(".ladder .message")
    await expect(messages).to_have_count(len(daemon.trace))
    await expect(messages.last).to_have_attribute("aria-pressed", "true")
    await expect(page.locator(".trace pre")).to_contain_text("SIP/2.0 200 OK")
    await messages.last.focus()
    await page.keyboard.press("Home")
    await expect(page.locator(".trace pre")).to_contain_text("INVITE sip:giao-ban@")
    await page.keyboard.press("ArrowDown")
    await expect(messages.nth(1)).to_be_focused()
    await expect(page.locator(".trace pre")).to_contain_text("SIP/2.0 100 Trying")
    daemon.trace = daemon.trace[:3]
    await page.get_by_role("button", name="Đọc lại").click()
    await expect(messages).to_have_count(3)
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog")).to_have_count(0)


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("vi-VN", "INVITE: không tìm thấy tên máy, cả trong DNS lẫn /etc/hosts"),
        ("en-GB", "INVITE: host name not found, neither by DNS nor in /etc/hosts"),
    ],
)
async def test_a_name_that_nobody_knows_is_said_in_either_language(
    browser: Browser, daemon: StubDaemon, locale: str, words: str
) -> None:
    room = next(iter(daemon.sip))
    asked = "phong.invalid (NAPTR, SRV _sip._udp, A, AAAA)"
    said = f"INVITE: the name is known neither to DNS nor to /etc/hosts: {asked}"
    daemon.trace = [
        {
            **daemon.trace[0], "direction": "sent", "remote": "phong.invalid", "summary": said,
            "text": said, "failure": said, "failure_cause": "lookup", "failure_detail": asked,
        }
    ]  # fmt: skip
    async with ChromiumPage(browser, locale=locale) as chromium:
        page = chromium.page
        await open_room(daemon, page, room)
        failure = {"call_failure": "name_unknown", "call_failure_detail": asked}
        daemon.change(room, state="expected", legs=[], **failure)
        await expect(page.locator(".room dl")).to_contain_text(asked)
        await page.locator(".room-actions button").last.click()
        await expect(page.locator(".ladder .message.refused")).to_contain_text(words)
        await expect(page.locator(".ladder small")).to_have_text("UDP phong.invalid")
        await expect(page.locator(".trace pre")).to_have_text(f"{words}\n{asked}")
        assert chromium.faults == []


@pytest.mark.parametrize("size", [LAPTOP, DESK], ids=["laptop", "desk"])
async def test_long_advice_leaves_the_rooms_name_to_be_read(
    browser: Browser, daemon: StubDaemon, size: tuple[int, int]
) -> None:
    room = next(iter(daemon.sip))
    async with ChromiumPage(browser, size=size, locale="vi-VN") as chromium:
        page = chromium.page
        await open_room(daemon, page, room)
        daemon.change(room, state="expected", legs=[], call_failure="no_address")
        row = page.locator(f"#row-{room} .name")
        await expect(row.locator("small")).to_contain_text("chưa đăng ký")
        share = await row.locator("b").evaluate("name => name.clientWidth / name.scrollWidth")
        assert share > 0.7
        assert "hoặc đặt địa chỉ" in str(await row.locator("small").get_attribute("title"))


async def test_rooms_with_a_browser_have_no_ladder(daemon: StubDaemon, page: Page) -> None:
    room = next(id_ for id_ in daemon.people if id_ not in daemon.sip)
    await open_room(daemon, page, room)
    await expect(page.locator(".phone")).to_be_visible()  # the registry was read
    await expect(page.get_by_role("button", name="Nhật ký SIP")).to_have_count(0)


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        ("busy", "máy bận"),
        ("no_answer", "không trả lời"),
        ("unreachable", "không liên lạc được"),
        ("refused", "từ chối"),
        ("name_unknown", "không tìm thấy tên máy"),
        ("dns_silent", "máy chủ tên miền (DNS) không trả lời"),
    ],
)
async def test_why_a_called_room_did_not_come(
    daemon: StubDaemon, page: Page, failure: str, words: str
) -> None:
    room = next(iter(daemon.sip))
    await open_room(daemon, page, room)
    line = page.locator(f"[id='row-{room}']")
    daemon.change(room, state="calling", call_failure=None, legs=[])
    await expect(line.locator("small")).to_have_text("Đang gọi")
    daemon.change(room, state="expected", call_failure=failure)
    await expect(line.locator("small")).to_have_text(f"Chờ vào · {words}")
    daemon.change(room, state="connected", call_failure=None, legs=["leg-x"])
    await expect(line.locator("small")).to_have_count(0)


async def test_number_and_pin_are_at_hand_for_invitations(daemon: StubDaemon, page: Page) -> None:
    await open_room(daemon, page, next(iter(daemon.people)))
    title = page.locator(".title p")
    await expect(title).to_contain_text("số gọi 1001")
    await expect(title).not_to_contain_text("PIN")
    daemon.conference.update(pin="471100", has_pin=True)
    daemon.emit(
        "conference.changed",
        **{name: daemon.conference[name] for name in ("name", "chair", "number", "has_pin")},
    )
    await expect(title).to_contain_text("mã PIN 471100")


async def test_a_pin_from_the_start(daemon: StubDaemon, page: Page) -> None:
    daemon.running = False
    await page.goto(f"{daemon.url}/#token={OPERATOR}")
    await page.locator("a[href='#/start']").click()
    await page.locator("input[required]").fill("Giao ban")
    await page.locator("input[inputmode=numeric]").fill("4711")
    await page.locator("button[type=submit]").click()
    await expect(page.locator(".desk")).to_be_visible()
    started = next(body for method, path, body in daemon.calls if path.endswith("/conferences"))
    assert started["pin"] == "4711"


@pytest.mark.parametrize("size", [LAPTOP, DESK], ids=["laptop", "desk"])
@pytest.mark.parametrize("locale", ["vi-VN", "en-GB"])
async def test_nothing_is_cut_off(
    browser: Browser, daemon: StubDaemon, size: tuple[int, int], locale: str
) -> None:
    async with ChromiumPage(browser, size=size, locale=locale) as chromium:
        page = chromium.page
        await open_rooms(daemon, page)
        wide = "document.documentElement.scrollWidth > innerWidth"
        cut = """[...document.querySelectorAll('.sip-room p, .sip-room h2, .sip-room button')]
            .filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent)"""
        assert not await page.evaluate(wide)
        assert await page.evaluate(cut) == []
        await page.locator(".sip-room button").first.click()
        await page.locator("dialog button[type=submit]").click()
        await expect(page.locator(".account")).to_be_visible()
        heights = await page.locator(".account dd").evaluate_all(
            "lines => lines.map((line) => line.getBoundingClientRect().height)"
        )
        assert max(heights) < 40, "each line stands on one line"
        assert chromium.faults == []


async def test_number_and_pin_are_changed(daemon: StubDaemon, page: Page) -> None:
    await open_room(daemon, page, next(iter(daemon.people)))
    await page.get_by_role("button", name="Gọi vào").click()
    form = page.locator("dialog form")
    await expect(form.locator("input[name=number]")).to_have_value("1001")
    await form.locator("input[name=pin]").fill("12")
    await page.keyboard.press("Enter")  # too short: the browser says so
    await expect(form).to_be_visible()
    assert not any(method == "PATCH" for method, _, _ in daemon.calls)
    await form.locator("input[name=pin]").fill("24680")
    await page.keyboard.press("Enter")
    await expect(page.locator("dialog")).to_have_count(0)
    assert ("PATCH", PATH, {"number": "1001", "pin": "24680"}) in daemon.calls
    await expect(page.locator(".title p")).to_contain_text("mã PIN 24680")
    await page.get_by_role("button", name="Gọi vào").click()
    await form.locator("input[name=pin]").fill("")
    await form.locator("button[type=submit]").click()
    await expect(page.locator(".title p")).not_to_contain_text("PIN")
    assert ("PATCH", PATH, {"number": "1001", "pin": None}) in daemon.calls
