"""The desk's panels and keys as an operator under pressure meets them, on a small screen too."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from tests.peers.chromium_page import DESK, LAPTOP, ChromiumPage, picture
from tests.peers.stub_daemon import OPERATOR, StubDaemon
from tests.peers.stub_roster import CONFERENCE, Json, moment

pytestmark = pytest.mark.timeout(180)

PANELS = ("alarms", "convening", "agenda", "layout", "floor", "roll-call", "room", "message",
          "recordings", "drill")  # fmt: skip
LEAST_PX = 180
"""Of a panel that can be worked with: some six lines of a list."""
LOCALES = {"vi": "vi-VN", "en": "en-GB"}
LANGUAGES = pytest.mark.parametrize("language", LOCALES)
DRILL: Json = {
    "faults": [],
    "script": {"state": "idle", "steps": [], "next_at": None, "next_step": None},
}
OVERLOADED: Json = {
    "level": "overloaded",
    "given_up": ["view-rate", "small-renditions"],
    "processors": 1.9,
    "refused": {"load": 3, "joins": 1, "max_legs": 0},
}
ROOMS = """() => {
    // What a pointer meets in the middle of each room's name that the list shows.
    const list = document.querySelector(".drill-rooms ul");
    list.scrollIntoView({block: "nearest"});
    const seen = list.getBoundingClientRect();
    const covered = [];
    let shown = 0;
    for (const label of list.querySelectorAll("label")) {
        const box = label.getBoundingClientRect();
        if (box.top < seen.top || box.bottom > seen.bottom) continue;
        shown += 1;
        const hit = document.elementFromPoint(box.left + 30, (box.top + box.bottom) / 2);
        if (hit?.closest("label") !== label) covered.push(label.textContent.trim());
    }
    return {shown, covered};
}"""


def alarm(number: int, room: Json, **more: Any) -> Json:
    return {
        "number": number, "participant": room["id"], "label": room["label"], "kind": "lost",
        "severity": "major", "since": moment(60), "detail": {}, "actions": ["redial"],
        "acknowledged_by": None, "contact": {"name": "Nguyễn Văn An", "phone": "0258 3822 111"},
    } | more  # fmt: skip


@pytest.fixture
async def daemon() -> AsyncIterator[StubDaemon]:
    async with StubDaemon() as daemon:
        yield daemon


async def answer(page: Page, part: str, found: Any, asked: list[str] | None = None) -> None:
    """What the conference says under a part of its address; what is sent there is kept."""

    async def fulfil(route: Route) -> None:
        if asked is not None and route.request.method != "GET":
            asked.append(f"{route.request.method} {route.request.url.rpartition('/api/v1/')[2]}")
        body = json.dumps(found(route.request) if callable(found) else found)
        await route.fulfill(status=200, content_type="application/json", body=body)

    await page.route(f"**/api/v1/{part}", fulfil)


async def open_desk(daemon: StubDaemon, page: Page) -> None:
    await page.goto(f"{daemon.url}/#token={OPERATOR}")
    await page.locator(".conference-entry").click()
    await expect(page.locator(".row[id]")).to_have_count(len(daemon.people))


async def sends(page: Page, key: str, where: str) -> None:
    """A key that makes the page send something there."""
    async with page.expect_response(
        lambda each: each.request.method == "POST" and each.url.endswith(where)
    ):
        await page.keyboard.press(key)


async def scrolled_sliver(page: Page) -> list[str]:
    """Lists that scroll within an open panel though hardly a line of them is seen."""
    found: list[str] = await page.evaluate(
        """() => [...document.querySelectorAll("#panel *")]
            .filter((each) => getComputedStyle(each).overflowY === "auto"
                && each.scrollHeight > each.clientHeight + 1 && each.clientHeight < 100)
            .map((each) => `${each.className}: ${each.clientHeight} px`)"""
    )
    return found


@LANGUAGES
async def test_panels_keep_their_room_below_banners(daemon: StubDaemon, language: str) -> None:
    daemon.conference["drill"] = True
    async with ChromiumPage(locale=LOCALES[language]) as chromium:
        page = chromium.page
        await answer(page, "load", daemon.load | OVERLOADED)  # also when the server is gone
        await answer(page, f"conferences/{CONFERENCE}/drill", DRILL)
        alarms = [alarm(n, room) for n, room in enumerate(list(daemon.people.values())[:9], 1)]
        await answer(page, f"conferences/{CONFERENCE}/alarms", {"items": alarms})
        await open_desk(daemon, page)
        await page.locator(".row[id]").first.click()
        await expect(page.locator(".banner")).to_have_count(1)
        for banners in (1, 2):
            if banners == 2:
                await daemon.stop()
                await expect(page.locator(".banner")).to_have_count(2)
            for width, height in (LAPTOP, DESK):
                await page.set_viewport_size({"width": width, "height": height})
                for panel in PANELS:
                    if panel == "room" and (width, height) == DESK:
                        continue  # it has a place of its own there
                    await page.locator(f"#tab-{panel}").click()
                    box = await page.locator("#panel").first.bounding_box()
                    assert box is not None
                    assert box["height"] >= LEAST_PX, f"{panel} below {banners} at {width}"
                    assert box["y"] + box["height"] <= height
                    assert await scrolled_sliver(page) == [], f"{panel} below {banners} at {width}"
                    await picture(page, f"panel-{language}-{banners}-{panel}")
            await page.set_viewport_size({"width": LAPTOP[0], "height": LAPTOP[1]})
            await page.locator("#tab-drill").click()
            for kind in ("lost", "loss"):
                await page.locator("#drill-kind").select_option(kind)
                found = await page.evaluate(ROOMS)
                assert found["covered"] == []
                assert found["shown"] >= 6
                await expect(page.locator(".drill-wish [type=submit]")).to_be_in_viewport(ratio=1)
                await picture(page, f"panel-drill-{language}-{banners}-{kind}")
        assert chromium.faults == []


async def test_a_page_that_is_loaded_anew_shows_the_panel_that_was_open(
    daemon: StubDaemon,
) -> None:
    async with ChromiumPage() as chromium:
        page = chromium.page
        await open_desk(daemon, page)
        layout = page.locator("#tab-layout")
        await expect(layout).to_have_attribute("aria-selected", "true")
        await page.keyboard.press("t")
        await page.reload()
        message = page.locator("#tab-message")
        await expect(message).to_have_attribute("aria-selected", "true")
        # The room's panel comes back with its room; other panels choose nobody.
        await expect(page.locator(".row.selected")).to_have_count(0)
        row = page.locator(".row[id]").nth(3)
        name = await row.locator(".name b").inner_text()
        await row.dblclick()
        await expect(page.locator("#tab-room")).to_have_attribute("aria-selected", "true")
        await page.reload()
        await expect(page.locator("#tab-room")).to_have_attribute("aria-selected", "true")
        await expect(page.locator(".row.selected .name b")).to_have_text(name)
        # Another conference has its own.
        await page.evaluate("() => sessionStorage.setItem('mcu.panel.giao-ban', '{\"panel\": 7}')")
        await page.reload()
        await expect(layout).to_have_attribute("aria-selected", "true")
        assert chromium.faults == []


async def test_keys_mean_in_the_trouble_list_what_they_mean_everywhere(
    daemon: StubDaemon,
) -> None:
    first, second = [one for one in daemon.people.values() if one["state"] == "lost"][:2]
    path = f"conferences/{CONFERENCE}"
    asked: list[str] = []
    async with ChromiumPage() as chromium:
        page = chromium.page
        items = [alarm(1, first), alarm(2, second), alarm(3, second, kind="loss", actions=[])]
        await answer(page, f"{path}/alarms", {"items": items})
        await answer(page, f"{path}/alarms/*/acknowledge", {}, asked)
        await answer(page, "incidents", {"id": "i-1", "title": "lost: x"}, asked)
        await page.add_init_script("""addEventListener("click", (event) => {
            const link = event.target.closest("a[href^='tel:']");
            if (link) { event.preventDefault(); window.dialled = link.href; }
        })""")
        await open_desk(daemon, page)
        await expect(page.locator("#tab-alarms .count")).to_have_text("3")
        await page.keyboard.press("w")
        listed = page.locator(".alarm-what")
        await expect(listed.first).to_be_focused()
        await page.keyboard.press("ArrowDown")
        await expect(listed.nth(1)).to_be_focused()
        # Who goes to an alarm has chosen its room.
        await expect(page.locator(".row.selected")).to_have_id(f"row-{second['id']}")
        async with page.expect_request(lambda each: each.method == "PATCH") as deafening:
            await page.keyboard.press("d")
        assert (await deafening.value).url.endswith(f"{path}/participants/{second['id']}")
        assert (await deafening.value).post_data_json == {"deafened": True}
        acknowledged = f"POST {path}/alarms/2/acknowledge"
        await sends(page, "Shift+W", "/acknowledge")
        await page.keyboard.press("Shift+T")
        await page.wait_for_function("() => window.dialled === 'tel:02583822111'")
        await page.keyboard.press("c")
        await expect(page.locator(".picture [role=tab]").nth(1)).to_have_attribute(
            "aria-selected", "true"
        )
        await sends(page, "i", "/incidents")
        assert asked == [acknowledged, "POST incidents"]
        await page.keyboard.press("j")
        await expect(page.locator("#tab-recordings")).to_be_focused()
        # And elsewhere: the same keys are about the chosen room's trouble, the worst of it.
        await page.locator(f"[id='row-{first['id']}']").click()
        await sends(page, "Shift+W", "/acknowledge")
        assert asked[-1] == f"POST {path}/alarms/1/acknowledge"
        # Nobody in trouble is chosen: nothing is asked for.
        sound = next(one for one in daemon.people.values() if one["state"] == "connected")
        await page.locator(f"[id='row-{sound['id']}']").click()
        before = len(asked)
        await page.keyboard.press("Shift+W")
        await page.keyboard.press("Shift+C")
        await page.keyboard.press("q")
        await expect(page.locator("#tab-floor")).to_be_focused()
        assert len(asked) == before
        assert chromium.faults == []


@LANGUAGES
async def test_the_help_gives_each_key_one_meaning(daemon: StubDaemon, language: str) -> None:
    async with ChromiumPage(locale=LOCALES[language]) as chromium:
        page = chromium.page
        await open_desk(daemon, page)
        await page.keyboard.press("?")
        await expect(page.locator(".shortcuts")).to_be_visible()
        await picture(page, f"help-{language}")
        keys = await page.locator(".shortcuts dt").evaluate_all(
            "(all) => all.map((each) => [...each.children].map((kbd) => kbd.textContent).join('+'))"
        )
        twice = {key for key in keys if keys.count(key) > 1}
        assert twice <= {"←+→"}  # along what has the focus: buttons of a room, or tabs
        assert {"Shift+W", "Shift+C", "Shift+T", "I"} <= set(keys)
        below = await page.locator("dialog").evaluate(
            "(box) => box.scrollHeight - box.clientHeight"
        )
        assert below <= 1  # all of it is seen at once


async def test_notices_stand_below_what_is_drawn_at_the_top_of_the_picture(
    daemon: StubDaemon,
) -> None:
    room = next(iter(daemon.people))
    daemon.conference |= {"drill": True, "broadcast": room}
    daemon.conference["overlays"] = [
        {"number": 1, "kind": "text", "text": "Giải lao", "position": "top-left", "view": None,
         "until": None, "pinned_at": moment()},
    ]  # fmt: skip
    async with ChromiumPage() as chromium:
        page = chromium.page
        await answer(page, f"conferences/{CONFERENCE}/drill", DRILL)
        await open_desk(daemon, page)
        await expect(page.locator(".air-note")).to_be_visible()
        from_top: float = await page.evaluate("""() => {
            const stage = document.querySelector(".stage").getBoundingClientRect();
            const note = document.querySelector(".air-note").getBoundingClientRect();
            return (note.top - stage.top) / stage.height;
        }""")
        # Two captions of a line, with the gaps around them, as the mixer draws them at 720 lines.
        assert from_top >= (3 * 16 + 2 * 50) / 720 - 0.005
        assert from_top < 0.3
        assert chromium.faults == []


async def test_no_number_of_nothing_is_red(daemon: StubDaemon) -> None:
    for person in daemon.people.values():
        person["state"] = "connected"
    async with ChromiumPage() as chromium:
        page = chromium.page
        await open_desk(daemon, page)
        lost = page.locator("[data-filter=lost]")
        colour = "(each) => getComputedStyle(each).color"
        assert await lost.locator("b").inner_text() == "0"
        other = page.locator("[data-filter=all] b")
        assert await lost.locator("b").evaluate(colour) == await other.evaluate(colour)
        daemon.change(next(iter(daemon.people)), "participant.lost", state="lost")
        await expect(lost.locator("b")).to_have_text("1")
        assert await lost.locator("b").evaluate(colour) != await other.evaluate(colour)


@pytest.mark.parametrize("address", ["", "rooms"], ids=["list", "rooms"])
async def test_a_page_waits_for_its_server_and_comes_back_by_itself(
    daemon: StubDaemon, address: str
) -> None:
    async with ChromiumPage() as chromium:
        page = chromium.page
        await page.goto(f"{daemon.url}/#token={OPERATOR}")
        await expect(page.locator(".conference-entry")).to_be_visible()
        await page.goto(f"{daemon.url}/#/{address}")
        there = page.locator("main.page a[href*='/api/'], .conference-entry, .sip-room").first
        await expect(there).to_be_visible()
        await daemon.stop()
        banner = page.locator(".banner.bad")
        await expect(banner).to_contain_text(re.compile(r"từ \d\d:\d\d:\d\d"))
        since = re.search(r"\d\d:\d\d:\d\d", await banner.inner_text())
        await banner.get_by_role("button", name="Thử ngay").click()
        await expect(banner).to_contain_text("Thử lại sau")
        again = re.search(r"\d\d:\d\d:\d\d", await banner.inner_text())
        assert since is not None
        assert again is not None
        assert again[0] == since[0]
        await expect(there).to_be_visible()
        await daemon.start()
        await expect(banner).to_have_count(0)
        assert chromium.faults == []
