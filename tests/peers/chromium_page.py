"""A page in headless Chromium that reports everything that went wrong in it."""

from types import TracebackType
from typing import Any, Self

from playwright.async_api import BrowserContext, Page, Playwright, async_playwright

from tests.peers.chromium_room import CHROMIUM, QUIET_ARGUMENTS

LAPTOP = (1366, 768)
DESK = (1920, 1080)


class ChromiumPage:
    """One browser with one page; an async context manager that gives itself.

    Args:
        locale: the browser's language. size: of the window's inside.
        script: JavaScript that runs before the page's own.
    Attributes:
        faults: uncaught errors, and violations of the content security policy.
        complaints: what the page wrote to the console as an error, failed requests apart.
    """

    def __init__(
        self, *, locale: str = "vi-VN", size: tuple[int, int] = LAPTOP, script: str = ""
    ) -> None:
        self.faults: list[str] = []
        self.complaints: list[str] = []
        self.page: Page
        self.context: BrowserContext
        self._locale = locale
        self._size = size
        self._script = script
        self._playwright: Playwright | None = None

    async def __aenter__(self) -> Self:
        self._playwright = await async_playwright().start()
        browser = await self._playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(QUIET_ARGUMENTS)
        )
        width, height = self._size
        self.context = await browser.new_context(
            locale=self._locale, viewport={"width": width, "height": height}
        )
        if self._script:
            await self.context.add_init_script(self._script)
        self.page = await self.context.new_page()
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._heard)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.context.browser is not None:
            await self.context.browser.close()
        if self._playwright is not None:
            await self._playwright.stop()

    def _heard(self, message: Any) -> None:
        if message.type != "error":
            return
        if "Content Security Policy" in message.text:
            self.faults.append(message.text)
        elif not message.text.startswith("Failed to load resource"):
            self.complaints.append(message.text)
