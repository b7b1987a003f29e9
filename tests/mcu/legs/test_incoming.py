from collections.abc import Mapping

import pytest
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import HeaderExtensionsMap, RtpPacket, wrap_rtx

from mcu.legs.incoming import MAX_SSRCS, TAKE_OVER_S, Incoming
from mcu.media.frames import AudioPacket, EncodedFrame
from mcu.media.rtp import AUDIO_LEVEL_URI, MID_URI, TRANSPORT_NUMBER_URI
from signalling.media.codecs import Codec
from signalling.webrtc.negotiation import NegotiatedMedia

MID_ID, LEVEL_ID, NUMBER_ID = 1, 2, 3


def section(
    stream: str,
    payload_type: int,
    *,
    receives: bool = True,
    ssrcs: tuple[int, ...] = (),
    rtx: Mapping[int, int] | None = None,
    remote_rtx: Mapping[int, int] | None = None,
    transport_cc: bool = False,
) -> NegotiatedMedia:
    audio = stream == "audio"
    codec = Codec("opus" if audio else "vp8", payload_type, 48000 if audio else 90000)
    return NegotiatedMedia(
        mid=stream[0],
        kind="audio" if audio else "video",
        stream=stream,  # type: ignore[arg-type]
        receives=receives,
        sends=False,
        receive_codecs={payload_type: codec},
        send_codec=None,
        rtx=rtx or {},
        remote_ssrcs=ssrcs,
        remote_rtx=remote_rtx or {},
        extensions={
            MID_URI: MID_ID,
            **({AUDIO_LEVEL_URI: LEVEL_ID} if audio else {}),
            **({TRANSPORT_NUMBER_URI: NUMBER_ID} if transport_cc else {}),
        },
        nack=not audio,
        transport_cc=transport_cc,
    )


class Setting:
    def __init__(self, *media: NegotiatedMedia, wanted: bool = True) -> None:
        self.audio: list[AudioPacket] = []
        self.frames: list[tuple[str, EncodedFrame]] = []
        self.forgotten: list[int] = []
        self.incoming = Incoming(
            media,
            frame=lambda name, frame, now: self.frames.append((name, frame)),
            wake=lambda at: None,
            forget=self.forgotten.append,
        )
        if "audio" in self.incoming.sources:
            self.incoming.sources["audio"].sink = lambda packet, now: self.audio.append(packet)
        if wanted:
            for source in self.incoming.sources.values():
                source.wanted = True
        self.extensions = HeaderExtensionsMap()
        self.extensions.configure(
            RTCRtpParameters(
                headerExtensions=[
                    RTCRtpHeaderExtensionParameters(id=MID_ID, uri=MID_URI),
                    RTCRtpHeaderExtensionParameters(id=LEVEL_ID, uri=AUDIO_LEVEL_URI),
                    RTCRtpHeaderExtensionParameters(id=NUMBER_ID, uri=TRANSPORT_NUMBER_URI),
                ]
            )
        )

    def receive(self, packet: RtpPacket, now: float = 0.0, *, mid: str | None = None) -> None:
        packet.extensions.mid = mid
        data = packet.serialize(self.extensions)
        self.incoming.receive(memoryview(data.ljust(100, b"\0")), len(data), now)


def audio(ssrc: int, sequence: int = 1, payload_type: int = 111) -> RtpPacket:
    return RtpPacket(payload_type, 0, sequence, 0, ssrc, b"opus")


def video(ssrc: int, sequence: int = 1, payload_type: int = 96) -> RtpPacket:
    return RtpPacket(payload_type, 1, sequence, sequence * 3600, ssrc, b"\x10\x00data")


def test_known_from_the_offer() -> None:
    setting = Setting(section("audio", 111, ssrcs=(5,)), section("video", 96, ssrcs=(6,)))
    setting.receive(audio(5))
    setting.receive(video(6))
    assert len(setting.audio) == len(setting.frames) == 1


def test_only_packets_of_sections_that_agreed_on_numbers_are_reported_on() -> None:
    setting = Setting(
        section("audio", 111, ssrcs=(5,)), section("video", 96, ssrcs=(6,), transport_cc=True)
    )
    for number, packet in enumerate((audio(5), video(6), video(6, 2))):
        packet.extensions.transport_sequence_number = number
        setting.receive(packet)
    assert setting.incoming.arrivals is not None
    assert list(setting.incoming.arrivals.times) == [1, 2]


