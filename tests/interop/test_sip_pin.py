"""Callers who have to enter a PIN are told so: baresip hears the tones, and sees the picture."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image

from mcu.sip.pin_picture import PinScene, draw
from mcu.sip.pin_sounds import PROMPT_HZ, WRONG_HZ
from tests.mixer.video.pictures import RED
from tests.peers import baresip
from tests.peers.baresip import Baresip
from tests.peers.film import write_film
from tests.peers.meeting import Meeting, meeting
from tests.peers.sip_daemon import SipDaemon
from tests.peers.waiting import until, until_read

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(90),
    pytest.mark.skipif(not baresip.has_pictures(), reason="baresip-ffmpeg is not installed"),
]

HEARD_DB, QUIET_DB = -40.0, -70.0
SIZE = (640, 360)
BLOCK_PX = 20


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def daemon(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SipDaemon]:
    async with SipDaemon(tmp_path_factory.mktemp("pin") / "data") as daemon:
        yield daemon


async def hears(phone: Baresip, *tones_hz: float) -> None:
    """Wait for each of these tones, one after the other."""
    for hz in tones_hz:
        await until(lambda: phone.heard_db(hz, 0.2) > HEARD_DB, 0.02)  # noqa: B023


async def sees(phone: Baresip, scene: PinScene) -> None:
    """Wait until what it receives is this scene, words and all."""
    luma = draw(scene, *SIZE).planes.y.astype(float)
    meant = blocks((luma - 16) * 255 / 219)

    def shows(found: Image.Image | None) -> bool:
        if found is None:
            return False
        seen = blocks(np.asarray(found.convert("L").resize(SIZE), float))
        return bool(np.abs(seen - meant).max() < 30)

    await until_read(phone.picture, shows)


def blocks(luma: "np.typing.NDArray[np.float64]") -> "np.typing.NDArray[np.float64]":
    """Means of squares as large as a disc."""
    height, width = luma.shape
    squares = luma.reshape(height // BLOCK_PX, BLOCK_PX, width // BLOCK_PX, BLOCK_PX)
    found: np.typing.NDArray[np.float64] = squares.mean(axis=(1, 3))
    return found


def guest(
    daemon: SipDaemon, directory: Path, *modules: str, media: str = "", film: Path | None = None
) -> Baresip:
    account = f"sip:guest@{daemon.sip};transport=udp>;regint=0{media}"
    return Baresip(directory, account, tone_hz=1_000, modules=modules, camera=film)


async def dials(phone: Baresip, held: Meeting, daemon: SipDaemon) -> None:
    await phone.do("dial", f"sip:{held.id}@{daemon.sip}")
    await phone.until("CALL_ESTABLISHED")


@pytest.mark.parametrize(
    ("sound", "picture", "security"),
    [("opus", "avcodec", ""), ("g711", "vp8", ""), ("g722", "avcodec", "srtp-mand")],
)
async def test_it_is_told_by_sound_and_picture_until_it_is_in(
    daemon: SipDaemon, tmp_path: Path, sound: str, picture: str, security: str
) -> None:
    web = f"web-{sound}"
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(meeting(daemon, {web: "Web"}, pin="2468"))
        film = write_film(tmp_path / "red.mp4", RED)
        modules = (sound, picture, *(["srtp"] if security else []))
        media = f";mediaenc={security}" if security else ""
        phone = guest(daemon, tmp_path / "phone", *modules, media=media, film=film)
        await stack.enter_async_context(phone)
        await dials(phone, held, daemon)
        await hears(phone, *PROMPT_HZ, *PROMPT_HZ)
        await sees(phone, PinScene())
        await phone.press("13")
        await sees(phone, PinScene(entered=2))
        await until(lambda: max(phone.heard_db(hz) for hz in PROMPT_HZ) < QUIET_DB, 0.05)
        await phone.press("57")
        await hears(phone, *WRONG_HZ)
        await sees(phone, PinScene(notice="wrong", tries=2))
        await hears(phone, *PROMPT_HZ)
        assert list(await held.roster()) == [web]
        await phone.press("2468")
        roster = await held.until_roster(lambda found: len(found) == 2)
        (who,) = roster.keys() - {web}
        await held.until_states(**{who: "connected"})

        async def is_in_the_meeting() -> bool:
            found = await phone.picture()
            return found is not None and np.asarray(found.resize(SIZE))[..., 0].max() > 180

        # What it sees now is the meeting's, in which its own red camera is.
        await held.arrange("1x1", who)
        await until_read(is_in_the_meeting, bool)


async def test_three_wrong_pins_are_told_before_the_call_ends(
    daemon: SipDaemon, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(meeting(daemon, {}, pin="2468"))
        film = write_film(tmp_path / "red.mp4", RED)
        phone = guest(daemon, tmp_path / "phone", "g711", "avcodec", film=film)
        await stack.enter_async_context(phone)
        await dials(phone, held, daemon)
        await sees(phone, PinScene())
        callers = f"{held.path}/callers"
        (caller,) = (await daemon.call("GET", callers))["items"]
        assert caller["source"] == f"127.0.0.1:{phone.port}"
        assert (caller["bridge"], caller["tries_left"]) == (None, 3)
        ladder = await daemon.call("GET", f"{callers}/{caller['call']}/sip-trace")
        assert f"Call-ID: {caller['call_id']}" in ladder["items"][0]["text"]
        await phone.press("1111")
        await sees(phone, PinScene(notice="wrong", tries=2))
        (caller,) = (await daemon.call("GET", callers))["items"]
        assert caller["tries_left"] == 2
        await phone.press("2222")
        await sees(phone, PinScene(notice="wrong", tries=1))
        await phone.press("3333")
        await hears(phone, *WRONG_HZ)
        await sees(phone, PinScene(notice="wrong"))
        await phone.until("CALL_CLOSED")
        assert 'Reason: SIP;cause=403;text="wrong PIN"' in phone.log
        assert (await daemon.call("GET", callers))["items"] == []


async def test_a_telephone_without_pictures_hears_it(daemon: SipDaemon, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(meeting(daemon, {}, pin="2468"))
        phone = guest(daemon, tmp_path / "phone", "g711")
        await stack.enter_async_context(phone)
        await dials(phone, held, daemon)
        await hears(phone, *PROMPT_HZ)
        await phone.press("2468")
        await held.until_roster(lambda found: len(found) == 1)
