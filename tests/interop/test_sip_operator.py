"""What operators do to web rooms they do to hardware rooms: the same calls, the same effects."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio

from tests.mixer.video.pictures import RED
from tests.peers import baresip, sipp
from tests.peers.baresip import Baresip
from tests.peers.film import write_film
from tests.peers.generator_rooms import GeneratorRooms
from tests.peers.meeting import mean_rgb, meeting
from tests.peers.sip_daemon import SipDaemon, add_sip_bridge
from tests.peers.waiting import until, until_read

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(120),
    pytest.mark.skipif(not baresip.has_pictures(), reason="baresip-ffmpeg is not installed"),
]

WEB_HZ, PHONE_HZ = 440, 1_000
HEARD_DB, QUIET_DB = -40.0, -70.0
WEB_HEARD, WEB_QUIET = 40, 10
MIDDLE = (0.5, 0.5)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def daemon(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SipDaemon]:
    async with SipDaemon(tmp_path_factory.mktemp("operator") / "data") as daemon:
        yield daemon


def is_red(colour: tuple[int, int, int]) -> bool:
    return colour[0] > 150 and max(colour[1:]) < 80


async def test_it_is_muted_deafened_shown_and_read_like_any_room(
    daemon: SipDaemon, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(meeting(daemon, {"web": "Web"}))
        secret = await add_sip_bridge(held, "phong")
        rooms = await stack.enter_async_context(GeneratorRooms(daemon.url))
        web = await rooms.join(held.id, held.tokens["web"], tone_hz=WEB_HZ, decodes=True)
        film = write_film(tmp_path / "red.mp4", RED)
        phone = Baresip(
            tmp_path / "phone",
            f"sip:phong@{daemon.sip};transport=udp>;auth_pass={secret};answermode=auto;regint=60",
            tone_hz=PHONE_HZ,
            modules=("opus", "avcodec"),
            camera=film,
        )
        await stack.enter_async_context(phone)
        await held.until_states(phong="connected")
        path = f"{held.path}/participants/phong"

        async def change(**what: object) -> None:
            await daemon.call("PATCH", path, what)

        # Sound: muted and deafened, and neither any more.
        await until(lambda: web.heard_db(PHONE_HZ) > WEB_HEARD, 0.05)
        await until(lambda: phone.heard_db(WEB_HZ) > HEARD_DB, 0.1)
        await change(audio_muted=True)
        await until(lambda: web.heard_db(PHONE_HZ) < WEB_QUIET, 0.05)
        assert phone.heard_db(WEB_HZ) > HEARD_DB
        await change(audio_muted=False)
        await until(lambda: web.heard_db(PHONE_HZ) > WEB_HEARD, 0.05)
        await change(deafened=True)
        await until(lambda: phone.heard_db(WEB_HZ) < QUIET_DB, 0.1)
        await change(deafened=False)
        await until(lambda: phone.heard_db(WEB_HZ) > HEARD_DB, 0.1)
        await daemon.call("POST", f"{held.path}/mute", {"scope": "all", "except": ["web"]})
        await until(lambda: web.heard_db(PHONE_HZ) < WEB_QUIET, 0.05)
        await daemon.call("POST", f"{held.path}/unmute", {"scope": "all"})

        # Picture: in a layout, out of it, broadcast to all, its camera off; and alone.
        async def middle() -> tuple[int, int, int]:
            return mean_rgb(await held.picture(), *MIDDLE)

        await held.arrange("1x1", "phong")
        await until_read(middle, is_red)
        await held.arrange("1x1", "web")
        await until_read(middle, lambda colour: not is_red(colour))
        await daemon.call("PUT", f"{held.path}/broadcast", {"participant": "phong"})
        await until_read(middle, is_red)
        await change(video_muted=True)
        await until_read(middle, lambda colour: not is_red(colour))
        await change(video_muted=False)
        await until_read(middle, is_red)
        assert is_red(mean_rgb(await held.picture_of("phong"), *MIDDLE))

        # What is read of it.
        def is_well(found: dict[str, Any]) -> bool:
            return found["phong"]["quality"]["grade"] == "good" and found["phong"]["visible"]

        roster = await held.until_roster(is_well)
        assert roster["phong"]["level_db"] > -60
        reading = await held.leg(roster["phong"]["legs"][0])
        assert reading["sent"]["audio"]["packets"] > 0
        assert reading["sent"]["video"]["frames"] > 0

        # The chair, the floor, a message: by the same calls.
        await change(role="chair")
        await daemon.call("PUT", f"{held.path}/floor", {"participant": "phong"})
        conference = await daemon.call("GET", held.path)
        assert conference["floor"]["holder"]["participant"] == "phong"

        # Disconnected with a reason, which it is told; what was said can be read after that.
        await daemon.call("DELETE", f"{path}?reason={quote('Nhầm phòng họp')}")
        await phone.until("CALL_CLOSED")
        assert 'Reason: SIP;cause=403;text="Nhầm phòng họp"' in phone.log
        said = (await daemon.call("GET", f"{path}/sip-trace"))["items"]
        assert "BYE" in [entry["summary"] for entry in said]


@pytest.mark.skipif(not sipp.is_installed(), reason="SIPp is not installed")
async def test_a_room_watches_the_conference(daemon: SipDaemon, tmp_path: Path) -> None:
    """RFC 4575: the whole at first, then what has changed, then that it is over."""
    async with meeting(daemon, {"web-sub": "Phòng có trình duyệt"}) as held:
        secret = await add_sip_bridge(held, "phong-sub", "sip:nobody@127.0.0.1:9")

        async def told() -> float:
            return await daemon.counted("messages_total", direction="sent", what="NOTIFY")

        before = await told()
        uri = f"{held.id}@{daemon.sip}"
        async with sipp.started(
            tmp_path,
            "subscribe",
            daemon.sip,
            options={"s": held.id, "au": "phong-sub", "ap": secret, "auth_uri": uri},
            keys={"user": "phong-sub"},
        ) as run:
            await until_read(told, lambda count: count == before + 1)
            await daemon.call("PUT", f"{held.path}/lock")
            await until_read(told, lambda count: count == before + 2)
            await daemon.call("DELETE", held.path)
            await run.done()
            said = run.messages()
    assert f'entity="sip:{held.id}@' in said
    assert "Phòng có trình duyệt" in said
    assert 'state="full"' in said
    assert 'state="partial"' in said
    assert "<locked>true</locked>" in said
    assert "Subscription-State: terminated;reason=noresource" in said
