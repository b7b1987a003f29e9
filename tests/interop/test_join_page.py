"""The join page in real Chromium: it waits, joins, says what is the matter and comes back."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page, expect

from tests.peers.chromium_page import ChromiumPage, chromium_browser
from tests.peers.stub_daemon import OPERATOR, ROOM, StubDaemon
from tests.peers.stub_media import StubMedia
from tests.peers.stub_roster import CONFERENCE
from tests.peers.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = f"/api/v1/conferences/{CONFERENCE}"

KEEP_PEERS = """
window.peers = [];
const Original = RTCPeerConnection;
window.RTCPeerConnection = class extends Original {
    constructor(...parameters) { super(...parameters); window.peers.push(this); }
};
"""
NO_DEVICES = "Object.defineProperty(navigator, 'mediaDevices', {value: undefined});"
DENIED = """
navigator.mediaDevices.getUserMedia = async () => {
    throw new DOMException("no", "NotAllowedError");
};
navigator.mediaDevices.enumerateDevices = async () => [];
"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium_browser() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def media() -> AsyncIterator[StubMedia]:
    media = StubMedia()
    yield media
    await media.close()


@pytest_asyncio.fixture(loop_scope="module")
async def daemon(media: StubMedia) -> AsyncIterator[StubDaemon]:
    async with StubDaemon(answer=media) as daemon:
        daemon.people[me(daemon)].update(state="expected", legs=[])
        yield daemon


@pytest_asyncio.fixture(loop_scope="module")
async def chromium(browser: Browser) -> AsyncIterator[ChromiumPage]:
    async with ChromiumPage(browser, script=KEEP_PEERS) as chromium:
        yield chromium
        assert chromium.faults == []


def me(daemon: StubDaemon) -> str:
    return next(iter(daemon.people))


def offers(daemon: StubDaemon) -> int:
    return len(daemon.offers)


async def open_lobby(daemon: StubDaemon, page: Page, more: str = "") -> None:
    await page.goto(f"{daemon.url}/join#token={ROOM}{more}")
    await expect(page.locator(".go, .stage, .waiting").first).to_be_visible()


async def expect_picture(page: Page) -> None:
    """The composed picture plays: frames have been decoded and the stream runs."""
    await page.wait_for_function(
        """() => {
            const video = document.querySelector("video.composed");
            return video && video.videoWidth > 0 && !video.paused && video.currentTime > 0;
        }""",
        timeout=30_000,
    )


async def join(daemon: StubDaemon, page: Page) -> None:
    await open_lobby(daemon, page)
    await page.locator(".go").click()
    await expect_picture(page)


async def sender(page: Page) -> dict[str, Any]:
    """What the newest connection's camera sender is set to."""
    encoding: dict[str, Any] = await page.evaluate(
        """() => window.peers.at(-1).getSenders().find((s) => s.track?.kind === "video")
            .getParameters().encodings[0]"""
    )
    return encoding


async def test_a_room_checks_its_devices_and_joins_when_ready(
    daemon: StubDaemon, media: StubMedia, chromium: ChromiumPage
) -> None:
    page = chromium.page
    await open_lobby(daemon, page)
    assert ROOM not in page.url
    assert ROOM not in await page.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}])"
    )
    await expect(page.locator("h1")).to_have_text("UBND tỉnh Khánh Hòa")
    await expect(page.locator("[data-kind=videoinput] option")).not_to_have_count(0)
    await page.wait_for_function("() => document.querySelector('.preview video').videoWidth > 0")
    await page.wait_for_function(
        """() => /scaleX\\(0?\\.[1-9]/.test(
            document.querySelector(".big-meter .level").style.transform)"""
    )
    assert daemon.offers == []
    await page.locator(".go").click()
    await expect_picture(page)
    await expect(page.locator(".status")).to_contain_text("UBND tỉnh Khánh Hòa")
    await expect(page.locator(".chip.line")).to_contain_text("Đường truyền", timeout=15_000)
    (received,) = media.received.values()
    assert sorted(track.kind for track in received) == ["audio", "video"]


