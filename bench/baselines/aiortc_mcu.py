"""A straightforward MCU on aiortc, as a Python user would write it from its examples.

One ``RTCPeerConnection`` per room, one mixing track and one composing track per room, and so one
audio and one video encoder per room: the baseline that the daemon's shared renditions are
compared to. It is written fairly (uvloop, numpy mixing, one shared composed picture per frame
interval), but nothing in it is shared on the encoding side, because aiortc's senders do not.

Run by ``bench.capacity --baseline aiortc``; alone: ``python -m bench.baselines.aiortc_mcu``. It
prints ``{"port": n}`` when it listens.
"""

import argparse
import asyncio
import fractions
import json
import time

import av
import numpy as np
import uvloop
from aiohttp import web
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from numpy.typing import NDArray

BLOCK_SAMPLES = 960
SAMPLE_RATE_HZ = 48_000
GRID = 4
FPS = 25
SIZE = (1280, 720)
MAX_BUFFERED_BLOCKS = 10


class Room:
    """What one peer sends, decoded, and the tracks it receives."""

    def __init__(self, conference: "Conference") -> None:
        self.conference = conference
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.blocks: asyncio.Queue[NDArray[np.int16]] = asyncio.Queue(MAX_BUFFERED_BLOCKS)
        self.block: NDArray[np.int16] = np.zeros(BLOCK_SAMPLES, np.int16)
        self.picture: av.VideoFrame | None = None
        self.tasks: list[asyncio.Task[None]] = []

    def take(self, track: MediaStreamTrack) -> None:
        receive = self._receive_audio if track.kind == "audio" else self._receive_video
        self.tasks.append(asyncio.create_task(receive(track)))

    async def _receive_audio(self, track: MediaStreamTrack) -> None:
        resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE_HZ, BLOCK_SAMPLES)
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            assert isinstance(frame, av.AudioFrame)
            for out in resampler.resample(frame):
                if self.blocks.full():
                    self.blocks.get_nowait()
                block = out.to_ndarray().reshape(-1)
                self.blocks.put_nowait(block.astype(np.int16, copy=False))

    async def _receive_video(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            assert isinstance(frame, av.VideoFrame)
            self.picture = frame


class MixTrack(MediaStreamTrack):
    """Everybody but the room itself, 20 ms at a time."""

    kind = "audio"

    def __init__(self, room: Room) -> None:
        super().__init__()
        self._room = room
        self._tick = room.conference.tick

    async def recv(self) -> av.AudioFrame:
        conference = self._room.conference
        while conference.tick <= self._tick:
            await conference.ticked.wait()
        self._tick = conference.tick
        mixed = conference.total - self._room.block.astype(np.int32)
        samples = np.clip(mixed, -32768, 32767).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        frame.pts = self._tick * BLOCK_SAMPLES
        frame.time_base = fractions.Fraction(1, SAMPLE_RATE_HZ)
        return frame


class ViewTrack(MediaStreamTrack):
    """The composed picture; every room's sender encodes it for itself."""

    kind = "video"

    def __init__(self, room: Room) -> None:
        super().__init__()
        self._conference = room.conference
        self._number = self._conference.picture_number

    async def recv(self) -> av.VideoFrame:
        conference = self._conference
        while conference.picture_number <= self._number:
            await conference.composed.wait()
        self._number = conference.picture_number
        frame = av.VideoFrame.from_ndarray(conference.canvas, format="yuv420p")
        frame.pts = self._number * 90_000 // FPS
        frame.time_base = fractions.Fraction(1, 90_000)
        return frame


class Conference:
    """All rooms, and the two clocks."""

    def __init__(self) -> None:
        self.rooms: list[Room] = []
        self.tick = 0
        self.total: NDArray[np.int32] = np.zeros(BLOCK_SAMPLES, np.int32)
        self.ticked = asyncio.Event()
        self.canvas: NDArray[np.uint8] = np.full((SIZE[1] * 3 // 2, SIZE[0]), 128, np.uint8)
        self.picture_number = 0
        self.composed = asyncio.Event()

    async def join(self, request: web.Request) -> web.Response:
        room = Room(self)
        room.peer.on("track", room.take)

        @room.peer.on("connectionstatechange")
        async def changed() -> None:
            if room.peer.connectionState in ("failed", "closed") and room in self.rooms:
                self.rooms.remove(room)
                for task in room.tasks:
                    task.cancel()
                await room.peer.close()

        offer = RTCSessionDescription(await request.text(), "offer")
        await room.peer.setRemoteDescription(offer)
        for transceiver in room.peer.getTransceivers():
            if transceiver.kind == "audio":
                room.peer.addTrack(MixTrack(room))
            elif transceiver.kind == "video":
                room.peer.addTrack(ViewTrack(room))
        await room.peer.setLocalDescription(await room.peer.createAnswer())
        self.rooms.append(room)
        return web.Response(
            status=201, text=room.peer.localDescription.sdp, content_type="application/sdp"
        )

    async def mix(self) -> None:
        start = time.monotonic()
        while True:
            await asyncio.sleep(max(0.0, start + self.tick * 0.02 - time.monotonic()))
            total = np.zeros(BLOCK_SAMPLES, np.int32)
            for room in self.rooms:
                room.block = (
                    room.blocks.get_nowait()
                    if not room.blocks.empty()
                    else np.zeros(BLOCK_SAMPLES, np.int16)
                )
                total += room.block
            self.total = total
            self.tick += 1
            self.ticked.set()
            self.ticked.clear()

    async def compose(self) -> None:
        start = time.monotonic()
        width, height = SIZE[0] // GRID, SIZE[1] // GRID
        while True:
            await asyncio.sleep(max(0.0, start + self.picture_number / FPS - time.monotonic()))
            for index, room in enumerate(self.rooms[: GRID * GRID]):
                if room.picture is not None:
                    tile = room.picture.reformat(width, height, "yuv420p").to_ndarray()
                    self._paste(
                        tile.astype(np.uint8, copy=False),
                        index % GRID * width,
                        index // GRID * height,
                    )
            self.picture_number += 1
            self.composed.set()
            self.composed.clear()

    def _paste(self, tile: NDArray[np.uint8], x: int, y: int) -> None:
        width, height = SIZE
        tile_height, tile_width = tile.shape[0] * 2 // 3, tile.shape[1]
        self.canvas[y : y + tile_height, x : x + tile_width] = tile[:tile_height]
        half = (height // 2, width // 2)
        tile_half = (tile_height // 2, tile_width // 2)
        chroma = self.canvas[height:].reshape(2, *half)
        chroma[:, y // 2 : y // 2 + tile_half[0], x // 2 : x // 2 + tile_half[1]] = tile[
            tile_height:
        ].reshape(2, *tile_half)


async def serve(port: int) -> None:
    """Listen on loopback until the process is ended."""
    conference = Conference()
    app = web.Application()
    app.router.add_post("/offer", conference.join)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    print(json.dumps({"port": runner.addresses[0][1]}), flush=True)
    await asyncio.gather(conference.mix(), conference.compose())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    uvloop.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
