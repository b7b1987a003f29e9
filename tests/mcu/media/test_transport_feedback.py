import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcu.media import rtcp
from mcu.media.transport_feedback import (
    CLOCK_CYCLE,
    MAX_STATUSES,
    UNTIMED,
    TransportFeedback,
    read,
    write,
)

HEAD = struct.pack("!LL", 1, 7)


def fci(base: int, statuses: int, reference: int, count: int, rest: bytes) -> bytes:
    return HEAD + struct.pack("!HHL", base, statuses, reference << 8 | count) + rest


def read_packet(packet: bytes) -> TransportFeedback:
    (value,) = rtcp.read(packet)
    assert isinstance(value, TransportFeedback)
    return value


def test_the_drafts_run_of_lost_packets() -> None:
    # Section 3.1.3, example 1, and one packet behind it so that there is a time.
    value = read(fci(5, 222, 3, 9, b"\x00\xdd" + b"\x20\x01" + b"\x04"))
    assert value == TransportFeedback(1, 7, 5, 9, [None] * 221 + [3 * 256 + 4])


def test_the_drafts_run_without_times() -> None:
    value = read(fci(5, 24, 3, 9, b"\x60\x18" + b"\0\0"))  # section 3.1.3, example 2
    assert value.arrivals == [UNTIMED] * 24


def test_the_drafts_one_bit_vector() -> None:
    # Section 3.1.4, example 1: one lost, five there, three lost, three there, two lost.
    value = read(fci(0, 14, 0, 0, b"\x9f\x1c" + bytes(range(1, 9))))
    assert value.arrivals == [
        None, 1, 3, 6, 10, 15, None, None, None, 21, 28, 36, None, None,
    ]  # fmt: skip


def test_the_drafts_two_bit_vector() -> None:
    # Section 3.1.4, example 2: one lost, one without a time, three there, two lost.
    value = read(fci(65535, 7, 0, 0, b"\xcd\x50" + bytes((4, 4, 4))))
    assert value.arrivals == [None, UNTIMED, 4, 8, 12, None, None]


@pytest.mark.parametrize("reference", [3, (1 << 24) - 1])
def test_a_run_that_all_came_says_what_a_vector_says(reference: int) -> None:
    steps = bytes((200, 0, 7, 255, 1, 90))
    run = read(fci(65_533, 6, reference, 9, struct.pack("!H", 1 << 13 | 6) + steps))
    vector = read(fci(65_533, 6, reference, 9, struct.pack("!H", 0xBF00) + steps))
    assert run == vector
    assert run.arrivals[0] == (reference * 256 + 200) % CLOCK_CYCLE
    with pytest.raises(ValueError, match="arrival times"):
        read(fci(65_533, 6, reference, 9, struct.pack("!H", 1 << 13 | 6) + steps[:5]))


def test_large_and_negative_steps() -> None:
    value = read(fci(0, 3, 1, 0, b"\xda\x00" + b"\x10\x01\x00" + b"\xff\x00"))
    assert value.arrivals == [256 + 16, 256 + 16 + 256, 256 + 16]
    chunk = 2 << 13 | 1
    before_zero = read(fci(0, 1, 0, 0, struct.pack("!Hh", chunk, -3)))
    assert before_zero.arrivals == [CLOCK_CYCLE - 3]


def test_bits_of_what_is_written() -> None:
    packet, taken = write(1, 7, 5, 9, [1000, 1001, None, 1004])
    assert taken == 4
    # 1000 = 3 * 256 + 232; the vector's last ten symbols stand for nothing.
    assert packet == bytes.fromhex(
        "8fcd000600000001000000070005000400000309b400e80103000003"
    ).replace(b"\x8f", b"\xaf", 1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        fci(0, 1, 0, 0, b""),
        fci(0, 0, 0, 0, b"\x20\x01\0\0"),
        fci(0, 5, 0, 0, b"\x20\x05\0\0"),
        fci(0, 2, 0, 0, b"\x40\x02\0\0"),
        fci(0, 9, 0, 0, b"\x20\x00" * 4),
        fci(0, MAX_STATUSES + 1, 0, 0, b"\x1f\xff" * 2),
    ],
)
def test_broken(body: bytes) -> None:
    with pytest.raises(rtcp.RtcpError):
        rtcp.read(b"\x8f\xcd" + (len(body) // 4).to_bytes(2, "big") + body)


ARRIVALS = st.lists(
    st.none() | st.integers(-300, 400) | st.integers(-40_000, 40_000), min_size=1, max_size=1200
)


@given(ARRIVALS, st.integers(0, 65535), st.integers(0, 1 << 40))
def test_what_is_written_is_read(steps: list[int | None], base: int, start: int) -> None:
    now = start + 1_000_000_000
    arrivals: list[int | None] = []
    for step in steps:
        now += step or 0
        arrivals.append(None if step is None else now)
    arrivals[-1] = now
    found: list[int | None] = []
    left: Sequence[int | None] = arrivals
    number = base
    while left:
        packet, taken = write(1, 7, number, 300, left)
        assert len(packet) % 4 == 0
        assert len(packet) <= 1472
        value = read_packet(packet)
        assert (value.base, value.report) == (number & 0xFFFF, 300 & 0xFF)
        found += value.arrivals
        assert taken == len(value.arrivals)
        assert taken
        left, number = left[taken:], number + taken
    assert found == [None if one is None else one % CLOCK_CYCLE for one in arrivals]


@pytest.mark.parametrize(
    ("arrivals", "chunk_bytes"),
    [
        ([0] * 500, 2),
        ([0] + [None] * 700 + [0], 6),  # a vector of fourteen, the rest of the run, the last
        ([0, None] * 7, 2),
        ([0, 300] * 7, 4),
    ],
)
def test_statuses_take_little_room(arrivals: list[int | None], chunk_bytes: int) -> None:
    packet, taken = write(1, 7, 0, 0, arrivals)
    assert taken == len(arrivals)
    before, deltas = 0, 0
    for one in arrivals:
        if one is not None:
            deltas += 1 if 0 <= one - before <= 255 else 2
            before = one
    assert (len(packet) - 20) == (chunk_bytes + deltas + 3) // 4 * 4
