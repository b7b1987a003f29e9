import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcu.media import h264, vp8
from mcu.media.assembly import MAX_PACKETS, FrameAssembler
from mcu.media.frames import EncodedFrame

Packet = tuple[int, int, bool, bytes]


def stream(
    frames: int, *, packets: int = 3, key_every: int = 5, first: int = 65530
) -> list[Packet]:
    """VP8 frames of ``packets`` packets each: sequence, timestamp, marker, payload."""
    result = []
    sequence = 65530
    for number in range(frames):
        head = b"\x00" if number % key_every == 0 else b"\x01"
        data = head + number.to_bytes(2, "big") * 5
        payloads = vp8.packetise(data, -(-len(data) // packets) + 1)
        for payload in payloads:
            result.append((sequence, number * 3600, payload is payloads[-1], payload))
            sequence += 1
    return result


def feed(assembler: FrameAssembler, packets: list[Packet]) -> list[EncodedFrame]:
    return [frame for packet in packets for frame in assembler.insert(*packet)]


def test_in_order() -> None:
    frames = feed(FrameAssembler("vp8"), stream(10))
    assert [frame.timestamp for frame in frames] == [number * 3600 for number in range(10)]
    assert [frame.key_frame for frame in frames] == [number % 5 == 0 for number in range(10)]
    assert all(frame.contiguous for frame in frames)


@given(st.randoms(use_true_random=False))
def test_any_order_gives_the_same_frames(order: object) -> None:
    packets = stream(8)
    later = packets[1:]
    order.shuffle(later)  # type: ignore[attr-defined]
    assert feed(FrameAssembler("vp8"), [packets[0], *later]) == feed(FrameAssembler("vp8"), packets)


@given(st.sets(st.integers(1, 29)))
def test_whatever_is_lost_only_whole_frames_come_out(lost: set[int]) -> None:
    packets = stream(10)
    assembler = FrameAssembler("vp8")
    frames = feed(assembler, [one for at, one in enumerate(packets) if at not in lost])
    frames += assembler.skip_to(packets[-1][0] + 1)
    whole = feed(FrameAssembler("vp8"), packets)
    data = {frame.timestamp: frame.data for frame in whole}
    assert all(data[frame.timestamp] == frame.data for frame in frames)
    stamps = [frame.timestamp for frame in frames]
    assert stamps == sorted(set(stamps))
    damaged = {at // 3 for at in lost}
    # A frame may be taken only if everything since the last key frame was.
    for frame in frames:
        number = frame.timestamp // 3600
        since = range(number // 5 * 5, number + 1)
        assert frame.contiguous <= (not damaged & set(since))
    # An undamaged key frame is never missed.
    for number in range(0, 10, 5):
        if number not in damaged:
            assert number * 3600 in stamps


def test_after_a_gap_frames_are_not_contiguous_until_a_key_frame() -> None:
    packets = stream(10)
    assembler = FrameAssembler("vp8")
    frames = feed(assembler, packets[:4] + packets[5:])
    assert [frame.timestamp for frame in frames] == [0]
    frames = assembler.skip_to(packets[4][0] + 1)
    assert [frame.contiguous for frame in frames] == [False] * 3 + [True] * 5
    assert [frame.timestamp // 3600 for frame in frames] == [2, 3, 4, 5, 6, 7, 8, 9]


def test_a_frame_without_marker_ends_where_the_next_begins() -> None:
    packets = [(sequence, stamp, False, data) for sequence, stamp, _, data in stream(4)]
    frames = feed(FrameAssembler("vp8"), packets)
    assert [frame.timestamp for frame in frames] == [0, 3600, 7200]


def test_padding_between_frames_is_passed_over() -> None:
    packets = stream(2, packets=2)
    shifted = [(sequence + 1, *rest) for sequence, *rest in packets[2:]]
    padding = (packets[1][0] + 1, 0, False, b"")
    frames = feed(FrameAssembler("vp8"), [*packets[:2], padding, *shifted])
    assert len(frames) == 2


def test_a_broken_frame_is_counted_and_left_out() -> None:
    assembler = FrameAssembler("h264")
    frames = feed(
        assembler,
        [
            (1, 0, True, b"\x65abc"),
            (2, 3600, True, b"\x7c\x05\x11"),
            (3, 7200, True, b"\x41abc"),
        ],
    )
    assert assembler.broken == 1
    assert [(frame.timestamp, frame.contiguous) for frame in frames[-1:]] == [(7200, False)]


def test_a_frame_of_too_many_packets_is_given_up() -> None:
    assembler = FrameAssembler("vp8")
    packets = [
        (at, 0, False, b"\x10\x00" if at == 0 else b"\x00a") for at in range(MAX_PACKETS + 5)
    ]
    assert feed(assembler, packets) == []
    assert assembler.broken == 1


def test_no_more_than_the_limit_waits_behind_a_gap() -> None:
    assembler = FrameAssembler("vp8")
    assembler.insert(0, 0, False, b"\x10\x00")
    for sequence in range(2, MAX_PACKETS + 100):
        assembler.insert(sequence, 0, False, b"\x00a")
    assert assembler.waiting == MAX_PACKETS


def test_a_leap_is_taken_at_once() -> None:
    assembler = FrameAssembler("vp8")
    feed(assembler, stream(1))
    far = [(sequence + 10**9, *rest) for sequence, *rest in stream(1)]
    assembler.skip_to(far[0][0])
    assert len(feed(assembler, far)) == 1


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_beginning_may_come_reordered(order: tuple[int, ...]) -> None:
    unit = h264.START_CODE + b"\x67abc" + h264.START_CODE + b"\x65" + b"\x11" * 2000
    payloads = h264.packetise(unit)
    assert len(payloads) == 3
    packets = [(10 + at, 0, at == 2, payloads[at]) for at in range(3)]
    assembler = FrameAssembler("h264")
    for at in order:
        found = assembler.hold(*packets[at])
        if found:
            break
    frames = assembler.begin()
    for at in order:
        if packets[at][0] >= assembler.next_sequence and not assembler.holds(packets[at][0]):
            frames += assembler.insert(*packets[at])
    assert [frame.data for frame in frames] == [unit]


def test_begins_with_the_first_packet_where_no_key_frame_comes() -> None:
    assembler = FrameAssembler("vp8")
    for packet in stream(10)[4:12]:
        assert not assembler.hold(*packet)
    frames = assembler.begin()
    assert frames
    assert not any(frame.contiguous for frame in frames)


def test_unknown_codecs_are_refused() -> None:
    with pytest.raises(ValueError, match="av1"):
        FrameAssembler("av1")
