"""One RTP session of a SIP leg: RTCP, hold, other codecs."""

import gc
from dataclasses import replace
from itertools import pairwise

import pytest
from aiortc.rtp import (
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSrPacket,
    unpack_remb_fci,
)

from mcu.media.h264 import packetise
from mcu.media.send import SendStream
from tests.peers.sip_media import (
    AUDIO,
    VIDEO,
    SipWorld,
    empty_report,
    more_audio,
    picture,
    play_audio,
    send_audio,
    send_video,
    with_direction,
)


def test_reports_are_compound_and_say_who_we_are() -> None:
    world = SipWorld()
    room = world.connect()
    send_audio(world, room, 20)
    play_audio(world, room, 20)
    world.run(8.0)
    senders = [one for one in room.reports if isinstance(one, RtcpSrPacket)]
    names = [one for one in room.reports if isinstance(one, RtcpSdesPacket)]
    assert senders
    assert len(names) == len(senders)
    assert senders[0].ssrc == room.agreed.flows[0].ssrc
    assert senders[-1].reports[0].ssrc == room.streams["audio"].ssrc
    assert senders[-1].sender_info.packet_count == 20


def test_hold_pauses_what_we_send_and_keeps_the_leg() -> None:
    world = SipWorld()
    room = world.connect()
    send_audio(world, room, 10)
    rendition = play_audio(world, room, 10)
    codec = dict(room.leg.outputs)
    assert not room.leg.statistics(world.time.now).on_hold
    world.reinvite(room, with_direction("inactive"))
    assert room.leg.statistics(world.time.now).on_hold
    more_audio(world, rendition, 500, 10)
    world.run(20.0)
    assert len(room.received("audio")) == 10
    assert room.leg.state == "connected"
    assert room.leg.outputs == codec
    assert room.recorder.events == ["connected"]
    assert any(isinstance(one, RtcpSrPacket | RtcpRrPacket) for one in room.reports[-4:])
    world.reinvite(room, with_direction("sendrecv"))
    assert not room.leg.statistics(world.time.now).on_hold
    send_audio(world, room, 10, 2000)
    more_audio(world, rendition, 10, 510)
    world.run(0.1)
    got = room.received("audio")
    assert len(got) == 20
    assert (got[10].sequence_number - got[9].sequence_number) & 0xFFFF == 1
    assert got[10].ssrc == got[9].ssrc
    waited = (got[10].timestamp - got[9].timestamp) & 0xFFFFFFFF
    assert waited / 8000 == pytest.approx(500 * 0.02 + 20.0 + 0.2, abs=0.5)
    assert len(room.recorder.audio) == 20


def test_hold_by_an_address_of_zeros() -> None:
    world = SipWorld()
    room = world.connect()
    send_audio(world, room, 10)
    rendition = play_audio(world, room, 10)
    room.announced_host = "0.0.0.0"
    world.reinvite(room)
    more_audio(world, rendition, 10, 10)
    assert len(room.received("audio")) == 10
    room.announced_host = room.host
    world.reinvite(room)
    more_audio(world, rendition, 10, 20)
    world.run(0.1)
    assert len(room.received("audio")) == 20


def test_another_codec_by_a_new_offer_goes_on_under_the_same_numbers() -> None:
    world = SipWorld()
    room = world.connect(suite="AES_CM_128_HMAC_SHA1_80")
    send_audio(world, room, 10)
    play_audio(world, room, 10)
    world.reinvite(room, lambda one: replace(one, codecs=((0, "PCMU/8000", ""),)))
    assert room.leg.outputs["audio"].name == "pcmu"
    assert room.leg.sources["audio"].name == "pcmu"
    assert room.recorder.events == ["connected", "renegotiated"]
    room.leg.listen(room.recorder.heard)
    send_audio(world, room, 10, 10)
    play_audio(world, room, 10)
    world.run(0.1)
    got = room.received("audio")
    assert [one.payload_type for one in got] == [9] * 10 + [0] * 10
    assert (got[10].sequence_number - got[9].sequence_number) & 0xFFFF == 1
    assert len(room.recorder.audio) == 20
    assert room.leg.statistics(0).received["audio"].packets == 20
    assert room.leg.statistics(0).sent["audio"].packets == 20


def test_key_frames_are_asked_for_by_what_was_agreed() -> None:
    world = SipWorld()
    fir = replace(VIDEO, lines=("rtcp-fb:* ccm fir",))
    none = replace(VIDEO, lines=())
    for section, kind in ((VIDEO, RTCP_PSFB_PLI), (fir, RTCP_PSFB_FIR), (none, None)):
        room = world.connect(AUDIO, section)
        for _ in range(60):
            room.send("video", b"\x41" + bytes(300), 0, marker=True)
            world.run(0.1)
        kinds = {one.fmt for one in room.reports if isinstance(one, RtcpPsfbPacket)}
        assert kinds == ({kind} if kind is not None else set())
        assert (room.asked_by_info > 0) == (kind is None)
        assert room.asked_by_info <= 4
        room.leg.close("ended", world.time.now)
        world.rooms.clear()


