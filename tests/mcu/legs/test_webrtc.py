"""A WebRTC leg opposite to a peer that shares none of its code."""

import pytest
from aiortc.rtp import RtcpRrPacket, RtcpSdesPacket, RtcpSrPacket, RtpPacket

from mcu.legs.leg import Leg, LegKind
from mcu.legs.liveness import CONSENT_S
from mcu.legs.webrtc import WebRtcLeg
from mcu.media.h264 import packetise
from mcu.media.rendition import Rendition
from signalling.sdp import SdpError
from signalling.webrtc.dtls import DtlsCertificate
from tests.peers.media_world import JoinedPeer, MediaWorld
from tests.peers.network import BAD, CLEAN, Faults
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


def test_takes_the_client_part_when_the_peer_is_passive() -> None:
    world = MediaWorld()
    joined = world.connect(OfferOptions(setup="passive"))
    assert joined.recorder.events == ["connected"]
    send_audio(world, joined, 3)
    assert len(joined.recorder.audio) == 3


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


def leg_of(joined: JoinedPeer) -> WebRtcLeg:
    assert joined.leg is not None
    return joined.leg


def local_ssrc(joined: JoinedPeer, stream: str) -> int:
    media = next(one for one in leg_of(joined).negotiated.media if one.stream == stream)
    assert media.local_ssrc is not None
    return media.local_ssrc


def play_video(world: MediaWorld, joined: JoinedPeer, frames: int = 1) -> Rendition:
    rendition = world.rendition("video", "h264", 90000)
    leg_of(joined).play("video", rendition)
    for number in range(frames):
        data = picture(number, 3000, key_frame=number == 0)
        rendition.append(data, number * 3600, key_frame=number == 0, now=world.time.now)
        world.run(0.04)
    return rendition


# Repetition


def test_plain_repetition_is_identical_long_after() -> None:
    world = MediaWorld()
    joined = world.connect(OfferOptions(rtx=False))
    play_video(world, joined)
    ssrc = local_ssrc(joined, "video")
    first = joined.peer.received[ssrc].in_order()[1]
    assert first.extensions.abs_send_time is not None
    world.run(3.0)
    joined.peer.send_nack(ssrc, [first.sequence_number])
    world.run(0.1)
    copies = joined.peer.datagrams[ssrc, first.sequence_number]
    assert len(copies) == 2
    assert copies[0] == copies[1]
    reading = leg_of(joined).statistics(world.time.now).sent["video"]
    assert (reading.nacks, reading.retransmissions) == (1, 1)


def test_a_packet_the_socket_refused_comes_by_nack() -> None:
    world = MediaWorld()
    joined = world.connect()
    rendition = play_video(world, joined)
    world.refuse_sends = 1
    data = picture(1, 3000, key_frame=False)
    rendition.append(data, 3600, key_frame=False, now=world.time.now)
    world.run(0.5)
    assert len(joined.peer.received[local_ssrc(joined, "video")].frames()) == 2
    assert leg_of(joined).statistics(world.time.now).dropped == {"send": 1}


# Key frames and bit rate


def test_pli_and_fir_reach_the_rendition() -> None:
    world = MediaWorld()
    joined = world.connect()
    play_video(world, joined)
    ssrc = local_ssrc(joined, "video")
    world.key_frame_requests.clear()
    joined.peer.send_pli(ssrc)
    world.run(0.1)
    assert len(world.key_frame_requests) == 1
    for number in (1, 1, 2):
        joined.peer.send_fir(ssrc, number)
        world.run(0.1)
    assert len(world.key_frame_requests) == 3
    joined.peer.send_pli(12345)
    world.run(0.1)
    assert len(world.key_frame_requests) == 3
    assert leg_of(joined).statistics(world.time.now).sent["video"].plis == 3


def test_key_frames_are_asked_for_at_most_every_500_ms() -> None:
    world = MediaWorld()
    joined = world.connect()
    send_video(world, joined, 1)
    for _ in range(100):
        leg_of(joined).request_key_frame("video")
        world.run(0.01)
    assert 2 <= joined.peer.plis <= 3
    leg_of(joined).request_key_frame("audio")
    leg_of(joined).request_key_frame("presentation")


