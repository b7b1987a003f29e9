import random
from dataclasses import replace

import pytest
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import HeaderExtensionsMap, RtpPacket, unwrap_rtx
from pylibsrtp import Policy, Session

from mcu.media.batch import SendtoBatch
from mcu.media.fan_out import FanOut
from mcu.media.path import SendPath
from mcu.media.payload import MAX_DATAGRAM_SENT_BYTES
from mcu.media.rendition import Rendition, RenditionKey
from mcu.media.repeat import MAX_REPEATS_PER_WINDOW, REPEAT_WINDOW_S
from mcu.media.ring import AUDIO_PACKETS, VIDEO_PACKETS
from mcu.media.rtp import ABS_SEND_TIME_URI, MID_URI, TRANSPORT_NUMBER_URI, abs_send_time
from mcu.media.send import (
    SendFormat,
    SendStream,
)
from mcu.media.srtp import PacketBuffer, SrtpSession
from tests.peers.network import VirtualTime

KEY = bytes(range(28))


class Receiver:
    """Opens what a stream sends; SRTP and RTP are another implementation's."""

    def __init__(
        self,
        *,
        mid: bytes = b"v",
        video: bool = True,
        send_time: bool = True,
        rtx: bool = False,
        numbered: bool = False,
        first_sequence: int = 65530,
    ) -> None:
        self.time = VirtualTime(100.0)
        self.fan_out = FanOut(self.time.schedule)
        self.datagrams: list[bytes] = []
        self.refuse = 0
        self.wanted: list[float] = []
        self.path = SendPath(SendtoBatch(self._sendto))
        self.outbound = SrtpSession(KEY, "AEAD_AES_128_GCM", PacketBuffer(), outbound=True)
        self.path.handle, self.path.address = self.outbound.handle, ("192.0.2.9", 5)
        self.form = SendFormat(
            ssrc=77,
            payload_type=102,
            clock_rate=90000 if video else 48000,
            video=video,
            extensions={3: mid},
            abs_send_time_id=2 if send_time else None,
            number_id=4 if numbered else None,
            rtx_payload_type=103 if rtx else None,
            rtx_ssrc=78 if rtx else None,
        )
        self.stream = SendStream(self.form, self.path, first_sequence, 2**32 - 5000)
        parameters = RTCRtpParameters()
        uris = ((3, MID_URI), (2, ABS_SEND_TIME_URI), (4, TRANSPORT_NUMBER_URI))
        for number, uri in uris:
            parameters.headerExtensions.append(RTCRtpHeaderExtensionParameters(id=number, uri=uri))
        self.extensions = HeaderExtensionsMap()
        self.extensions.configure(parameters)

    def rendition(self, source: str = "main") -> Rendition:
        video = self.form.video
        key = RenditionKey("video" if video else "audio", source, "vp8" if video else "opus")
        return Rendition(key, self.form.clock_rate, self.fan_out, self.wanted.append)

    def append(
        self, rendition: Rendition, timestamp: int, *, key_frame: bool, size: int = 3000
    ) -> None:
        data = b"\x10" + random.Random(timestamp).randbytes(size)
        rendition.append(data, timestamp, key_frame=key_frame, now=self.time.now)
        self.time.run(0.02)

    def packets(self, datagrams: list[bytes] | None = None) -> list[RtpPacket]:
        policy = Policy(KEY, Policy.SSRC_ANY_INBOUND, 0, Policy.SRTP_PROFILE_AEAD_AES_128_GCM)
        session = Session(policy)
        return [
            RtpPacket.parse(session.unprotect(one), self.extensions)
            for one in (self.datagrams if datagrams is None else datagrams)
        ]

    def _sendto(self, datagram: memoryview, address: object) -> None:
        assert address == ("192.0.2.9", 5)
        if self.refuse:
            self.refuse -= 1
            raise BlockingIOError
        self.datagrams.append(bytes(datagram))


