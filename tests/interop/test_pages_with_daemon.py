"""Console and join page together, with the real daemon: what one does the other sees."""

import os
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect

from tests.peers.chromium_page import ChromiumPage, picture
from tests.peers.daemon import ADMIN_TOKEN, Daemon

pytestmark = pytest.mark.timeout(180)

ROOM = "truong-sa"
NAMES = {ROOM: "Đặc khu Trường Sa", "van-ninh": "Xã Vạn Ninh"}
KEEP_PEERS = """
window.peers = [];
const Original = RTCPeerConnection;
window.RTCPeerConnection = class extends Original {
    constructor(...parameters) { super(...parameters); window.peers.push(this); }
};
"""
PLAYING = """(selector) => {
    const video = document.querySelector(selector);
    return video && video.videoWidth > 0 && !video.paused && video.currentTime > 0.3;
}"""
UFRAG = "() => /a=ice-ufrag:(\\S+)/.exec(window.peers.at(-1).remoteDescription.sdp)[1]"


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    async with Daemon(tmp_path / "data") as daemon:
        await daemon.register(NAMES)
        yield daemon


@pytest.fixture
async def room() -> AsyncIterator[ChromiumPage]:
    async with ChromiumPage(script=KEEP_PEERS) as chromium:
        yield chromium
        assert chromium.faults == []


@pytest.fixture
async def console() -> AsyncIterator[ChromiumPage]:
    async with ChromiumPage() as chromium:
        yield chromium
        assert chromium.faults == []


async def enter(daemon: Daemon, page: Page, room: str = ROOM) -> None:
    """The room's link, as a kiosk opens it."""
    issued = await daemon.call("POST", f"/bridges/{room}/token")
    fragment = issued["join_url"].split("#")[1]
    await page.goto(f"{daemon.url}/join#{fragment}&auto=1")


async def start(daemon: Daemon) -> str:
    conference = await daemon.call(
        "POST", "/conferences", {"name": "Giao ban", "unit": "khanh-hoa", "bridges": list(NAMES)}
    )
    return str(conference["id"])


async def expect_playing(page: Page, selector: str) -> None:
    await page.wait_for_function(PLAYING, arg=selector, timeout=60_000)


async def test_an_operator_starts_steers_and_ends_what_a_room_joins(
    daemon: Daemon, room: ChromiumPage, console: ChromiumPage
) -> None:
    await enter(daemon, room.page)
    await expect(room.page.locator(".waiting")).to_contain_text("Đang chờ hội nghị")
    await expect(room.page.locator("h1")).to_have_text(NAMES[ROOM])

    desk = console.page
    await desk.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
    await desk.get_by_role("link", name="Mở hội nghị").click()
    await desk.get_by_label("Tên hội nghị").fill("Giao ban buổi sáng")
    await desk.get_by_role("button", name="Mở hội nghị").click()
    row = desk.locator(f"#row-{ROOM}")
    await expect(row).to_have_class(re.compile(r"\bconnected\b"), timeout=30_000)
    await expect_playing(room.page, "video.composed")
    await expect_playing(desk, ".picture video")
    await expect(desk.locator(".watch")).to_have_class(re.compile(r"\blive\b"))

    await desk.locator("[data-layout='2x2']").click()
    await expect(desk.locator("[data-layout='2x2']")).to_have_attribute("aria-pressed", "true")
    await row.locator(".muting").first.click()
    await expect(row.locator(".muting").first).to_have_attribute("aria-pressed", "true")
    await expect(room.page.locator(".status")).to_contain_text("Người điều hành đã tắt mic")
    await row.locator(".airing").click()
    await expect(room.page.locator(".status")).to_contain_text("Mọi điểm cầu đang thấy bạn")
    await desk.keyboard.press("s")
    await expect(desk.locator(".slot").first).to_contain_text(NAMES[ROOM])
    await desk.locator(".slot").nth(2).click()
    await desk.get_by_role("dialog").get_by_role("button", name="Trình chiếu").click()
    await expect(desk.locator(".slot").nth(2)).to_contain_text("Trình chiếu")
    await desk.keyboard.press("t")
    await desk.locator("#message-text").fill("Chuẩn bị phát biểu")
    await desk.get_by_role("button", name="Hiện thông báo").click()
    await expect(room.page.locator(".hints")).to_contain_text("Chuẩn bị phát biểu")

    await room.page.keyboard.press("v")
    await expect(row.locator(".muting").nth(1)).to_have_attribute("aria-pressed", "true")
    # It is connected anew within a tenth of a second: the sign alone might not be seen to change.
    async with desk.expect_request(lambda one: one.method == "POST" and "/whep/" in one.url):
        await desk.keyboard.press("c")
    await expect(desk.locator(".watch")).to_have_class(re.compile(r"\blive\b"))
    await desk.get_by_role("button", name="Kết thúc").click()
    await desk.get_by_role("button", name="Kết thúc với tất cả").click()
    await expect(desk.locator(".banner")).to_contain_text("Hội nghị đã kết thúc")
    await expect(room.page.locator(".waiting")).to_contain_text("Đang chờ hội nghị")
    assert console.complaints == []
    assert room.complaints == []
    assert [one for one in console.refusals + room.refusals if "/legs/" in one] == []