def test_a_key_frame_ends_the_asking() -> None:
    world = MediaWorld()
    joined = world.connect()
    send_video(world, joined, 1)
    leg_of(joined).request_key_frame("video")
    send_video(world, joined, 1)
    world.run(2.0)
    assert joined.peer.plis == 1


def test_bit_rate_is_limited_and_the_limit_lifted() -> None:
    world = MediaWorld()
    joined = world.connect()
    send_video(world, joined, 1)
    leg = leg_of(joined)
    leg.limit_bitrate(300_000)
    world.run(0.1)
    assert joined.peer.remb_bps == pytest.approx(300_000, rel=0.01)
    joined.peer.remb_bps = None
    world.run(1.5)
    assert joined.peer.remb_bps == pytest.approx(300_000, rel=0.01)
    leg.limit_bitrate(None)
    world.run(0.1)
    assert (joined.peer.remb_bps or 0) > 100_000_000
    joined.peer.send_remb(800_000, [1])
    world.run(0.1)
    assert leg.statistics(world.time.now).remb_bps == pytest.approx(800_000, rel=0.01)


# Reports


def test_reports_carry_one_name_and_one_clock() -> None:
    world = MediaWorld()
    joined = world.connect()
    leg = leg_of(joined)
    video, audio = world.rendition("video", "h264", 90000), world.rendition("audio", "opus", 48000)
    leg.play("video", video)
    leg.play("audio", audio)
    sent_at: dict[int, float] = {}
    for number in range(100):
        audio.append(b"opus", number * 960, key_frame=True, now=world.time.now)
        if number % 2 == 0:
            data = picture(number, 500, key_frame=number == 0)
            video.append(data, number * 1800, key_frame=number == 0, now=world.time.now)
        sent_at[number] = world.time.now
        world.run(0.02)
    reports = [one for one in joined.peer.rtcp if isinstance(one, RtcpSrPacket)]
    names = {
        (chunk.ssrc, value)
        for one in joined.peer.rtcp
        if isinstance(one, RtcpSdesPacket)
        for chunk in one.chunks
        for _, value in chunk.items
    }
    assert {ssrc for ssrc, _ in names} == {local_ssrc(joined, one) for one in ("audio", "video")}
    assert len({name for _, name in names}) == 1
    for stream, rate, step in (("audio", 48000, 0.02), ("video", 90000, 0.04)):
        ssrc = local_ssrc(joined, stream)
        packets = joined.peer.received[ssrc].in_order()
        stamps = list(dict.fromkeys(packet.timestamp for packet in packets))
        for report in (one for one in reports if one.ssrc == ssrc):
            # A receiver's arithmetic: when, by the sender's clock, was each packet captured?
            ntp = report.sender_info.ntp_timestamp / 2**32
            for index, stamp in enumerate(stamps):
                ahead = (stamp - report.sender_info.rtp_timestamp) & 0xFFFFFFFF
                ahead -= 2**32 if ahead >= 2**31 else 0
                captured = ntp + ahead / rate
                true = world.ntp.ntp(sent_at[0] + index * step) / 2**32
                assert captured == pytest.approx(true, abs=0.002)
    assert len([one for one in reports if one.ssrc == local_ssrc(joined, "video")]) >= 1


def test_round_trip_and_losses_are_read_from_reports() -> None:
    world = MediaWorld()
    joined = world.connect(faults=Faults(delay=0.05))
    play_video(world, joined, 40)
    joined.peer.received[local_ssrc(joined, "video")].direct -= 1
    send_audio(world, joined, 1)
    reported_at = world.time.now
    joined.peer.send_report("audio", world.ntp.ntp(reported_at), 0, reported_at)
    world.run(2.0)
    reading = leg_of(joined).statistics(world.time.now)
    assert reading.sent["video"].round_trip_ms == pytest.approx(100, abs=1)
    assert reading.sent["video"].packets_lost == 1
    blocks = [
        block
        for one in joined.peer.rtcp
        if isinstance(one, RtcpSrPacket | RtcpRrPacket)
        for block in one.reports
    ]
    assert blocks[-1].ssrc == joined.peer.sent["audio"].ssrc
    assert blocks[-1].lsr == world.ntp.middle(reported_at)
    assert 0 < blocks[-1].dlsr < 2 * 65536