def sequences(packets: list[RtpPacket]) -> list[int]:
    return [packet.sequence_number for packet in packets]


def test_header_and_payload_are_right() -> None:
    one = Receiver()
    rendition = one.rendition()
    one.stream.play(rendition, one.time.now)
    one.append(rendition, 1000, key_frame=True)
    one.append(rendition, 4600, key_frame=False)
    packets = one.packets()
    assert sequences(packets) == [(65530 + at) & 0xFFFF for at in range(6)]
    assert [packet.payload for packet in packets] == rendition.ring.payloads[:6]
    assert [packet.marker for packet in packets] == [0, 0, 1] * 2
    assert {packet.ssrc for packet in packets} == {77}
    assert {packet.payload_type for packet in packets} == {102}
    assert (packets[3].timestamp - packets[0].timestamp) & 0xFFFFFFFF == 3600
    assert {packet.extensions.mid for packet in packets} == {"v"}
    assert packets[0].extensions.abs_send_time == abs_send_time(100.0)
    assert packets[3].extensions.abs_send_time == abs_send_time(100.02)
    assert one.stream.packets == 6
    assert one.stream.bytes == sum(len(packet.payload) for packet in packets)
    assert (one.stream.frames, one.stream.key_frames) == (2, 1)


def test_video_waits_for_a_key_frame_and_asks_for_it() -> None:
    one = Receiver()
    rendition = one.rendition()
    one.append(rendition, 0, key_frame=True)
    one.stream.play(rendition, one.time.now)
    assert one.wanted == [one.time.now]
    one.append(rendition, 3600, key_frame=False)
    assert one.datagrams == []
    one.append(rendition, 7200, key_frame=True)
    one.append(rendition, 10800, key_frame=False)
    assert len(one.packets()) == 6
    assert one.stream.frames == 2


def test_audio_goes_on_at_once() -> None:
    one = Receiver(video=False)
    rendition = one.rendition()
    one.append(rendition, 0, key_frame=True, size=80)
    one.stream.play(rendition, one.time.now)
    assert one.wanted == []
    one.append(rendition, 960, key_frame=True, size=80)
    (packet,) = one.packets()
    assert packet.marker == 0


def test_sequence_and_timestamp_go_on_over_a_change() -> None:
    one = Receiver()
    first, second = one.rendition("main"), one.rendition("chair")
    one.stream.play(first, one.time.now)
    one.append(first, 1000, key_frame=True)
    for number in range(5):
        one.append(second, 1000 + number, key_frame=True)
    one.stream.play(second, one.time.now)
    assert first.subscribers == ()
    # A rendition on the same time line keeps the offset: 6 frames of 20 ms later.
    one.append(second, 1000 + 6 * 1800, key_frame=True)
    # One on an unrelated line goes on by the time that passed.
    third = one.rendition("other")
    one.stream.play(third, one.time.now)
    one.append(third, 5, key_frame=True)
    packets = one.packets()
    assert sequences(packets) == [(65530 + at) & 0xFFFF for at in range(9)]
    steps = [
        (packets[after].timestamp - packets[before].timestamp) & 0xFFFFFFFF
        for before, after in ((0, 3), (3, 6))
    ]
    assert steps == [6 * 1800, 1800]


def test_timestamps_never_go_back_over_a_change() -> None:
    one = Receiver(video=False)
    first, second = one.rendition("total"), one.rendition("minus")
    one.stream.play(first, one.time.now)
    one.append(first, 9600, key_frame=True, size=80)
    one.stream.play(second, one.time.now)
    one.append(second, 9600, key_frame=True, size=80)
    before, after = one.packets()
    assert 0 < (after.timestamp - before.timestamp) & 0xFFFFFFFF < 2000