async def test_the_offer_prefers_h264_and_opus(daemon: StubDaemon, chromium: ChromiumPage) -> None:
    await join(daemon, chromium.page)
    (offer,) = daemon.offers
    codecs = dict(re.findall(r"a=rtpmap:(\d+) (\w+)", offer))
    audio, video = re.findall(r"m=\w+ \d+ \S+ (\d+)", offer)
    assert codecs[audio].lower() == "opus"
    assert codecs[video] == "H264"
    fmtp = re.search(rf"a=fmtp:{video} (.*)", offer)
    assert fmtp is not None
    assert "packetization-mode=1" in fmtp[1]
    assert "profile-level-id=42e0" in fmtp[1]
    assert "VP8" in codecs.values()


async def test_a_room_that_is_ready_waits_for_its_conference(
    daemon: StubDaemon, chromium: ChromiumPage
) -> None:
    daemon.running = False
    page = chromium.page
    await open_lobby(daemon, page)
    await page.locator(".go").click()
    await expect(page.locator(".waiting")).to_contain_text("Đang chờ hội nghị")
    assert daemon.offers == []
    daemon.begin()
    await expect_picture(page)
    daemon.finish()
    await expect(page.locator(".waiting")).to_contain_text("Đang chờ hội nghị")


async def test_a_kiosk_joins_without_anybody(daemon: StubDaemon, chromium: ChromiumPage) -> None:
    page = chromium.page
    await open_lobby(daemon, page, "&auto=1")
    await expect_picture(page)
    assert page.url == f"{daemon.url}/join#auto=1"
    await page.reload()
    await expect_picture(page)
    assert offers(daemon) == 2


async def test_it_comes_back_by_itself(
    daemon: StubDaemon, media: StubMedia, chromium: ChromiumPage
) -> None:
    page = chromium.page
    await join(daemon, page)
    await media.hang_up("leg-new-1")
    daemon.legs.discard("leg-new-1")
    daemon.change(me(daemon), "participant.left", state="left", legs=[], reason="failed")
    await page.wait_for_function("() => window.peers.length === 2", timeout=30_000)
    await expect_picture(page)
    assert offers(daemon) == 2


async def test_a_leg_that_carries_packets_outlives_requests_for_a_new_way(
    daemon: StubDaemon, chromium: ChromiumPage
) -> None:
    page = chromium.page
    await join(daemon, page)
    patch = "PATCH", "/api/v1/legs/leg-new-1", None
    daemon.refuse[" ".join(patch[:2])] = web.Response(
        status=503, headers={"kind": "unavailable"}, text="Not now."
    )
    await page.evaluate("dispatchEvent(new Event('online'))")
    await until(lambda: daemon.calls.count(patch) >= 3, 0.05)
    await page.context.set_offline(True)
    await page.evaluate("dispatchEvent(new Event('online'))")
    await page.context.set_offline(False)
    shown = await page.evaluate("document.querySelector('video.composed').currentTime")
    await page.wait_for_function(
        "(shown) => document.querySelector('video.composed').currentTime > shown + 1", arg=shown
    )
    await expect(page.locator(".away")).to_have_count(0)
    await expect(page.locator(".hints")).not_to_contain_text("Kết nối chập chờn")
    assert offers(daemon) == 1
    assert not [call for call in daemon.calls if call[0] == "DELETE"]


