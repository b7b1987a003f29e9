import struct

import pytest
from aiortc.rtp import (
    RtcpByePacket,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSrPacket,
)
from hypothesis import given
from hypothesis import strategies as st

from mcu.media import rtcp
from mcu.media.clock import NtpClock

BLOCK = RtcpReceiverInfo(7, 12, 34, 56, 78, 90, 11)


def test_a_compound_packet_is_read_and_understood_by_others() -> None:
    packet = (
        rtcp.sender_report(1, 2**63, 3, 2**32 + 4, 5, [BLOCK])
        + rtcp.source_description([1, 2], "name")
        + rtcp.picture_loss(1, 7)
        + rtcp.full_intra_request(1, 7, 300)
        + rtcp.bitrate_limit(1, 1_500_000, [7, 8])
        + rtcp.bye([1, 2])
    )
    mine = rtcp.read(packet)
    kinds = [type(one) for one in mine]
    assert kinds == [RtcpSrPacket, RtcpPsfbPacket, RtcpPsfbPacket, RtcpPsfbPacket, RtcpByePacket]
    report, _, intra, limit, bye = mine
    assert isinstance(report, RtcpSrPacket)
    assert report.sender_info.packet_count == 4
    assert report.reports == [BLOCK]
    assert isinstance(intra, RtcpPsfbPacket)
    assert rtcp.fir_entries(intra) == [(7, 300 & 0xFF)]
    assert isinstance(limit, RtcpPsfbPacket)
    assert rtcp.remb_bps(limit) == pytest.approx(1_500_000, rel=0.001)
    assert isinstance(bye, RtcpByePacket)
    assert bye.sources == [1, 2]
    theirs = RtcpPacket.parse(packet)
    names = [one.chunks[0].items for one in theirs if isinstance(one, RtcpSdesPacket)]
    assert names == [[(1, b"name")], [(1, b"name")]]


@given(st.sets(st.integers(65000, 66500), min_size=1, max_size=80))
def test_nack_carries_what_is_missing_over_the_wrap(missing: set[int]) -> None:
    packet = rtcp.negative_acknowledgement(1, 7, sorted(missing))
    lost = []
    for one in rtcp.read(packet):
        assert isinstance(one, RtcpRtpfbPacket)
        assert (one.ssrc, one.media_ssrc) == (1, 7)
        lost += one.lost
    assert lost == [sequence & 0xFFFF for sequence in sorted(missing)]


def test_a_nack_bitmask_wraps() -> None:
    packet = struct.pack("!BBHLLHH", 0x81, 205, 3, 1, 7, 65535, 0b11)
    (nack,) = rtcp.read(packet)
    assert isinstance(nack, RtcpRtpfbPacket)
    assert nack.lost == [65535, 0, 1]


def test_members_nobody_acts_on_cost_nothing_beside_them() -> None:
    extended = struct.pack("!BBHL", 0x80, 207, 1, 1)
    size_request = struct.pack("!BBHLL", 0x83, 205, 2, 1, 7)
    odd_names = struct.pack("!BBHLBBBB", 0x82, 202, 2, 1, 1, 1, 65, 0)
    report = bytes(RtcpRrPacket(1, [BLOCK]))
    profile_words = struct.pack("!BBH", 0x81, 201, 8) + report[4:] + b"word"
    read = rtcp.read(extended + size_request + odd_names + profile_words)
    assert read == [RtcpRrPacket(1, [BLOCK])]


@pytest.mark.parametrize(
    "packet",
    [
        b"\x80",
        b"\x40\xc8\x00\x00",
        b"\x80\xc8\x00\x09",
        b"\x81\xc9\x00\x01\x00\x00\x00\x01",
        b"\xa0\xc9\x00\x01\x00\x00\x00\x00",
        b"\xa0\xc9\x00\x00",
        b"\x80\xc8\x00\x01\x00\x00\x00\x01",
        b"\x83\xcb\x00\x01\x00\x00\x00\x01",
        b"\x81\xce\x00\x01\x00\x00\x00\x01",
    ],
)
def test_malformed_is_refused(packet: bytes) -> None:
    with pytest.raises(rtcp.RtcpError):
        rtcp.read(packet)


def test_other_application_feedback_is_no_limit() -> None:
    for fci in (b"", b"REMB", b"REMB\x05\x00\x00\x00", b"other message"):
        assert rtcp.remb_bps(RtcpPsfbPacket(15, 1, 7, fci)) is None


def test_limits_are_bounded() -> None:
    (limit,) = rtcp.read(rtcp.bitrate_limit(1, 10**30, [7]))
    assert isinstance(limit, RtcpPsfbPacket)
    assert (rtcp.remb_bps(limit) or 0) < 2**51
    (limit,) = rtcp.read(rtcp.bitrate_limit(1, -5, [7]))
    assert isinstance(limit, RtcpPsfbPacket)
    assert rtcp.remb_bps(limit) == 0


def test_round_trip() -> None:
    clock = NtpClock(1_700_000_000.0, 0.0)

    def block(sent_at: float, delay_s: float) -> RtcpReceiverInfo:
        return RtcpReceiverInfo(7, 0, 0, 0, 0, clock.middle(sent_at), int(delay_s * 65536))

    assert rtcp.round_trip_s(block(10.0, 0.5), clock, 10.75) == pytest.approx(0.25, abs=1e-4)
    assert rtcp.round_trip_s(block(10.0, 0.75), clock, 10.75 - 1e-4) == 0.0
    assert rtcp.round_trip_s(block(10.0, 3.0), clock, 10.75) is None
    assert rtcp.round_trip_s(block(10.0, 0.0), clock, 200.0) is None
    assert rtcp.round_trip_s(RtcpReceiverInfo(7, 0, 0, 0, 0, 0, 0), clock, 1.0) is None
