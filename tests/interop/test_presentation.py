"""Presentations in the real daemon: hardware rooms with BFCP over UDP and TCP, and a web room."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from signalling.bfcp import RequestStatus
from tests.peers import libre_endpoint
from tests.peers.coded_media import BLUE, GREEN, RED, YELLOW, Colour
from tests.peers.daemon import Daemon
from tests.peers.free_ports import free_port
from tests.peers.generator_rooms import GeneratorRooms
from tests.peers.libre_endpoint import Libre
from tests.peers.meeting import Meeting, meeting
from tests.peers.slides_room import SlidesRoom, slides_room
from tests.peers.waiting import until, until_read

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(90)]

SLOT = (0.375, 0.5)
"""Where the layout for presentations has them."""
WHOLE = (0.5, 0.5)


class SipDaemon(Daemon):
    """The daemon with SIP on loopback; guests come in."""

    def __init__(self, data_dir: Path, **more: str) -> None:
        self.sip_port = free_port()
        super().__init__(
            data_dir,
            environment={
                "MCU_SIP__HOST": "127.0.0.1",
                "MCU_SIP__UDP_PORT": str(self.sip_port),
                "MCU_SIP__TCP_PORT": str(self.sip_port),
                "MCU_SIP__TLS_PORT": "0",
                "MCU_SIP__GUESTS": "allowed",
                "MCU_MEDIA__WIDTH": "640",
                "MCU_MEDIA__HEIGHT": "360",
                "MCU_MEDIA__FPS": "10",
                **more,
            },
        )


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def daemon(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SipDaemon]:
    data_dir = tmp_path_factory.mktemp("presentation") / "data"
    async with SipDaemon(data_dir, MCU_CONFERENCE__PRESENTATION="steal") as daemon:
        yield daemon


async def presents(held: Meeting, label: str | None) -> None:
    """Until that room has the token."""

    async def read() -> str | None:
        found = await held.daemon.call("GET", held.path)
        roster = await held.roster()
        who = found["presentation"]
        return None if who is None else str(roster[who]["label"])

    await until_read(read, lambda found: found == label)


async def receives(room: SlidesRoom, colour: Colour) -> None:
    """Until these slides are on a room's second screen."""
    await until(lambda: room.slides.shows(*WHOLE, colour), 0.05)


async def test_rooms_present_in_turn_and_all_see_it(daemon: SipDaemon) -> None:
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(meeting(daemon, {"web": "Phòng web"}))
        target = f"sip:{held.id}@127.0.0.1:{daemon.sip_port}"
        one = await stack.enter_async_context(slides_room(target, "Một", tcp=False))
        other = await stack.enter_async_context(slides_room(target, "Hai", tcp=True))
        rooms = await stack.enter_async_context(GeneratorRooms(daemon.url))
        web = await rooms.join(held.id, held.tokens["web"], colour=RED, tone_hz=440, decodes=True)
        one.camera.show(GREEN)

        # By UDP: those with a second screen have it there, the others in their picture.
        one.bfcp.ask()
        await until(lambda: one.bfcp.client.has_floor, 0.02)
        one.slides.show(BLUE)
        await presents(held, "Một")
        await receives(other, BLUE)
        await web.until_seen(*SLOT, BLUE)
        assert "Một" in other.bfcp.others
        assert not one.slides.frames, "nobody is sent what it shows"

        # By TCP another takes it over: the first is told, and is shown what it shows.
        other.bfcp.ask()
        await until(lambda: other.bfcp.client.has_floor, 0.02)
        await until(lambda: one.bfcp.told[-1] is RequestStatus.REVOKED, 0.02)
        other.slides.show(YELLOW)
        await presents(held, "Hai")
        await receives(one, YELLOW)
        await web.until_seen(*SLOT, YELLOW)
        assert one.slides.colour is BLUE, "it still sends, and is not shown"
        one.slides.show(None)

        # A web room takes it by REST; whoever loses it is told, and learns the name.
        await daemon.call("PUT", f"{held.path}/presentation", {"participant": "web"})
        await until(lambda: other.bfcp.told[-1] is RequestStatus.REVOKED, 0.02)
        await until(lambda: "Phòng web" in one.bfcp.others and "Phòng web" in other.bfcp.others)
        await daemon.call("DELETE", f"{held.path}/presentation")

        # Who hangs up gives it back.
        other.bfcp.ask()
        await until(lambda: other.bfcp.client.has_floor, 0.02)
        await presents(held, "Hai")
        other.hang_up()
        await presents(held, None)
        await until(lambda: one.bfcp.others[-1] is None, 0.02)
        assert "Traceback" not in daemon.log


@pytest.mark.skipif(not libre_endpoint.is_installed(), reason="libre is not installed")
async def test_floor_control_of_another_make(daemon: SipDaemon) -> None:
    """Its floor is asked for and given back by libre; what it shows meanwhile is seen by all."""
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(meeting(daemon, {"web-libre": "Phòng web"}))
        rooms = await stack.enter_async_context(GeneratorRooms(daemon.url))
        token = held.tokens["web-libre"]
        web = await rooms.join(held.id, token, colour=RED, tone_hz=440, decodes=True)
        libre = await stack.enter_async_context(Libre())
        target = f"sip:{held.id}@127.0.0.1:{daemon.sip_port}"
        found = slides_room(target, "Ba", tcp=False, floor_port=libre.port)
        room = await stack.enter_async_context(found)
        libre.conference = int(room.floor.attribute("confid") or "0")
        libre.user = int(room.floor.attribute("userid") or "0")

        libre.ask(room.floor.port, "HELLO")
        assert (await libre.next())["answer"] == "HELLO_ACK"
        libre.ask(room.floor.port, "FLOOR_REQUEST", ("FLOOR_ID", 1))
        status, request = None, 0
        while status != RequestStatus.GRANTED:
            said = (await libre.next())["attributes"].get("FLOOR_REQUEST_INFORMATION")
            if said is not None:
                request = said[""]
                status = said["OVERALL_REQUEST_STATUS"]["REQUEST_STATUS"][0]
        room.slides.show(BLUE)
        await presents(held, "Ba")
        await web.until_seen(*SLOT, BLUE)
        libre.ask(room.floor.port, "FLOOR_RELEASE", ("FLOOR_REQUEST_ID", request))
        await presents(held, None)


async def test_a_room_waits_where_the_site_says_so(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        daemon = await stack.enter_async_context(SipDaemon(tmp_path / "data"))
        held = await stack.enter_async_context(meeting(daemon, {"web": "Phòng web"}))
        target = f"sip:{held.id}@127.0.0.1:{daemon.sip_port}"
        one = await stack.enter_async_context(slides_room(target, "Một", tcp=True))
        other = await stack.enter_async_context(slides_room(target, "Hai", tcp=False))
        one.bfcp.ask()
        await until(lambda: one.bfcp.client.has_floor, 0.02)
        other.bfcp.ask()
        await until(lambda: RequestStatus.ACCEPTED in other.bfcp.told, 0.02)
        await presents(held, "Một")
        one.bfcp.give_back()
        await until(lambda: other.bfcp.client.has_floor, 0.02)
        await presents(held, "Hai")
