import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcu.bridge import event_source
from mcu.bridge.event_source import EventParser

STREAM = (
    ": hello\r\n"
    "id: 7\r\n"
    'data: {"type": "participant.joined",\r\n'
    'data: "data": {"tên": "Phường Nha Trang"}}\r\n'
    "\r\n"
    ": still here\n\n"
    "event: message\ndata:second\n\n"
    "retry: 500\n\n"
    "data: third\r\r"
    "data: not complete"
).encode()
EVENTS = [
    '{"type": "participant.joined",\n"data": {"tên": "Phường Nha Trang"}}',
    "second",
    "third",
]


def test_a_whole_stream() -> None:
    assert EventParser().feed(STREAM + b"\n") == EVENTS


@given(st.lists(st.integers(0, len(STREAM)), max_size=40))
def test_chunks_of_any_size_give_the_same(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    parser = EventParser()
    found = []
    for start, end in itertools.pairwise(edges):
        found += parser.feed(STREAM[start:end])
    found += parser.feed(b"\n")
    assert found == EVENTS


@given(st.lists(st.binary(max_size=200), max_size=10))
def test_noise_gives_events_or_a_value_error(chunks: list[bytes]) -> None:
    parser = EventParser()
    try:
        for chunk in chunks:
            assert all(isinstance(event, str) for event in parser.feed(chunk))
    except ValueError:
        pass


def test_an_endless_event_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_source, "MAX_EVENT_BYTES", 1000)
    one_line = EventParser()
    one_line.feed(b"data: " + b"x" * 900)
    with pytest.raises(ValueError, match="1000"):
        one_line.feed(b"x" * 200)
    many_lines = EventParser()
    with pytest.raises(ValueError, match="1000"):
        many_lines.feed(b"data: xxxxxxxxxx\n" * 101)
    many_events = EventParser()
    for _ in range(101):
        assert many_events.feed(b"data: xxxxxxxxxx\n\n") == ["xxxxxxxxxx"]
