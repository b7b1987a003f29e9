import pytest

from mcu.media import vp8
from mcu.media.frames import AudioPacket, EncodedFrame
from mcu.media.nack import MAX_AGE_S, REORDER_AGE_S, REORDER_WAIT_S
from mcu.media.receive import (
    MAX_AUDIO_BYTES,
    START_WAIT_S,
    AudioReceiveStream,
    ReceiveStream,
    VideoReceiveStream,
)


class Video:
    """A stream, its frames, and packets of three a frame to feed it with."""

    def __init__(self, *, nack: bool = True, wanted: bool = True) -> None:
        self.frames: list[EncodedFrame] = []
        self.woken: list[float] = []
        self.stream = VideoReceiveStream(
            1,
            "vp8",
            90000,
            nack=nack,
            deliver=lambda frame, now: self.frames.append(frame),
            wake=self.woken.append,
        )
        self.stream.wanted = wanted

    def packet(self, number: int, now: float, first: int = 65000, *, by_rtx: bool = False) -> None:
        frame, part = divmod(number, 3)
        data = (b"\x00" if frame % 10 == 0 else b"\x01") + bytes(20)
        payload = vp8.packetise(data, 8)[part]
        receive = self.stream.receive_repeated if by_rtx else self.stream.receive
        receive((first + number) & 0xFFFF, frame * 3600, part == 2, payload, now)


def test_audio_goes_on_in_order_of_arrival() -> None:
    packets: list[AudioPacket] = []

    def keep(packet: AudioPacket, now: float) -> None:
        packets.append(packet)

    stream = AudioReceiveStream(1, 48000)
    for sequence in (65534, 65535, 1, 0):
        level = 0x8A if sequence else None
        stream.receive(sequence, sequence * 960 % 2**32, b"x", level, 0.0, keep)
    first = packets[0].sequence
    assert [one.sequence - first for one in packets] == [0, 1, 3, 2]
    assert (packets[0].level_dbov, packets[0].voice) == (-10, True)
    assert (packets[3].level_dbov, packets[3].voice) == (None, False)


def test_audio_that_is_empty_or_absurd_is_counted_only() -> None:
    packets: list[AudioPacket] = []

    def keep(packet: AudioPacket, now: float) -> None:
        packets.append(packet)

    stream = AudioReceiveStream(1, 48000)
    stream.receive(1, 0, b"", None, 0.0, keep)
    stream.receive(2, 0, bytes(MAX_AUDIO_BYTES + 1), None, 0.0, keep)
    assert packets == []
    assert stream.packets == 2


def test_a_gap_is_asked_for_and_filled() -> None:
    video = Video()
    for number in range(12):
        if number != 4:
            video.packet(number, number * 0.01)
    assert [frame.timestamp for frame in video.frames] == [0]
    assert video.woken == [0.05 + REORDER_WAIT_S]
    asked = video.stream.due(
        0.2,
    )
    assert [one & 0xFFFF for one in asked] == [65004]
    video.packet(4, 0.21)
    assert [frame.timestamp for frame in video.frames] == [0, 3600, 7200, 10800]
    assert all(frame.contiguous for frame in video.frames)
    assert video.stream.next_timer() is None
    assert video.stream.nacks == 1


def test_a_gap_is_filled_by_rtx() -> None:
    video = Video()
    for number in (0, 1, 3, 4, 5):
        video.packet(number, 0.0)
    video.packet(2, 0.05, by_rtx=True)
    video.packet(2, 0.06, by_rtx=True)
    assert len(video.frames) == 2
    assert video.stream.retransmissions == 2
    assert video.stream.packets == 5


def test_given_up_gaps_cost_a_key_frame() -> None:
    video = Video()
    for number in range(9):
        if number != 4:
            video.packet(number, 0.0)
    assert not video.stream.key_frame_needed
    video.stream.due(
        MAX_AGE_S,
    )
    assert video.stream.key_frame_needed
    assert [(frame.timestamp, frame.contiguous) for frame in video.frames] == [
        (0, True),
        (7200, False),
    ]
    for number in range(9, 33):
        video.packet(number, 1.0)
    assert not video.stream.key_frame_needed
    assert video.frames[-1].contiguous


def test_without_nack_only_reordering_is_waited_for() -> None:
    video = Video(nack=False)
    for number in (0, 1, 3, 2, 4, 5):
        video.packet(number, 0.0)
    assert len(video.frames) == 2
    for number in (7, 8):
        video.packet(number, 0.0)
    assert video.stream.due(REORDER_WAIT_S) == []
    assert video.stream.due(REORDER_AGE_S + REORDER_WAIT_S) == []
    assert video.stream.key_frame_needed
    assert video.stream.nacks == 0


