"""A room in Chromium behind a relay, with a meter on what its user sees and hears."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import Route

from bench.netem_relay import Relay, audio_ssrc, through_relay
from tests.peers.chromium_room import CAMERA_SIZE, RED, ChromiumRoom

METER_SCRIPT = """
(() => {
  const meter = { last: performance.now(), longest: 0, frames: 0 };
  const again = () => room.video.requestVideoFrameCallback(() => {
    const now = performance.now();
    meter.longest = Math.max(meter.longest, now - meter.last);
    meter.last = now;
    meter.frames += 1;
    again();
  });
  again();
  window.meter = meter;
})();
"""


CAMERA_FPS, CAMERA_PICTURES = 15, 30


def write_moving_camera(path: Path) -> None:
    """Blocks that move under grain: a picture of one colour would need no line at all."""
    width, height = CAMERA_SIZE
    dice = np.random.default_rng(1)
    blocks = dice.integers(16, 235, (height // 8 + 64, width // 8 + 64))
    with path.open("wb") as out:
        out.write(f"YUV4MPEG2 W{width} H{height} F{CAMERA_FPS}:1 Ip A1:1 C420jpeg\n".encode())
        for number in range(CAMERA_PICTURES):
            shown = blocks[number : number + height // 8, number : number + width // 8]
            grain = dice.integers(-12, 12, (height, width))
            luma = np.kron(shown, np.ones((8, 8), np.int64)) + grain
            chroma = bytes((128,)) * (width * height // 2)
            out.write(b"FRAME\n" + luma.clip(16, 235).astype(np.uint8).tobytes() + chroma)


@dataclass(frozen=True, slots=True)
class Seen:
    """Chromium's counters at one moment, and the meter's since ``restart``."""

    concealed: int
    samples: int
    frames: int
    freezes: int
    freeze_s: float
    lost: int
    nacks: int
    plis: int
    height: int
    longest_gap_ms: float
    since_picture_ms: float


class RelayedRoom:
    """One room; an async context manager."""

    def __init__(self, folder: Path, relay: Relay) -> None:
        self.leg = ""
        """Path of its leg."""
        self._relay = relay
        self._room = ChromiumRoom(folder, RED, 440.0)
        write_moving_camera(folder / f"{RED.name}.y4m")

    async def __aenter__(self) -> "RelayedRoom":
        await self._room.__aenter__()
        await self._room.page.route("**/legs", self._answered)
        return self

    async def __aexit__(self, *reason: Any) -> None:
        await self._room.__aexit__(*reason)

    async def join(self, base_url: str, conference: str, token: str) -> None:
        """Connect through the relay, and see the first picture."""
        await self._room.join(base_url, conference, token)
        await self._room.wait_for_picture()
        self.leg = str(await self._room.page.evaluate("() => room.location"))
        await self._room.page.evaluate(METER_SCRIPT)

    async def restart(self) -> None:
        """Measure gaps between pictures anew; one that is open goes on."""
        await self._room.page.evaluate("() => { meter.longest = 0; meter.frames = 0; }")

    async def seen(self) -> Seen:
        """Read everything."""
        found = await self._room.statistics()
        meter = await self._room.page.evaluate(
            "() => ({...meter, since: performance.now() - meter.last})"
        )
        audio, video = found.get("audio", {}), found.get("video", {})
        return Seen(
            concealed=audio.get("concealedSamples", 0) - audio.get("silentConcealedSamples", 0),
            samples=audio.get("totalSamplesReceived", 0),
            frames=video.get("framesDecoded", 0),
            freezes=video.get("freezeCount", 0),
            freeze_s=video.get("totalFreezesDuration", 0.0),
            lost=video.get("packetsLost", 0),
            nacks=video.get("nackCount", 0),
            plis=video.get("pliCount", 0),
            height=video.get("frameHeight", 0),
            longest_gap_ms=max(meter["longest"], meter["since"]),
            since_picture_ms=meter["since"],
        )

    async def _answered(self, route: Route) -> None:
        response = await route.fetch()
        answer = await response.text()
        if response.status == 201:
            self._relay.sound_ssrc = audio_ssrc(answer)
            answer = through_relay(answer, self._relay.port)
        await route.fulfill(response=response, body=answer)