async def test_who_waits_comes_back_when_somebody_or_the_network_says_so(
    daemon: StubDaemon, chromium: ChromiumPage
) -> None:
    daemon.running = False
    page = chromium.page
    await open_lobby(daemon, page)
    await page.locator(".go").click()
    await expect(page.locator(".waiting")).to_contain_text("Đang chờ hội nghị")
    # From here on nothing is tried again by itself.
    await page.evaluate("window.setTimeout = () => 1")
    for way in ("key", "event"):
        await daemon.stop()
        await expect(page.locator(".waiting")).to_contain_text("Mất kết nối với máy chủ")
        now = page.get_by_role("button", name="Thử ngay")
        await expect(now).to_be_visible()
        await daemon.start()
        if way == "key":
            await now.focus()
            await page.keyboard.press("Enter")
        else:
            await page.evaluate("dispatchEvent(new Event('online'))")
        await expect(now).to_have_count(0)
        await expect(page.locator(".waiting")).to_contain_text("Đang chờ hội nghị")


async def test_what_the_server_told_is_not_shown_when_it_is_silent(
    daemon: StubDaemon, chromium: ChromiumPage
) -> None:
    page = chromium.page
    await join(daemon, page)
    daemon.emit("levels.measured", levels={me(daemon): -20.0}, speakers=[me(daemon)])
    daemon.emit("broadcast.started", participant=me(daemon))
    status = page.locator(".status")
    await expect(status).to_contain_text("Mọi người đang nghe bạn")
    await expect(status).to_contain_text("Mọi điểm cầu đang thấy bạn")
    await daemon.stop()
    await expect(status).not_to_contain_text("Mọi người đang nghe bạn")
    await expect(status).not_to_contain_text("Mọi điểm cầu đang thấy bạn")
    await daemon.start()


async def test_it_comes_back_after_a_restart_of_the_server(
    daemon: StubDaemon, media: StubMedia, chromium: ChromiumPage
) -> None:
    page = chromium.page
    await join(daemon, page)
    await daemon.stop()
    daemon.legs.clear()
    daemon.people[me(daemon)].update(state="lost", legs=[])
    await daemon.start()
    # The media still flow here, but the new server does not know the leg.
    await page.wait_for_function("() => window.peers.length === 2", timeout=30_000)
    await expect_picture(page)
    assert offers(daemon) == 2


async def test_an_operator_who_disconnects_it_has_the_last_word(
    daemon: StubDaemon, chromium: ChromiumPage
) -> None:
    page = chromium.page
    await join(daemon, page)
    daemon.change(me(daemon), "participant.left", state="left", legs=[], reason="disconnected")
    await expect(page.locator(".next")).to_contain_text("Người điều hành đã ngắt kết nối")
    daemon.change(me(daemon), state="calling")
    await expect_picture(page)
    assert offers(daemon) == 2


async def test_it_reads_why_it_was_taken_off_the_roster(
    daemon: StubDaemon, chromium: ChromiumPage
) -> None:
    page = chromium.page
    await join(daemon, page)
    daemon.running = False
    person = daemon.people[me(daemon)]
    daemon.emit("participant.removed", participant=person, reason="Nhầm phòng họp")
    await expect(page.locator(".waiting .note")).to_contain_text("Nhầm phòng họp")


async def test_withdrawn_access_is_said_and_not_asked_for_again(
    daemon: StubDaemon, chromium: ChromiumPage
) -> None:
    page = chromium.page
    await join(daemon, page)
    no_access(daemon)
    daemon.change(me(daemon), "participant.left", state="left", legs=[], reason="revoked")
    daemon.legs.clear()
    await daemon.drop_streams()
    await expect(page.locator(".next")).to_contain_text("Quyền truy cập của điểm cầu này đã bị")
    await expect(page.locator(".next button")).to_have_count(0)
    await until(lambda: ("POST", "/api/v1/session", None) in daemon.calls[1:], 0.05)
    assert len(daemon.offers) == 1
    assert not [call for call in daemon.calls if call[0] == "DELETE"]
    await page.reload()
    await expect(page.locator(".note")).to_contain_text("Liên kết không còn hiệu lực")


