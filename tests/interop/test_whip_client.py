"""A maintained WHIP and WHEP client (RFC 9725) in Chromium, on a page of another origin."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Response

from tests.peers.chromium_room import GREEN, RED, ROOM_SCRIPT, ChromiumRoom
from tests.peers.daemon import Daemon
from tests.peers.meeting import meeting
from tests.peers.waiting import until_read

pytestmark = pytest.mark.timeout(120)

CLIENT = Path(__file__).parent.parent / "vectors" / "whip-whep"
TONE_HZ = 1010.0

PUBLISH = """async ([url, token]) => {
  const { WHIPClient } = await import("/whip.js");
  room.local = await navigator.mediaDevices.getUserMedia({
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    video: { width: 640, height: 360, frameRate: 15 },
  });
  room.pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  for (const track of room.local.getTracks()) {
    room.pc.addTransceiver(track, { direction: "sendonly" });
  }
  room.client = new WHIPClient();
  await room.client.publish(room.pc, url, token);
}"""
VIEW = """async ([url, token]) => {
  const { WHEPClient } = await import("/whep.js");
  room.pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  room.pc.addTransceiver("audio", { direction: "recvonly" });
  room.pc.addTransceiver("video", { direction: "recvonly" });
  room.video = document.createElement("video");
  room.video.muted = true;
  document.body.append(room.video);
  room.video.srcObject = new MediaStream();
  room.pc.addEventListener("track", ({ track }) => {
    room.video.srcObject.addTrack(track);
    if (track.kind === "audio") room.listen(track);
    room.video.play().catch(() => {});
  });
  room.client = new WHEPClient();
  await room.client.view(room.pc, url, token);
}"""
CONNECTED = "() => room.pc.connectionState === 'connected'"
REMOTE_UFRAG = "() => /a=ice-ufrag:(\\S+)/.exec(room.pc.remoteDescription.sdp)[1]"


class ClientPage:
    """A page with the client library, and what it asked the daemon for.

    Attributes:
        answers: (method, path without query, status) of each answer, preflights included.
        faults: errors that nothing on the page handled.
    """

    def __init__(self, room: ChromiumRoom, daemon: Daemon) -> None:
        self.room = room
        self.answers: list[tuple[str, str, int]] = []
        self.faults: list[str] = []
        self._daemon = daemon
        room.page.on("response", self._answered)
        room.page.on("pageerror", lambda error: self.faults.append(str(error)))

    async def run(self, script: str, path: str, token: str) -> None:
        await self.room.page.evaluate(ROOM_SCRIPT)
        await self.room.page.evaluate(script, [self._daemon.url + path, token])
        await self.room.page.wait_for_function(CONNECTED)

    async def until_answered(self, method: str, *statuses: int) -> None:
        """Until such a request was answered with one of these."""

        async def found() -> set[int]:
            return {status for asked, _, status in self.answers if asked == method}

        await until_read(found, lambda found: not found.isdisjoint(statuses))

    async def evaluate(self, script: str) -> Any:
        return await self.room.page.evaluate(script)

    def _answered(self, response: Response) -> None:
        if response.url.startswith(self._daemon.url):
            path = response.url.removeprefix(self._daemon.url).partition("?")[0]
            self.answers.append((response.request.method, path, response.status))


@asynccontextmanager
async def library() -> AsyncIterator[str]:
    """The address of a page that is not the daemon's."""

    async def page(request: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><body></body>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_static("/", CLIENT)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


async def test_publisher_and_viewer_by_a_client_library(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        # One address: version 1.2.0 of the client puts commas between those of a restart.
        environment = {"MCU_MEDIA__PUBLIC_ADDRESSES": '["127.0.0.1"]'}
        daemon = await stack.enter_async_context(Daemon(tmp_path, environment=environment))
        held = await stack.enter_async_context(meeting(daemon, {"van-ninh": "Xã Vạn Ninh"}))
        await held.arrange("1x1", "van-ninh")
        observer = await daemon.call(
            "POST", "/tokens", {"name": "xem", "role": "observer", "unit": held.unit}
        )
        address = await stack.enter_async_context(library())
        pages = []
        for colour, tone_hz in ((RED, TONE_HZ), (GREEN, 440.0)):
            room = await stack.enter_async_context(ChromiumRoom(tmp_path, colour, tone_hz))
            pages.append(ClientPage(room, daemon))
            await room.page.goto(address)
        publisher, viewer = pages

        # A wrong token is refused in words that the page can read across origins.
        with pytest.raises(Exception, match="rejected with status 401"):
            await publisher.run(PUBLISH, f"/whip/{held.id}", "mcu_wrong_0123456789")
        await publisher.run(PUBLISH, f"/whip/{held.id}", held.tokens["van-ninh"])
        await viewer.run(VIEW, f"/whep/{held.id}?view=main", observer["token"])
        await viewer.room.wait_for_picture()
        await viewer.room.wait_for_colours({(0.5, 0.4): RED})
        await viewer.room.wait_for_tones([TONE_HZ])
        leg = (await held.until_states(van_ninh="connected"))["van-ninh"]["legs"][0]
        reading = await held.leg(leg)
        assert (reading["kind"], set(reading["sent"])) == ("publish", set())
        for page, endpoint in ((publisher, "whip"), (viewer, "whep")):
            await page.until_answered("PATCH", 204)
            assert ("POST", f"/{endpoint}/{held.id}", 201) in page.answers

        # ICE restarts: the same leg goes on under new credentials.
        for page in (publisher, viewer):
            before = await page.evaluate(REMOTE_UFRAG)
            await page.evaluate("() => room.client.restart()")
            assert await page.evaluate(REMOTE_UFRAG) != before
            await page.until_answered("PATCH", 200)
        frames = (await held.leg(leg))["received"]["video"]["frames"]
        await until_read(
            lambda: held.leg(leg), lambda found: found["received"]["video"]["frames"] > frames + 15
        )
        shown = await viewer.evaluate("() => room.video.currentTime")
        await viewer.room.page.wait_for_function(
            "(shown) => room.video.currentTime > shown + 1", arg=shown
        )
        for page in (publisher, viewer):
            assert await page.evaluate(CONNECTED)
        assert (await held.roster())["van-ninh"]["legs"] == [leg]

        for page in (viewer, publisher):
            await page.evaluate("() => room.client.stop()")
            # The client says goodbye over DTLS first: the leg may be gone when DELETE comes.
            await page.until_answered("DELETE", 204, 404)
            assert page.faults == []
        await held.until_states(van_ninh="left")
        metrics = await daemon.metrics()
        assert not any(value for key, value in metrics.items() if key.startswith("mcu_legs{"))