def test_bit_rates_are_measured() -> None:
    world = MediaWorld()
    joined = world.connect()
    send_video(world, joined, 100)
    reading = leg_of(joined).statistics(world.time.now).received["video"]
    assert reading.bitrate_bps == pytest.approx(2500 * 25 * 8, rel=0.15)
    assert (reading.frames, reading.key_frames) == (100, 4)


# Sources


@pytest.mark.parametrize(
    ("mid", "announced"), [(True, True), (True, False), (False, True), (False, False)]
)
def test_sources_are_told_apart(mid: bool, announced: bool) -> None:
    world = MediaWorld()
    options = OfferOptions(presentation=True, mid=mid, announce_ssrcs=announced)
    joined = world.connect(options)
    assert set(leg_of(joined).sources) == {"audio", "video", "presentation"}
    send_audio(world, joined, 3)
    for name in ("video", "presentation"):
        for payload in (payloads := packetise(picture(1, 2000, key_frame=True))):
            joined.peer.send_media(name, payload, 0, marker=payload is payloads[-1])
    world.run(0.5)
    assert len(joined.recorder.audio) == 3
    assert {name: len(frames) for name, frames in joined.recorder.frames.items()} == {
        "video": 1,
        "presentation": 1,
    }


def test_unwanted_sources_are_counted_only() -> None:
    world = MediaWorld()
    joined = world.connect(shown=False)
    leg = leg_of(joined)
    joined.up.faults = Faults(loss=0.2)
    send_video(world, joined, 10)
    joined.up.faults = CLEAN
    assert joined.recorder.frames == {}
    assert leg.statistics(world.time.now).received["video"].packets > 20
    # Nobody is to see them: nothing is asked for again, no key frame either.
    assert (joined.peer.plis, joined.peer.nacked) == (0, 0)
    leg.want_source("video", wanted=True)
    world.run(0.1)
    assert joined.peer.plis == 1
    send_video(world, joined, 10)
    assert len(joined.recorder.frames["video"]) == 10
    leg.want_source("video", wanted=False)
    send_video(world, joined, 10)
    assert len(joined.recorder.frames["video"]) == 10


def test_a_flood_of_ssrcs_is_bounded() -> None:
    world = MediaWorld()
    joined = world.connect()
    send_audio(world, joined, 1)
    stream = joined.peer.sent["audio"]
    known = stream.ssrc
    for number in range(100):
        stream.ssrc = 5000 + number
        joined.peer.send_media("audio", b"opus", 0)
    world.run(0.1)
    stream.ssrc = known
    send_audio(world, joined, 10)
    assert len(joined.recorder.audio) == 11
    assert leg_of(joined).statistics(world.time.now).dropped["second_ssrc"] == 100


def test_a_new_ssrc_takes_over_when_the_old_one_is_silent() -> None:
    world = MediaWorld()
    joined = world.connect()
    for ssrc in range(600, 640):
        joined.peer.sent["audio"].ssrc = ssrc
        send_audio(world, joined, 2)
        world.run(0.3)
    sequences = [packet.sequence for packet in joined.recorder.audio]
    assert len(sequences) == 80
    assert sequences == sorted(set(sequences))


# Life


def test_lost_returned_and_left() -> None:
    world = MediaWorld(left_after_s=10.0)
    joined = world.connect()
    world.run(20.0)
    assert joined.recorder.events == ["connected"]
    cut_at = world.time.now
    assert leg_of(joined).unheard_s(cut_at) < 3.0
    joined.up.cut = True
    world.run(4.0)
    assert 4.0 <= leg_of(joined).unheard_s(world.time.now) < 7.0
    world.run(2.0)
    assert joined.recorder.events == ["connected", "lost"]
    # The last check came at most one check interval before the line was cut.
    assert cut_at + 2.4 <= joined.recorder.times["lost"] <= cut_at + 5.05
    joined.up.cut = False
    world.run(3.0)
    assert joined.recorder.events == ["connected", "lost", "returned"]
    joined.up.cut = True
    world.run(16.0)
    assert joined.recorder.events == ["connected", "lost", "returned", "lost", "left:timeout"]
    assert world.acceptor.legs == {}
    assert (world.port.endpoints, world.port.addresses) == (0, 0)


