"""A SIP leg opposite to a room that shares none of its code."""

from dataclasses import replace

import pytest
from aiortc.rtp import RtcpByePacket

from mcu.media.h264 import packetise
from tests.peers.network import BAD
from tests.peers.sip_media import (
    AUDIO,
    VIDEO,
    SipWorld,
    picture,
    play_audio,
    send_audio,
    send_video,
)


def test_plain_audio_goes_both_ways() -> None:
    world = SipWorld()
    room = world.connect()
    assert room.recorder.events == ["connected"]
    send_audio(world, room, 50)
    assert len(room.recorder.audio) == 50
    assert room.recorder.audio[7].payload == (7).to_bytes(2, "big") * 80
    play_audio(world, room, 50)
    world.run(0.1)
    got = room.received("audio")
    assert len(got) == 50
    assert {one.payload_type for one in got} == {9}
    assert {one.ssrc for one in got} == {room.agreed.flows[0].ssrc}
    assert got[0].payload[:3] == b"000"
    reading = room.leg.statistics(world.time.now)
    assert reading.received["audio"].packets == 50
    assert reading.sent["audio"].packets == 50
    assert reading.remote_address == "198.51.100.7:40000"
    assert reading.srtp_profile is None


def test_says_goodbye_and_frees_its_ports() -> None:
    world = SipWorld()
    room = world.connect(AUDIO, VIDEO)
    assert len(world.open_ports) == 4
    room.leg.close("disconnected", world.time.now)
    room.leg.close("disconnected", world.time.now)
    world.run(0.1)
    assert any(isinstance(one, RtcpByePacket) for one in room.reports)
    assert room.recorder.events == ["connected", "left:disconnected"]
    assert not world.open_ports
    assert not world.ports.receivers
    assert not world.acceptor.legs


def test_silence_is_lost_and_comes_back_and_never_leaves() -> None:
    world = SipWorld()
    room = world.connect()
    send_audio(world, room, 10)
    world.run(3.0)
    assert 2.9 < room.leg.unheard_s(world.time.now) < 3.3
    world.run(3.0)
    assert room.recorder.events == ["connected", "lost"]
    world.run(120.0)
    assert room.leg.state == "lost"
    play_audio(world, room, 5)
    assert not room.received("audio")
    room.report("audio", world.time.now)
    world.run(0.1)
    assert room.recorder.events == ["connected", "lost", "returned"]
    play_audio(world, room, 5)
    assert len(room.received("audio")) >= 5


def test_video_is_added_and_removed() -> None:
    world = SipWorld()
    room = world.connect()
    send_audio(world, room, 5)
    room.sections.append(VIDEO)
    world.reinvite(room)
    assert set(room.leg.sources) == {"audio", "video"}
    assert room.recorder.events == ["connected", "renegotiated"]
    room.leg.want_source("video", True)
    assert len(send_video(world, room, 30)) == 30
    world.run(0.5)
    assert len(room.recorder.frames["video"]) == 30
    send_audio(world, room, 5, 100)
    assert len(room.recorder.audio) == 10
    world.reinvite(room, lambda one: replace(one, port=0) if one.kind == "video" else one)
    assert set(room.leg.sources) == {"audio"}
    assert len(world.open_ports) == 2
    assert room.recorder.events[-1] == "renegotiated"


@pytest.mark.parametrize("suite", [None, "AEAD_AES_128_GCM"])
@pytest.mark.parametrize("seed", [1, 2])
def test_two_minutes_of_a_bad_line(suite: str | None, seed: int) -> None:
    world = SipWorld(seed)
    room = world.connect(AUDIO, VIDEO, suite=suite, faults=BAD)
    audio = world.rendition("audio", "g722", 8000)
    video = world.rendition("video", "h264", 90000)
    room.leg.play("audio", audio)
    room.leg.play("video", video)
    sent: set[bytes] = set()
    for number in range(3000):
        now = world.time.now
        key = number % 50 == 0 or bool(world.key_frame_requests)
        if number % 2 == 0:
            room.send("audio", number.to_bytes(2, "big") * 80, number * 320)
            room.send("audio", bytes(160), number * 320 + 160)
            audio.append(bytes(160), number * 320, key_frame=True, now=now)
        data = picture(number, 6000 if key else 2500, key_frame=key)
        world.key_frame_requests.clear()
        sent.add(data)
        for payload in (payloads := packetise(data)):
            room.send("video", payload, number * 3600, marker=payload is payloads[-1])
        video.append(data, number * 3600, key_frame=key, now=now)
        if number % 100 == 0:
            room.report("audio", now)
        world.run(0.04)
    world.run(1.0)
    assert "lost" not in room.recorder.events
    assert len(room.recorder.audio) > 0.9 * 3000
    assert len(room.received("audio")) > 0.9 * 1500
    frames = room.recorder.frames["video"]
    # 5% of packets are lost and none comes again: a picture of 3 packets survives seven times of
    # eight, and each loss asks for a key frame.
    assert len(frames) > 0.6 * 3000
    assert {one.data for one in frames} <= sent
    assert room.plis > 10
    # Duplicates, and pictures whose middle was lost.
    assert set(room.leg.statistics(0).dropped) <= {"srtp_replay", "srtcp_replay", "picture"}


def test_a_peer_asks_for_a_key_frame_by_signalling() -> None:
    world = SipWorld()
    room = world.connect(AUDIO, VIDEO)
    video = world.rendition("video", "h264", 90000)
    room.leg.play("video", video)
    world.key_frame_requests.clear()
    room.leg.picture_requested(world.time.now)
    assert len(world.key_frame_requests) == 1


def test_a_flow_without_a_port_changes_nothing() -> None:
    world = SipWorld()
    room = world.connect()
    flow = replace(room.agreed.flows[0], local_port=29_998)
    with pytest.raises(KeyError, match="29998"):
        room.leg.update(replace(room.agreed, flows=(flow,)), world.time.now)
    send_audio(world, room, 3)
    assert len(room.recorder.audio) == 3


def test_a_room_that_only_reports_is_not_lost_between_reports() -> None:
    world = SipWorld()
    room = world.connect()
    send_audio(world, room, 10)
    world.run(3.0)
    for _ in range(4):
        room.report("audio", world.time.now)
        world.run(7.0)
        assert room.leg.unheard_s(world.time.now) == 0.0, "it may be silent for as long"
    assert room.recorder.events == ["connected"]
    world.run(9.0)
    assert room.recorder.events == ["connected", "lost"]
    send_audio(world, room, 10, 3000)
    world.run(5.5)
    assert room.recorder.events[2:] == ["returned", "lost"]


def test_comfort_noise_once_is_enough_for_a_while() -> None:
    world = SipWorld()
    room = world.connect()
    send_audio(world, room, 10)
    room.send("audio", bytes((60,)), 1600, payload_type=13)
    world.run(14.0)
    assert room.recorder.events == ["connected"]
    world.run(2.0)
    assert room.recorder.events == ["connected", "lost"]
