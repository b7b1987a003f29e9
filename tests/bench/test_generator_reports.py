"""Reports of the generator's rooms, as the daemon reads them; no socket and no clock."""

import itertools
import random

import pytest
from aiortc.rtp import RtcpReceiverInfo, RtcpRrPacket, RtcpSenderInfo, RtcpSrPacket

from bench.generator_reports import AUDIO_HZ, VIDEO_HZ, Arrivals, RoomReports
from mcu.media import rtcp, rtp
from mcu.media.clock import NtpClock
from mcu.media.transport_feedback import TICK_S, TransportFeedback

CLOCK = NtpClock(1_700_000_000.0, 0.0)
OURS, THEIRS = NtpClock(1_700_000_321.5, 0.0), CLOCK
AUDIO, VIDEO = 11, 12
FROM_AUDIO, FROM_VIDEO = 21, 22
NUMBER_ID = 4


def room(*, number_id: int | None = NUMBER_ID) -> RoomReports:
    reports = RoomReports("room", OURS, AUDIO, VIDEO)
    reports.expect(AUDIO, FROM_AUDIO, None)
    reports.expect(VIDEO, FROM_VIDEO, number_id)
    return reports


def packet(
    ssrc: int, sequence: int, timestamp: int, values: dict[int, bytes] | None = None
) -> memoryview:
    """A packet as it comes: clear header, the rest is noise."""
    block = rtp.pack_extensions(values or {})
    first = 0x90 if block else 0x80
    header = rtp.HEADER.pack(first, 96, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)
    return memoryview(header + block + random.Random(1).randbytes(40))


def numbered(sequence: int, number: int) -> memoryview:
    return packet(
        FROM_VIDEO, sequence, 0, {NUMBER_ID: (number & 0xFFFF).to_bytes(2, "big"), 3: b"1"}
    )


def read_feedback(packets: list[bytes]) -> list[TransportFeedback]:
    values = [value for one in packets for value in rtcp.read(one)]
    assert all(isinstance(value, TransportFeedback) for value in values)
    return [value for value in values if isinstance(value, TransportFeedback)]


def test_feedback_tells_when_each_numbered_packet_came_whatever_stream_it_is_of() -> None:
    reports = room()
    for place, number in enumerate((65_533, 65_534, 0, 1)):  # 65_535 is lost
        reports.note(numbered(place, number), 7.0 + place * 0.004)
    repetition = {NUMBER_ID: (2).to_bytes(2, "big")}
    reports.note(packet(999, 5, 0, repetition), 7.03)
    (one,) = read_feedback(list(reports.feedback()))
    assert (one.ssrc, one.media_ssrc, one.base, one.report) == (VIDEO, FROM_VIDEO, 65_533, 0)
    first = one.arrivals[0]
    assert first is not None
    came_ms = [None if at is None else (at - first) * TICK_S * 1000 for at in one.arrivals]
    assert came_ms == [0.0, 4.0, None, 8.0, 12.0, pytest.approx(30.0, abs=0.5)]
    assert list(reports.feedback()) == []


def test_the_next_feedback_begins_where_the_last_one_ended() -> None:
    arrivals = Arrivals()
    for number, at in ((10, 1.0), (11, 1.001)):
        arrivals.note(number, at)
    (before,) = read_feedback(list(arrivals.feedback(1, 2)))
    for number, at in ((11, 1.05), (14, 1.06)):  # one came again, two are lost
        arrivals.note(number, at)
    (after,) = read_feedback(list(arrivals.feedback(1, 2)))
    assert (before.base, before.report, after.base, after.report) == (10, 0, 12, 1)
    assert [at is not None for at in after.arrivals] == [False, False, True]


def test_after_a_stall_feedback_is_cut_into_packets_that_are_taken() -> None:
    arrivals = Arrivals()
    for number in range(3000):
        arrivals.note(number, 1.0 + number * 0.002 + (5.0 if number > 2000 else 0.0))
    packets = list(arrivals.feedback(1, 2))
    found = read_feedback(packets)
    assert max(len(one) for one in packets) < 1200
    assert [one.base for one in found[1:]] == [one.base + len(one.arrivals) for one in found[:-1]]
    assert sum(len(one.arrivals) for one in found) == 3000
    assert None not in [at for one in found for at in one.arrivals]