def test_lost_packets_are_asked_for_again_where_that_was_agreed() -> None:
    world = SipWorld()
    room = world.connect(AUDIO, replace(VIDEO, lines=(*VIDEO.lines, "rtcp-fb:* nack")))
    for number in range(10):
        if number == 5:
            room.streams["video"].sequence += 1
        room.send("video", b"\x41" + bytes(300), number * 3600, marker=True)
        world.run(0.04)
    world.run(0.3)
    nacks = [one for one in room.reports if isinstance(one, RtcpRtpfbPacket)]
    assert nacks
    assert nacks[0].lost == [(room.streams["video"].sequence - 6) & 0xFFFF]
    rendition = world.rendition("video", "h264", 90_000)
    room.leg.play("video", rendition)
    rendition.append(picture(1, 5000, key_frame=True), 0, key_frame=True, now=world.time.now)
    world.run(0.1)
    first = room.received("video")[0]
    room.send_rtcp(
        "video",
        [
            empty_report(room.streams["video"].ssrc),
            RtcpRtpfbPacket(1, room.streams["video"].ssrc, first.ssrc, [first.sequence_number]),
        ],
    )
    world.run(0.1)
    again = [one for one in room.received("video") if one.sequence_number == first.sequence_number]
    assert [one.payload for one in again] == [first.payload, first.payload]


def test_a_rate_is_told_where_remb_was_agreed() -> None:
    world = SipWorld()
    room = world.connect(AUDIO, replace(VIDEO, lines=("rtcp-fb:* goog-remb",)))
    send_video(world, room, 2)
    room.leg.limit_bitrate(300_000)
    world.run(0.2)
    rembs = [one for one in room.reports if isinstance(one, RtcpPsfbPacket)]
    assert [unpack_remb_fci(one.fci)[0] for one in rembs if one.fmt == 15] == [300_000]


def test_a_peer_goes_over_to_another_codec_that_was_agreed() -> None:
    world = SipWorld()
    room = world.connect(replace(AUDIO, codecs=((9, "G722/8000", ""), (8, "PCMA/8000", ""))))
    flow = room.agreed.flows[0]
    alaw = replace(next(iter(flow.media.receive_codecs.values())), name="pcma", payload_type=8)
    codecs = {**flow.media.receive_codecs, 8: alaw}
    both = replace(flow, media=replace(flow.media, receive_codecs=codecs))
    room.leg.update(replace(room.agreed, flows=(both,)), world.time.now)
    send_audio(world, room, 5)
    assert room.leg.sources["audio"].name == "g722"
    assert room.recorder.events == ["connected"]
    for number in range(5, 10):
        room.send("audio", bytes(160), number * 160, payload_type=8)
        world.run(0.02)
    assert room.leg.sources["audio"].name == "pcma"
    assert room.recorder.events == ["connected", "renegotiated"]
    room.leg.listen(room.recorder.heard)
    assert len(room.recorder.audio) == 10
    assert room.leg.statistics(0).received["audio"].packets == 10


def test_many_new_offers_leave_nothing_behind() -> None:
    world = SipWorld()
    room = world.connect()
    send_audio(world, room, 5)
    for number in range(20):
        codec = ((9, "G722/8000", ""),) if number % 2 else ((0, "PCMU/8000", ""),)
        world.reinvite(room, lambda one: replace(one, codecs=codec))  # noqa: B023
        play_audio(world, room, 3)
    gc.collect()
    streams = [one for one in gc.get_objects() if isinstance(one, SendStream)]
    assert len([one for one in streams if one.form.ssrc == room.agreed.flows[0].ssrc]) == 1
    got = room.received("audio")
    assert len(got) == 60
    steps = [(two.sequence_number - one.sequence_number) & 0xFFFF for one, two in pairwise(got)]
    assert set(steps) == {1}
    assert len(world.open_ports) == 2


def test_vp8_and_a_presentation() -> None:
    world = SipWorld()
    vp8 = replace(VIDEO, codecs=((100, "VP8/90000", ""),))
    slides = replace(VIDEO, port=42_000, lines=(*VIDEO.lines, "content:slides"))
    room = world.connect(AUDIO, vp8, slides)
    assert set(room.leg.sources) == {"audio", "video", "presentation"}
    assert room.leg.sources["video"].name == "vp8"
    assert room.leg.outputs["presentation"].name == "h264"
    data = picture(1, 2500, key_frame=True)
    for payload in (payloads := packetise(data)):
        room.send("presentation", payload, 3600, marker=payload is payloads[-1])
    frame = b"\x10\x02\x00\x9d\x01\x2a\x40\x01\xb4\x00" + bytes(800)
    room.send("video", b"\x10" + frame, 3600, marker=True)
    world.run(0.3)
    assert [one.data for one in room.recorder.frames["presentation"]] == [data]
    assert [one.data for one in room.recorder.frames["video"]] == [frame]
    rendition = world.rendition("video", "vp8", 90_000)
    room.leg.play("video", rendition)
    rendition.append(frame, 0, key_frame=True, now=world.time.now)
    world.run(0.1)
    assert b"".join(one.payload[1:] for one in room.received("video")) == frame
