"""A leg opposite to a real aiortc peer connection over loopback UDP."""

import aioice.ice
import pytest
from aiortc import (
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack, VideoStreamTrack

from tests.peers.real_port import RealPort


@pytest.mark.parametrize("codec", ["video/H264", "video/VP8"])
async def test_both_directions(monkeypatch: pytest.MonkeyPatch, codec: str) -> None:
    # aioice leaves loopback out by itself.
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    async with RealPort() as real:
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        try:
            tracks: list[MediaStreamTrack] = []
            connection.on("track", tracks.append)
            connection.addTrack(AudioStreamTrack())
            connection.addTrack(VideoStreamTrack())
            video = RTCRtpSender.getCapabilities("video").codecs
            connection.getTransceivers()[1].setCodecPreferences(
                [one for one in video if one.mimeType in (codec, "video/rtx")]
            )
            await connection.setLocalDescription(await connection.createOffer())
            leg = real.accept(connection.localDescription.sdp)
            real.play(leg)
            await connection.setRemoteDescription(RTCSessionDescription(leg.answer_sdp, "answer"))
            await real.until(lambda: "connected" in real.recorder.events)
            assert [track.kind for track in tracks] == ["audio", "video"]
            for track in tracks:
                await track.recv()
            picture = await tracks[1].recv()
            assert (picture.width, picture.height) == (640, 360)
            await real.until(lambda: len(real.recorder.audio) > 50)
            await real.until(lambda: len(real.recorder.frames.get("video", [])) > 20)
            assert all(frame.contiguous for frame in real.recorder.frames["video"])
            reading = leg.statistics(0.0)
            assert reading.sent["video"].frames > 0
            assert reading.dropped == {}
        finally:
            await connection.close()
        await real.until(lambda: "left:bye" in real.recorder.events)
        assert real.port.endpoints == 0
        assert real.port.addresses == 0