def test_nothing_is_numbered_or_fed_back_where_the_answer_does_not_agree() -> None:
    reports = room(number_id=None)
    reports.note(numbered(1, 1), 1.0)
    assert list(reports.feedback()) == []
    assert reports.number(VIDEO) is None


def test_own_pictures_are_numbered_and_sound_is_not() -> None:
    reports = room()
    assert [reports.number(one) for one in (VIDEO, AUDIO, VIDEO)] == [b"\0\0", None, b"\0\1"]


def of_kind(
    compounds: list[bytes], ssrc: int
) -> tuple[RtcpSenderInfo | None, RtcpReceiverInfo | None]:
    """The report under one SSRC of the room: what it sent, and its block."""
    values = [value for one in compounds for value in rtcp.read(one)]
    for value in values:
        if isinstance(value, RtcpSrPacket) and value.ssrc == ssrc:
            return value.sender_info, next(iter(value.reports), None)
        if isinstance(value, RtcpRrPacket) and value.ssrc == ssrc:
            return None, next(iter(value.reports), None)
    raise AssertionError(f"no report of {ssrc}")


def test_a_report_says_what_was_sent_and_which_time_that_was() -> None:
    reports = room()
    for number in range(100):
        reports.sent(AUDIO, 5000 + number * 960, 80, 2.0 + number * 0.02)
    now = 2.0 + 99 * 0.02 + 0.013
    sent, _ = of_kind(list(reports.reports_due(now)), AUDIO)
    assert sent is not None
    assert (sent.packet_count, sent.octet_count) == (100, 8000)
    assert sent.ntp_timestamp == OURS.ntp(now)
    assert sent.rtp_timestamp == 5000 + 99 * 960 + round(0.013 * AUDIO_HZ)


def test_who_sends_nothing_any_more_reports_as_a_receiver() -> None:
    reports = room()
    reports.sent(VIDEO, 0, 1000, 1.0)
    assert of_kind(list(reports.reports_due(1.5)), VIDEO)[0] is not None
    assert of_kind(list(reports.reports_due(1.5 + 3.0)), VIDEO)[0] is None


def test_a_report_block_says_what_came_and_how_long_the_way_is() -> None:
    reports = room()
    lost = {50, 51, 52}
    for number in range(100):
        if number not in lost:
            reports.note(packet(FROM_VIDEO, 1000 + number, number * 900), 3.0 + number * 0.01)
    sent_at = 3.5
    reports.take(
        RtcpSrPacket(FROM_VIDEO, RtcpSenderInfo(THEIRS.ntp(sent_at), 0, 1, 1)), sent_at + 0.02
    )
    compounds = list(reports.reports_due(4.0))
    sent, block = of_kind(compounds, VIDEO)
    assert sent is None
    assert block is not None
    assert (block.ssrc, block.packets_lost, block.highest_sequence) == (FROM_VIDEO, 3, 1099)
    assert block.fraction_lost == 3 * 256 // 100
    # 900 units of 90 kHz are 10 ms, at which they came.
    assert block.jitter <= 0.001 * VIDEO_HZ
    # The daemon hears it 30 ms later: 20 down and 30 up are 50.
    assert rtcp.round_trip_s(block, THEIRS, 4.03) == pytest.approx(0.05, abs=0.001)
    assert of_kind(compounds, AUDIO)[1] is None  # nothing came of that


def test_reports_are_a_second_apart_and_not_all_at_once() -> None:
    reports = room()
    times: list[float] = []
    for step in range(60 * 20):
        now = step * 0.05
        times += [now] * len(list(reports.reports_due(now)))
    each_s = len(times) / 2 / 60
    assert 0.75 < each_s < 1.35
    gaps = {round(b - a, 2) for a, b in itertools.pairwise(times)}
    assert len(gaps) > 5