def test_nothing_is_sent_once_consent_has_expired() -> None:
    world = MediaWorld(left_after_s=600.0)
    joined = world.connect()
    leg = leg_of(joined)
    audio = world.rendition("audio", "opus", 48000)
    leg.play("audio", audio)
    video = play_video(world, joined)
    ssrc = local_ssrc(joined, "audio")

    def speak(seconds: float) -> None:
        for _ in range(round(seconds / 0.02)):
            timestamp = round(world.time.now * 48000)
            audio.append(b"opus", timestamp, key_frame=True, now=world.time.now)
            world.run(0.02)

    send_audio(world, joined, 1)
    world.run(2.0)
    joined.up.cut = True
    cut_at = world.time.now
    speak(CONSENT_S - 3.0)
    before = len(joined.peer.received[ssrc].packets)
    assert before > 50 * (CONSENT_S - 3.5)
    speak(3.1)
    joined.peer.rtcp.clear()
    sent = joined.down.sent
    leg.request_key_frame("video")
    leg.limit_bitrate(100_000)
    speak(10.0)
    leg.play("video", None)
    leg.play("video", video)
    assert joined.down.sent == sent
    assert leg.state == "lost"
    assert leg.due_at > world.time.now  # what cannot be sent is not due again and again
    joined.up.cut = False
    world.run(3.0)
    assert joined.recorder.events == ["connected", "lost", "returned"]
    assert joined.recorder.times["lost"] <= cut_at + 5.05
    speak(1.0)
    assert len(joined.peer.received[ssrc].packets) > before + 40
    assert joined.peer.rtcp
    data = picture(9, 3000, key_frame=True)
    video.append(data, round(world.time.now * 90000), key_frame=True, now=world.time.now)
    world.run(0.1)
    assert len(joined.peer.received[local_ssrc(joined, "video")].frames()) == 2
    joined.up.cut = True
    world.run(CONSENT_S + 0.1)
    sent = joined.down.sent
    leg.close("ended", world.time.now)
    assert joined.down.sent == sent


def test_a_packet_stays_whole_while_its_observer_has_another_leg_send() -> None:
    world = MediaWorld()
    joined, other = world.connect(), world.connect()
    joined.up.cut = True
    world.run(6.0)
    returned = joined.recorder.leg_returned

    def leg_returned(leg: Leg, now: float) -> None:
        returned(leg, now)
        leg_of(other).close("replaced", now)

    joined.recorder.leg_returned = leg_returned  # type: ignore[method-assign]
    joined.up.cut = False
    joined.peer.send_media("audio", b"what was said", 960, level=(True, 30))
    world.run(0.011)
    assert joined.recorder.events == ["connected", "lost", "returned"]
    assert other.recorder.events == ["connected", "left:replaced"]
    (packet,) = joined.recorder.audio
    assert (packet.payload, packet.level_dbov) == (b"what was said", -30)
    world.run(0.1)
    assert other.peer.closed


def test_a_handshake_that_does_not_end_fails() -> None:
    world = MediaWorld()
    joined = world.join()
    joined.up.cut = True
    world.run(14.9)
    assert joined.recorder.events == []
    world.run(0.2)
    assert joined.recorder.events == ["left:failed"]
    assert world.port.endpoints == 0


def test_a_wrong_certificate_fails() -> None:
    world = MediaWorld()
    joined = world.join()
    joined.peer.certificate = DtlsCertificate.generate()
    joined.peer.start(leg_of(joined).answer_sdp, world.time.now)
    world.run(2.0)
    assert joined.recorder.events == ["left:failed"]
    assert world.acceptor.dropped["dtls_fingerprint"] == 1


