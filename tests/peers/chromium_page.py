"""A page in headless Chromium that reports everything that went wrong in it."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from playwright.async_api import (
    Browser,
    BrowserContext,
    Page,
    Response,
    async_playwright,
    expect,
)

from tests.peers.chromium_room import CHROMIUM, QUIET_ARGUMENTS

LAPTOP = (1366, 768)
DESK = (1920, 1080)
PICTURES = os.environ.get("PAGE_PICTURES")
"""A directory for screenshots, to be looked at; none are taken without it."""

# What is expected is waited for; five seconds, the default, a busy machine may need to draw a page.
expect.set_options(timeout=30_000)


async def picture(page: Page, name: str) -> None:
    """Leave a screenshot where ``PAGE_PICTURES`` says; its name ends with the page's width."""
    if PICTURES:
        size = page.viewport_size or {"width": 0}
        await page.screenshot(path=f"{PICTURES}/{name}-{size['width']}.png")


@asynccontextmanager
async def chromium_browser() -> AsyncIterator[Browser]:
    """A browser that several pages may share, one after the other or at once."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(QUIET_ARGUMENTS)
        )
        try:
            yield browser
        finally:
            await browser.close()


class SharedChromium:
    """A browser that is started once, and again if it has ended; an async context manager."""

    def __init__(self) -> None:
        self._browser: Browser | None = None
        self._closing = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._closing.aclose()

    async def browser(self) -> Browser:
        """One that runs."""
        if self._browser is None or not self._browser.is_connected():
            await self._closing.aclose()
            self._browser = await self._closing.enter_async_context(chromium_browser())
        return self._browser


class ChromiumPage:
    """One page with cookies and storage of its own; an async context manager that gives itself.

    Args:
        browser: where it is opened; None starts one for it.
        locale: the browser's language. size: of the window's inside. zone: where it stands; None:
            where this machine does.
        script: JavaScript that runs before the page's own.
    Attributes:
        faults: uncaught errors, and violations of the content security policy.
        complaints: what the page wrote to the console as an error, failed requests apart.
        refusals: requests that failed, each of which the browser writes to its console.
    """

    def __init__(
        self,
        browser: Browser | None = None,
        *,
        locale: str = "vi-VN",
        size: tuple[int, int] = LAPTOP,
        zone: str | None = None,
        script: str = "",
    ) -> None:
        self.faults: list[str] = []
        self.complaints: list[str] = []
        self.refusals: list[str] = []
        self.page: Page
        self.context: BrowserContext
        self._locale = locale
        self._size = size
        self._zone = zone
        self._script = script
        self._browser = browser
        self._closing = AsyncExitStack()

    async def __aenter__(self) -> Self:
        browser = self._browser
        if browser is None:
            browser = await self._closing.enter_async_context(chromium_browser())
        width, height = self._size
        self.context = await browser.new_context(
            locale=self._locale,
            timezone_id=self._zone,
            viewport={"width": width, "height": height},
        )
        if self._script:
            await self.context.add_init_script(self._script)
        self.page = await self.context.new_page()
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._heard)
        self.page.on("response", self._answered)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.context.close()
        await self._closing.aclose()

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            request = response.request
            path = urlsplit(request.url).path
            self.refusals.append(f"{request.method} {path}: {response.status}")

    def _heard(self, message: Any) -> None:
        if message.type != "error":
            return
        if "Content Security Policy" in message.text:
            self.faults.append(message.text)
        elif not message.text.startswith("Failed to load resource"):
            self.complaints.append(message.text)
