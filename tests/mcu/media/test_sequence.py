from hypothesis import given
from hypothesis import strategies as st

from mcu.media.sequence import MAX_DROPOUT, SequenceTracker


@given(st.integers(0, 65535), st.lists(st.integers(-50, 200), max_size=60))
def test_extends_as_long_as_jumps_are_small(first: int, steps: list[int]) -> None:
    tracker = SequenceTracker(90000)
    base = tracker.extend(first)
    assert base is not None
    true = highest = 0
    for step in steps:
        true = max(highest - 400, true + step)
        highest = max(highest, true)
        assert tracker.extend((first + true) & 0xFFFF) == base + true
    assert tracker.highest == base + highest


def test_a_jump_is_believed_when_the_next_packet_follows() -> None:
    tracker = SequenceTracker(90000)
    tracker.extend(100)
    assert tracker.extend(30000) is None
    assert tracker.extend(101) is not None
    assert tracker.extend(30000) is None
    after = tracker.extend(30001)
    assert after is not None
    assert after & 0xFFFF == 30001
    assert tracker.restarts == 1
    assert tracker.lost == 0
    following = tracker.extend(30002)
    assert following == after + 1


def test_numbers_grow_over_a_restart_backwards() -> None:
    tracker = SequenceTracker(90000)
    before = tracker.extend(40000)
    tracker.extend(100)
    after = tracker.extend(101)
    assert before is not None
    assert after is not None
    assert after > before


def test_above_goes_on_over_a_new_source() -> None:
    tracker = SequenceTracker(90000, above=0x2FFFF)
    first = tracker.extend(5)
    assert first == 0x30005
    assert tracker.reported_highest == 5


def test_lost_and_fraction() -> None:
    tracker = SequenceTracker(90000)
    for sequence in range(100):
        if sequence % 4:
            tracker.extend(sequence)
    tracker.close_interval()
    # The first packet seen is 1; 96 is the last one lost.
    assert tracker.lost == 24
    assert tracker.fraction_lost == 24 * 256 // 99
    tracker.extend(100)
    tracker.close_interval()
    assert tracker.fraction_lost == 0


def test_lost_is_bounded_to_24_bits() -> None:
    tracker = SequenceTracker(90000)
    sequence = 0
    for _ in range(7000):
        sequence += MAX_DROPOUT - 1
        tracker.extend(sequence & 0xFFFF)
    assert tracker.lost == 0x7FFFFF


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(-(2**30), 2**30), max_size=40))
def test_timestamps_extend(first: int, steps: list[int]) -> None:
    tracker = SequenceTracker(90000)
    assert tracker.extend_timestamp(first) == first
    true = first
    for step in steps:
        true += step
        assert tracker.extend_timestamp(true & 0xFFFFFFFF) == true


def test_jitter_of_a_steady_stream_is_zero_and_of_a_shaky_one_not() -> None:
    steady, shaky = SequenceTracker(48000), SequenceTracker(48000)
    for number in range(200):
        steady.take(number, number * 960, number * 0.02)
        shaky.take(number, number * 960, number * 0.02 + (number % 2) * 0.01)
    assert steady.jitter <= 1
    assert 450 <= shaky.jitter <= 481


def test_a_clock_jump_is_no_jitter() -> None:
    tracker = SequenceTracker(48000)
    for number in range(50):
        tracker.take(number, number * 960, number * 0.02)
    tracker.take(50, 2**31, 1.0)
    assert tracker.jitter <= 1


def test_what_was_counted_elsewhere_goes_on_as_if_it_was_counted_here() -> None:
    whole, parts = SequenceTracker(48_000), SequenceTracker(48_000)
    for number in range(10):
        whole.take(number, 960 * number, 0.02 * number + 0.001 * (number % 3))
        if number < 4:
            parts.take(number, 960 * number, 0.02 * number + 0.001 * (number % 3))
    parts.advance(6, whole.timestamp, *whole.transit)
    for tracker in (whole, parts):
        tracker.take(12, 960 * 12, 0.3)
        tracker.close_interval()
    assert (parts.highest, parts.received, parts.lost) == (whole.highest, whole.received, 2)
    assert (parts.jitter, parts.fraction_lost) == (whole.jitter, whole.fraction_lost)