def test_pause_and_play_again() -> None:
    one = Receiver()
    rendition = one.rendition()
    one.stream.play(rendition, one.time.now)
    one.append(rendition, 0, key_frame=True)
    one.stream.play(None, one.time.now)
    one.append(rendition, 1800, key_frame=True)
    assert rendition.subscribers == ()
    one.stream.play(rendition, one.time.now)
    one.append(rendition, 3600, key_frame=True)
    packets = one.packets()
    assert sequences(packets) == [(65530 + at) & 0xFFFF for at in range(6)]
    assert (packets[3].timestamp - packets[0].timestamp) & 0xFFFFFFFF == 3600


def numbers(packets: list[RtpPacket]) -> list[int | None]:
    return [packet.extensions.transport_sequence_number for packet in packets]


def test_packets_of_all_streams_are_numbered_in_the_order_they_leave() -> None:
    one = Receiver(rtx=True, numbered=True)
    one.path.departures.next = 0x10000 - 2
    rendition = one.rendition()
    one.stream.play(rendition, one.time.now)
    one.append(rendition, 0, key_frame=True)
    left = one.time.now
    one.stream.repeat([65531], left)
    other = SendStream(replace(one.form, ssrc=80, rtx_ssrc=81), one.path, 5, 5)
    other.play(rendition, one.time.now)
    one.append(rendition, 3600, key_frame=True)
    packets = one.packets()
    assert numbers(packets) == [65534, 65535, *range(8)]
    assert {packet.ssrc for packet in packets} == {77, 78, 80}
    assert packets[0].extensions.mid == "v"
    assert packets[4].extensions.abs_send_time == abs_send_time(left)
    bursts = [(first, end) for first, end, _, _ in one.path.departures.bursts]
    assert bursts == [(65534, 65537), (65537, 65538), (65538, 65541), (65541, 65544)]
    tag_bytes = 16
    sizes = [len(one) - tag_bytes for one in one.datagrams]
    assert one.path.departures.bursts[0][3] == sum(sizes[:3])


def test_a_probe_is_one_burst_of_the_last_packets() -> None:
    one = Receiver(rtx=True, numbered=True)
    rendition = one.rendition()
    one.stream.play(rendition, one.time.now)
    assert one.stream.probe(5, one.time.now) == 0
    one.append(rendition, 0, key_frame=True)
    assert one.stream.probe(5, one.time.now) == 3
    one.append(rendition, 3600, key_frame=False)
    one.datagrams.clear()
    assert one.stream.probe(5, one.time.now) == 5
    assert numbers(one.packets()) == [9, 10, 11, 12, 13]
    assert one.path.departures.bursts[-1][:2] == (9, 14)
    plain = Receiver(numbered=True)
    rendition = plain.rendition()
    plain.stream.play(rendition, plain.time.now)
    plain.append(rendition, 0, key_frame=True)
    assert plain.stream.probe(5, plain.time.now) == 0


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize("send_time", [True, False])
def test_plain_repetition_is_the_identical_datagram(send_time: bool, numbered: bool) -> None:
    one = Receiver(send_time=send_time, numbered=numbered)
    rendition = one.rendition()
    one.stream.play(rendition, one.time.now)
    for number in range(20):
        one.append(rendition, number * 3600, key_frame=number == 0)
    original = list(one.datagrams)
    one.datagrams.clear()
    one.time.run(3.0)
    asked = [(65530 + at) & 0xFFFF for at in (0, 7, 59)]
    assert one.stream.repeat(asked, one.time.now) == 3
    assert one.datagrams == [original[0], original[7], original[59]]
    assert one.stream.repeated == 3
    assert one.stream.packets == 60


def test_rtx_repeats_under_its_own_numbers() -> None:
    one = Receiver(rtx=True)
    rendition = one.rendition()
    one.stream.play(rendition, one.time.now)
    one.append(rendition, 0, key_frame=True)
    original = one.packets()
    one.time.run(1.0)
    one.datagrams.clear()
    assert one.stream.repeat([65531, 65531], one.time.now) == 2
    repeated = one.packets()
    assert {packet.ssrc for packet in repeated} == {78}
    assert {packet.payload_type for packet in repeated} == {103}
    assert repeated[1].sequence_number == (repeated[0].sequence_number + 1) & 0xFFFF
    unwrapped = unwrap_rtx(repeated[0], 102, 77)
    assert unwrapped.payload == original[1].payload
    assert unwrapped.sequence_number == 65531
    assert unwrapped.timestamp == original[1].timestamp


