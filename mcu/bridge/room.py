"""One software room: a full WebRTC peer that joins, follows what it is asked, and comes back.

After anything that ends a connection (the daemon restarts, the line breaks, the leg is gone) it
waits with exponential backoff and jitter and joins again, until it is told to stop.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import structlog
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.contrib.media import MediaBlackhole

from mcu.bridge import sound
from mcu.bridge.client import Client, Refused
from mcu.bridge.tracks import FileCamera, MicrophoneTrack, PictureRequest, TestCamera

BACKOFF_FIRST_S = 0.5
BACKOFF_LAST_S = 15.0
CONNECT_TIMEOUT_S = 20.0
STABLE_AFTER_S = 10.0
"""A connection that held this long resets the backoff."""
CONFERENCE_POLL_S = 2.0

FATAL_STATUS = frozenset({401})
"""Trying again cannot help: the token is wrong or revoked."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RoomMedia:
    """What the room shows and says: ``test`` or a file; ``tone``, ``speech`` or a file."""

    video: str = "test"
    audio: str = "tone"

    def camera(self, name: str, start: float) -> TestCamera | FileCamera:
        """Raises OSError or ValueError for a file that cannot be shown."""
        return (
            TestCamera(name, start) if self.video == "test" else FileCamera(Path(self.video), start)
        )

    def microphone(self, name: str, start: float) -> MicrophoneTrack:
        """Raises OSError or ValueError for a file that cannot be heard."""
        blocks: Iterator[sound.Block]
        if self.audio == "tone":
            blocks = sound.tone(sound.tone_of(name))
        elif self.audio == "speech":
            blocks = sound.speech(name)
        else:
            blocks = sound.file(Path(self.audio))
        return MicrophoneTrack(blocks, start)


class SoftwareRoom:
    """A room that stays in a conference.

    Args:
        client: the daemon and the token.
        name: on the test picture.
        acts_for: the bridge id an operator's token joins as; None for a bridge's own token.
        guest: join as a guest of ``name`` (an operator's token).
        conference: the one to join; None takes the first that runs.
        on_state: told ``waiting``, ``joining``, ``connected``, ``retrying`` with a reason.
    """

    def __init__(
        self,
        client: Client,
        name: str,
        media: RoomMedia,
        *,
        acts_for: str | None = None,
        guest: bool = False,
        conference: str | None = None,
        on_state: Callable[[str, str], None] = lambda state, reason: None,
    ) -> None:
        self.name = name
        self._client = client
        self._media = media
        self._acts_for = acts_for
        self._guest = guest
        self._conference = conference
        self._on_state = on_state

    async def run(self) -> None:
        """Join and rejoin until cancelled.

        Raises:
            Refused: the token is not accepted; trying again cannot help.
        """
        backoff = BACKOFF_FIRST_S
        while True:
            began = time.monotonic()
            try:
                conference = await self._wait_for_conference()
                self._on_state("joining", conference)
                reason = await self._stay(conference)
            except Refused as refused:
                if refused.status in FATAL_STATUS:
                    raise
                reason = str(refused)
            except (aiohttp.ClientError, TimeoutError, ConnectionError, ValueError) as error:
                reason = str(error) or type(error).__name__
            if time.monotonic() - began > STABLE_AFTER_S:
                backoff = BACKOFF_FIRST_S
            self._on_state("retrying", reason)
            # Jitter: 145 rooms must not come back in the same instant after a restart.
            await asyncio.sleep(backoff * random.uniform(0.5, 1.0))  # noqa: S311
            backoff = min(BACKOFF_LAST_S, backoff * 2)

    async def _wait_for_conference(self) -> str:
        if self._conference is not None:
            return self._conference
        told = False
        while True:
            found = await self._client.conferences()
            if found:
                return found[0]
            if not told:
                self._on_state("waiting", "no conference runs")
                told = True
            await asyncio.sleep(CONFERENCE_POLL_S)

    async def _stay(self, conference: str) -> str:
        """Join once; gives the reason why the connection ended."""
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        connected = asyncio.Event()
        start = time.monotonic()
        camera = self._media.camera(self.name, start)
        microphone = self._media.microphone(self.name, start)
        sink = MediaBlackhole()

        @peer.on("connectionstatechange")
        def state_changed() -> None:
            if peer.connectionState == "connected":
                connected.set()
            elif peer.connectionState in ("failed", "closed") and not ended.done():
                ended.set_result(f"connection {peer.connectionState}")

        @peer.on("track")
        def track_added(track: MediaStreamTrack) -> None:
            sink.addTrack(track)

        leg: str | None = None
        follow: asyncio.Task[str] | None = None
        try:
            peer.addTrack(microphone)
            peer.addTrack(camera)
            _prefer_h264(peer)
            await peer.setLocalDescription(await peer.createOffer())
            answer, leg = await self._client.offer(
                conference,
                peer.localDescription.sdp,
                bridge=self._acts_for,
                name=self.name if self._guest else None,
            )
            await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
            await sink.start()
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await connected.wait()
            self._on_state("connected", conference)
            follow = asyncio.create_task(self._follow(conference, leg, camera))
            await asyncio.wait({ended, follow}, return_when=asyncio.FIRST_COMPLETED)
            return ended.result() if ended.done() else follow.result()
        finally:
            if follow is not None:
                follow.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await follow
            if leg is not None:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    await self._client.leave(leg)
            await sink.stop()
            await peer.close()
            ended.cancel()

    async def _follow(self, conference: str, leg: str, camera: TestCamera | FileCamera) -> str:
        """Apply what the conference asks of this room until it ends; gives the reason.

        The event stream may break while media flows on, and is opened again. A daemon that was
        restarted does not know the leg any more: that is seen here long before ICE gives up.
        """
        own = self._acts_for or (await self._client.identity()).bridge
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                if not await self._client.is_alive(leg):
                    return "the daemon has forgotten the leg"
                async for kind, data in self._client.events(conference):
                    if kind == "conference.ended":
                        return "the conference has ended"
                    if kind == "source.requested" and data.get("participant") == own:
                        camera.request = PictureRequest(
                            width=int(data["width"]),
                            height=int(data["height"]),
                            fps=int(data["fps"]),
                            bitrate_bps=int(data["bitrate_bps"]),
                            paused=bool(data["paused"]),
                        )
            await asyncio.sleep(BACKOFF_FIRST_S)


def _prefer_h264(peer: RTCPeerConnection) -> None:
    """Offer H.264 first: decoding and encoding it is the cheapest on both sides."""
    codecs = RTCRtpSender.getCapabilities("video").codecs
    preferred = sorted(codecs, key=lambda codec: codec.mimeType not in ("video/H264", "video/rtx"))
    for transceiver in peer.getTransceivers():
        if transceiver.kind == "video":
            transceiver.setCodecPreferences(preferred)