def test_close_says_goodbye() -> None:
    world = MediaWorld()
    joined = world.connect()
    rendition = play_video(world, joined)
    leg = leg_of(joined)
    leg.close("disconnected", world.time.now)
    leg.close("disconnected", world.time.now)
    world.run(0.1)
    assert joined.recorder.events == ["connected", "left:disconnected"]
    assert local_ssrc(joined, "video") in joined.peer.byes
    assert joined.peer.closed
    assert rendition.subscribers == ()
    leg.play("video", rendition)
    leg.handle_timer(world.time.now + 100)
    leg.request_key_frame("video")
    leg.limit_bitrate(1000)
    assert rendition.subscribers == ()
    assert leg.statistics(world.time.now).sent["video"].frames == 1


def test_the_peers_goodbye_ends_the_leg() -> None:
    world = MediaWorld()
    joined = world.connect()
    joined.peer.close(world.time.now)
    world.run(0.1)
    assert joined.recorder.events == ["connected", "left:bye"]


def test_what_is_played_before_the_handshake_begins_after_it() -> None:
    world = MediaWorld()
    joined = world.join()
    rendition = world.rendition("audio", "opus", 48000)
    leg_of(joined).play("audio", rendition)
    leg_of(joined).play("video", None)
    world.run(1.0)
    rendition.append(b"opus", 0, key_frame=True, now=world.time.now)
    world.run(0.1)
    assert len(joined.peer.received[local_ssrc(joined, "audio")].packets) == 1


@pytest.mark.parametrize(("kind", "receives", "sends"), [("publish", 2, 0), ("view", 0, 2)])
def test_one_way_legs(kind: LegKind, receives: int, sends: int) -> None:
    world = MediaWorld()
    direction = "sendonly" if kind == "publish" else "recvonly"
    joined = world.connect(OfferOptions(direction=direction), kind=kind)
    leg = leg_of(joined)
    assert (len(leg.sources), len(leg.outputs)) == (receives, sends)
    if kind == "publish":
        send_audio(world, joined, 60)
        assert len(joined.recorder.audio) == 60
        reports = [one for one in joined.peer.rtcp if isinstance(one, RtcpRrPacket)]
        assert reports[-1].reports[0].ssrc == joined.peer.sent["audio"].ssrc
    else:
        play_video(world, joined)
        assert len(joined.peer.received[local_ssrc(joined, "video")].frames()) == 1


# Addresses


def test_the_mapped_address_of_an_ipv4_peer_is_unmapped() -> None:
    world = MediaWorld(dual_stack=True)
    joined = world.connect()
    assert leg_of(joined).statistics(world.time.now).remote_address == "198.51.100.7:40001"
    assert joined.peer.mapped == ("198.51.100.7", 40001)
    play_video(world, joined)
    assert len(joined.peer.received[local_ssrc(joined, "video")].frames()) == 1


def test_only_an_authentic_check_moves_the_address() -> None:
    world = MediaWorld()
    joined = world.connect()
    before = joined.address
    rendition = play_video(world, joined)
    joined.move(("203.0.113.9", 555))
    send_audio(world, joined, 3)
    joined.peer.check(world.time.now, pwd="a wrong password of some length")
    world.run(0.1)
    assert joined.recorder.audio == []
    assert leg_of(joined).statistics(world.time.now).remote_address == f"{before[0]}:{before[1]}"
    joined.peer.check(world.time.now, nominate=False)
    send_audio(world, joined, 3)
    assert len(joined.recorder.audio) == 3
    assert leg_of(joined).statistics(world.time.now).remote_address == f"{before[0]}:{before[1]}"
    joined.peer.check(world.time.now)
    world.run(0.1)
    assert leg_of(joined).statistics(world.time.now).remote_address == "203.0.113.9:555"
    rendition.append(picture(1, 500, key_frame=False), 3600, key_frame=False, now=world.time.now)
    world.run(0.1)
    assert len(joined.peer.received[local_ssrc(joined, "video")].frames()) == 2


