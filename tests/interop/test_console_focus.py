"""The keyboard's focus is never lost: in a page made for it, and at the desk of 145 rooms."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.peers.chromium_page import ChromiumPage
from tests.peers.stub_daemon import OPERATOR, StubDaemon

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

FORM = """
<main aria-label="screen">
  <section aria-label="floor">
    <button id="grant">Grant</button><button id="next">Next</button>
  </section>
  <p id="text">Nothing to press</p>
</main>
"""


@pytest_asyncio.fixture(loop_scope="session")
async def daemon() -> AsyncIterator[StubDaemon]:
    async with StubDaemon() as daemon:
        yield daemon


@pytest_asyncio.fixture(loop_scope="session")
async def chromium(daemon: StubDaemon, browser: Browser) -> AsyncIterator[ChromiumPage]:
    async with ChromiumPage(browser) as chromium:
        await chromium.page.goto(daemon.url)
        yield chromium
        assert chromium.faults == []


@pytest_asyncio.fixture(loop_scope="session")
async def page(chromium: ChromiumPage) -> Page:
    """The console's page with a form of its own in it."""
    page = chromium.page
    await expect(page.locator("input[name=token]")).to_be_focused()
    await page.evaluate("(form) => { document.body.innerHTML = form; }", FORM)
    await expect(page.locator("main")).to_be_focused()
    return page


@pytest_asyncio.fixture(loop_scope="session")
async def desk(daemon: StubDaemon, chromium: ChromiumPage) -> Page:
    """An operator's desk of 145 rooms."""
    desk = chromium.page
    await desk.goto(f"{daemon.url}/#token={OPERATOR}")
    await desk.locator(".conference-entry").click()
    await expect(desk.locator(".row[id]")).to_have_count(145)
    return desk


async def change(page: Page, script: str) -> None:
    await page.evaluate(f"() => {{ const by = (id) => document.getElementById(id); {script}; }}")


async def test_a_button_that_is_off_for_a_while_has_the_focus_back(page: Page) -> None:
    await page.keyboard.press("Tab")
    await expect(page.locator("#grant")).to_be_focused()
    await change(page, 'by("grant").disabled = true')
    await expect(page.locator("section")).to_be_focused()  # it stays off: its place waits for it
    await change(page, 'by("grant").disabled = false')
    await expect(page.locator("#grant")).to_be_focused()
    assert await page.locator("section").get_attribute("tabindex") is None


async def test_what_is_gone_leaves_the_focus_to_its_place(page: Page) -> None:
    await page.keyboard.press("Tab")
    await change(page, 'by("grant").remove()')
    await expect(page.locator("section")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.locator("#next")).to_be_focused()
    await change(page, 'document.querySelector("section").hidden = true')
    await expect(page.locator("main")).to_be_focused()


async def test_a_row_has_it_for_its_button_that_is_gone(page: Page) -> None:
    rows = "".join(
        f"<tr tabindex=0 id=row{n}><td><button id=again{n}>Again</button></td></tr>" for n in (1, 2)
    )
    await change(page, f"document.querySelector('main').innerHTML = '<table>{rows}</table>'")
    await page.locator("#again2").click()
    await change(page, 'by("again2").remove()')
    await expect(page.locator("#row2")).to_be_focused()


async def test_another_screen_has_it_and_its_field_first(page: Page) -> None:
    await page.keyboard.press("Tab")
    fresh = "<main><button>One</button><input autofocus></main>"
    await change(page, f"document.body.innerHTML = '{fresh}'")
    await expect(page.locator("input")).to_be_focused()


async def test_who_leaves_it_on_purpose_is_not_called_back(page: Page) -> None:
    await page.keyboard.press("Tab")
    await page.locator("#text").click()
    nowhere = "() => document.activeElement === document.body"
    await page.wait_for_function(nowhere)
    await change(page, 'by("grant").remove()')
    await change(page, 'by("next").disabled = true')
    assert await page.evaluate(nowhere)


