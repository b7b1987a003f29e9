"""Streams in pieces of any size give the same messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalling.bfcp.errors import BfcpError
from signalling.bfcp.framing import MessageStream
from signalling.bfcp.header import Header
from signalling.bfcp.message import read_body
from tests.signalling.bfcp.vectors import VECTORS, typed

BODIES = [body for body, _ in VECTORS]
DATA = b"".join(typed(vector) for _, vector in VECTORS)


@given(st.lists(st.integers(1, 40), max_size=60))
def test_in_pieces(sizes: list[int]) -> None:
    stream = MessageStream()
    found = []
    at = 0
    for size in [*sizes, len(DATA)]:
        stream.add(DATA[at : at + size])
        at += size
        while (message := stream.next()) is not None:
            found.append(read_body(*message).body)
    assert found == BODIES
    assert not stream.is_amid_message


def test_a_message_that_is_not_complete_waits() -> None:
    stream = MessageStream()
    stream.add(DATA[:13])
    assert stream.next() is None
    assert stream.is_amid_message


def test_more_than_is_taken_is_refused_before_it_comes() -> None:
    stream = MessageStream()
    stream.add(bytes(Header(1, 1, 1, 2, 3, 16_388)))
    with pytest.raises(BfcpError, match=r"header\.length: 16388"):
        stream.next()
