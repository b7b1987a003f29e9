"""A WebRTC leg opposite to a peer that shares none of its code."""

import pytest

from mcu.media.h264 import packetise
from tests.peers.media_world import JoinedPeer, MediaWorld
from tests.peers.network import BAD
from tests.peers.webrtc_peer import OfferOptions

SPS_PPS_IDR = b"\0\0\0\1\x67" + bytes(range(1, 20)) + b"\0\0\0\1\x68\xce\x3c\x80"


def picture(number: int, size: int, *, key_frame: bool) -> bytes:
    """An access unit of ``size`` bytes that no other number gives."""
    body = (number.to_bytes(4, "big").replace(b"\0", b"\7") + b"\xa5\x5a\x33") * (size // 7 + 1)
    head = SPS_PPS_IDR if key_frame else b""
    return head + b"\0\0\0\1" + (b"\x65" if key_frame else b"\x41") + body[:size]


def test_connects_and_prefers_gcm() -> None:
    world = MediaWorld()
    joined = world.connect()
    assert joined.recorder.events == ["connected"]
    assert joined.peer.profile == "AEAD_AES_128_GCM"
    assert joined.leg is not None
    assert joined.leg.state == "connected"
    assert joined.leg.statistics(world.time.now).srtp_profile == "AEAD_AES_128_GCM"


def send_audio(world: MediaWorld, joined: JoinedPeer, packets: int) -> None:
    for number in range(packets):
        joined.peer.send_media(
            "audio", b"opus" + number.to_bytes(2, "big"), number * 960, level=(True, 30)
        )
        world.run(0.02)


def send_video(world: MediaWorld, joined: JoinedPeer, frames: int) -> list[bytes]:
    sent = []
    for number in range(frames):
        data = picture(number, 6000 if number % 25 == 0 else 2500, key_frame=number % 25 == 0)
        sent.append(data)
        payloads = packetise(data)
        for payload in payloads:
            joined.peer.send_media("video", payload, number * 3600, marker=payload is payloads[-1])
        world.run(0.04)
    return sent


@pytest.mark.parametrize("rtx", [True, False])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_receives_over_a_bad_line(rtx: bool, seed: int) -> None:
    world = MediaWorld(seed)
    joined = world.connect(OfferOptions(rtx=rtx), BAD)
    send_audio(world, joined, 100)
    sent = send_video(world, joined, 100)
    world.run(2.0)
    audio = joined.recorder.audio
    assert len(audio) >= 85
    assert len({one.sequence for one in audio}) == len(audio)
    assert all(one.level_dbov == -30 and one.voice for one in audio)
    frames = joined.recorder.frames["video"]
    assert [one.timestamp for one in frames] == sorted(one.timestamp for one in frames)
    delivered = {one.data for one in frames}
    assert delivered <= set(sent)
    # Nothing tells a receiver of a packet lost before the first one or after the last one.
    assert set(sent) - delivered <= {sent[0], sent[-1]}
    if sent[0] in delivered:
        assert all(one.contiguous for one in frames)
    else:
        assert joined.peer.plis > 0
    assert joined.leg is not None
    reading = joined.leg.statistics(world.time.now).received["video"]
    assert reading.nacks > 0
    assert (reading.retransmissions > 0) == rtx


@pytest.mark.parametrize("rtx", [True, False])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sends_over_a_bad_line(rtx: bool, seed: int) -> None:
    world = MediaWorld(seed)
    joined = world.connect(OfferOptions(rtx=rtx), BAD)
    leg = joined.leg
    assert leg is not None
    video = world.rendition("video", "h264", 90000)
    leg.play("video", video)
    sent = []
    for number in range(100):
        data = picture(number, 30000 if number % 25 == 0 else 3000, key_frame=number % 25 == 0)
        sent.append(data)
        video.append(data, number * 3600, key_frame=number % 25 == 0, now=world.time.now)
        world.run(0.04)
    world.run(2.0)
    ssrc = leg.negotiated.media[1].local_ssrc
    assert ssrc is not None
    stream = joined.peer.received[ssrc]
    assert (stream.by_rtx > 0) == rtx
    assert len(stream.frames()) == 100
    if not rtx:
        repeated = [copies for copies in joined.peer.datagrams.values() if len(copies) > 1]
        assert repeated
        assert all(len(set(copies)) == 1 for copies in repeated)
