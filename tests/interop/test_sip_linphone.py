"""A second SIP stack, Linphone's, as hardware room: registers, calls, is called, holds, keys."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.peers import linphone
from tests.peers.generator_rooms import GeneratorRoom, GeneratorRooms
from tests.peers.linphone import RATE_HZ, Linphone
from tests.peers.meeting import Meeting, mean_rgb, meeting
from tests.peers.sip_daemon import SipDaemon, add_sip_bridge
from tests.peers.waiting import until, until_read

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(90),
    pytest.mark.skipif(not linphone.is_installed(), reason="linphone-cli is not installed"),
]

WEB_HZ, PHONE_HZ = 440, 1_000
HEARD_DB = -40.0
MIDDLE = (0.5, 0.5)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def daemon(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SipDaemon]:
    async with SipDaemon(tmp_path_factory.mktemp("linphone") / "data") as daemon:
        yield daemon


@dataclass(frozen=True)
class Site:
    """A conference with a web room that speaks and the phone's bridge."""

    daemon: SipDaemon
    held: Meeting
    web: GeneratorRoom
    bridge: str
    secret: str

    async def register(self, phone: Linphone) -> None:
        sip = self.daemon.sip
        await phone.do(f"register sip:{self.bridge}@{sip} sip:{sip};transport=udp {self.secret}")

    async def hear_each_other(self, phone: Linphone) -> None:
        await until(lambda: phone.heard_db(WEB_HZ) > HEARD_DB, 0.1)
        self.web.forget_heard()
        await until(lambda: self.web.heard_db(PHONE_HZ) > 40, 0.05)

    async def see_each_other(self, phone: Linphone) -> None:
        """The phone is in the picture, and the picture on the phone."""

        def is_red(colour: tuple[int, int, int]) -> bool:
            return colour[0] > 190 and max(colour[1:]) < 60

        await until_read(self.held.picture, lambda found: is_red(mean_rgb(found, *MIDDLE)))
        await until_read(
            phone.picture, lambda found: found is not None and is_red(mean_rgb(found, *MIDDLE))
        )


@asynccontextmanager
async def site(daemon: SipDaemon, name: str) -> AsyncIterator[Site]:
    async with meeting(daemon, {f"web-{name}": "Web"}) as held, GeneratorRooms(daemon.url) as rooms:
        secret = await add_sip_bridge(held, name)
        await held.arrange("1x1", name)
        token = held.tokens[f"web-{name}"]
        web = await rooms.join(held.id, token, tone_hz=WEB_HZ, video=False, decodes=True)
        yield Site(daemon, held, web, name, secret)


@pytest.mark.parametrize(
    ("encryption", "ice"), [("none", False), ("none", True), ("srtp", False), ("dtls", False)]
)
async def test_it_registers_and_is_called(
    daemon: SipDaemon, tmp_path: Path, encryption: str, ice: bool
) -> None:
    name = f"phong-{encryption}{'-ice' if ice else ''}"
    async with (
        site(daemon, name) as found,
        Linphone(tmp_path / "phone", encryption=encryption, ice=ice) as phone,
    ):
        await found.register(phone)
        roster = await found.held.until_roster(lambda all_: all_[name]["state"] == "connected")
        await found.hear_each_other(phone)
        await found.see_each_other(phone)
        reading = await found.held.leg(roster[name]["legs"][0])
        assert (reading["srtp_profile"] is not None) == (encryption != "none")
        # It sees that it is called by a conference, and who is in it.
        await until(lambda: "application/conference-info+xml" in phone.log, 0.1)
        # It hangs up, and comes back by itself: it signs in for the call as well.
        await phone.do("terminate")
        await found.held.until_states(**{name: "left"})
        await phone.do(f"call sip:{found.held.id}@{daemon.sip}")
        await found.held.until_states(**{name: "connected"})
        await found.hear_each_other(phone)
        await found.see_each_other(phone)


async def test_it_holds_and_resumes(daemon: SipDaemon, tmp_path: Path) -> None:
    async with site(daemon, "phong-giu") as found, Linphone(tmp_path / "phone") as phone:
        await found.register(phone)
        await found.held.until_states(phong_giu="connected")
        await found.hear_each_other(phone)
        # Its music on hold is its tone too: that it does not want ours is what can be told.
        await phone.do("pause")
        await until(lambda: "is now paused" in phone.said, 0.05)
        assert "a=recvonly" in phone.log
        heard = phone.heard_bytes
        # For longer than a lost room may be silent.
        for _ in range(3):
            found.web.forget_heard()
            await until(lambda: found.web.heard_db(WEB_HZ) > -120, 0.05)
            assert (await found.held.roster())["phong-giu"]["state"] == "connected"
        await phone.do("resume")
        await until(lambda: phone.heard_bytes > heard + RATE_HZ, 0.05)
        await found.hear_each_other(phone)
        await found.see_each_other(phone)


@pytest.mark.parametrize("keys_by_info", [False, True], ids=["rtp", "info"])
async def test_a_guest_calls_and_enters_a_pin(
    daemon: SipDaemon, tmp_path: Path, keys_by_info: bool
) -> None:
    web_room = f"web-ma-{'info' if keys_by_info else 'rtp'}"
    async with (
        meeting(daemon, {web_room: "Web"}, pin="2468") as held,
        GeneratorRooms(daemon.url) as rooms,
        Linphone(tmp_path / "phone", keys_by_info=keys_by_info) as phone,
    ):
        token = held.tokens[web_room]
        web = await rooms.join(held.id, token, tone_hz=WEB_HZ, video=False, decodes=True)
        await phone.do(f"call sip:{held.id}@{daemon.sip}")
        await until(lambda: "Media streams established" in phone.said, 0.1)
        assert list(await held.roster()) == [web_room]
        await phone.press("2468")
        roster = await held.until_roster(lambda found: len(found) == 2)
        guest = next(who for who in roster if who != web_room)
        await held.until_states(**{guest: "connected"})
        # Whoever reads the ladder does not learn the PIN.
        trace = await daemon.call("GET", f"{held.path}/participants/{guest}/sip-trace")
        keys = [one["text"] for one in trace["items"] if "application/dtmf" in one["text"]]
        assert len(keys) == (4 if keys_by_info else 0)
        assert all("Signal=***" in text for text in keys)
        await until(lambda: phone.heard_db(WEB_HZ) > HEARD_DB, 0.1)
        await until(lambda: web.heard_db(PHONE_HZ) > 40, 0.05)
