"""A room that is a full peer of another make: aiortc codes what it sends and decodes what it gets.

It sends a tone and pictures of one colour; the last picture and the last second of sound are kept.
"""

import asyncio
import time
from collections import deque
from fractions import Fraction
from types import TracebackType
from typing import Self

import aiohttp
import aioice.ice
import av
import numpy as np
import pytest
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from numpy.typing import NDArray

from tests.mixer.video.pictures import frame
from tests.peers.coded_media import AMPLITUDE, Colour, colour_of, tone_db
from tests.peers.waiting import until

SIZE, FPS = (320, 180), 10
BLOCK, RATE = 960, 48_000
HEARD_BLOCKS = 50


def over_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """aioice leaves loopback out by itself."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])


class _Paced(MediaStreamTrack):
    """Gives a frame each ``interval_s``; late ones follow at once, as a sound card's do."""

    interval_s: float

    def __init__(self) -> None:
        super().__init__()
        self._began = 0.0
        self._number = -1

    async def next_number(self) -> int:
        if self.readyState != "live":
            raise MediaStreamError
        self._began = self._began or time.monotonic()
        self._number += 1
        await asyncio.sleep(self._began + self._number * self.interval_s - time.monotonic())
        return self._number


class Tone(_Paced):
    """A microphone."""

    kind = "audio"
    interval_s = BLOCK / RATE

    def __init__(self, hz: float) -> None:
        super().__init__()
        wave = AMPLITUDE * np.sin(2 * np.pi * hz * np.arange(RATE) / RATE)
        self._blocks = wave.astype(np.int16).reshape(-1, 1, BLOCK)

    async def recv(self) -> av.AudioFrame:
        number = await self.next_number()
        block = self._blocks[number % len(self._blocks)]
        made = av.AudioFrame.from_ndarray(block, "s16", "mono")
        made.sample_rate, made.pts, made.time_base = RATE, number * BLOCK, Fraction(1, RATE)
        return made


class Film(_Paced):
    """A camera."""

    kind = "video"
    interval_s = 1 / FPS

    def __init__(self, colour: Colour) -> None:
        super().__init__()
        self._picture = frame(*SIZE, (colour.y, colour.u, colour.v))

    async def recv(self) -> av.VideoFrame:
        number = await self.next_number()
        self._picture.pts, self._picture.time_base = number * 90_000 // FPS, Fraction(1, 90_000)
        return self._picture


class AiortcRoom:
    """One room; ``join`` it. An async context manager that hangs up."""

    def __init__(self, url: str, colour: Colour, tone_hz: float) -> None:
        self._url = url
        self.colour, self.tone_hz = colour, tone_hz
        self.picture: av.VideoFrame | None = None
        self._heard: deque[NDArray[np.int16]] = deque(maxlen=HEARD_BLOCKS)
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._connected = asyncio.Event()
        self._watching: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._connection.on("track", self._take)
        self._connection.on("connectionstatechange", self._changed)
        self._connection.addTrack(Tone(self.tone_hz))
        self._connection.addTrack(Film(self.colour))
        video = RTCRtpSender.getCapabilities("video").codecs
        self._connection.getTransceivers()[1].setCodecPreferences(
            [one for one in video if one.mimeType in ("video/H264", "video/rtx")]
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._connection.close()
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)

    async def join(self, conference: str, token: str) -> None:
        """Offer over HTTP; returns when it is connected."""
        await self._connection.setLocalDescription(await self._connection.createOffer())
        headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.post(
                f"{self._url}/api/v1/conferences/{conference}/legs",
                data=self._connection.localDescription.sdp,
            ) as response,
        ):
            answer = await response.text()
            assert response.status == 201, answer
        await self._connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await self._connected.wait()

    def heard_db(self, hz: float) -> float:
        """Level of one frequency in the last second of what was heard; -120 until it is full."""
        if len(self._heard) < HEARD_BLOCKS:
            return -120.0
        return tone_db(np.concatenate(self._heard), hz)

    def seen(self) -> Colour | None:
        """Colour in the middle of the last picture, above the label."""
        if self.picture is None:
            return None
        planes = self.picture.to_ndarray(format="yuv420p")
        left, top = (self.picture.width // 2) & ~1, (self.picture.height * 2 // 5) & ~1
        return colour_of(planes, left - 8, top - 8, 16, 16)

    async def until_seen(self, colour: Colour) -> None:
        """Until a picture of that colour has come."""

        def there() -> bool:
            found = self.seen()
            return found is not None and found.is_like(colour)

        await until(there, 0.02)

    def _changed(self) -> None:
        if self._connection.connectionState == "connected":
            self._connected.set()

    def _take(self, track: MediaStreamTrack) -> None:
        self._watching.append(asyncio.create_task(self._watch(track)))

    async def _watch(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                got = await track.recv()
            except MediaStreamError:
                return  # it has hung up
            if isinstance(got, av.VideoFrame):
                self.picture = got
            elif isinstance(got, av.AudioFrame):
                channels = len(got.layout.channels)
                self._heard.append(got.to_ndarray().reshape(-1)[::channels].copy())