async def test_who_is_in_stays_when_the_session_runs_out(
    daemon: StubDaemon, chromium: ChromiumPage
) -> None:
    page = chromium.page
    await join(daemon, page)
    signed_in = len(daemon.calls)
    no_access(daemon)
    await daemon.drop_streams()
    await until(lambda: ("POST", "/api/v1/session", None) in daemon.calls[signed_in:], 0.05)
    await expect_picture(page)
    await expect(page.locator(".stage")).to_be_visible()
    assert not [call for call in daemon.calls if call[0] == "DELETE"]
    # What takes it out afterwards is final: there is no way back without a new link.
    await page.evaluate(
        "window.peers.at(-1).onconnectionstatechange && window.peers.at(-1).close()"
    )
    await page.evaluate("window.peers.at(-1).onconnectionstatechange()")
    await expect(page.locator(".next")).to_contain_text("Liên kết không còn hiệu lực")
    assert len(daemon.offers) == 1


def no_access(daemon: StubDaemon) -> None:
    """The session is over, and the link opens no other."""
    daemon.room_session = None
    daemon.refuse["POST /api/v1/session"] = web.Response(
        status=401, headers={"kind": "unauthenticated"}, text="The token is revoked."
    )


async def test_a_second_device_takes_over_without_a_fight(
    daemon: StubDaemon, chromium: ChromiumPage
) -> None:
    page = chromium.page
    await join(daemon, page)
    daemon.people[me(daemon)].update(state="connected", legs=["elsewhere"])
    daemon.emit(
        "participant.joined", participant=daemon.people[me(daemon)], leg="elsewhere",
        replaced=["leg-new-1"],
    )  # fmt: skip
    await expect(page.locator(".next")).to_contain_text("thiết bị khác")
    assert offers(daemon) == 1
    await page.get_by_role("button", name="Vào lại").click()
    await expect_picture(page)
    assert offers(daemon) == 2


async def test_it_sends_what_the_layout_shows(daemon: StubDaemon, chromium: ChromiumPage) -> None:
    page = chromium.page
    await join(daemon, page)

    def ask(paused: bool) -> None:
        wanted = {"width": 320, "height": 180, "fps": 10, "bitrate_bps": 150_000, "paused": paused}
        daemon.emit("sources.requested", requests={me(daemon): {"video": wanted}})

    ask(paused=False)
    await page.wait_for_function(
        """() => window.peers.at(-1).getSenders().find((s) => s.track?.kind === "video")
            .getParameters().encodings[0].maxFramerate === 10"""
    )
    encoding = await sender(page)
    assert encoding["maxBitrate"] == 150_000
    assert encoding["active"] is True
    settings = await page.evaluate(
        """() => window.peers.at(-1).getSenders().find((s) => s.track?.kind === "video")
            .track.getSettings()"""
    )
    assert encoding["scaleResolutionDownBy"] == pytest.approx(
        min(settings["width"] / 320, settings["height"] / 180)
    )
    ask(paused=True)
    await page.wait_for_function(
        """() => !window.peers.at(-1).getSenders().find((s) => s.track?.kind === "video")
            .getParameters().encodings[0].active"""
    )


async def test_muting_itself_is_told_to_the_operator(
    daemon: StubDaemon, chromium: ChromiumPage
) -> None:
    page = chromium.page
    await join(daemon, page)
    await page.keyboard.press("m")
    await expect(page.locator(".status")).to_contain_text("Mic của bạn đang tắt")
    await page.wait_for_function(
        "() => !window.peers[0].getSenders().find((s) => s.track?.kind === 'audio').track.enabled"
    )
    path = f"{PATH}/participants/{me(daemon)}"
    assert ("PATCH", path, {"audio_muted": True}) in daemon.calls
    await page.keyboard.press("v")
    await expect(page.locator(".status")).to_contain_text("Camera của bạn đang tắt")
    await page.keyboard.press("m")
    await expect(page.locator(".status")).not_to_contain_text("Mic của bạn")
    assert daemon.last(path) == ("PATCH", path, {"audio_muted": False})


