"""A room on the join page behind a relay: nobody touches it, whatever becomes of its line.

The page's media pass the relay; while the line is cut its requests to the server fail as well.
What of the page is measured is what its user has: pictures that change, sound that plays.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

from playwright.async_api import Route

from bench.netem_relay import Relay, audio_ssrc, through_relay
from tests.peers.chromium_page import ChromiumPage
from tests.peers.daemon import Daemon

KEEP_PEERS = """
window.peers = [];
const Original = RTCPeerConnection;
window.RTCPeerConnection = class extends Original {
  constructor(...parameters) { super(...parameters); window.peers.push(this); }
};
"""
FRAMES = """() => {
  const video = document.querySelector("video.composed");
  return [window.peers.length, video ? video.getVideoPlaybackQuality().totalVideoFrames : 0];
}"""
SOUND = """async () => {
  let samples = 0;
  for (const peer of window.peers.slice(-1)) {
    for (const one of (await peer.getStats()).values())
      if (one.type === "inbound-rtp" && one.kind === "audio") samples += one.packetsReceived;
  }
  return samples;
}"""
CONCEALED = """async () => {
  const found = [];
  for (const peer of window.peers) {
    let concealed = 0, samples = 0;
    for (const one of (await peer.getStats()).values()) {
      if (one.type !== "inbound-rtp" || one.kind !== "audio") continue;
      concealed += one.concealedSamples - one.silentConcealedSamples;
      samples += one.totalSamplesReceived;
    }
    found.push([concealed, samples]);
  }
  return found;
}"""
POLL_S = 0.05
LOOK_S = 0.5


class Heard:
    """What was made up of the sound that was played, over connections that come and go."""

    def __init__(self) -> None:
        self._first: list[tuple[int, int]] | None = None
        self._last: dict[int, tuple[int, int]] = {}

    def take(self, readings: Sequence[tuple[int, int]]) -> None:
        """(concealed, all) samples of each connection so far; a closed one may say nothing."""
        if self._first is None:
            self._first = [(concealed, samples) for concealed, samples in readings]
        for number, (concealed, samples) in enumerate(readings):
            if samples >= self._last.get(number, (0, 0))[1]:
                self._last[number] = (concealed, samples)

    @property
    def concealed_percent(self) -> float:
        """Since the first reading."""
        before = self._first or []
        concealed = sum(one for one, _ in self._last.values()) - sum(one for one, _ in before)
        samples = sum(one for _, one in self._last.values()) - sum(one for _, one in before)
        return round(100.0 * concealed / max(1, samples), 2)


class PageRoom:
    """One room; an async context manager."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._cut = False
        self._closing = AsyncExitStack()
        self._chromium: ChromiumPage

    async def __aenter__(self) -> "PageRoom":
        page = ChromiumPage(script=KEEP_PEERS)
        self._chromium = await self._closing.enter_async_context(page)
        await self._chromium.context.route("**/api/**", self._request)
        return self

    async def __aexit__(self, *reason: Any) -> None:
        await self._closing.aclose()

    async def join(self, daemon: Daemon, bridge: str) -> None:
        """Open the room's link as a kiosk does, and see pictures."""
        issued = await daemon.call("POST", f"/bridges/{bridge}/token")
        fragment = issued["join_url"].split("#")[1]
        await self._chromium.page.goto(f"{daemon.url}/join#{fragment}&auto=1")
        await self._until_new_pictures((0, 0), 60.0)

    async def blackout(self, seconds: float, patience_s: float) -> dict[str, Any]:
        """Cut the line for so long.

        Returns: milliseconds from its end to the next picture and to the next sound (None: not
            within ``patience_s``), how long there was none, what was made up of the sound that
            was played meanwhile (%), and how many connections it took.
        """
        page = self._chromium.page
        heard = Heard()
        heard.take(await page.evaluate(CONCEALED))
        self._cut = True
        self._relay.cut(True)
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            await asyncio.sleep(min(LOOK_S, max(0.0, ends - time.monotonic())))
            heard.take(await page.evaluate(CONCEALED))
        peers, frames = await page.evaluate(FRAMES)
        self._cut = False
        self._relay.cut(False)
        began = time.monotonic()
        picture, sound = await asyncio.gather(
            self._until_new_pictures((peers, frames), patience_s), self._until_sound(patience_s)
        )
        heard.take(await page.evaluate(CONCEALED))
        recovery_ms = None if picture is None else round((picture - began) * 1000)
        return {
            "recovery_ms": recovery_ms,
            "sound_recovery_ms": None if sound is None else round((sound - began) * 1000),
            "audio_gap_ms": None if sound is None else round((seconds + sound - began) * 1000),
            "picture_freeze_ms": None
            if recovery_ms is None
            else round(seconds * 1000) + recovery_ms,
            "concealed_percent": heard.concealed_percent,
            "connections": (await page.evaluate(FRAMES))[0] - peers,
        }

    async def _until_new_pictures(self, seen: tuple[int, int], patience_s: float) -> float | None:
        """When there were more pictures than these: of the same connection, or of another."""
        ends = time.monotonic() + patience_s
        while time.monotonic() < ends:
            peers, frames = await self._chromium.page.evaluate(FRAMES)
            if frames > (seen[1] if peers == seen[0] else 0) + 1:
                return time.monotonic()
            await asyncio.sleep(POLL_S)
        return None

    async def _until_sound(self, patience_s: float) -> float | None:
        ends = time.monotonic() + patience_s
        before = await self._chromium.page.evaluate(SOUND)
        while time.monotonic() < ends:
            now = await self._chromium.page.evaluate(SOUND)
            if now > before + 2 or 0 < now < before:
                return time.monotonic()
            await asyncio.sleep(POLL_S)
        return None

    async def _request(self, route: Route) -> None:
        if self._cut:
            await route.abort()
            return
        path = route.request.url.partition("?")[0]
        if route.request.method == "POST" and path.endswith("/legs"):
            response = await route.fetch()
            answer = await response.text()
            if response.status == 201:
                self._relay.sound_ssrc = audio_ssrc(answer)
                answer = through_relay(answer, self._relay.port)
            await route.fulfill(response=response, body=answer)
        elif route.request.method == "PATCH" and "/legs/" in path:
            response = await route.fetch()
            body = through_relay(await response.text(), self._relay.port)
            await route.fulfill(response=response, body=body)
        else:
            await route.continue_()
