import random
from dataclasses import replace

import pytest
from aiortc.rtp import RtcpPsfbPacket, RtcpRrPacket, RtcpRtpfbPacket

from mcu.legs.feedback import UNLIMITED_BPS, Feedback
from mcu.legs.incoming import Incoming
from mcu.legs.outgoing import Outgoing
from mcu.media import rtcp
from mcu.media.batch import SendtoBatch
from mcu.media.clock import NtpClock
from mcu.media.path import SendPath
from mcu.media.receive import PLI_INTERVAL_S
from mcu.media.rtp import HEADER
from signalling.media.codecs import Codec
from signalling.webrtc.negotiation import NegotiatedMedia

VP8 = Codec("vp8", 96, 90000)
MEDIA = NegotiatedMedia(
    mid="v",
    kind="video",
    stream="video",
    receives=True,
    sends=False,
    receive_codecs={96: VP8},
    send_codec=None,
    remote_ssrcs=(7,),
    nack=True,
    pli=True,
    fir=True,
    remb=True,
)


class Setting:
    def __init__(self, media: NegotiatedMedia = MEDIA) -> None:
        self.frames = 0
        self.incoming = Incoming(
            [media],
            frame=self._count,
            wake=lambda at: None,
            forget=lambda ssrc: None,
        )
        self.incoming.sources["video"].wanted = True
        path = SendPath(SendtoBatch(lambda datagram, address: None))
        self.outgoing = Outgoing([media], path, random.Random(1))
        self.feedback = Feedback(
            [media],
            self.incoming,
            self.outgoing,
            ntp=NtpClock(1_700_000_000.0, 0.0),
            cname="name",
            ssrc=99,
        )

    def receive(self, sequence: int, now: float = 0.0, ssrc: int = 7) -> None:
        packet = HEADER.pack(0x80, 0x80 | 96, sequence, sequence * 3600, ssrc) + b"\x10\x00data"
        self.incoming.receive(memoryview(packet), len(packet), now)

    def _count(self, *arguments: object) -> None:
        self.frames += 1


def test_missing_packets_are_asked_for_in_a_compound_packet() -> None:
    setting = Setting()
    for sequence in (65534, 65535, 2):
        setting.receive(sequence)
    (packet,) = setting.feedback.repetitions(0.02)
    report, *nacks = rtcp.read(packet)
    assert isinstance(report, RtcpRrPacket)
    assert [one.lost for one in nacks if isinstance(one, RtcpRtpfbPacket)] == [[0, 1]]
    assert list(setting.feedback.repetitions(0.03)) == []


def test_reduced_size_where_the_peer_takes_it() -> None:
    setting = Setting(replace(MEDIA, reduced_size_rtcp=True))
    for sequence in (1, 3):
        setting.receive(sequence)
    (packet,) = setting.feedback.repetitions(0.02)
    assert [type(one) for one in rtcp.read(packet)] == [RtcpRtpfbPacket]


@pytest.mark.parametrize(("pli", "form"), [(True, 1), (False, 4)])
def test_key_frames_are_asked_for_by_pli_or_else_fir(pli: bool, form: int) -> None:
    setting = Setting(replace(MEDIA, pli=pli))
    setting.receive(1)
    video = setting.incoming.sources["video"].video
    assert video is not None
    assert list(setting.feedback.key_frame_requests(0.0)) == []
    video.key_frame_needed = True
    requests = [
        packet
        for tenth in range(12)
        for packet in setting.feedback.key_frame_requests(tenth * PLI_INTERVAL_S / 5)
    ]
    kinds = [
        one.fmt
        for packet in requests
        for one in rtcp.read(packet)
        if isinstance(one, RtcpPsfbPacket)
    ]
    assert kinds == [form] * 3
    assert setting.feedback.plis == {"video": 3}
    assert setting.feedback.next_timer() == pytest.approx(3 * PLI_INTERVAL_S, abs=0.11)


def test_limits_are_told_while_they_stand_and_once_when_lifted() -> None:
    setting = Setting()
    setting.feedback.limit_bps = 500_000
    assert setting.feedback.bitrate_limit() == b""
    setting.receive(1)

    def told() -> list[int | None]:
        return [
            rtcp.remb_bps(one)
            for one in rtcp.read(setting.feedback.report(0.0))
            if isinstance(one, RtcpPsfbPacket)
        ]

    assert told() == told() == [pytest.approx(500_000, rel=0.01)]
    setting.feedback.limit_bps = None
    assert told() == [pytest.approx(UNLIMITED_BPS, rel=0.01)]
    assert told() == []


def test_no_limit_to_a_peer_that_does_not_take_it() -> None:
    setting = Setting(replace(MEDIA, remb=False))
    setting.receive(1)
    setting.feedback.limit_bps = 500_000
    assert setting.feedback.bitrate_limit() == b""


def test_an_ssrc_that_changes_is_not_asked_more_often() -> None:
    setting = Setting()
    asked = 0
    for number in range(20):
        at = number * 0.25
        setting.receive(1, at, 100 + number)
        setting.incoming.videos()[0].key_frame_needed = True
        asked += len(list(setting.feedback.key_frame_requests(at)))
    assert asked == 10
    assert setting.feedback.plis == {"video": 10}
