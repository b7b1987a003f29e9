import random

from aiortc.rtp import RtcpReceiverInfo

from mcu.legs.outgoing import Outgoing
from mcu.media import rtcp
from mcu.media.batch import SendtoBatch
from mcu.media.clock import NtpClock
from mcu.media.fan_out import FanOut
from mcu.media.path import SendPath
from mcu.media.rendition import Rendition, RenditionKey
from mcu.media.rtp import ABS_SEND_TIME_URI, MID_URI
from signalling.media.codecs import Codec
from signalling.webrtc.negotiation import NegotiatedMedia
from tests.peers.network import VirtualTime

CLOCK = NtpClock(1_700_000_000.0, 0.0)


def section(*, sends: bool = True, rtx: bool = True) -> NegotiatedMedia:
    codec = Codec("h264", 102, 90000)
    return NegotiatedMedia(
        mid="v",
        kind="video",
        stream="video",
        receives=True,
        sends=sends,
        receive_codecs={102: codec},
        send_codec=codec if sends else None,
        send_rtx_pt=103 if rtx else None,
        local_ssrc=50 if sends else None,
        local_rtx_ssrc=51 if rtx else None,
        extensions={MID_URI: 1, ABS_SEND_TIME_URI: 4},
    )


def outgoing(*media: NegotiatedMedia) -> Outgoing:
    path = SendPath(SendtoBatch(lambda datagram, address: None))
    return Outgoing(media, path, random.Random(1))


def test_what_was_negotiated_is_what_is_sent() -> None:
    form = outgoing(section()).outputs["video"].stream.form
    assert (form.ssrc, form.payload_type, form.rtx_ssrc, form.rtx_payload_type) == (
        50,
        102,
        51,
        103,
    )
    assert form.extensions == {1: b"v"}
    assert form.abs_send_time_id == 4
    plain = outgoing(section(rtx=False)).outputs["video"].stream.form
    assert (plain.rtx_ssrc, plain.rtx_payload_type) == (None, None)


def test_a_section_that_does_not_send_is_no_output() -> None:
    one = outgoing(section(sends=False))
    assert one.outputs == {}
    one.play("video", None, 0.0)
    assert one.sender_reports(CLOCK, "name", [], 0.0) == []
    assert one.round_trip_s is None


def test_reports_of_the_peer() -> None:
    one = outgoing(section())
    output = one.by_ssrc(50)
    assert output is not None
    assert one.by_ssrc(51) is None
    block = RtcpReceiverInfo(50, 64, 7, 0, 900, CLOCK.middle(10.0), 65536)
    output.report(block, CLOCK, 11.2)
    assert (output.packets_lost, output.fraction_lost, output.jitter_ms) == (7, 0.25, 10.0)
    assert one.round_trip_s is not None
    assert abs(one.round_trip_s - 0.2) < 0.001
    output.report(RtcpReceiverInfo(50, 0, 7, 0, 0, 0, 0), CLOCK, 12.0)
    assert abs(one.round_trip_s - 0.2) < 0.001


def test_loss_is_measured_over_a_second_however_often_the_peer_reports() -> None:
    output = outgoing(section()).outputs["video"]

    def report(fraction: int, lost: int, highest: int, now: float) -> None:
        output.report(RtcpReceiverInfo(50, fraction, lost, highest, 0, 0, 0), CLOCK, now)

    report(0, 0, 1000, 10.0)
    for number in range(1, 5):  # one packet of five is lost, and each report is about few of them
        report(200 if number == 2 else 0, number, 1000 + 5 * number, 10.0 + number * 0.24)
    assert (output.fraction_lost, output.reports) == (0.2, 2)
    report(255, 3, 0x1_0000_0000 - 1, 12.0)  # of another stream, or nonsense: its own word counts
    assert output.fraction_lost == 255 / 256
    report(0, 3, 99, 13.0)  # wrapped; a peer whose count falls has lost nothing
    assert (output.fraction_lost, output.reports) == (0.0, 4)
    report(80, 3, 99, 14.0)
    assert output.fraction_lost == 0.0


def test_intra_requests_are_counted_once_a_number() -> None:
    one = outgoing(section())
    output = one.outputs["video"]
    wanted: list[float] = []
    fan_out = FanOut(VirtualTime().schedule)
    one.play(
        "video", Rendition(RenditionKey("video", "m", "h264"), 90000, fan_out, wanted.append), 0
    )
    wanted.clear()
    for sender, number in ((1, 1), (1, 1), (2, 1), (2, 2)):
        output.full_intra_requested(sender, number, 5.0)
    assert len(wanted) == output.plis == 3
    one.stop(1.0)
    output.key_frame_requested(6.0)
    assert len(wanted) == 3


def test_no_report_before_the_first_packet() -> None:
    one = outgoing(section())
    assert one.sender_reports(CLOCK, "name", [], 0.0) == []
    assert rtcp.read(b"".join(one.sender_reports(CLOCK, "name", [], 0.0))) == []
