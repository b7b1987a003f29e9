"""Hardware rooms in a readiness check: baresip is called for it, measured, and confirms by keys."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.mixer.video.pictures import RED
from tests.peers import baresip
from tests.peers.baresip import Baresip
from tests.peers.film import write_film, write_moving_film, write_speech
from tests.peers.sip_daemon import SipDaemon
from tests.peers.waiting import until_read

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(400),
    pytest.mark.skipif(not baresip.has_pictures(), reason="baresip-ffmpeg is not installed"),
]

FILM_S = 300
LENIENT = {
    "width": 320, "height": 180, "fps": 4, "uplink_bps": 50_000, "downlink_bps": 20_000,
    "loss_percent": 40, "jitter_ms": 2_000, "round_trip_ms": 5_000,
}  # fmt: skip
"""What the phone sends, whatever else the machine does meanwhile."""
TRIES = 4


@dataclass(frozen=True)
class Site:
    """A daemon, and what is before cameras and microphones."""

    daemon: SipDaemon
    live: Path
    red: Path
    speech: Path


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    directory = tmp_path_factory.mktemp("checked")
    daemon = SipDaemon(
        directory / "data",
        MCU_READINESS__REACH_S="20",
        MCU_READINESS__MEASURE_S="18",
        MCU_READINESS__CONFIRM_S="60",
    )
    async with daemon:
        await daemon.call("POST", "/units", {"id": "tinh", "name": "Tỉnh", "level": "province"})
        yield Site(
            daemon,
            write_moving_film(directory / "live.mp4", FILM_S),
            write_film(directory / "red.mp4", RED, FILM_S),
            write_speech(directory / "speech.wav", FILM_S),
        )


async def register(daemon: SipDaemon, room: str) -> str:
    """A hardware room in the registry; gives its secret."""
    body = {"id": room, "name": room, "unit": "tinh", "kind": "sip", "standard": LENIENT}
    await daemon.call("POST", "/bridges", body)
    found = await daemon.call("POST", f"/bridges/{room}/sip-secret", {})
    return str(found["secret"])


def phone(site: Site, directory: Path, room: str, secret: str, camera: Path) -> Baresip:
    account = (
        f"sip:{room}@127.0.0.1:{site.daemon.sip_port};transport=udp>"
        f";auth_pass={secret};answermode=auto;regint=60"
    )
    return Baresip(
        directory, account, speech=site.speech, modules=("opus", "avcodec"), camera=camera
    )


async def begin(daemon: SipDaemon, *rooms: str) -> str:
    """Begin a check; gives its path."""
    found = await daemon.call("POST", "/readiness-checks", {"bridges": rooms, "unit": "tinh"})
    return f"/readiness-checks/{found['id']}"


async def until_phase(daemon: SipDaemon, check: str, room: str, *phases: str) -> dict[str, Any]:
    """The room in a check, once it is in one of these phases."""

    async def read() -> dict[str, Any]:
        found = await daemon.call("GET", check)
        return next(each for each in found["rooms"] if each["bridge"] == room)

    return await until_read(read, lambda one: one["phase"] in phases, timeout_s=120)


def codes(room: dict[str, Any], weights: Sequence[str] = ("fault", "missing")) -> set[str]:
    return {each["code"] for each in room["findings"] if each["weight"] in weights}


async def judged(site: Site, check: str, room: str, keys: Baresip | None) -> dict[str, Any]:
    """Its result; once more where this machine was too busy to measure anybody."""
    for _ in range(TRIES):
        if keys is not None:
            await until_phase(site.daemon, check, room, "measuring", "confirming", "done")
            await keys.press("*5")
        found = await until_phase(site.daemon, check, room, "done")
        if "busy-here" not in codes(found):
            return found
        await site.daemon.call("POST", f"{check}/rooms/{room}/recheck", {})
        await until_phase(site.daemon, check, room, "waiting", "reaching", "reached", "measuring")
    return found


async def test_a_room_is_called_measured_and_confirms_by_keys(site: Site, tmp_path: Path) -> None:
    daemon, room = site.daemon, "phong-tot"
    secret = await register(daemon, room)
    async with phone(site, tmp_path, room, secret, site.live) as keys:
        await until_registered(daemon, room)
        check = await begin(daemon, room)
        await keys.until("CALL_ESTABLISHED")
        found = await judged(site, check, room, keys)
        assert (found["verdict"], codes(found)) == ("go", set())
        assert {"heard", "speech", "no-echo", "picture", "line-good"} <= codes(found, ("good",))
        measured = found["measured"]
        assert measured["line"]["reports"] > 0
        assert measured["line"]["round_trip_ms"] is not None
        assert measured["configuration"]["audio_codec"] == "opus"
        assert measured["configuration"]["video_codec"] == "h264"
        assert measured["configuration"]["resolution"] == "320x180"
        assert "baresip" in measured["configuration"]["user_agent"]
        # Both of its streams tell by its own clock when they were captured.
        assert abs(measured["picture"]["later_ms"]) < 1_500
        told = codes(found, ("good", "note"))
        assert told & {"lip-sync", "sound-early", "sound-late"}
        # It was met in a conference of the check's own, and is let go.
        await keys.until("CALL_CLOSED")


async def test_rooms_that_are_not_ready_say_why(site: Site, tmp_path: Path) -> None:
    daemon = site.daemon
    await register(daemon, "phong-vang")
    secret = await register(daemon, "phong-hong")
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(phone(site, tmp_path, "phong-hong", secret, site.red))
        await until_registered(daemon, "phong-hong")
        check = await begin(daemon, "phong-vang", "phong-hong")
        away = await until_phase(daemon, check, "phong-vang", "done")
        assert (away["verdict"], codes(away)) == ("no-go", {"unreached"})
        # A camera that shows one shade, and nobody who presses a key.
        broken = await judged(site, check, "phong-hong", None)
        assert (broken["verdict"], codes(broken)) == ("no-go", {"black", "unconfirmed"})
        assert "the picture is black or of one shade" in broken["reason"]
        assert "nobody has confirmed" in broken["reason"]


async def until_registered(daemon: SipDaemon, room: str) -> None:
    """The daemon knows where it is."""

    async def read() -> Any:
        return await daemon.call("GET", f"/bridges/{room}")

    await until_read(read, lambda found: found["sip"]["registered"])
