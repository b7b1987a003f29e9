"""Who sits before a page and works: with the mouse, or with the keyboard alone.

Both do the same steps of a story. Who has the keyboard never uses the mouse, nor calls anything of
the page: it looks where the focus is, goes on with Tab or Shift+Tab, and presses a key. At each
step the focus must be somewhere, to be seen, and not covered.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.async_api import Locator, Page, expect

from tests.peers.chromium_page import DESK, LAPTOP

MOST_STOPS = 60
"""Of the Tab key from one control to the next that is wanted; whoever needs more gives up."""
WAITS_MS = 60_000

CHECKS = (Path(__file__).parent / "page_checks.js").read_text(encoding="utf-8")
FOCUS = """() => {
    const active = document.activeElement;
    if (!active || active === document.body) return null;
    const box = active.getBoundingClientRect();
    const style = getComputedStyle(active);
    const hit = document.elementFromPoint(
        (Math.max(box.left, 0) + Math.min(box.right, innerWidth)) / 2,
        (Math.max(box.top, 0) + Math.min(box.bottom, innerHeight)) / 2,
    );
    return {
        name: [active.localName, active.className, active.ariaLabel || active.textContent.trim()]
            .join(" ").slice(0, 80),
        ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0,
        uncovered: Boolean(hit) && (active.contains(hit) || hit.contains(active)),
    };
}"""
WAY = """(target) => {
    const active = document.activeElement;
    if (target === active) return "there";
    const place = active.compareDocumentPosition(target);
    return place & Node.DOCUMENT_POSITION_FOLLOWING ? "Tab" : "Shift+Tab";
}"""


STEPS = """(select, value) =>
    [...select.options].findIndex((option) => option.value === value) - select.selectedIndex"""


class Hands(Protocol):
    """One way to work with a page."""

    async def press(self, target: Locator) -> None:
        """A button, a link, a tab."""

    async def open(self, panel: str, key: str) -> None:
        """A panel of the desk."""

    async def shortcut(self, key: str, target: Callable[[], Locator]) -> None:
        """What has a key and a button."""

    async def write(self, target: Locator, text: str) -> None:
        """Into an empty field."""

    async def lower(self, target: Locator) -> None:
        """The choice before the one that a list shows."""

    async def choose(self, target: Locator, value: str) -> None:
        """One of a list's choices."""

    async def tick(self, target: Locator) -> None:
        """A checkbox that is empty."""


@dataclass
class Mouse:
    """Points and clicks."""

    page: Page

    async def press(self, target: Locator) -> None:
        await target.click(timeout=WAITS_MS)

    async def open(self, panel: str, key: str) -> None:
        await self.press(self.page.locator(f"#tab-{panel}"))

    async def shortcut(self, key: str, target: Callable[[], Locator]) -> None:
        await self.press(target())

    async def write(self, target: Locator, text: str) -> None:
        await self.press(target)
        await self.page.keyboard.type(text)

    async def lower(self, target: Locator) -> None:
        chosen: int = await target.evaluate("(select) => select.selectedIndex")
        await target.select_option(index=chosen - 1)

    async def choose(self, target: Locator, value: str) -> None:
        await target.select_option(value, timeout=WAITS_MS)

    async def tick(self, target: Locator) -> None:
        await self.press(target)
        await expect(target).to_be_checked(timeout=WAITS_MS)


@dataclass
class Keyboard:
    """Tab, arrows, Enter and the page's own keys.

    Attributes:
        stops: what had the focus so far, for who wonders why it does not get there.
    """

    page: Page
    stops: list[str] = field(default_factory=list)

    async def press(self, target: Locator) -> None:
        await self._reach(target)
        await self._key("Enter")

    async def open(self, panel: str, key: str) -> None:
        await self._key(key)
        tab = self.page.locator(f"#tab-{panel}")
        await expect(tab).to_have_attribute("aria-selected", "true", timeout=WAITS_MS)
        inside = f"() => document.activeElement.closest('#tab-{panel}, #panel')"
        await self.page.wait_for_function(inside, timeout=WAITS_MS)

    async def shortcut(self, key: str, target: Callable[[], Locator]) -> None:
        await self._key(key)

    async def write(self, target: Locator, text: str) -> None:
        await self._reach(target)
        await self.page.keyboard.type(text)

    async def lower(self, target: Locator) -> None:
        await self._reach(target)
        await self._key("ArrowUp")

    async def choose(self, target: Locator, value: str) -> None:
        await self._reach(target)
        steps: int = await target.evaluate(STEPS, value)
        for _ in range(abs(steps)):
            await self._key("ArrowDown" if steps > 0 else "ArrowUp")
        await expect(target).to_have_value(value, timeout=WAITS_MS)

    async def tick(self, target: Locator) -> None:
        await self._reach(target)
        await self._key("Space")
        await expect(target).to_be_checked(timeout=WAITS_MS)

    async def _reach(self, target: Locator) -> None:
        """Go where it is by the Tab key."""
        await expect(target).to_be_enabled(timeout=WAITS_MS)
        for _ in range(MOST_STOPS):
            way = await target.evaluate(WAY)
            if way == "there":
                return
            await self._key(way)
        raise AssertionError(f"not reached in {MOST_STOPS} stops: {self.stops[-MOST_STOPS:]}")

    async def _key(self, key: str) -> None:
        await self.page.keyboard.press(key)
        await self.focused()

    async def focused(self) -> None:
        """The focus is somewhere, and whoever sits there sees where."""
        # What had it may go away at any moment, and leave it to others: looked at in one go.
        handle = await self.page.wait_for_function(FOCUS, timeout=WAITS_MS)
        found: Any = await handle.json_value()
        self.stops.append(found["name"])
        assert found["ring"], f"nothing shows where the focus is: {self.stops[-3:]}"
        assert found["uncovered"], f"what has the focus is covered: {self.stops[-3:]}"


async def faults(page: Page, foreign: frozenset[str]) -> list[str]:
    """What cannot be read or reached on a page; ``foreign``: texts of another language than its."""
    found: list[str] = await page.evaluate(CHECKS, sorted(foreign))
    return found


by_mouse_and_by_keyboard = pytest.mark.parametrize(
    ("hands", "size", "language"),
    [(Mouse, LAPTOP, "vi"), (Keyboard, DESK, "en")],
    ids=["mouse", "keyboard"],
)
"""A story told twice: by mouse on a small screen in Vietnamese, by keys on a large one, English."""