async def test_a_room_whose_link_is_revoked_is_out_at_once_and_says_so(
    daemon: Daemon, room: ChromiumPage
) -> None:
    conference = await start(daemon)
    issued = await daemon.call("POST", f"/bridges/{ROOM}/token")
    await room.page.goto(f"{daemon.url}/join#{issued['join_url'].split('#')[1]}&auto=1")
    await expect_playing(room.page, "video.composed")
    await daemon.call("DELETE", f"/tokens/{issued['id']}")
    await expect(room.page.locator(".next")).to_contain_text("Quyền truy cập của điểm cầu này đã")
    await expect(room.page.locator(".next")).to_contain_text("đã thu hồi liên kết này")
    who = await daemon.call("GET", f"/conferences/{conference}/participants/{ROOM}")
    assert (who["state"], who["legs"]) == ("left", [])
    signed_in = len(room.refusals)
    await room.page.reload()
    await expect(room.page.locator(".note")).to_contain_text("Liên kết không còn hiệu lực")
    assert not [one for one in room.refusals if "/legs" in one]
    assert len(room.refusals) <= signed_in + 2


async def test_a_second_tab_takes_the_place_of_the_first_without_a_fight(
    daemon: Daemon, room: ChromiumPage
) -> None:
    await start(daemon)
    issued = await daemon.call("POST", f"/bridges/{ROOM}/token")
    link = f"{daemon.url}/join#{issued['join_url'].split('#')[1]}"
    await room.page.goto(f"{link}&auto=1")
    await expect_playing(room.page, "video.composed")
    second = await room.context.new_page()
    await second.goto(link)
    await expect(second.locator(".next")).to_contain_text("đang dự họp trên thiết bị khác")
    await second.locator(".go").click()
    await expect_playing(second, "video.composed")
    await expect(room.page.locator(".next")).to_contain_text("đã vào họp trên thiết bị khác")
    assert [one for one in room.refusals if "/legs" in one] == []


