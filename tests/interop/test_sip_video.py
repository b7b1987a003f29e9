"""Hardware rooms with pictures: what their cameras show and their microphones hear arrives.

baresip calls and is called with H.264 and VP8 over every transport, family and protection, and is
on the roster as what it is; two browsers meet it in one conference.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.mixer.video.pictures import RED
from tests.peers import baresip
from tests.peers.baresip import Baresip
from tests.peers.chromium_room import BLUE, GREEN, ChromiumRoom, Colour
from tests.peers.film import write_film
from tests.peers.free_ports import free_port
from tests.peers.generator_rooms import GeneratorRooms
from tests.peers.meeting import Meeting, mean_rgb, meeting
from tests.peers.sip_authority import Authority
from tests.peers.sip_daemon import SipDaemon, add_sip_bridge
from tests.peers.waiting import until, until_read

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(90),
    pytest.mark.skipif(not baresip.has_pictures(), reason="baresip-ffmpeg is not installed"),
]

WEB_HZ, PHONE_HZ, GREEN_HZ, BLUE_HZ = 440, 1_000, 700.0, 2_130.0
HEARD_DB, QUIET_DB, BROWSER_HEARD_DB = -40.0, -60.0, -50.0
CAMERA = Colour("red", *RED)
MIDDLE = (0.5, 0.5)


@dataclass(frozen=True)
class Site:
    """A daemon that is reached in every way, and what phones need for it.

    Args:
        film: of their cameras. authority: the PEM file of who has signed the daemon's certificate.
    """

    daemon: SipDaemon
    tls_port: int
    film: Path
    authority: Path


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    directory = tmp_path_factory.mktemp("video")
    authority = Authority(directory)
    certificate, key = authority.issue("mcu", "IP:127.0.0.1", "IP:::1")
    tls_port = free_port()
    daemon = SipDaemon(
        directory / "data",
        MCU_SIP__HOST="::",
        MCU_SIP__TLS_PORT=str(tls_port),
        MCU_SIP__TLS_CERTIFICATE=str(certificate),
        MCU_SIP__TLS_KEY=str(key),
        MCU_SIP__TLS_CA=str(authority.certificate),
    )
    async with daemon:
        film = write_film(directory / "red.mp4", RED)
        yield Site(daemon, tls_port, film, authority.certificate)


@dataclass(frozen=True)
class Way:
    """How a phone speaks with the daemon.

    Args:
        security: what baresip calls the protection of media (``mediaenc``).
    """

    transport: str = "udp"
    host: str = "127.0.0.1"
    codec: str = "avcodec"
    security: str = ""

    @property
    def picture(self) -> str:
        """What the daemon calls the codec."""
        return {"avcodec": "h264", "vp8": "vp8"}[self.codec]

    def place(self, site: Site) -> str:
        """Where the daemon is."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{site.tls_port if self.transport == 'tls' else site.daemon.sip_port}"

    def phone(self, site: Site, directory: Path, room: str, secret: str, regint: int) -> Baresip:
        """A phone with the camera of the site that answers by itself."""
        security = {"": (), "srtp-mand": ("srtp",), "dtls_srtp": ("dtls_srtp",)}[self.security]
        account = [
            f"sip:{room}@{self.place(site)};transport={self.transport}>",
            f"auth_pass={secret}", "answermode=auto", f"regint={regint}",
            *([f"mediaenc={self.security}"] if self.security else []),
        ]  # fmt: skip
        return Baresip(
            directory,
            ";".join(account),
            listen=self.host,
            tone_hz=PHONE_HZ,
            modules=("opus", self.codec, *security),
            settings=(f"sip_cafile {site.authority}", "sip_verify_server yes"),
            camera=site.film,
        )


WAYS = {
    "h264-udp": Way(),
    "vp8-tcp-sdes": Way("tcp", codec="vp8", security="srtp-mand"),
    "h264-tls-sdes": Way("tls", security="srtp-mand"),
    "h264-ipv6-dtls": Way(host="::1", security="dtls_srtp"),
    "vp8-ipv6-tls-dtls": Way("tls", "::1", "vp8", "dtls_srtp"),
}


async def sees(phone: Baresip, expected: dict[tuple[float, float], Colour]) -> None:
    """Wait until a phone receives these colours at these places."""

    async def found() -> list[tuple[int, int, int]]:
        picture = await phone.picture()
        return [] if picture is None else [mean_rgb(picture, *point) for point in expected]

    await until_read(
        found,
        lambda colours: (
            len(colours) == len(expected)
            and all(map(is_colour, colours, expected.values()))
        ),
    )  # fmt: skip


def is_colour(found: tuple[int, int, int], expected: Colour) -> bool:
    return all(abs(a - b) < 45 for a, b in zip(found, expected.rgb(), strict=True))


async def shows(held: Meeting, expected: Colour, view: str = "main") -> None:
    """Wait until the middle of the composed picture has a colour."""
    await until_read(
        lambda: held.picture(view), lambda found: is_colour(mean_rgb(found, *MIDDLE), expected)
    )


