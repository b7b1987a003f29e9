"""The browser that pages share."""

from pathlib import Path

import pytest

from tests.peers.chromium_page import SharedChromium
from tests.peers.chromium_room import CHROMIUM

pytestmark = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"no {CHROMIUM}")


async def test_it_is_started_once_and_again_when_it_has_ended() -> None:
    async with SharedChromium() as shared:
        first = await shared.browser()
        assert await shared.browser() is first
        await first.close()
        second = await shared.browser()
        assert second is not first
        assert second.is_connected()
    assert not second.is_connected()
