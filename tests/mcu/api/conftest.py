"""Fixtures: a live API, with the default limits or others."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.mcu.api.live import Api, live_api

MakeApi = Callable[..., Awaitable[Api]]


@pytest.fixture
async def make_api(tmp_path: Path) -> AsyncIterator[MakeApi]:
    """Makes an API with other ``Services`` than usual, and takes it down again."""
    async with AsyncExitStack() as stack:

        async def make(**changes: Any) -> Api:
            return await stack.enter_async_context(live_api(tmp_path, **changes))

        yield make


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """An API with the default limits."""
    async with live_api(tmp_path) as running:
        yield running