async def meets(site: Site, held: Meeting, phone: Baresip, room: str, way: Way) -> None:
    """Its picture is in the view and comes back to it; sound goes both ways, protected or not."""
    async with GeneratorRooms(site.daemon.url) as rooms:
        (token,) = held.tokens.values()
        web = await rooms.join(held.id, token, tone_hz=WEB_HZ, video=False, decodes=True)
        await shows(held, CAMERA)
        await sees(phone, {MIDDLE: CAMERA})
        await until(lambda: phone.heard_db(WEB_HZ) > HEARD_DB, 0.1)
        await until(lambda: web.heard_db(PHONE_HZ) > 40, 0.05)
        roster = await held.roster()
        reading = await held.leg(roster[room]["legs"][0])
        assert (reading["srtp_profile"] is not None) == bool(way.security)
        assert reading["received"]["video"]["key_frames"] > 0
        metrics = await site.daemon.metrics()
        assert metrics['mcu_decoders{kind="video"}'] == 1


@pytest.mark.parametrize("name", WAYS)
async def test_it_calls_with_its_camera(site: Site, tmp_path: Path, name: str) -> None:
    way, room = WAYS[name], f"goi-{name}"
    async with meeting(site.daemon, {f"web-{room}": "Web"}) as held:
        secret = await add_sip_bridge(held, room)
        await held.arrange("1x1", room)
        async with way.phone(site, tmp_path, room, secret, regint=0) as phone:
            await phone.do("dial", f"sip:{held.id}@{way.place(site)}")
            await phone.until("CALL_ESTABLISHED")
            await meets(site, held, phone, room, way)
            await phone.do("hangup")
            await held.until_states(**{room: "left"})


@pytest.mark.parametrize("name", WAYS)
async def test_it_is_called_with_its_camera(site: Site, tmp_path: Path, name: str) -> None:
    way, room = WAYS[name], f"nghe-{name}"
    async with meeting(site.daemon, {f"web-{room}": "Web"}) as held:
        secret = await add_sip_bridge(held, room)
        await held.arrange("1x1", room)
        async with way.phone(site, tmp_path, room, secret, regint=60) as phone:
            await held.until_states(**{room: "connected"})
            await meets(site, held, phone, room, way)


@pytest.mark.parametrize("name", ["h264-udp", "h264-tls-sdes"])
async def test_its_picture_stops_while_it_holds(site: Site, tmp_path: Path, name: str) -> None:
    way, room = WAYS[name], f"giu-{name}"
    async with meeting(site.daemon, {}) as held:
        secret = await add_sip_bridge(held, room)
        await held.arrange("1x1", room)
        async with way.phone(site, tmp_path, room, secret, regint=60) as phone:
            await held.until_states(**{room: "connected"})
            await shows(held, CAMERA)
            await phone.do("hold")
            await until_read(
                held.picture,
                lambda found: not is_colour(mean_rgb(found, *MIDDLE), CAMERA),
            )
            await phone.do("resume")
            await shows(held, CAMERA)
            await sees(phone, {MIDDLE: CAMERA})


async def test_two_browsers_and_a_hardware_room_meet(site: Site, tmp_path: Path) -> None:
    """All three see all three where the layout puts them, and hear the others and not themselves.

    The hardware room is protected by SDES and signals over TLS, as rooms of a site are to.
    """
    way, room = WAYS["h264-tls-sdes"], "phong-hop"
    web = {"trinh-duyet-1": (GREEN, GREEN_HZ), "trinh-duyet-2": (BLUE, BLUE_HZ)}
    places = {(0.25, 0.2): CAMERA, (0.75, 0.2): GREEN, (0.25, 0.7): BLUE}
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(meeting(site.daemon, {name: name for name in web}))
        secret = await add_sip_bridge(held, room)
        await held.arrange("2x2", room, *web)
        phone = way.phone(site, tmp_path / "phone", room, secret, regint=60)
        await stack.enter_async_context(phone)
        browsers = []
        for name, (colour, hz) in web.items():
            browser = await stack.enter_async_context(ChromiumRoom(tmp_path, colour, hz))
            await browser.join(site.daemon.url, held.id, held.tokens[name])
            browsers.append(browser)
        await held.until_states(**dict.fromkeys((room, *web), "connected"))
        for browser in browsers:
            await browser.wait_for_picture()
            await browser.wait_for_colours(places)
        await sees(phone, places)

        # Both at once: while a machine is busy, a gap in the sound sounds at all frequencies.
        for browser, others, own in (
            (browsers[0], (PHONE_HZ, BLUE_HZ), GREEN_HZ),
            (browsers[1], (PHONE_HZ, GREEN_HZ), BLUE_HZ),
        ):
            await until_read(
                lambda: browser.tone_levels_db((*others, own)),  # noqa: B023 - called at once
                lambda levels: min(levels[:2]) > BROWSER_HEARD_DB > levels[2],
            )

        def hears_the_others_alone() -> bool:
            others = min(phone.heard_db(GREEN_HZ), phone.heard_db(BLUE_HZ))
            return others > HEARD_DB and phone.heard_db(PHONE_HZ) < QUIET_DB

        await until(hears_the_others_alone, 0.1)