async def test_one_browser_is_console_and_two_rooms_at_once(
    daemon: Daemon, room: ChromiumPage
) -> None:
    conference = await start(daemon)
    desk, second = await room.context.new_page(), await room.context.new_page()
    await desk.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
    await desk.locator(".conference-entry").click()
    await enter(daemon, room.page)
    await enter(daemon, second, "van-ninh")
    for id_ in NAMES:
        await expect(desk.locator(f"#row-{id_}")).to_have_class(
            re.compile(r"\bconnected\b"), timeout=60_000
        )
    await desk.locator("[data-layout='2x2']").click()
    await expect(desk.locator("[data-layout='2x2']")).to_have_attribute("aria-pressed", "true")
    for page, id_ in ((room.page, ROOM), (second, "van-ninh")):
        # Each of them acts as itself, by header and by cookie.
        await expect(page.locator(".status")).to_contain_text(NAMES[id_])
        await page.keyboard.press("m")
        muted = desk.locator(f"#row-{id_} .muting").first
        await expect(muted).to_have_attribute("aria-pressed", "true")

    # Loaded anew without their links, all three are what they were.
    for page, id_ in ((room.page, ROOM), (second, "van-ninh")):
        await page.reload()
        await expect_playing(page, "video.composed")
        await expect(page.locator(".status")).to_contain_text(NAMES[id_])
    await desk.reload()
    for id_ in NAMES:
        await expect(desk.locator(f"#row-{id_}")).to_have_class(
            re.compile(r"\bconnected\b"), timeout=30_000
        )
    await second.close()
    await desk.get_by_role("button", name=re.compile("^Đăng xuất")).click()
    await expect(desk.locator("input[name=token]")).to_be_visible()
    roster = await daemon.call("GET", f"/conferences/{conference}/participants/{ROOM}")
    assert roster["state"] == "connected"

    # A new page without a link is the room that was used last.
    third = await room.context.new_page()
    await third.goto(f"{daemon.url}/join")
    await expect(third.locator("h1")).to_have_text(NAMES["van-ninh"])
    names = {cookie["name"] for cookie in await room.context.cookies()}
    assert names == {f"mcu_session_{id_}" for id_ in NAMES}


async def test_a_disconnected_room_stays_out_until_it_is_called_again(
    daemon: Daemon, room: ChromiumPage, console: ChromiumPage
) -> None:
    conference = await start(daemon)
    await enter(daemon, room.page)
    await expect_playing(room.page, "video.composed")
    desk = console.page
    await desk.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
    await desk.locator(".conference-entry").click()
    await desk.locator(f"#row-{ROOM}").dblclick(position={"x": 60, "y": 10})
    await desk.get_by_role("button", name="Ngắt kết nối").click()
    await expect(room.page.locator(".next")).to_contain_text("Người điều hành đã ngắt kết nối")
    await expect(desk.locator(f"#row-{ROOM}")).to_have_class(re.compile(r"\bleft\b"))
    await desk.get_by_role("button", name="Đưa ra").click()
    await desk.get_by_role("dialog").get_by_role("button", name="Đưa ra").click()
    await expect(desk.locator(f"#row-{ROOM}")).to_have_count(0)
    await desk.get_by_role("button", name="Hoàn tác").last.click()
    await expect_playing(room.page, "video.composed")
    roster = await daemon.call("GET", f"/conferences/{conference}/participants/{ROOM}")
    assert roster["state"] == "connected"


async def test_a_new_network_is_a_new_path_of_the_same_leg(
    daemon: Daemon, room: ChromiumPage
) -> None:
    conference = await start(daemon)
    await enter(daemon, room.page)
    await expect_playing(room.page, "video.composed")
    before = await room.page.evaluate(UFRAG)
    asked: list[str] = []

    async def refuse_the_first(route: Route) -> None:
        if route.request.method == "PATCH":
            asked.append(route.request.url)
            if len(asked) == 1:
                await route.abort()
                return
        await route.continue_()

    await room.page.route("**/api/v1/legs/*", refuse_the_first)
    await room.page.evaluate("() => dispatchEvent(new Event('online'))")
    await room.page.wait_for_function(f"(before) => ({UFRAG})() !== before", arg=before)
    await room.page.wait_for_function(
        "() => window.peers.at(-1).connectionState === 'connected'"
        " && window.peers.at(-1).signalingState === 'stable'"
    )
    frames = (
        "() => document.querySelector('video.composed').getVideoPlaybackQuality().totalVideoFrames"
    )
    shown = await room.page.evaluate(frames)
    await room.page.wait_for_function(f"(shown) => ({frames})() > shown + 20", arg=shown)
    assert await room.page.evaluate("() => window.peers.length") == 1
    assert len(asked) == 2
    who = await daemon.call("GET", f"/conferences/{conference}/participants/{ROOM}")
    assert who["state"] == "connected"


