"""Rooms that are real WebRTC peers (ICE, DTLS, SRTP) and cost next to nothing.

What they send was coded beforehand; what they receive is counted, and decoded where asked for.
"""

import asyncio
import time
from collections import deque
from types import TracebackType
from typing import Self

import aiohttp
import av
import numpy as np
from numpy.typing import NDArray

from bench.generator_leg import GeneratorLeg
from bench.media import CodedPictures, CodedSound
from mcu.media.srtp import PacketBuffer
from signalling.webrtc.dtls import DtlsCertificate
from tests.peers.coded_media import (
    Colour,
    Sound,
    coded_colour,
    coded_sound,
    colour_of,
    tone_db,
)
from tests.peers.waiting import until

PICTURES_PER_SECOND = 10
TICK_S = 0.02
HEARD_BLOCKS = 50
"""The last second of sound is kept."""


class GeneratorRoom:
    """One leg. Made by ``GeneratorRooms``.

    Attributes:
        location: the leg's path. leg: with its counters.
        picture: the last picture that was decoded.
    """

    def __init__(
        self,
        rooms: "GeneratorRooms",
        name: str,
        *,
        colour: Colour | None,
        tone_hz: float,
        video: bool,
        decodes: bool,
        sound: CodedSound | None = None,
        pictures: CodedPictures | None = None,
    ) -> None:
        self._rooms = rooms
        self._heard: deque[NDArray[np.int16]] = deque(maxlen=HEARD_BLOCKS)
        self.picture: av.VideoFrame | None = None
        self.location = ""
        self.token = ""
        if sound is None:
            loop = coded_sound(tone_hz)
            sound = CodedSound(loop.packets, tuple(-level for level in loop.levels))
        if colour is not None:
            payloads = coded_colour(colour, "H264").pictures
            pictures = CodedPictures(payloads, PICTURES_PER_SECOND)
        self.leg = GeneratorLeg(
            name,
            rooms.buffer,
            rooms.certificate,
            sound=sound,
            pictures=pictures,
            video=video,
            sampled=decodes,
            on_audio=lambda block, now: self._heard.append(block),
            on_picture=lambda picture, now: self._saw(picture),
        )

    @property
    def id(self) -> str:
        """The leg's id."""
        return self.location.rpartition("/")[2]

    async def leave(self) -> None:
        """DELETE the leg, then close the socket."""
        async with self._rooms.http.delete(
            self._rooms.url + self.location, headers={"Authorization": f"Bearer {self.token}"}
        ) as response:
            assert response.status == 204, await response.text()
        self.vanish()

    def vanish(self) -> None:
        """Close the socket without a word."""
        self._rooms.forget(self)
        self.leg.close()

    def heard_db(self, hz: float) -> float:
        """Level of one frequency in the last second of what was heard; -120 until it is full."""
        if len(self._heard) < HEARD_BLOCKS:
            return -120.0
        sound: Sound = np.concatenate(self._heard)
        return tone_db(sound, hz)

    def forget_heard(self) -> None:
        """Listen anew."""
        self._heard.clear()

    def seen(self, x: float, y: float) -> Colour | None:
        """Colour of the last decoded picture around a point given in 0-1 coordinates."""
        if self.picture is None:
            return None
        planes = self.picture.to_ndarray().astype(np.uint8, copy=False)
        left, top = round(x * self.picture.width) & ~1, round(y * self.picture.height) & ~1
        return colour_of(planes, left - 8, top - 8, 16, 16)

    async def until_seen(self, x: float, y: float, colour: Colour) -> None:
        """Until the colour stands at that point."""

        def there() -> bool:
            found = self.seen(x, y)
            return found is not None and found.is_like(colour)

        await until(there, TICK_S)

    def _saw(self, picture: av.VideoFrame) -> None:
        self.picture = picture


class GeneratorRooms:
    """All rooms of a test; an async context manager that closes what is left."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.buffer = PacketBuffer()
        self.certificate = DtlsCertificate.generate()
        self.http: aiohttp.ClientSession
        self._rooms: list[GeneratorRoom] = []
        self._sending: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        self.http = aiohttp.ClientSession()
        self._sending = asyncio.create_task(self._send())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sending.cancel()
        for room in list(self._rooms):
            room.vanish()
        await self.http.close()
        await asyncio.gather(self._sending, return_exceptions=True)

    async def join(
        self,
        conference: str,
        token: str,
        *,
        colour: Colour | None = None,
        tone_hz: float = 0.0,
        video: bool = True,
        decodes: bool = False,
        query: str = "",
        sound: CodedSound | None = None,
        pictures: CodedPictures | None = None,
    ) -> GeneratorRoom:
        """A room joins and is connected.

        Args:
            colour: of its picture; None sends none. tone_hz: 0 is silence.
            video: offer video at all. decodes: what it gets.
            sound, pictures: sent in place of a tone, and of a colour where there is none.
        """
        room = GeneratorRoom(
            self, "room", colour=colour, tone_hz=tone_hz, video=video, decodes=decodes,
            sound=sound, pictures=pictures,
        )  # fmt: skip
        await self._open(room, f"/api/v1/conferences/{conference}/legs{query}", token)
        return room

    async def watch(
        self, conference: str, token: str, *, view: str = "main", decodes: bool = False
    ) -> GeneratorRoom:
        """A viewer outside of the roster is connected (WHEP)."""
        room = GeneratorRoom(self, "viewer", colour=None, tone_hz=0.0, video=True, decodes=decodes)
        await self._open(room, f"/whep/{conference}?view={view}", token)
        return room

    def forget(self, room: GeneratorRoom) -> None:
        """Send nothing more for a room."""
        if room in self._rooms:
            self._rooms.remove(room)

    async def _open(self, room: GeneratorRoom, path: str, token: str) -> None:
        async with self.http.post(
            self.url + path,
            data=room.leg.offer(),
            headers={"Content-Type": "application/sdp", "Authorization": f"Bearer {token}"},
        ) as response:
            answer = await response.text()
            assert response.status == 201, answer
            room.location, room.token = response.headers["Location"], token
        self._rooms.append(room)
        room.leg.apply_answer(answer)
        async with asyncio.timeout(60):
            await room.leg.connected

    async def _send(self) -> None:
        start, tick = time.monotonic(), 0
        while True:
            now = time.monotonic()
            for room in self._rooms:
                room.leg.send_audio(now)
                if tick % (50 // PICTURES_PER_SECOND) == 0:
                    room.leg.send_picture(now)
                    room.leg.handle_timer(now)
            tick += 1
            await asyncio.sleep(max(0.0, start + tick * TICK_S - time.monotonic()))
