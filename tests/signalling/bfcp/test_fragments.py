"""Long messages in pieces, in any order, more than once, and pieces that do not fit."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalling.bfcp.bodies import FloorRequest, Hello
from signalling.bfcp.errors import BfcpError
from signalling.bfcp.fragments import (
    MAX_FRAGMENTS,
    MAX_INCOMPLETE,
    WAIT_S,
    Reassembly,
    datagrams,
)
from signalling.bfcp.header import Header
from signalling.bfcp.message import Message

LONG = Message(1, 2, 3, FloorRequest(tuple(range(40))), version=2)


def take(reassembly: Reassembly, data: bytes, now: float = 0.0) -> Message | None:
    header = Header.parse(data, reliable=False)
    return reassembly.receive(header, data[header.header_bytes :], now)


def fragment(at: int, words: int, total: int, content: bytes | None = None) -> bytes:
    header = Header(2, 1, 1, 2, 3, total * 4, False, (at * 4, words * 4))
    return bytes(header) + (bytes(words * 4) if content is None else content)


def test_a_fragment_byte_by_byte() -> None:
    message = Message(1, 2, 3, FloorRequest((1, 2, 3, 4)), version=2)
    first, second = datagrams(message, 24)
    assert first.hex(" ", 4) == "48010004 00000001 00020003 00000002 05040001 05040002"
    assert second.hex(" ", 4) == "48010004 00000001 00020003 00020002 05040003 05040004"


def test_what_fits_is_one_datagram_without_fragments() -> None:
    assert datagrams(Message(1, 2, 3, Hello(), version=2)) == [
        bytes(Message(1, 2, 3, Hello(), version=2))
    ]
    assert len(datagrams(LONG, len(bytes(LONG)))) == 1


@given(st.integers(20, 200), st.randoms(use_true_random=False), st.integers(1, 3))
def test_any_size_in_any_order_more_than_once(limit: int, rng: random.Random, times: int) -> None:
    pieces = datagrams(LONG, limit)
    assert all(len(piece) <= limit for piece in pieces)
    shuffled = pieces[:-1] * times
    rng.shuffle(shuffled)
    reassembly = Reassembly()
    for piece in shuffled:
        assert take(reassembly, piece) is None
    assert take(reassembly, pieces[-1]) == LONG
    assert len(reassembly) == 0


def test_fragments_of_several_messages_and_of_answers_are_kept_apart() -> None:
    reassembly = Reassembly()
    messages = [Message(1, 2, 3, LONG.body, answers, 2) for answers in (False, True)]
    both = [datagrams(message, 60) for message in messages]
    found = [take(reassembly, piece) for pair in zip(*both, strict=True) for piece in pair]
    assert [each for each in found if each is not None] == messages


@pytest.mark.parametrize(
    "data",
    [
        fragment(0, 0, 4),
        fragment(3, 2, 4),
        fragment(0, 2, 4, bytes(4)),
        fragment(0, 2, 4, bytes(12)),
        fragment(0, 4, 4_097),
    ],
)
def test_lengths_that_cannot_be_are_refused(data: bytes) -> None:
    reassembly = Reassembly()
    take(reassembly, fragment(0, 1, 4))
    with pytest.raises(BfcpError, match=r"header\.fragment"):
        take(reassembly, data)
    assert len(reassembly) == 0


@pytest.mark.parametrize(("at", "words"), [(0, 1), (0, 3), (1, 1), (1, 2)])
def test_fragments_that_overlap_throw_the_message_away(at: int, words: int) -> None:
    reassembly = Reassembly()
    take(reassembly, fragment(0, 2, 4, b"\1" * 8))
    with pytest.raises(BfcpError, match="does not fit the others"):
        take(reassembly, fragment(at, words, 4))
    assert len(reassembly) == 0


def test_fragments_wait_only_so_long() -> None:
    reassembly = Reassembly()
    first, *rest = datagrams(LONG, 60)
    take(reassembly, first, 5.0)
    assert reassembly.next_timer() == 5.0 + WAIT_S
    reassembly.handle_timer(4.9 + WAIT_S)
    assert len(reassembly) == 1
    reassembly.handle_timer(5.0 + WAIT_S)
    assert len(reassembly) == 0
    assert all(take(reassembly, piece, 16.0) is None for piece in rest)


def test_old_fragments_are_not_joined_with_new_ones() -> None:
    reassembly = Reassembly()
    first, *rest = datagrams(LONG, 60)
    take(reassembly, first, 0.0)
    assert all(take(reassembly, piece, WAIT_S) is None for piece in rest)
    assert take(reassembly, first, WAIT_S) == LONG


def test_memory_is_bounded() -> None:
    reassembly = Reassembly()
    for transaction in range(1, 100):
        header = Header(2, 1, 1, transaction, 3, 16, False, (0, 4))
        take(reassembly, bytes(header) + bytes(4))
    assert len(reassembly) == MAX_INCOMPLETE
    reassembly = Reassembly()
    for at in range(MAX_FRAGMENTS):
        take(reassembly, fragment(2 * at, 1, 4_000))
    with pytest.raises(BfcpError):
        take(reassembly, fragment(2 * MAX_FRAGMENTS, 1, 4_000))