async def test_who_leaves_the_place_that_has_it_is_not_called_back(page: Page) -> None:
    await page.keyboard.press("Tab")
    await change(page, 'by("grant").remove()')
    await expect(page.locator("section")).to_be_focused()
    await page.locator("#text").click()
    await page.wait_for_function("() => document.activeElement === document.body")
    await change(page, 'by("next").disabled = true')
    assert await page.evaluate("() => document.activeElement === document.body")


async def test_keys_lead_into_panels_and_out_of_them(desk: Page) -> None:
    # A panel's key leads to its tab, of all tabs the only stop; arrows lead to the others.
    await desk.keyboard.press("q")
    await expect(desk.locator("#tab-floor")).to_be_focused()
    assert await desk.locator(".panels [role=tab][tabindex='0']").count() == 1
    await desk.keyboard.press("ArrowRight")
    await expect(desk.locator("#tab-roll-call")).to_be_focused()
    await expect(desk.locator("#tab-roll-call")).to_have_attribute("aria-selected", "true")
    await desk.keyboard.press("Tab")
    await expect(desk.locator(".roll-begin button").first).to_be_focused()
    # Escape leaves a field for its panel's tab, and the panel for the roster.
    await desk.keyboard.press("t")
    await expect(desk.locator("#message-text")).to_be_focused()
    await desk.keyboard.press("Escape")
    await expect(desk.locator("#tab-message")).to_be_focused()
    await desk.keyboard.press("Escape")
    await expect(desk.locator(".rows")).to_be_focused()
    # A room's panel is entered by Enter, and left for the room's row.
    await desk.keyboard.press("ArrowDown")
    first = desk.locator(".row.selected")
    await desk.keyboard.press("Enter")
    await expect(desk.locator(".room")).to_be_focused()
    await desk.keyboard.press("Escape")
    await expect(first).to_be_focused()
    # The wall gives it back to the room that was looked at.
    await desk.keyboard.press("h")
    await expect(desk.locator(".wall-tile[tabindex='0']")).to_be_focused()
    await desk.keyboard.press("Escape")
    await expect(first).to_be_focused()
    await desk.keyboard.press("s")
    await expect(desk.locator(".slot").first).to_be_focused()
    await desk.keyboard.press("Escape")
    await expect(desk.locator("section.picture")).to_be_focused()
    # What is said of a room by one key of the row keeps the row's button.
    await desk.keyboard.press("ArrowDown")
    await desk.keyboard.press("ArrowRight")
    muting = desk.locator(".row.selected .muting").first
    before = await muting.get_attribute("aria-pressed")
    await desk.keyboard.press("Enter")
    await expect(muting).not_to_have_attribute("aria-pressed", before or "")
    await expect(muting).to_be_focused()


async def test_keys_go_on_after_a_choice_by_mouse(desk: Page) -> None:
    sort = desk.locator(".sort select")
    await sort.click()
    await sort.select_option("name")
    await desk.keyboard.press("q")
    await expect(desk.locator("#tab-floor")).to_be_focused()
    await expect(sort).to_have_value("name")
    # By keys it is kept, for who goes on with the arrows.
    await sort.focus()
    await desk.keyboard.press("ArrowUp")
    await expect(sort).to_have_value("trouble")
    await expect(sort).to_be_focused()


async def test_each_panel_says_its_key(desk: Page) -> None:
    tabs = desk.locator(".panels [role=tab]")
    keys = {
        await tab.get_attribute("id"): await tab.get_attribute("title") for tab in await tabs.all()
    }
    keys.pop("tab-room")  # opened from the roster
    await desk.keyboard.press("ArrowDown")
    for tab, key in keys.items():
        assert key is not None
        assert re.fullmatch("[A-Z]", key)
        await desk.keyboard.press(key.lower())
        await expect(desk.locator(f"#{tab}")).to_have_attribute("aria-selected", "true")
        await desk.keyboard.press("Escape")
        await desk.keyboard.press("Escape")
