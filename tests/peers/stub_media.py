"""Answers the pages' offers with real WebRTC: a picture that moves and a quiet tone.

A plain aiortc peer connection per leg; enough to show that a page's offer can be answered, that it
plays what comes and that it comes back after a leg is gone.
"""

import asyncio
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack, VideoStreamTrack

Painter = Callable[[int], av.VideoFrame]


def grey_steps(number: int) -> av.VideoFrame:
    """A 640x360 picture whose brightness changes with every frame."""
    return av.VideoFrame.from_ndarray(
        np.full((540, 640), 60 + number % 120, dtype=np.uint8), format="yuv420p"
    )


class Picture(VideoStreamTrack):
    """The painter's pictures at 10 per second."""

    def __init__(self, painter: Painter) -> None:
        super().__init__()
        self._painter = painter
        self._number = 0

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(0.1)
        frame = self._painter(self._number)
        frame.pts, frame.time_base = self._number * 9000, Fraction(1, 90000)
        self._number += 1
        return frame


class StubMedia:
    """Makes answers; ``received`` holds the tracks that each leg sends."""

    def __init__(self, painter: Painter = grey_steps) -> None:
        self.peers: dict[str, RTCPeerConnection] = {}
        self.received: dict[str, list[MediaStreamTrack]] = {}
        self._painter = painter

    async def __call__(self, offer: str, about: dict[str, Any]) -> str:
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        leg = str(about["leg"])
        self.peers[leg] = peer
        received = self.received[leg] = []
        peer.on("track", received.append)
        await peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        peer.addTrack(AudioStreamTrack())
        peer.addTrack(Picture(self._painter))
        await peer.setLocalDescription(await peer.createAnswer())
        return str(peer.localDescription.sdp)

    async def hang_up(self, leg: str) -> None:
        """Close one leg as a server that goes away does."""
        await self.peers.pop(leg).close()

    async def close(self) -> None:
        for leg in list(self.peers):
            await self.hang_up(leg)