def test_too_large_a_gap_is_not_asked_for() -> None:
    video = Video()
    video.packet(0, 0.0)
    video.packet(1000, 0.0)
    assert video.stream.due(1.0) == []
    assert video.stream.key_frame_needed


def test_a_stream_joined_in_the_middle_asks_for_a_key_frame() -> None:
    video = Video()
    video.packet(4, 0.0)
    assert not video.stream.key_frame_needed
    for number in range(5, 9):
        video.packet(number, START_WAIT_S + 0.01)
    assert video.stream.key_frame_needed


def test_holes_at_the_beginning_are_asked_for() -> None:
    video = Video()
    video.packet(2, 0.0)
    video.packet(0, 0.01)
    assert [one & 0xFFFF for one in video.stream.due(0.1)] == [65001]
    video.packet(1, 0.11)
    assert [frame.contiguous for frame in video.frames] == [True]


def test_nothing_is_wanted_at_first() -> None:
    stream = VideoReceiveStream(
        1, "vp8", 90000, nack=True, deliver=lambda frame, now: None, wake=lambda at: None
    )
    assert not stream.wanted


def test_unwanted_packets_are_counted_only() -> None:
    video = Video(wanted=False)
    for number in range(9):
        if number != 4:
            video.packet(number, 0.0)
    assert video.frames == []
    assert video.stream.packets == 8
    assert video.stream.tracker.lost == 1
    assert video.stream.due(1.0) == []
    assert not video.stream.key_frame_needed
    video.stream.want(True)
    assert video.stream.key_frame_needed
    for number in range(9, 39):
        video.packet(number, 1.0)
    assert video.frames[0].key_frame
    assert not video.stream.key_frame_needed


def test_a_restarted_stream_goes_on() -> None:
    video = Video()
    for number in range(6):
        video.packet(number, 0.0)
    for number in range(6):
        video.packet(number, 1.0, first=20000)
    # The first packet of a jump is not believed yet, so its picture is lost.
    assert video.stream.tracker.restarts == 1
    assert len(video.frames) == 3
    assert video.stream.key_frame_needed
    assert video.stream.dropped == {"sequence_jump": 1}


def test_a_stream_carries_on_counting() -> None:
    before, after = Video(), Video()
    for number in (0, 1, 3, 4, 5):
        before.packet(number, 0.0)
    before.stream.due(0.1)
    before.packet(2, 0.2, by_rtx=True)
    after.stream.carry_on(before.stream)
    for number in range(3):
        after.packet(number, 1.0)
    stream = after.stream
    assert (stream.packets, stream.packets_lost, stream.retransmissions) == (8, 1, 1)
    assert (stream.frames, stream.key_frames, stream.nacks) == (3, 2, 1)
    assert stream.tracker.lost == 0


def test_report_data() -> None:
    stream = ReceiveStream(1, 90000)
    assert stream.delay_since_report(5.0) == 0
    stream.sender_report(0x1234_5678_9ABC_DEF0, 0, 5.0)
    assert stream.transit_s is None, "no packet has come"
    assert stream.sender_report_middle == 0x5678_9ABC
    assert stream.delay_since_report(5.5) == 32768
    assert stream.delay_since_report(4.9) == 0, "it was read in the timer's turn"


@pytest.mark.parametrize("first", [0, 2**32 - 9_000, 2**31])
def test_two_streams_of_one_sender_come_apart_by_their_reports(first: int) -> None:
    # Captured together by the sender's clock, whose seconds are none of ours.
    ntp_s, arrived = 3_900_000_000.5, 100.0
    sound, picture = ReceiveStream(1, 48_000), ReceiveStream(2, 90_000)
    assert sound.transit_s is None
    for number in range(100):
        at = arrived + number * 0.02
        sound.tracker.take(number, (first + number * 960) % 2**32, at)
        picture.tracker.take(number, (first + number * 1_800) % 2**32, at + 0.08)
    assert picture.transit_s is None, "it has not said"
    for stream, rate in ((sound, 48_000), (picture, 90_000)):
        later = 1.0  # the report tells of the second after the first packet
        stream.sender_report(round((ntp_s + later) * 2**32), (first + rate) % 2**32, arrived)
    assert sound.transit_s == pytest.approx(arrived - ntp_s, abs=1e-3)
    assert picture.transit_s - sound.transit_s == pytest.approx(0.08, abs=1e-4)
    sound.sender_report(0, 0, arrived)
    assert sound.transit_s is None, "a sender without a clock"
