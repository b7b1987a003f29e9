"""Which streams an agreement makes, those that are held included."""

from dataclasses import replace

from mcu.legs.sip_streams import flow_streams
from signalling.media.codecs import Codec
from signalling.media.negotiated import NegotiatedMedia
from signalling.offer_answer import Flow, Plain

G722 = Codec("g722", 9, 8_000, 1)
PCMA = Codec("pcma", 8, 8_000, 1)
MEDIA = NegotiatedMedia("", "audio", "audio", True, True, {9: G722, 8: PCMA}, G722)
FLOW = Flow(
    0, "IP4", 20_000, ("192.0.2.9", 4_000), ("192.0.2.9", 4_001), False, Plain(), MEDIA, 77,
    ptime_ms=40,
)  # fmt: skip


def video(**parameters: str) -> Flow:
    codec = Codec("h264", 96, 90_000, 0, parameters, {}, 640, 352, 30, max_bitrate_bps=768_000)
    media = NegotiatedMedia(
        "", "video", "video", True, True, {96: codec}, codec, max_bitrate_bps=512_000
    )
    return replace(FLOW, media=media)


def test_the_first_codec_until_another_one_comes() -> None:
    streams = flow_streams(FLOW, None, None)
    assert (streams.payload_type, streams.source.name) == (9, "g722")  # type: ignore[union-attr]
    assert streams.media.local_ssrc == 77
    assert streams.output is not None
    assert streams.output.packet_ms == 40
    other = flow_streams(FLOW, streams, 8)
    assert other.source is not None
    assert other.source.name == "pcma"
    assert other.output == streams.output
    assert flow_streams(FLOW, other, 97).payload_type == 9


def test_what_is_held_stays() -> None:
    before = flow_streams(FLOW, None, None)
    off = replace(MEDIA, receives=False, sends=False, send_codec=None, local_ssrc=None)
    held = flow_streams(replace(FLOW, media=off, held=True), before, 9)
    assert (held.source, held.output) == (before.source, before.output)
    assert held.media.local_ssrc == 77
    never = flow_streams(replace(FLOW, media=off, held=True), None, None)
    assert (never.source, never.output) == (None, None)


def test_the_lower_limit_of_the_two_counts() -> None:
    output = flow_streams(video(**{"packetization-mode": "1"}), None, None).output
    assert output is not None
    assert (output.max_width, output.max_height, output.max_fps) == (640, 352, 30)
    assert output.max_bitrate_bps == 512_000
    assert not output.single_nal


def test_without_packetization_mode_each_packet_is_a_unit() -> None:
    for flow in (video(), video(**{"packetization-mode": "0"})):
        output = flow_streams(flow, None, None).output
        assert output is not None
        assert output.single_nal
