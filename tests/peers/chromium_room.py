"""A meeting room in headless Chromium, with a camera of one colour and a microphone of one tone.

What the room sees and hears is read back from the decoded picture and the decoded sound, so a
test can say whose colour stands in which tile and whose tone is in the mix.
"""

import math
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from playwright.async_api import Browser, Page, Playwright, async_playwright

CHROMIUM = "/usr/bin/chromium"
QUIET_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The lists below the address bar, which nobody sees here, are pages of their own in each window
    # and took a quarter of what a page of ours takes.
    "--disable-features=WebRtcHideLocalIpsWithMdns,"
    "WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
CAMERA_SIZE = (640, 360)


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour as BT.601 limited-range Y, Cb, Cr."""

    name: str
    y: int
    cb: int
    cr: int

    def rgb(self) -> tuple[float, float, float]:
        y, cb, cr = 1.164 * (self.y - 16), self.cb - 128, self.cr - 128
        return (
            min(255.0, max(0.0, y + 1.596 * cr)),
            min(255.0, max(0.0, y - 0.392 * cb - 0.813 * cr)),
            min(255.0, max(0.0, y + 2.017 * cb)),
        )


RED = Colour("red", 82, 90, 230)
GREEN = Colour("green", 120, 60, 50)
BLUE = Colour("blue", 60, 220, 110)


def write_camera(path: Path, colour: Colour, fps: int = 15, seconds: int = 2) -> None:
    """A Y4M file of one colour whose lower edge moves, so that every picture is new."""
    width, height = CAMERA_SIZE
    y = np.full((height, width), colour.y, np.uint8)
    cb = np.full((height // 2, width // 2), colour.cb, np.uint8).tobytes()
    cr = np.full((height // 2, width // 2), colour.cr, np.uint8).tobytes()
    with path.open("wb") as out:
        out.write(f"YUV4MPEG2 W{width} H{height} F{fps}:1 Ip A1:1 C420jpeg\n".encode())
        for number in range(fps * seconds):
            picture = y.copy()
            left = (number * 16) % (width - 32)
            picture[-16:, left : left + 32] = 235
            out.write(b"FRAME\n" + picture.tobytes() + cb + cr)


def write_microphone(path: Path, tone_hz: float, seconds: int = 2, amplitude: float = 0.25) -> None:
    """A WAV file of one tone that loops without a step."""
    rate = 48_000
    periods = round(tone_hz * seconds)
    t = np.arange(rate * seconds) * (2 * math.pi * periods / (rate * seconds))
    samples = (np.sin(t) * amplitude * 32767).astype(np.int16)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.tobytes())


ROOM_SCRIPT = (Path(__file__).parent / "chromium_room.js").read_text(encoding="utf-8")


class ChromiumRoom:
    """One browser with one room; an async context manager."""

    def __init__(self, folder: Path, colour: Colour, tone_hz: float) -> None:
        self.colour = colour
        self.tone_hz = tone_hz
        self._camera = folder / f"{colour.name}.y4m"
        self._microphone = folder / f"{colour.name}.wav"
        write_camera(self._camera, colour)
        write_microphone(self._microphone, tone_hz)
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self.page: Page

    async def __aenter__(self) -> Self:
        self._playwright = await async_playwright().start()
        self._browser = await self._playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                *QUIET_ARGUMENTS,
                f"--use-file-for-fake-video-capture={self._camera}",
                f"--use-file-for-fake-audio-capture={self._microphone}",
            ],
        )
        context = await self._browser.new_context(ignore_https_errors=True)
        self.page = await context.new_page()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._browser is not None:
            await self._browser.close()
        if self._playwright is not None:
            await self._playwright.stop()

    async def join(
        self,
        base_url: str,
        conference: str,
        token: str,
        *,
        path: str | None = None,
        codec: str = "video/H264",
        sends: bool = True,
        receives: bool = True,
        kinds: Sequence[str] = ("audio", "video"),
    ) -> None:
        """Offer, post the offer, apply the answer, and wait until media flows.

        Args:
            kinds: what it sends: a room may lack a camera or a microphone.
        """
        await self.page.goto(f"{base_url}/healthz")
        await self.page.evaluate(ROOM_SCRIPT)
        await self.page.evaluate(
            "(options) => room.join(options)",
            {
                "path": path or f"/api/v1/conferences/{conference}/legs",
                "token": token,
                "codec": codec,
                "sends": sends,
                "receives": receives,
                "kinds": list(kinds),
            },
        )

    async def wait_for_picture(self, timeout_s: float = 20.0) -> None:
        """Until the first picture is decoded."""
        await self.page.wait_for_function(
            "() => room.video.videoWidth > 0 && room.video.currentTime > 0",
            timeout=timeout_s * 1000,
        )

    async def colours_at(self, points: Sequence[tuple[float, float]]) -> list[tuple[int, int, int]]:
        """Mean RGB around points given in 0-1 coordinates of the received picture."""
        found: Any = await self.page.evaluate(
            "(points) => room.coloursAt(points)", [list(point) for point in points]
        )
        return [(int(r), int(g), int(b)) for r, g, b in found]

    async def wait_for_colours(
        self, expected: dict[tuple[float, float], Colour], timeout_s: float = 20.0
    ) -> None:
        """Until each point shows its colour (within 40 of each component)."""
        await self.page.wait_for_function(
            "(expected) => room.shows(expected)",
            arg=[[*point, *colour.rgb()] for point, colour in expected.items()],
            timeout=timeout_s * 1000,
            polling=200,
        )

    async def tone_levels_db(self, tones_hz: Sequence[float]) -> list[float]:
        """Level of each tone in the received sound, dB, from a 32768-point spectrum."""
        levels: Any = await self.page.evaluate("(tones) => room.toneLevels(tones)", list(tones_hz))
        return [float(level) for level in levels]

    async def wait_for_tones(self, tones_hz: Sequence[float], timeout_s: float = 20.0) -> None:
        """Until each tone stands above -50 dB in the received sound."""
        await self.page.wait_for_function(
            "(tones) => room.toneLevels(tones).every((level) => level > -50)",
            arg=list(tones_hz),
            timeout=timeout_s * 1000,
            polling=200,
        )

    async def statistics(self) -> dict[str, Any]:
        """Chromium's own counters of the received streams."""
        statistics: Any = await self.page.evaluate("() => room.statistics()")
        return dict(statistics)

    async def leave(self) -> None:
        """DELETE the leg and close the peer connection."""
        await self.page.evaluate("() => room.leave()")