def test_pictures_are_put_together_only_when_somebody_wants_them() -> None:
    setting = Setting(section("video", 96), wanted=False)
    for sequence in (1, 2, 4):
        setting.receive(video(7, sequence))
    source = setting.incoming.sources["video"]
    assert setting.frames == []
    assert source.video is not None
    assert source.video.packets == 3
    assert source.video.next_timer() is None
    assert not source.video.key_frame_needed


def test_the_mid_decides_where_payload_types_do_not() -> None:
    setting = Setting(section("video", 96), section("presentation", 96))
    setting.receive(video(7), mid="p")
    setting.receive(video(8), mid="v")
    setting.receive(video(7, 2))
    assert [name for name, _ in setting.frames] == ["presentation", "video", "presentation"]
    setting.receive(video(9))
    setting.receive(video(9), mid="nobody")
    assert setting.incoming.dropped == {"unknown_ssrc": 2}


def test_the_payload_type_decides_where_there_is_no_mid() -> None:
    setting = Setting(section("audio", 111), section("video", 96))
    setting.receive(audio(7))
    setting.receive(video(8))
    assert len(setting.audio) == len(setting.frames) == 1


@pytest.mark.parametrize("announced", [True, False])
def test_rtx(announced: bool) -> None:
    remote = {60: 6} if announced else {}
    setting = Setting(section("video", 96, rtx={97: 96}, remote_rtx=remote))
    setting.receive(wrap_rtx(video(6), 97, 1, 60))
    setting.receive(video(6, 1))
    setting.receive(video(6, 3))
    setting.receive(wrap_rtx(video(6, 2), 97, 2, 60))
    setting.receive(RtpPacket(97, 0, 3, 0, 60, b""))
    assert [frame.timestamp for _, frame in setting.frames] == [3600, 7200, 10800]
    stream = setting.incoming.sources["video"].video
    assert stream is not None
    assert (stream.packets, stream.retransmissions) == (2, 1)


def test_a_section_that_does_not_receive_is_no_source() -> None:
    setting = Setting(section("audio", 111, receives=False))
    assert setting.incoming.sources == {}
    setting.receive(audio(5))
    assert setting.incoming.dropped == {"unknown_ssrc": 1}


def test_another_payload_type_of_a_known_ssrc_is_counted() -> None:
    setting = Setting(section("audio", 111, ssrcs=(5,)))
    setting.receive(audio(5, payload_type=13))
    assert setting.incoming.dropped == {"payload_type": 1}


def test_truncated_packets_are_counted() -> None:
    setting = Setting(section("audio", 111))
    for first, length in ((0x8F, 12), (0x90, 12), (0x90, 15), (0x91, 16), (0x90, 19)):
        header = bytes((first, 111)) + bytes(12) + (1).to_bytes(2, "big")
        setting.incoming.receive(memoryview(header + bytes(40)), length, 0.0)
    assert setting.incoming.dropped == {"rtp": 5}


def test_ssrcs_are_bounded_and_the_oldest_forgotten() -> None:
    setting = Setting(section("audio", 111))
    now = 0.0
    for ssrc in range(100, 100 + 2 * MAX_SSRCS):
        setting.receive(audio(ssrc), now)
        now += TAKE_OVER_S * 1.01
    assert setting.incoming.ssrcs == MAX_SSRCS
    assert setting.forgotten == list(range(100, 100 + MAX_SSRCS))
    assert len(setting.audio) == 2 * MAX_SSRCS


def test_report_blocks() -> None:
    setting = Setting(section("audio", 111), section("video", 96))
    for sequence in (65534, 65535, 1):
        setting.receive(audio(5, sequence))
    (block,) = setting.incoming.report_blocks(0.0)
    assert (block.ssrc, block.packets_lost, block.fraction_lost) == (5, 1, 64)
    assert block.highest_sequence == 0x10001
    (block,) = setting.incoming.report_blocks(0.0)
    assert block.fraction_lost == 0
    assert bytes(block)


def test_after_a_goodbye_another_ssrc_takes_over_at_once() -> None:
    setting = Setting(section("audio", 111))
    setting.receive(audio(5))
    setting.receive(audio(6))
    assert len(setting.audio) == 1
    setting.incoming.end(5)
    setting.incoming.end(12345)
    setting.receive(audio(6, 2))
    assert len(setting.audio) == 2
