"""Every page of the console, in both languages and on a small and a large screen.

Nothing may be cut off, beside the window, low in contrast or in the other language. With
``PAGE_PICTURES`` each is left as a picture, to be looked at.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.peers.chromium_page import DESK, LAPTOP, ChromiumPage
from tests.peers.coded_media import BLUE, GREEN
from tests.peers.console_session import Session
from tests.peers.daemon import ADMIN_TOKEN, Daemon
from tests.peers.generator_rooms import GeneratorRooms
from tests.peers.hands import Mouse
from tests.peers.stub_daemon import OPERATOR, StubDaemon
from tests.peers.stub_roster import CONFERENCE
from tests.peers.waiting import until_read

pytestmark = pytest.mark.timeout(300)

ROOMS = {
    "tinh-uy": "Hội trường Tỉnh ủy",
    "dien-khanh": "Xã Diên Khánh",
    "truong-sa": "Đặc khu Trường Sa",
    "van-ninh": "Xã Vạn Ninh",
    "so-gd": "Sở Giáo dục và Đào tạo tỉnh Khánh Hòa",
}
CHECKED = {"cam-duc": "Thị trấn Cam Đức", "suoi-tan": "Xã Suối Tân"}
SCENARIO: dict[str, Any] = {
    "id": "giao-ban",
    "name": "Giao ban trực tuyến tháng 11 về phòng, chống thiên tai và tìm kiếm cứu nạn",
    "unit": "khanh-hoa",
    "chair": "tinh-uy",
    "items": [
        {"id": "mo", "title": "Khai mạc, điểm danh", "duration_s": 300, "layout": "2x2"},
        {"id": "dk", "title": "Báo cáo phòng chống bão", "duration_s": 600,
         "speaker": "dien-khanh", "broadcast": True, "note": "Nhắc tắt mic khi hết giờ"},
        {"id": "kl", "title": "Kết luận của chủ tọa", "duration_s": 600},
    ],
    "duties": [
        {"role": "Trực kỹ thuật", "name": "Trần Thị Bình", "phone": "0258 3822 111"},
        {"role": "Trực điều khiển", "name": "Nguyễn Văn An", "phone": "+84 905 123 456",
         "bridge": "truong-sa"},
    ],
    "contingencies": [{"when": "Mất tín hiệu chủ tọa", "then": "Gọi lại ngay"}],
}  # fmt: skip
ENVIRONMENT = {
    "MCU_ALARMS__BLACK_AFTER_S": "1",
    "MCU_READINESS__REACH_S": "5",
    "MCU_RECORDING__RESERVE_MB": "1",
}
LANGUAGES = pytest.mark.parametrize("language", ["vi", "en"])
LOCALES = {"vi": "vi-VN", "en": "en-GB"}
Story = dict[str, str]


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    async with Daemon(tmp_path / "data", environment=ENVIRONMENT) as daemon:
        await daemon.register(ROOMS, contact={"name": "Nguyễn Văn An", "phone": "0258 3822 111"})
        yield daemon


async def happened(daemon: Daemon) -> Story:
    """What there is to be seen: the ids of a check, an incident and two conferences."""
    await daemon.call("POST", "/scenarios", SCENARIO)
    body = {"name": "Giao ban tháng 10", "unit": "khanh-hoa", "bridges": list(ROOMS)}
    over = (await daemon.call("POST", "/conferences", body))["id"]
    await daemon.call("DELETE", f"/conferences/{over}")
    incident = {"title": "Micro hú khi mở loa ngoài", "bridge": "van-ninh", "conference": over,
                "comment": "Đã gọi kỹ thuật viên"}  # fmt: skip
    found = await daemon.call("POST", "/incidents", incident)
    # Of another unit, for rooms that were just checked may not be free yet for a conference.
    await daemon.call("POST", "/units", {"id": "cam-lam", "name": "Huyện Cam Lâm",
                                         "level": "district"})  # fmt: skip
    for id_, name in CHECKED.items():
        await daemon.call("POST", "/bridges", {"id": id_, "name": name, "unit": "cam-lam"})
    asked = {"bridges": list(CHECKED)}
    check = await daemon.call("POST", "/readiness-checks", asked)

    async def over_for() -> Any:
        return (await daemon.call("GET", f"/readiness-checks/{check['id']}"))["reason"]

    await until_read(over_for, lambda reason: reason is not None)
    running = await daemon.call("POST", "/conferences", {"scenario": "giao-ban", "drill": True})
    return {"over": over, "incident": found["id"], "check": check["id"], "id": running["id"]}


async def both_sizes(session: Session, stage: str) -> None:
    for width, height in (LAPTOP, DESK):
        await session.page.set_viewport_size({"width": width, "height": height})
        await session.look(stage)


@LANGUAGES
async def test_every_page_of_a_session(daemon: Daemon, language: str) -> None:
    story = await happened(daemon)
    path = f"/conferences/{story['id']}"
    async with (
        ChromiumPage(locale=LOCALES[language]) as chromium,
        GeneratorRooms(daemon.url) as rooms,
    ):
        page = chromium.page
        session = Session(page, Mouse(page), language, f"pages-{language}")
        for bridge, colour in (("tinh-uy", GREEN), ("dien-khanh", BLUE)):
            token = (await daemon.call("POST", f"/bridges/{bridge}/token"))["token"]
            await rooms.join(story["id"], token, colour=colour)
        await daemon.call("POST", f"{path}/recordings", {"name": "Phiên khai mạc"})
        await daemon.call("POST", f"{path}/agenda/next")
        await page.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
        await expect(page.locator(".conference-entry")).to_be_visible()
        await both_sizes(session, "home")
        for stage, address, there in (
            ("start", "start", "form.start"),
            ("scenarios", "scenarios", ".scenario-entry"),
            ("scenario", "scenarios/giao-ban", ".agenda-form li"),
            ("ended", "ended", ".unit-entry"),
            ("units", "units", ".unit-entry"),
            ("incidents", f"incidents/{story['incident']}", ".incident"),
            ("month", "months/van-ninh", ".month-sums"),
            ("checks", "readiness", "main.page li"),
            ("check", f"readiness/{story['check']}", "tr[data-bridge]"),
        ):
            await page.goto(f"{daemon.url}/#/{address}")
            await expect(page.locator(there).first).to_be_visible()
            await both_sizes(session, stage)
        await page.goto(f"{daemon.url}/#/conferences/{story['id']}")
        await expect(page.locator("#row-dien-khanh.connected")).to_be_visible()
        await panels(session, daemon, path)
        assert (chromium.faults, chromium.complaints) == ([], [])


async def panels(session: Session, daemon: Daemon, path: str) -> None:
    """The desk of a drill, panel by panel."""
    page = session.page
    fault = {"kind": "black", "participants": ["dien-khanh"], "duration_s": 600}
    await daemon.call("POST", f"{path}/drill/faults", fault)
    loss = {"kind": "loss", "loss_percent": 20, "jitter_ms": 50, "duration_s": 600, "at_s": 30,
            "participants": ["tinh-uy"]}  # fmt: skip
    await daemon.call("PUT", f"{path}/drill/script", {"steps": [loss]})
    await daemon.call("POST", f"{path}/roll-calls", {"mode": "presence"})

    async def raised() -> Any:
        return (await daemon.call("GET", f"{path}/alarms"))["items"]

    await until_read(raised, lambda items: any(one["kind"] == "black" for one in items))
    await page.keyboard.press("ArrowDown")
    for panel in (
        "convening", "agenda", "layout", "floor", "roll-call", "message", "recordings", "alarms",
        "drill",
    ):  # fmt: skip
        await page.locator(f"#tab-{panel}").click()
        await both_sizes(session, panel)
    await page.set_viewport_size({"width": LAPTOP[0], "height": LAPTOP[1]})
    await page.locator("#tab-room").click()
    await session.look("room")
    for stage, open_ in dialogs(session).items():
        await open_()
        await expect(page.locator("dialog")).to_be_visible()
        await both_sizes(session, stage)
        await page.keyboard.press("Escape")
        await expect(page.locator("dialog")).to_have_count(0)


def dialogs(session: Session) -> dict[str, Callable[[], Awaitable[None]]]:
    press = session.hands.press
    return {
        "report": lambda: press(session.button("report")),
        "help": lambda: session.page.keyboard.press("?"),
        "add": lambda: press(session.button("add")),
        "dial": lambda: press(session.page.get_by_title(session.text("dial.title"))),
        "end": lambda: press(session.button("end")),
    }


@LANGUAGES
async def test_a_province_on_one_screen(language: str) -> None:
    async with StubDaemon() as daemon, ChromiumPage(locale=LOCALES[language]) as chromium:
        page = chromium.page
        session = Session(page, Mouse(page), language, f"province-{language}")
        await page.goto(f"{daemon.url}/#token={OPERATOR}")
        await expect(page.locator(".conference-entry")).to_be_visible()
        await both_sizes(session, "home")
        await page.goto(f"{daemon.url}/#/rooms")
        await expect(page.locator(".sip-room")).to_have_count(len(daemon.sip))
        await both_sizes(session, "rooms")
        await page.goto(f"{daemon.url}/#/conferences/{CONFERENCE}")
        await expect(page.locator(".row[id]")).to_have_count(145)
        await both_sizes(session, "desk")
        await page.keyboard.press("g")
        await both_sizes(session, "overview")
        await page.keyboard.press("g")
        await page.keyboard.press("h")
        await expect(page.locator(".wall-tile").first).to_be_visible()
        await both_sizes(session, "wall")
        await page.keyboard.press("Escape")
        # The room's panel moves when the screen grows, and what stood over it is gone.
        for width, height in (LAPTOP, DESK):
            await page.set_viewport_size({"width": width, "height": height})
            await page.locator(f"[id='row-{next(iter(daemon.sip))}']").dblclick()
            await page.get_by_role("button", name=session.text("sip.trace"), exact=True).click()
            await expect(page.locator(".ladder .message")).to_have_count(len(daemon.trace))
            await session.look("ladder")
            await page.keyboard.press("Escape")
            await expect(page.locator("dialog")).to_have_count(0)
        assert chromium.faults == []