def test_ice_restart() -> None:
    world = MediaWorld()
    joined = world.connect()
    leg = leg_of(joined)
    before = leg.ice_ufrag
    same = f"a=ice-ufrag:{joined.peer.ufrag}\r\na=ice-pwd:{joined.peer.pwd}\r\n"
    assert leg.restart_ice(same, world.time.now) == ""
    joined.peer.ufrag, joined.peer.pwd = "fresh123", "another-password-of-22+".replace("-", "/")
    fragment = f"a=ice-ufrag:fresh123\r\na=ice-pwd:{joined.peer.pwd}\r\n"
    answer = leg.restart_ice(fragment, world.time.now)
    assert leg.ice_ufrag != before
    values = dict(line.split(":", 1) for line in answer.split("\r\n") if line[:6] == "a=ice-")
    assert values["a=ice-ufrag"] == leg.ice_ufrag
    assert "a=candidate:" in answer
    joined.move(("203.0.113.9", 555))
    joined.peer.restart(values["a=ice-ufrag"], values["a=ice-pwd"], world.time.now)
    world.run(1.0)
    assert leg.statistics(world.time.now).remote_address == "203.0.113.9:555"
    send_audio(world, joined, 3)
    assert len(joined.recorder.audio) == 3
    with pytest.raises(SdpError):
        leg.restart_ice("a=ice-ufrag:x\r\n", world.time.now)


# Bad input


def test_bad_input_is_counted_and_hurts_nobody() -> None:
    world = MediaWorld()
    joined = world.connect()
    send_audio(world, joined, 5)
    datagram = joined.peer.send_media("audio", b"opus", 960 * 5)
    report = joined.peer.send_rtcp(RtcpRrPacket(1))
    world.run(0.1)
    deliver = world.port.datagram_received
    deliver(datagram, joined.address, world.time.now)
    deliver(report, joined.address, world.time.now)
    kept: list[bytes] = []
    joined.peer.send, send = kept.append, joined.peer.send
    joined.peer.send_media("audio", b"opus", 960 * 6)
    joined.peer.send_rtcp(RtcpRrPacket(1))
    joined.peer.send = send
    for real in kept:
        forged = bytearray(real)
        forged[-6] ^= 1
        deliver(bytes(forged), joined.address, world.time.now)
    deliver(datagram[:14], joined.address, world.time.now)
    deliver(b"\x80\x60" + bytes(40), joined.address, world.time.now)
    deliver(datagram, ("203.0.113.1", 1), world.time.now)
    deliver(b"\x16garbage", joined.address, world.time.now)
    deliver(b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12), joined.address, world.time.now)
    joined.peer.send_rtcp(b"\x80\xc8\x00\x01\x00\x00\x00\x01")
    stream = joined.peer.sent["audio"]
    foreign = RtpPacket(99, 0, stream.sequence, 1, stream.ssrc, b"x")
    stream.sequence = (stream.sequence + 1) & 0xFFFF
    joined.peer.send_packet(foreign)
    world.run(0.1)
    dropped = leg_of(joined).statistics(world.time.now).dropped
    assert dropped["srtp_replay"] == 1
    assert dropped["srtcp_replay"] == 1
    assert dropped["srtp_authentication"] >= 2
    assert dropped["srtcp_authentication"] == 1
    assert dropped["rtcp"] == 1
    assert dropped["payload_type"] == 1
    assert dropped["stun_400"] == 1
    assert world.port.dropped["unknown_address"] == 1
    send_audio(world, joined, 5)
    assert len(joined.recorder.audio) == 11
    assert joined.recorder.events == ["connected"]


def test_media_before_the_handshake_is_counted() -> None:
    world = MediaWorld()
    joined = world.join()
    joined.peer.check(world.time.now)
    world.time.run(0.011)
    world.port.datagram_received(b"\x80\x60" + bytes(30), joined.address, world.time.now)
    world.port.datagram_received(b"\x80\xc8" + bytes(30), joined.address, world.time.now)
    assert leg_of(joined).statistics(world.time.now).dropped["not_connected"] == 2


def test_thirty_joins_and_leaves_leave_nothing() -> None:
    world = MediaWorld()
    for _ in range(30):
        joined = world.connect()
        play_video(world, joined)
        leg_of(joined).close("bye", world.time.now)
    assert world.acceptor.legs == {}
    assert (world.port.endpoints, world.port.addresses) == (0, 0)