async def test_what_the_operator_mutes_stays_muted(
    daemon: StubDaemon, chromium: ChromiumPage
) -> None:
    page = chromium.page
    await join(daemon, page)
    daemon.people[me(daemon)]["audio_muted"] = True
    daemon.emit("participants.changed", participants=[me(daemon)], changes={"audio_muted": True})
    await expect(page.locator(".status")).to_contain_text("Người điều hành đã tắt mic của bạn")
    before = len(daemon.calls)
    await page.keyboard.press("m")
    await expect(page.get_by_role("button", name="Mở mic")).to_be_disabled()
    assert len(daemon.calls) == before


async def test_a_microphone_is_not_opened_behind_somebodys_back(
    daemon: StubDaemon, chromium: ChromiumPage
) -> None:
    page = chromium.page
    await join(daemon, page)
    await page.keyboard.press("m")
    await expect(page.locator(".status")).to_contain_text("Mic của bạn đang tắt")
    daemon.change(me(daemon), audio_muted=True)
    daemon.change(me(daemon), audio_muted=False)
    await expect(page.locator(".hints")).to_contain_text("Người điều hành muốn nghe bạn")
    enabled = "window.peers[0].getSenders().find((s) => s.track?.kind === 'audio').track.enabled"
    assert await page.evaluate(enabled) is False
    await page.locator(".hints button").click()
    await page.wait_for_function(f"() => {enabled}")


async def test_the_screen_is_shown_beside_the_camera_without_a_gap(
    daemon: StubDaemon, media: StubMedia, chromium: ChromiumPage
) -> None:
    page = chromium.page
    await join(daemon, page)
    await page.evaluate("""() => {
        navigator.mediaDevices.getDisplayMedia = async () => {
            const canvas = document.createElement("canvas");
            canvas.getContext("2d").fillRect(0, 0, 10, 10);
            return canvas.captureStream(5);
        };
    }""")
    await page.get_by_role("button", name="Trình chiếu").click()
    await page.wait_for_function(
        "() => window.peers.length === 2 && window.peers[0].connectionState === 'closed'"
    )
    await expect_picture(page)
    await expect(page.locator(".away")).to_be_hidden()
    assert daemon.offers[1].count("m=video") == 2
    assert sorted(track.kind for track in media.received["leg-new-2"]) == [
        "audio",
        "video",
        "video",
    ]
    await page.get_by_role("button", name="Ngừng trình chiếu").click()
    await page.wait_for_function(
        "() => window.peers.length === 3 && window.peers[1].connectionState === 'closed'"
    )
    assert daemon.offers[2].count("m=video") == 1


async def test_the_screen_is_hidden_when_another_presents(
    daemon: StubDaemon, media: StubMedia, chromium: ChromiumPage
) -> None:
    page = chromium.page
    await join(daemon, page)
    await page.evaluate("""() => {
        navigator.mediaDevices.getDisplayMedia = async () => {
            const canvas = document.createElement("canvas");
            canvas.getContext("2d").fillRect(0, 0, 10, 10);
            window.shared = canvas.captureStream(5);
            return window.shared;
        };
    }""")
    await page.get_by_role("button", name="Trình chiếu").click()
    await page.wait_for_function("() => window.peers.length === 2")
    assert daemon.conference["presentation"] == me(daemon)
    await expect(page.get_by_role("button", name="Ngừng trình chiếu")).to_be_visible()
    await page.wait_for_function("() => window.peers[0].connectionState === 'closed'")
    daemon.emit("presentation.started", participant="van-ninh")
    await page.wait_for_function(
        "() => window.peers.length === 3 && window.peers[1].connectionState === 'closed'"
    )
    assert daemon.offers[2].count("m=video") == 1
    assert await page.evaluate("window.shared.getTracks()[0].readyState") == "ended"
    await expect(page.get_by_role("button", name="Trình chiếu", exact=True)).to_be_visible()


