"""The browser that all pages of a test process share."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser

from tests.peers.chromium_page import SharedChromium


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def shared_chromium() -> AsyncIterator[SharedChromium]:
    async with SharedChromium() as shared:
        yield shared


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def browser(shared_chromium: SharedChromium) -> Browser:
    """For tests with the loop scope "session": pages of a browser live in the loop it began in."""
    return await shared_chromium.browser()
