"""The WebRTC side of a software room: one aiortc connection that sends a camera and a microphone.

What it receives is decoded and thrown away, as any peer's would be that nobody looks at.
"""

import asyncio

from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.contrib.media import MediaBlackhole

CONNECT_TIMEOUT_S = 20.0


class Peer:
    """One connection; close it whatever happens.

    Args:
        microphone, camera: sent as they are.
    """

    def __init__(self, microphone: MediaStreamTrack, camera: MediaStreamTrack) -> None:
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._connected = asyncio.Event()
        self._ended = asyncio.Event()
        self._sink = MediaBlackhole()
        self._connection.on("connectionstatechange", self._state_changed)
        self._connection.on("track", self._sink.addTrack)
        self._connection.addTrack(microphone)
        self._connection.addTrack(camera)
        self._prefer_h264()

    async def offer(self) -> str:
        """The offer, with all candidates."""
        await self._connection.setLocalDescription(await self._connection.createOffer())
        return str(self._connection.localDescription.sdp)

    async def connect(self, answer: str) -> None:
        """Take the answer and wait until media flows.

        Raises:
            ConnectionError: the answer is unusable, or the handshake failed.
            TimeoutError: nothing came of it.
        """
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        except (ValueError, AssertionError, IndexError) as error:
            raise ConnectionError(f"the answer cannot be used: {error}") from error
        await self._sink.start()
        ended = asyncio.create_task(self._ended.wait())
        connected = asyncio.create_task(self._connected.wait())
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await asyncio.wait({ended, connected}, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            raise TimeoutError(f"not connected within {CONNECT_TIMEOUT_S:.0f} s") from None
        finally:
            ended.cancel()
            connected.cancel()
        if self._ended.is_set():
            raise ConnectionError("the connection could not be set up")

    async def ended(self) -> None:
        """Wait until the connection has failed or the other side has closed it."""
        await self._ended.wait()

    async def close(self) -> None:
        """Free everything."""
        await self._sink.stop()
        await self._connection.close()

    def _state_changed(self) -> None:
        state = self._connection.connectionState
        if state == "connected":
            self._connected.set()
        elif state in ("failed", "closed"):
            self._ended.set()

    def _prefer_h264(self) -> None:
        """Offer H.264 first: decoding and encoding it is the cheapest on both sides."""
        codecs = RTCRtpSender.getCapabilities("video").codecs
        preferred = sorted(
            codecs, key=lambda codec: codec.mimeType not in ("video/H264", "video/rtx")
        )
        for transceiver in self._connection.getTransceivers():
            if transceiver.kind == "video":
                transceiver.setCodecPreferences(preferred)
