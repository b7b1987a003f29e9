"""The console in Chromium with the real daemon: what is done in it is seen and heard.

How its parts behave with 145 rooms is in ``test_console_page.py``; here its pictures are decoded.
"""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Request, expect

from tests.peers.chromium_page import ChromiumPage
from tests.peers.coded_media import GREEN, RED, Colour
from tests.peers.daemon import ADMIN_TOKEN, Daemon
from tests.peers.generator_rooms import GeneratorRoom, GeneratorRooms
from tests.peers.meeting import Meeting
from tests.peers.waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

NAMES = {
    "dien-khanh": "UBND xã Diên Khánh",
    "vinh-nguyen": "Phường Vĩnh Nguyên",
    "truong-sa": "Đặc khu Trường Sa",
}
TONES_HZ = {"dien-khanh": 1010.0, "vinh-nguyen": 440.0}
AUDIBLE_DB, INAUDIBLE_DB = 60.0, 20.0
"""Of an amplitude of 1 in 16 bits; the rooms send about 75."""

SHOWS = """(wanted) => {
  const video = document.querySelector(".picture video");
  if (!video?.videoWidth) return false;
  const canvas = Object.assign(document.createElement("canvas"),
    { width: video.videoWidth, height: video.videoHeight });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(video, 0, 0);
  return wanted.every(([x, y, present, ...rgb]) => {
    const at = [Math.round(x * canvas.width) - 4, Math.round(y * canvas.height) - 4];
    const { data } = context.getImageData(...at, 8, 8);
    const mean = [0, 1, 2].map((part) => {
      let sum = 0;
      for (let i = part; i < data.length; i += 4) sum += data[i];
      return sum / 64;
    });
    return present === mean.every((value, part) => Math.abs(value - rgb[part]) <= 30);
  });
}"""
MESSAGE_RGB = (120, 20, 28)


def rgb(colour: Colour) -> tuple[float, ...]:
    y, u, v = 1.164 * (colour.y - 16), colour.u - 128, colour.v - 128
    parts = (y + 1.596 * v, y - 0.392 * u - 0.813 * v, y + 2.017 * u)
    return tuple(min(255.0, max(0.0, part)) for part in parts)


async def until_shown(page: Page, *wanted: tuple[float, float, bool, tuple[float, ...]]) -> None:
    """Until the decoded picture has, or has not, those colours at those points."""
    points = [[x, y, present, *colour] for x, y, present, colour in wanted]
    await page.wait_for_function(SHOWS, arg=points, polling=100, timeout=30_000)


@pytest_asyncio.fixture(loop_scope="session")
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    async with Daemon(tmp_path / "data") as daemon:
        unit = {"id": "khanh-hoa", "name": "Tỉnh Khánh Hòa", "level": "province"}
        await daemon.call("POST", "/units", unit)
        for rank, (id_, name) in enumerate(NAMES.items()):
            bridge = {"id": id_, "name": name, "unit": "khanh-hoa", "kind": "webrtc"}
            await daemon.call("POST", "/bridges", {**bridge, "importance": 90 - rank})
        yield daemon


class Asked:
    """What a page asks the API for from now on, pictures and the event stream apart."""

    def __init__(self, page: Page) -> None:
        self.requests: list[str] = []
        page.on("request", self._asked)

    def _asked(self, request: Request) -> None:
        path = urlsplit(request.url).path
        if path.startswith("/api/v1/") and not path.endswith((".jpg", "/events")):
            self.requests.append(f"{request.method} {path.removeprefix('/api/v1')}")


async def start_conference(daemon: Daemon, page: Page) -> Meeting:
    """Sign in with the token and start a conference of all rooms, as an operator does."""
    await page.goto(daemon.url)
    await page.locator("input[name=token]").fill(ADMIN_TOKEN)
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="Mở hội nghị").click()
    await page.get_by_label("Tên hội nghị").fill("Giao ban trực tuyến tháng 11")
    await (
        page.locator(".thumb", has_text="2×2")
        .or_(page.locator(".thumb", has_text="2x2"))
        .first.click()
    )
    await page.get_by_role("button", name="Mở hội nghị").click()
    await expect(page.locator("h1")).to_contain_text("Giao ban trực tuyến tháng 11")
    await expect(page.locator(".row[id]")).to_have_count(len(NAMES))
    conference = page.url.rpartition("/")[2]
    tokens = {
        bridge: (await daemon.call("POST", f"/bridges/{bridge}/token"))["token"] for bridge in NAMES
    }
    return Meeting(daemon, conference, "khanh-hoa", tokens)