async def test_the_message_is_read_out(daemon: StubDaemon, chromium: ChromiumPage) -> None:
    page = chromium.page
    await join(daemon, page)
    daemon.emit("message.shown", text="Giải lao 10 phút", until=None)
    await expect(page.locator(".hints[aria-live]")).to_contain_text("Giải lao 10 phút")
    daemon.emit("message.cleared")
    await expect(page.locator(".hints")).not_to_contain_text("Giải lao 10 phút")


async def test_a_refused_offer_says_why_and_is_tried_again(
    daemon: StubDaemon, media: StubMedia, chromium: ChromiumPage
) -> None:
    daemon.answer = None
    page = chromium.page
    await open_lobby(daemon, page)
    await page.locator(".go").click()
    await expect(page.locator(".away")).to_contain_text("The media core is not running here.")
    await expect(page.locator(".away")).to_contain_text("Máy chủ hiện chưa nhận được")
    daemon.answer = media
    await expect_picture(page)


async def test_leaving_is_asked_and_told(daemon: StubDaemon, chromium: ChromiumPage) -> None:
    page = chromium.page
    await join(daemon, page)
    await page.get_by_role("button", name="Rời hội nghị").click()
    await page.get_by_role("dialog").get_by_role("button", name="Rời hội nghị").click()
    await expect(page.locator(".next")).to_contain_text("Bạn đã rời hội nghị")
    assert ("DELETE", "/api/v1/legs/leg-new-1", None) in daemon.calls


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (DENIED, "Trình duyệt chưa được phép dùng thiết bị"),
        (NO_DEVICES, "Trình duyệt chỉ cho phép qua https"),
    ],
)
async def test_a_browser_that_gives_no_camera_is_explained(
    daemon: StubDaemon, browser: Browser, script: str, words: str
) -> None:
    async with ChromiumPage(browser, script=script) as chromium:
        page = chromium.page
        await open_lobby(daemon, page)
        await expect(page.locator(".problem").first).to_contain_text(words)
        if script == DENIED:
            await expect(page.locator("[data-kind=videoinput]")).to_contain_text("chưa cho phép")
        # A room without a camera still sees and hears.
        await page.locator(".go").click()
        await expect_picture(page)
        if script == DENIED:
            hints = page.locator(".hints")
            await expect(hints).to_contain_text("trình duyệt chưa được phép dùng camera")
            await expect(hints).to_contain_text("trình duyệt chưa được phép dùng mic")
            await expect(hints).not_to_contain_text("dây cắm")
        assert chromium.faults == []


async def test_devices_are_remembered(daemon: StubDaemon, chromium: ChromiumPage) -> None:
    page = chromium.page
    await open_lobby(daemon, page)
    microphones = page.locator("[data-kind=audioinput]")
    await expect(microphones.locator("option")).not_to_have_count(1)
    value = await microphones.locator("option").last.get_attribute("value")
    assert value
    await microphones.select_option(value)
    await expect(microphones).to_have_value(value)
    await page.reload()
    await expect(page.locator("[data-kind=audioinput]")).to_have_value(value)


async def test_a_bad_link_and_an_operators_token_are_explained(
    daemon: StubDaemon, chromium: ChromiumPage
) -> None:
    page = chromium.page
    await page.goto(f"{daemon.url}/join#token=old")
    await expect(page.locator(".note")).to_contain_text("Liên kết không còn hiệu lực")
    await page.goto(f"{daemon.url}/#token={OPERATOR}")
    await expect(page.locator(".conference-entry")).to_be_visible()
    await page.goto(f"{daemon.url}/join")
    await expect(page.locator("input[name=link]")).to_be_visible()
    await expect(page.locator(".note")).to_have_count(0)
    await page.locator("input[name=link]").fill(OPERATOR)
    await page.keyboard.press("Enter")
    await expect(page.locator(".note")).to_contain_text("không phải điểm cầu")
    await page.locator("input[name=link]").fill(f"{daemon.url}/join#token={ROOM}")
    await page.keyboard.press("Enter")
    await expect(page.locator(".go")).to_be_visible()
