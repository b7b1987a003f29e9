"""baresip is moved from one conference of the real daemon to another, and moves itself."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from tests.peers import baresip
from tests.peers.baresip import Baresip
from tests.peers.meeting import Meeting, meeting
from tests.peers.sip_daemon import SipDaemon, add_sip_bridge

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(60),
    pytest.mark.skipif(not baresip.is_installed(), reason="baresip is not installed"),
]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def daemon(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SipDaemon]:
    async with SipDaemon(tmp_path_factory.mktemp("sip") / "data") as daemon:
        yield daemon


def account(daemon: SipDaemon, user: str, secret: str, transport: str = "udp") -> str:
    place = f"sip:{user}@{daemon.sip};transport={transport}"
    return f"{place}>;auth_pass={secret};answermode=auto;regint=60"


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_an_operator_moves_a_room(daemon: SipDaemon, tmp_path: Path, transport: str) -> None:
    room = f"phong-{transport}"
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(meeting(daemon, {}))
        second = await stack.enter_async_context(meeting(daemon, {}, pin="2468"))
        secret = await add_sip_bridge(first, room)
        phone = Baresip(tmp_path, account(daemon, room, secret, transport))
        await stack.enter_async_context(phone)
        await first.until_roster(lambda found: found[room]["state"] == "connected")
        path = f"{first.path}/participants/{room}/transfer"
        moved = await daemon.call("POST", path, {"conference": second.id})
        assert moved["id"] == room
        await second.until_roster(lambda found: found[room]["state"] == "connected")
        assert await first.roster() == {}
        assert "REFER sip:" in phone.log
        assert phone.log.count("INVITE sip:moved-") >= 1
        await phone.until("CALL_CLOSED")
        # Back again.
        path = f"{second.path}/participants/{room}/transfer"
        await daemon.call("POST", path, {"conference": first.id})
        await first.until_roster(lambda found: found[room]["state"] == "connected")


async def test_a_room_moves_itself(daemon: SipDaemon, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(meeting(daemon, {}))
        body = {"name": "Họp khác", "unit": first.unit, "bridges": []}
        other = (await daemon.call("POST", "/conferences", body))["id"]
        second = Meeting(daemon, other, first.unit, {})
        secret = await add_sip_bridge(first, "phong-tu")
        phone = Baresip(tmp_path, account(daemon, "phong-tu", secret))
        await stack.enter_async_context(phone)
        await first.until_states(phong_tu="connected")
        await phone.do("transfer", f"sip:{second.id}@{daemon.sip}")
        await second.until_roster(
            lambda found: "phong-tu" in found and found["phong-tu"]["state"] == "connected"
        )
        assert await first.roster() == {}


async def test_a_room_that_may_not_move_itself_is_told(daemon: SipDaemon, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(meeting(daemon, {}))
        secret = await add_sip_bridge(held, "phong-o")
        phone = Baresip(tmp_path, account(daemon, "phong-o", secret))
        await stack.enter_async_context(phone)
        await held.until_states(phong_o="connected")
        await phone.do("transfer", f"sip:nowhere@{daemon.sip}")
        await phone.until("TRANSFER_FAILED")
        assert "SIP/2.0 404 Not Found" in phone.log.rpartition("NOTIFY sip:")[2]


async def test_a_room_that_is_called_by_its_address_is_moved(
    daemon: SipDaemon, tmp_path: Path
) -> None:
    """Without an account its call would be challenged: it is called from the other conference."""
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(meeting(daemon, {}))
        second = await stack.enter_async_context(meeting(daemon, {}))
        phone = Baresip(tmp_path, "sip:codec@127.0.0.1>;regint=0;answermode=auto")
        await stack.enter_async_context(phone)
        body = {"address": f"sip:codec@127.0.0.1:{phone.port}"}
        guest = (await daemon.call("POST", f"{first.path}/participants", body))["id"]
        await first.until_roster(lambda found: found[guest]["state"] == "connected")
        path = f"{first.path}/participants/{guest}/transfer"
        moved = (await daemon.call("POST", path, {"conference": second.id}))["id"]
        await second.until_roster(lambda found: found[moved]["state"] == "connected")
        assert (await second.roster())[moved]["address"] == body["address"]