def test_only_what_was_sent_under_this_rendition_is_repeated() -> None:
    one = Receiver(first_sequence=10)
    first, second = one.rendition("main"), one.rendition("chair")
    one.stream.play(first, one.time.now)
    one.append(first, 0, key_frame=True)
    one.stream.play(second, one.time.now)
    one.append(second, 3600, key_frame=True)
    assert one.stream.repeat([9, 10, 12, 16, 500, 65535], one.time.now) == 0
    assert one.stream.repeat([13, 15], one.time.now) == 2


def test_what_left_the_ring_is_not_repeated() -> None:
    one = Receiver(first_sequence=0)
    rendition = one.rendition()
    one.stream.play(rendition, one.time.now)
    for number in range(VIDEO_PACKETS // 3 + 10):
        one.append(rendition, number * 3600, key_frame=number == 0)
    sent = one.stream.packets
    assert one.stream.repeat([0, sent - VIDEO_PACKETS - 1], one.time.now) == 0
    assert one.stream.repeat([sent - VIDEO_PACKETS + 10], one.time.now) == 1


def test_repetitions_are_bounded() -> None:
    one = Receiver(first_sequence=0)
    rendition = one.rendition()
    one.stream.play(rendition, one.time.now)
    for number in range(100):
        one.append(rendition, number * 3600, key_frame=number == 0)
    every = list(range(300))
    assert one.stream.repeat(every, one.time.now) == MAX_REPEATS_PER_WINDOW
    assert one.stream.repeat(every, one.time.now) == 0
    assert one.stream.repeat(every, one.time.now + REPEAT_WINDOW_S) == MAX_REPEATS_PER_WINDOW


def test_a_packet_the_socket_refuses_is_counted_and_can_be_asked_for() -> None:
    one = Receiver(first_sequence=0)
    rendition = one.rendition()
    one.stream.play(rendition, one.time.now)
    one.refuse = 1
    one.append(rendition, 0, key_frame=True)
    assert one.path.dropped == 1
    assert sequences(one.packets()) == [1, 2]
    one.stream.repeat([0], one.time.now)
    assert sequences(one.packets()) == [1, 2, 0]


def test_a_leg_that_fell_behind_begins_again_at_a_key_frame() -> None:
    one = Receiver(first_sequence=0)
    rendition = one.rendition()
    one.stream.play(rendition, one.time.now)
    one.append(rendition, 0, key_frame=True)
    handle, one.path.handle = one.path.handle, None
    for number in range(1, VIDEO_PACKETS // 3 + 10):
        one.append(rendition, number * 1800, key_frame=False)
    one.path.handle = handle
    one.wanted.clear()
    one.append(rendition, 10**6, key_frame=False)
    assert one.wanted
    assert one.stream.waiting
    one.append(rendition, 10**6 + 1800, key_frame=True)
    assert sequences(one.packets()) == list(range(6))


def test_audio_that_fell_behind_goes_on_with_the_newest() -> None:
    one = Receiver(video=False, first_sequence=0)
    rendition = one.rendition()
    one.stream.play(rendition, one.time.now)
    handle, one.path.handle = one.path.handle, None
    for number in range(AUDIO_PACKETS + 10):
        one.append(rendition, number * 960, key_frame=True, size=80)
    one.path.handle = handle
    for number in range(AUDIO_PACKETS + 10, AUDIO_PACKETS + 13):
        one.append(rendition, number * 960, key_frame=True, size=80)
    assert sequences(one.packets()) == [0, 1]


def test_timestamp_for_reports() -> None:
    one = Receiver()
    assert one.stream.timestamp_at(one.time.now) is None
    rendition = one.rendition()
    one.stream.play(rendition, one.time.now)
    appended_at = one.time.now
    one.append(rendition, 500, key_frame=True)
    (first, *_) = one.packets()
    assert one.stream.timestamp_at(appended_at) == first.timestamp
    later = one.stream.timestamp_at(appended_at + 2.0)
    assert later is not None
    assert (later - first.timestamp) & 0xFFFFFFFF == 180_000
    one.stream.play(None, one.time.now)
    assert one.stream.timestamp_at(appended_at + 2.0) == later


def test_reports_make_no_step_while_a_stream_waits_or_pauses() -> None:
    one = Receiver()
    rendition, other = one.rendition(), one.rendition()
    one.stream.play(rendition, one.time.now)
    now = one.time.now
    rendition.append(b"\x10" + bytes(500), 500, key_frame=True, now=now, captured=now - 0.08)
    one.time.run(0.1)
    (first, *_) = one.packets()
    expected = (first.timestamp + round(1.08 * 90_000)) & 0xFFFFFFFF
    for following in (other, None, rendition):
        one.stream.play(following, one.time.now)
        assert one.stream.timestamp_at(now + 1.0) == pytest.approx(expected, abs=2)


def test_nothing_is_sent_before_the_handshake() -> None:
    one = Receiver()
    one.path.handle = None
    rendition = one.rendition()
    one.stream.play(rendition, one.time.now)
    one.append(rendition, 0, key_frame=True)
    assert one.stream.repeat([65530], one.time.now) == 0
    assert one.datagrams == []


def test_a_plain_path_sends_packets_as_they_are_written() -> None:
    one = Receiver()
    one.path.plain, one.path.handle = True, None
    rendition = one.rendition()
    one.stream.play(rendition, one.time.now)
    one.append(rendition, 1000, key_frame=True)
    packets = [RtpPacket.parse(datagram, one.extensions) for datagram in one.datagrams]
    assert [packet.payload for packet in packets] == rendition.ring.payloads[:3]
    first = one.datagrams[0]
    assert one.stream.repeat([packets[0].sequence_number], one.time.now) == 1
    assert one.datagrams[3] == first
    one.path.address = None
    one.append(rendition, 4600, key_frame=False)
    assert len(one.datagrams) == 4


def test_no_extensions_no_extension_bit() -> None:
    one = Receiver()
    form = SendFormat(5, 111, 48000, False, {})
    stream = SendStream(form, one.path, 0, 0)
    rendition = Rendition(RenditionKey("audio", "total", "opus"), 48000, one.fan_out)
    stream.play(rendition, one.time.now)
    rendition.append(b"sound", 0, key_frame=True, now=one.time.now)
    assert one.datagrams[0][0] == 0x80
    assert one.packets()[0].payload == b"sound"


@pytest.mark.parametrize("codec", ["h264", "vp8"])
@pytest.mark.parametrize("rtx", [True, False])
def test_every_datagram_passes_an_mtu_of_1200(codec: str, rtx: bool) -> None:
    one = Receiver(mid=b"m" * 16, rtx=rtx, numbered=True)
    rendition = Rendition(RenditionKey("video", "main", codec), 90_000, one.fan_out)
    one.stream.play(rendition, one.time.now)
    for size in (100, 1_100, 1_120, 5_000, 60_000):
        data = (b"\0\0\0\1\x65" if codec == "h264" else b"\x10") + b"\x5a" * size
        rendition.append(data, size, key_frame=True, now=one.time.now)
        one.time.run(0.3)
    one.stream.repeat([(65530 + at) & 0xFFFF for at in range(20)], one.time.now)
    largest = max(len(datagram) for datagram in one.datagrams)
    assert largest <= MAX_DATAGRAM_SENT_BYTES == 1200 - 28
    assert largest >= MAX_DATAGRAM_SENT_BYTES - 4  # and wastes nothing of it
