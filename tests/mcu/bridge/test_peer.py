"""The bridge's connection against another aiortc peer, over loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaBlackhole

from mcu.bridge import peer as peer_module
from mcu.bridge.peer import Peer
from mcu.bridge.sound import tone
from mcu.bridge.tracks import MicrophoneTrack, TestCamera


@asynccontextmanager
async def room() -> AsyncIterator[Peer]:
    now = asyncio.get_running_loop().time()
    peer = Peer(MicrophoneTrack(tone(440.0), now), TestCamera("Xã Vạn Ninh", now))
    try:
        yield peer
    finally:
        await peer.close()


@asynccontextmanager
async def mcu(offer: str) -> AsyncIterator[tuple[str, RTCPeerConnection]]:
    """An answer to the offer, and who gave it."""
    other = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    sink = MediaBlackhole()
    other.on("track", sink.addTrack)
    try:
        await other.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await other.setLocalDescription(await other.createAnswer())
        await sink.start()
        yield other.localDescription.sdp, other
    finally:
        await sink.stop()
        await other.close()


async def test_it_connects_and_sees_the_other_side_close() -> None:
    async with room() as peer, mcu(await peer.offer()) as (answer, other):
        connected = asyncio.Event()
        other.on("connectionstatechange", connected.set)
        await peer.connect(answer)
        while other.connectionState != "connected":
            connected.clear()
            await connected.wait()
        ended = asyncio.create_task(peer.ended())
        await asyncio.sleep(0)
        assert not ended.done()
        await other.close()
        await ended


async def test_h264_is_offered_first() -> None:
    async with room() as peer:
        offer = await peer.offer()
    video = offer[offer.index("m=video") :]
    first = video.split("\r\n")[0].split()[3]
    assert f"a=rtpmap:{first} H264/90000" in video
    assert "VP8/90000" in video


@pytest.mark.parametrize("answer", ["", "words", "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"])
async def test_an_unusable_answer_is_a_broken_connection(answer: str) -> None:
    async with room() as peer:
        await peer.offer()
        with pytest.raises(ConnectionError, match="cannot be used"):
            await peer.connect(answer)


async def test_a_handshake_that_comes_to_nothing_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(peer_module, "CONNECT_TIMEOUT_S", 0.05)
    async with room() as peer, mcu(await peer.offer()) as (answer, other):
        await other.close()
        with pytest.raises((TimeoutError, ConnectionError)):
            await peer.connect(answer)
