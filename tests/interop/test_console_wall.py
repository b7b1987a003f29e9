"""The wall in real Chromium: 145 tiles, trouble first, by keyboard, nothing while it is hidden."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from mcu.api.services import LineQuality, LiveReading
from mcu.api.wall_tiles import ordered, tile_of
from mcu.conference.state import Participant
from mcu.engine.thumbnail import Thumbnail
from tests.peers.chromium_page import ChromiumPage
from tests.peers.stub_daemon import OBSERVER, OPERATOR, StubDaemon
from tests.peers.stub_roster import CONFERENCE
from tests.peers.waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

DESKTOP = (1920, 1080)
HIDE = """
    (hidden) => {
        Object.defineProperty(document, "hidden", {configurable: true, get: () => hidden});
        document.dispatchEvent(new Event("visibilitychange"));
    }
"""


@pytest_asyncio.fixture(loop_scope="session")
async def daemon() -> AsyncIterator[StubDaemon]:
    async with StubDaemon() as daemon:
        yield daemon


async def open_wall(daemon: StubDaemon, page: Page, token: str = OPERATOR) -> None:
    await page.goto(f"{daemon.url}/#token={token}")
    await page.locator(".conference-entry").click()
    await expect(page.locator(".row[id]")).to_have_count(len(daemon.people))
    await page.keyboard.press("h")
    await expect(page.locator(".wall-tile").first).to_be_visible()


async def ids(page: Page) -> list[str]:
    found = await page.locator(".wall-tile").evaluate_all("all => all.map((one) => one.dataset.id)")
    return list(found)


async def test_all_rooms_stand_on_a_large_screen_trouble_first(
    daemon: StubDaemon, browser: Browser
) -> None:
    async with ChromiumPage(browser, size=DESKTOP) as chromium:
        page = chromium.page
        await open_wall(daemon, page)
        await expect(page.locator(".wall-tile")).to_have_count(145)
        await expect(page.locator(".wall-pages")).to_have_count(0)
        inside = await page.locator(".wall-tile").last.evaluate(
            "one => one.getBoundingClientRect().bottom <= innerHeight"
        )
        assert inside, "the last tile stands on the screen"
        assert daemon.wall.asked == [None], "one stream for all"
        states = [daemon.people[one]["state"] for one in await ids(page)]
        lost = states.count("lost")
        assert lost > 0
        assert states[:lost] == ["lost"] * lost
        assert set(states[-states.count("left") :]) == {"left"}
        by_state = dict(zip(states, await ids(page), strict=True))
        connected = by_state["connected"]
        picture = page.locator(f"[data-id='{connected}'] img")
        await expect(picture).to_be_visible()
        assert str(await picture.get_attribute("src")).startswith("data:image/jpeg;base64,")
        # A room that sends nothing new comes forward with a sign, not by colour alone.
        calm = (await ids(page))[-states.count("left") - 1]
        daemon.wall.mark_stale(calm)
        tile = page.locator(f"[data-id='{calm}']")
        await expect(tile.locator(".sign")).to_have_text("hình không mới")
        await expect(tile.locator(".sign svg")).to_be_visible()
        assert (await ids(page)).index(calm) < 20
        assert (chromium.faults, chromium.complaints) == ([], [])


async def test_pages_on_a_small_screen_and_only_they_are_looked_at(
    daemon: StubDaemon, browser: Browser
) -> None:
    async with ChromiumPage(browser, locale="en-GB") as chromium:
        page = chromium.page
        await open_wall(daemon, page)
        daemon.wall.mark_stale()
        first = await ids(page)
        assert 24 <= len(first) < 145
        width = await page.locator(".wall-tile").first.evaluate("one => one.clientWidth")
        assert width >= 150, "readable"
        await until(lambda: daemon.wall.asked[-1:] == [set(first)], 0.05)
        await page.locator(".wall-tile").first.focus()
        await page.keyboard.press("PageDown")
        await expect(page.locator(f"[data-id='{first[0]}']")).to_have_count(0)
        second = await ids(page)
        assert not set(first) & set(second)
        await until(lambda: daemon.wall.asked[-1] == set(second), 0.05)
        await until(lambda: daemon.wall.open == 1, 0.05)
        await page.locator("#wall-search").fill("vinh truong")
        await expect(page.locator(".wall-tile").first).to_contain_text("Vĩnh Trường")
        await expect(page.locator(".wall-count")).to_contain_text("need attention")
        assert (chromium.faults, chromium.complaints) == ([], [])


async def test_by_keyboard_from_tile_to_tile_to_what_can_be_done(
    daemon: StubDaemon, browser: Browser
) -> None:
    async with ChromiumPage(browser, size=DESKTOP) as chromium:
        page = chromium.page
        await open_wall(daemon, page)
        all_ids = await ids(page)
        columns = await page.locator(".wall-grid").evaluate(
            "grid => getComputedStyle(grid).gridTemplateColumns.split(' ').length"
        )
        await expect(page.locator(f"[data-id='{all_ids[0]}']")).to_be_focused()
        for key, index in (
            ("ArrowRight", 1), ("ArrowDown", 1 + columns), ("ArrowLeft", columns), ("ArrowUp", 0),
            ("ArrowUp", 0), ("End", 144), ("Home", 0),
        ):  # fmt: skip
            await page.keyboard.press(key)
            await expect(page.locator(f"[data-id='{all_ids[index]}']")).to_be_focused()
        target = next(one for one in all_ids if daemon.people[one]["state"] == "connected")
        await page.locator(f"[data-id='{target}']").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("dialog[open] .wall-acts button").first).to_be_focused()
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Enter")
        await expect(page.locator("dialog[open]")).to_have_count(0)
        assert daemon.conference["chair_view"] == target
        await expect(page.locator(f"[data-id='{target}']")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("dialog[open] .wall-acts button").first).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator(f"[data-id='{target}'] .air")).to_be_visible()
        assert daemon.conference["broadcast"] == target
        await expect(page.locator("dialog[open]")).to_have_count(0)
        await expect(page.locator(f"[data-id='{target}']")).to_be_focused()
        await page.keyboard.press("m")  # keys of the desk work on the chosen tile
        path = f"/api/v1/conferences/{CONFERENCE}/participants/{target}"
        await until(lambda: ("PATCH", path) in [call[:2] for call in daemon.calls], 0.05)
        await page.keyboard.press("Escape")
        await expect(page.locator(".row[id]").first).to_be_visible()
        await until(lambda: daemon.wall.open == 0, 0.05)
        assert (chromium.faults, chromium.complaints) == ([], [])


async def test_a_hidden_page_and_a_closed_wall_ask_for_nothing(
    daemon: StubDaemon, browser: Browser
) -> None:
    async with ChromiumPage(browser) as chromium:
        page = chromium.page
        await open_wall(daemon, page)
        await until(lambda: daemon.wall.open == 1, 0.05)
        await page.evaluate(HIDE, True)
        await until(lambda: daemon.wall.open == 0, 0.05)
        await page.evaluate(HIDE, False)
        await until(lambda: daemon.wall.open == 1, 0.05)
        await page.keyboard.press("h")
        await until(lambda: daemon.wall.open == 0, 0.05)


async def test_who_only_observes_can_do_nothing_to_rooms(
    daemon: StubDaemon, browser: Browser
) -> None:
    async with ChromiumPage(browser, size=DESKTOP) as chromium:
        page = chromium.page
        await open_wall(daemon, page, OBSERVER)
        await page.keyboard.press("Enter")
        acts = page.locator("dialog[open] .wall-acts button:enabled")
        await expect(acts).to_have_count(1)  # its panel, where the room is only read about


async def test_the_order_is_that_of_rest(daemon: StubDaemon, browser: Browser) -> None:
    now, wall = 100.0, datetime(2026, 11, 21, tzinfo=UTC)
    room = Participant("x", "X", "", 0, presence="connected")
    people = []
    tiles = []
    stale = set()
    grades = ("good", "fair", "poor", "none")
    number = 0
    for state in ("connected", "lost", "expected", "calling", "left", "missing"):
        for grade in grades if state == "connected" else ("none",):
            for importance in (0, 3):
                for old in (False, True):
                    number += 1
                    id_ = f"p{number}"
                    label = f"Xã {'ĂÂBCDĐEÊ'[number % 8]} {number}"
                    presence = "left" if state == "missing" else state
                    lost_at = wall if state == "missing" else None
                    people.append(
                        {"id": id_, "label": label, "state": presence, "importance": importance,
                         "quality": {"grade": grade}, "call_failure": None,
                         "lost_at": lost_at and lost_at.isoformat()}
                    )  # fmt: skip
                    if old:
                        stale.add(id_)
                    who = replace(
                        room,
                        id=id_,
                        label=label,
                        presence=presence,  # type: ignore[arg-type]
                        lost_at=lost_at,
                        importance=importance,
                    )
                    reading = LiveReading(quality=LineQuality(grade))  # type: ignore[arg-type]
                    shot = Thumbnail(id_, b"", "d", now - (60.0 if old else 0.0), 1.0)
                    tiles.append(tile_of(who, reading, shot, now, wall))
    expected = [(tile.troubles[:1], tile.importance) for tile in ordered(tiles)]
    async with ChromiumPage(browser) as chromium:
        await chromium.page.goto(daemon.url)
        found = await chromium.page.evaluate(
            """async ([people, stale]) => {
                const {ordered, troublesOf} = await import("/static/js/console/wall-order.js");
                const old = new Set(stale);
                return ordered(people, old).map((id) => {
                    const person = people.find((one) => one.id === id);
                    return [troublesOf(person, old.has(id)), person.importance];
                });
            }""",
            [people, sorted(stale)],
        )
        fits = await chromium.page.evaluate(
            """async () => {
                const {fitted} = await import("/static/js/console/wall-order.js");
                return [[1900, 970, 145], [1350, 650, 145], [1350, 650, 6], [10, 10, 145]].map(
                    (one) => fitted(...one));
            }"""
        )
    assert [(troubles[:1], importance) for troubles, importance in found] == expected
    assert fits[0]["columns"] * fits[0]["rows"] >= 145
    assert fits[1]["columns"] * fits[1]["rows"] >= 32
    assert fits[1]["tile"] >= 150
    assert fits[2]["tile"] == 300
    assert (fits[3]["columns"], fits[3]["rows"]) == (1, 1)
