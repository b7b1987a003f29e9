"""What a page says for a while: never over a notice, a control, nor over what has the focus."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.peers.chromium_page import DESK, LAPTOP, ChromiumPage, picture
from tests.peers.daemon import ADMIN_TOKEN, Daemon
from tests.peers.stub_daemon import OPERATOR, ROOM, StubDaemon
from tests.peers.stub_roster import CONFERENCE

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

CONTROLS = """async () => {
    // The page's own module: under another address it would be another one.
    const {src} = document.querySelector("script[type=module]");
    return import(new URL("../shared/controls.js", src).href);
}"""
COVERED = """() => {
    const boxes = (selector) =>
        [...document.querySelectorAll(selector)].map((each) => each.getBoundingClientRect());
    const apart = (a, b) =>
        a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
    const kept = boxes(".air-note, .stage-note, [data-kept]");
    kept.push(document.activeElement.getBoundingClientRect());
    return boxes(".toast").filter((toast) => kept.some((each) => !apart(toast, each))).length;
}"""


CONTROLS_COVERED = """() => {
    // What a pointer meets in the middle of each control; what was scrolled away is scrolled back.
    const covered = [];
    const isCovered = (each) => {
        const box = each.getBoundingClientRect();
        const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
        return Boolean(document.elementFromPoint(x, y)?.closest(".toasts"));
    };
    for (const each of document.querySelectorAll("button, a[href], input, select, textarea")) {
        if (each.closest(".toasts") || !each.checkVisibility()) continue;
        if (isCovered(each)) each.scrollIntoView({block: "center"});
        if (isCovered(each)) covered.push(each.textContent.trim() || each.className);
    }
    return covered;
}"""
SCENARIO = {
    "id": "giao-ban", "name": "Giao ban", "unit": "khanh-hoa",
    "items": [{"id": f"m{n}", "title": f"Mục {n}", "duration_s": 300} for n in range(8)],
}  # fmt: skip


@pytest_asyncio.fixture(loop_scope="session")
async def daemon() -> AsyncIterator[StubDaemon]:
    async with StubDaemon() as daemon:
        yield daemon


@pytest_asyncio.fixture(loop_scope="session")
async def page(daemon: StubDaemon, browser: Browser) -> AsyncIterator[Page]:
    async with ChromiumPage(browser) as chromium:
        await chromium.page.goto(f"{daemon.url}/#token={OPERATOR}")
        await expect(chromium.page.locator(".conference-entry")).to_be_visible()
        yield chromium.page
        assert chromium.faults == []


async def say(page: Page, **toast: Any) -> None:
    script = f"async (toast) => (await ({CONTROLS})()).show(toast)"
    await page.evaluate(script, {"tone": "good", "text": "Đã lưu"} | toast)


async def put(page: Page, style: str, role: str = "") -> None:
    """Something that is not to be covered, in a corner of the window."""
    await page.evaluate(
        """([style, role]) => {
            const one = document.createElement("button");
            one.style = `position: fixed; ${style}`;
            one.dataset.kept = "";
            one.textContent = "Ở đây";
            if (role) one.role = role;
            document.querySelector("main").append(one);
            if (!role) one.focus();
        }""",
        [style, role],
    )


async def corner(page: Page) -> str | None:
    return await page.locator(".toasts").get_attribute("data-corner")


async def test_over_a_rooms_page_they_give_way_to_the_focus_and_to_notices(
    daemon: StubDaemon, page: Page
) -> None:
    await page.goto(f"{daemon.url}/join#token={ROOM}")
    await expect(page.locator("h1")).to_be_visible()
    await page.locator("h1").click()  # nothing has the focus
    await say(page)
    await expect(page.locator(".toast")).to_be_visible()
    assert await corner(page) == "bottom-left"
    await put(page, "left: 60px; bottom: 30px")
    assert await corner(page) == "bottom-right"
    await put(page, "right: 60px; bottom: 30px", role="alert")
    await say(page, text="Đã đổi")
    assert await corner(page) == "top-right"
    assert await page.evaluate(COVERED) == 0


async def test_over_the_picture_they_stand_between_the_notices(
    daemon: StubDaemon, page: Page
) -> None:
    """Nothing answers for the live picture, somebody is on air, and much is being said."""
    await page.locator(".conference-entry").click()
    await expect(page.locator(".row[id]").first).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("b")
    stop = page.locator(".air-note").get_by_role("button")
    await expect(stop).to_be_visible()
    await expect(page.locator(".stage-note")).to_be_visible()
    for number in range(4):
        await say(
            page, tone="bad", text=f"Không được ({number})", detail="Nothing came of it. " * 8
        )
    await expect(page.locator(".toast")).to_have_count(4)
    await expect(page.locator(".toast").last).to_be_in_viewport()
    await stop.focus()
    await picture(page, "toasts-between-notices")
    over = """() => ["air-note", "stage-note"].map((name) => {
        const box = document.querySelector(`.${name}`).getBoundingClientRect();
        const hit = document.elementFromPoint(
            (box.left + box.right) / 2, (box.top + box.bottom) / 2);
        return Boolean(hit.closest(`.${name}`));
    })"""
    assert await page.evaluate(over) == [True, True]
    await page.keyboard.press("s")
    await expect(page.locator(".slot").first).to_be_focused()
    assert await page.evaluate(COVERED) == 0


async def test_on_a_page_they_have_a_line_of_their_own(tmp_path: Path, browser: Browser) -> None:
    """At the end of a long form its buttons neither move nor are covered."""
    async with Daemon(tmp_path / "data") as daemon, ChromiumPage(browser) as chromium:
        page = chromium.page
        await daemon.register({"tinh-uy": "Hội trường Tỉnh ủy"})
        await daemon.call("POST", "/scenarios", SCENARIO)
        await page.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
        await expect(page.locator(".page-head")).to_be_visible()
        for width, height in (LAPTOP, DESK):
            await page.set_viewport_size({"width": width, "height": height})
            for address in ("scenarios/giao-ban", "scenarios", "start", "readiness", "units"):
                await page.goto(f"{daemon.url}/#/{address}")
                await expect(page.locator("main.page")).to_be_visible()
                await page.wait_for_load_state("networkidle")
                last = page.locator("main.page").locator("button, a[href]").last
                await last.focus()
                before = await last.bounding_box()
                await say(page, text=f"Đã lưu: {address}")
                await say(page, tone="bad", text=f"Không được: {address}", detail="Why. " * 60)
                await expect(page.locator(".toast", has_text=address)).to_have_count(2)
                await picture(page, f"toasts-{address.replace('/', '-')}")
                if address == "scenarios/giao-ban":
                    assert await last.bounding_box() == before
                assert await page.evaluate(CONTROLS_COVERED) == [], address
                assert await page.evaluate(COVERED) == 0, address
                await expect(last).to_be_in_viewport(ratio=1)
                await expect(page.locator(".toast[role=alert]").last).to_contain_text("Không")
                for _ in range(2):
                    await page.locator(".toast .bare").first.click()
                await expect(page.locator(".toast")).to_have_count(0)
        assert chromium.faults == []


async def test_on_the_wall_and_over_slots_they_cover_no_button(
    daemon: StubDaemon, page: Page
) -> None:
    await page.goto(f"{daemon.url}/#/conferences/{CONFERENCE}")
    await expect(page.locator(".row[id]").first).to_be_visible()
    for key in ("s", "h"):
        await page.keyboard.press(key)
        there = ".slot" if key == "s" else ".wall-tile"
        await expect(page.locator(there).first).to_be_focused()
        before = await page.locator(there).first.bounding_box()
        await say(page, text=f"Đã đổi ({key})")
        await expect(page.locator(".toast", has_text=f"({key})")).to_be_visible()
        assert await page.locator(there).first.bounding_box() == before
        await picture(page, f"toasts-{key}")
        assert await page.evaluate(CONTROLS_COVERED) == []
        assert await page.evaluate(COVERED) == 0
        await page.locator(".toast .bare").first.click()
        await page.keyboard.press("Escape")


async def test_nothing_is_said_twice_nor_after_it_was_tried_again(
    daemon: StubDaemon, page: Page
) -> None:
    await say(page, tone="bad", text="Không được", detail="It cannot be.")
    await say(page, tone="bad", text="Không được", detail="It cannot be.")
    await expect(page.locator(".toast")).to_have_count(1)
    await say(page, tone="bad", text="Không khóa được", about="lock")
    await expect(page.locator(".toast")).to_have_count(2)
    await page.locator(".conference-entry").click()
    await page.get_by_role("button", name="Khóa").click()
    await expect(page.get_by_role("button", name="Đã khóa")).to_be_visible()
    await expect(page.locator(".toast", has_text="Không khóa được")).to_have_count(0)


async def test_the_servers_words_are_not_repeated(page: Page) -> None:
    found = await page.evaluate(
        """async () => {
            const {ApiError} = await import("/static/js/shared/api.js");
            const said = (detail, ...errors) => new ApiError(422, {detail, errors}).detail;
            return [
                said("Jitter is too large.", {field: "jitter", message: "Jitter is too large."}),
                said("Wrong.", {field: "a", message: "is required"}, {field: "b", message: "x"}),
                said("", {field: "a", message: "is required"}),
            ];
        }"""
    )
    assert found == [
        "Jitter is too large.",
        "Wrong. · a: is required · b: x",
        "a: is required",
    ]