async def test_a_killed_daemon_finds_room_and_console_again(
    daemon: Daemon, room: ChromiumPage, console: ChromiumPage
) -> None:
    await start(daemon)
    await enter(daemon, room.page)
    await expect_playing(room.page, "video.composed")
    desk = console.page
    await desk.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
    await desk.locator(".conference-entry").click()
    row = desk.locator(f"#row-{ROOM}")
    await expect(row).to_have_class(re.compile(r"\bconnected\b"))
    await desk.locator("[data-layout='3x3']").click()
    await expect(desk.locator("[data-layout='3x3']")).to_have_attribute("aria-pressed", "true")
    await daemon.kill()
    await expect(desk.locator(".banner.bad").first).to_contain_text("Mất kết nối với máy chủ")
    await daemon.start()
    await room.page.wait_for_function("() => window.peers.length >= 2", timeout=60_000)
    await expect_playing(room.page, "video.composed")
    await expect(desk.locator(".banner.bad")).to_have_count(0, timeout=30_000)
    await expect(row).to_have_class(re.compile(r"\bconnected\b"), timeout=30_000)
    await expect(desk.locator("[data-layout='3x3']")).to_have_attribute("aria-pressed", "true")
    await expect_playing(desk, ".picture video")


async def test_a_daemon_that_hangs_is_told_and_found_again(
    daemon: Daemon, console: ChromiumPage
) -> None:
    """Nothing is refused and nothing is closed: only nothing comes any more."""
    await start(daemon)
    desk = console.page
    await desk.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
    await desk.locator(".conference-entry").click()
    watch = desk.locator(".watch")
    await expect(watch).to_have_class(re.compile(r"\blive\b"))
    os.kill(daemon.pid, signal.SIGSTOP)
    try:
        await expect(watch).not_to_have_class(re.compile(r"\blive\b"))
        banner = desk.locator(".banner.bad").first
        await expect(banner).to_contain_text(
            re.compile(r"Mất kết nối với máy chủ từ \d\d:\d\d:\d\d")
        )
        await expect(banner).to_contain_text("Thử lại sau")
        await picture(desk, "hanging-daemon")
    finally:
        os.kill(daemon.pid, signal.SIGCONT)
    await expect(desk.locator(".banner.bad")).to_have_count(0, timeout=60_000)
    await expect(watch).to_have_class(re.compile(r"\blive\b"), timeout=60_000)


async def test_the_screen_stands_in_the_picture_of_everybody(
    daemon: Daemon, room: ChromiumPage
) -> None:
    conference = await start(daemon)
    await enter(daemon, room.page)
    await expect_playing(room.page, "video.composed")
    await room.page.evaluate("""() => {
        navigator.mediaDevices.getDisplayMedia = async () => {
            const canvas = document.createElement("canvas");
            Object.assign(canvas, {width: 640, height: 360});
            const context = canvas.getContext("2d");
            const draw = () => {
                context.fillStyle = "rgb(255 0 255)";
                context.fillRect(0, 0, 640, 360);
                requestAnimationFrame(draw);
            };
            // The first picture comes after the mixer has said what it wants of it.
            setTimeout(draw, 3000);
            return canvas.captureStream(10);
        };
    }""")
    slots = {"view": "main", "layout": "1x1", "slots": [{"presentation": True}]}
    await daemon.call("PUT", f"/conferences/{conference}/layout", slots)
    await room.page.mouse.move(300, 300)
    await room.page.get_by_role("button", name="Trình chiếu").click()
    await room.page.wait_for_function(
        """() => {
            const video = document.querySelector("video.composed");
            const canvas = new OffscreenCanvas(1, 1);
            const context = canvas.getContext("2d");
            context.drawImage(video, video.videoWidth / 2, video.videoHeight / 2, 1, 1, 0, 0, 1, 1);
            const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
            return red > 180 && green < 90 && blue > 180;
        }""",
        timeout=60_000,
    )
    await expect(room.page.locator(".status")).to_contain_text("Bạn đang trình chiếu")