async def join(held: Meeting, rooms: GeneratorRooms) -> dict[str, GeneratorRoom]:
    """Two rooms that are seen and heard, and one that listens."""
    joined = {}
    for bridge, colour in {"dien-khanh": RED, "vinh-nguyen": GREEN, "truong-sa": None}.items():
        joined[bridge] = await rooms.join(
            held.id,
            held.tokens[bridge],
            colour=colour,
            tone_hz=TONES_HZ.get(bridge, 0.0),
            decodes=colour is None,
        )
    return joined


async def test_an_operator_steers_what_everybody_sees_and_hears(
    daemon: Daemon, tmp_path: Path, browser: Browser
) -> None:
    red, green = rgb(RED), rgb(GREEN)
    async with AsyncExitStack() as stack:
        chromium = await stack.enter_async_context(ChromiumPage(browser))
        page = chromium.page
        held = await start_conference(daemon, page)
        rooms = await stack.enter_async_context(GeneratorRooms(daemon.url))
        joined = await join(held, rooms)
        listener = joined["truong-sa"]
        for bridge in NAMES:
            await expect(page.locator(f"#row-{bridge}")).to_have_class(re.compile(r"\bconnected\b"))

        # The live picture: a 2x2 grid, by importance.
        await until_shown(page, (0.25, 0.2, True, red), (0.75, 0.2, True, green))
        await expect(page.locator(".watch")).to_have_class(re.compile(r"\blive\b"))
        await page.screenshot(path=tmp_path / "console-2x2.png")
        asked = Asked(page)

        # Another layout, by its drawing.
        await page.locator("[data-layout='3x3']").click()
        await expect(page.locator("[data-layout='3x3']")).to_have_attribute("aria-pressed", "true")
        await until_shown(
            page, (1 / 6, 0.13, True, red), (0.5, 0.13, True, green), (5 / 6, 0.13, False, green)
        )

        # A room is muted: seen in the roster, gone from the mix, the other one stays.
        await until(
            lambda: all(listener.heard_db(tone) > AUDIBLE_DB for tone in TONES_HZ.values()), 0.05
        )
        muting = page.locator("#row-dien-khanh .muting").first
        await expect(muting).to_have_attribute("aria-pressed", "false")
        await muting.click()
        await expect(muting).to_have_attribute("aria-pressed", "true")
        await until(
            lambda: (
                listener.heard_db(TONES_HZ["dien-khanh"]) < INAUDIBLE_DB
                and listener.heard_db(TONES_HZ["vinh-nguyen"]) > AUDIBLE_DB
            ),
            0.05,
        )

        # A message goes over everybody's picture.
        await page.keyboard.press("t")
        await page.locator("#message-text").fill("Mời UBND xã Diên Khánh chuẩn bị phát biểu")
        await page.get_by_role("button", name="Hiện thông báo").click()
        await expect(page.locator(".message-now")).to_contain_text("chuẩn bị phát biểu")
        await until_shown(page, (0.02, 0.97, True, MESSAGE_RGB))
        await page.screenshot(path=tmp_path / "console-message.png")
        await page.keyboard.press("Escape")

        # A room is disconnected: gone from roster, picture and mix.
        await page.locator("#row-vinh-nguyen").dblclick(position={"x": 60, "y": 10})
        await page.get_by_role("button", name="Ngắt kết nối").click()
        await expect(page.locator("#row-vinh-nguyen")).to_have_class(re.compile(r"\bleft\b"))
        await until_shown(page, (1 / 6, 0.13, True, red), (0.5, 0.13, False, green))
        await until(lambda: listener.heard_db(TONES_HZ["vinh-nguyen"]) < INAUDIBLE_DB, 0.05)
        assert (await held.roster())["vinh-nguyen"]["legs"] == []

        # What others do is seen as well, and nothing was asked for to see any of this.
        await daemon.call(
            "PATCH", f"{held.path}/participants/truong-sa", {"label": "Đảo Trường Sa Lớn"}
        )
        await expect(page.locator("#row-truong-sa")).to_contain_text("Đảo Trường Sa Lớn")
        # But for alarms, whose contacts no event tells: that is asked for when one is raised.
        asked_for = [one for one in asked.requests if one.startswith("GET /conferences")]
        assert [one for one in asked_for if not one.endswith("/alarms")] == []
        assert chromium.faults == []
        assert chromium.complaints == []
