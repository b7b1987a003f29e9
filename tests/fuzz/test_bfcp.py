"""BFCP of any kind: bytes, damaged messages, and messages of any content, at both ends.

Invariant: reading ends in a message or ``BfcpError``; what was read is written and read again the
same; a server and a client take anything, keep little of it, and go on working afterwards.
"""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from signalling.bfcp import (
    BfcpClient,
    BfcpError,
    FloorServer,
    Message,
    Priority,
    RequestStatus,
    parse_message,
)
from signalling.bfcp.bodies import (
    Body,
    ChairAction,
    Error,
    FloorQuery,
    FloorRelease,
    FloorRequest,
    FloorRequestStatus,
    FloorStatus,
    Goodbye,
    Hello,
    HelloAck,
    UserQuery,
    UserStatus,
)
from signalling.bfcp.information import RequestInformation, Standing, User
from tests.signalling.bfcp.vectors import VECTORS, typed

fuzz = settings(max_examples=300, deadline=None)
VALID = [typed(vector) for _, vector in VECTORS]

number = st.integers(0, 0xFFFF)
words = st.none() | st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=10)
floors = st.lists(number, min_size=1, max_size=6, unique=True).map(tuple)
users = st.builds(User, number, words, words)
standings = st.builds(Standing, number, st.sampled_from(RequestStatus), st.integers(0, 255), words)
requests = st.builds(
    RequestInformation,
    number,
    st.lists(standings, min_size=1, max_size=2).map(tuple),
    st.none() | standings,
    st.none() | users,
    st.none(),
    st.none() | st.sampled_from(Priority),
)
bodies: st.SearchStrategy[Body] = st.one_of(
    st.builds(FloorRequest, floors, st.none() | number, words, st.none() | st.integers(0, 4)),
    st.builds(FloorRelease, number),
    st.builds(UserQuery, st.none() | number),
    st.builds(FloorQuery, floors),
    st.builds(FloorStatus, st.none() | number, st.lists(requests, max_size=3).map(tuple)),
    st.builds(UserStatus, st.none() | users, st.lists(requests, max_size=3).map(tuple)),
    st.builds(FloorRequestStatus, requests),
    st.builds(ChairAction, requests),
    st.builds(Hello),
    st.builds(Goodbye),
    st.builds(
        HelloAck,
        st.lists(st.integers(0, 255), max_size=20).map(tuple),
        st.lists(st.integers(0, 127), max_size=20).map(tuple),
    ),
    st.builds(Error, st.integers(0, 255), st.binary(max_size=9), words),
)
messages = st.builds(
    Message,
    st.integers(0, 0xFFFFFFFF),
    number,
    number,
    bodies,
    st.booleans(),
    st.sampled_from((1, 2)),
)


def read(data: bytes) -> Message | None:
    try:
        return parse_message(data)
    except BfcpError as error:
        refused = error
    assert refused.field
    return None


@fuzz
@given(messages)
def test_written_and_read_again(message: Message) -> None:
    assert parse_message(bytes(message)) == message


@fuzz
@given(st.binary(max_size=200))
@example(b"")
@example(b"\x20" * 12)
def test_any_bytes(data: bytes) -> None:
    read(data)


@fuzz
@given(st.sampled_from(VALID), st.floats(0, 1, exclude_max=True), st.binary(max_size=4))
def test_a_few_bytes_changed(data: bytes, where: float, put: bytes) -> None:
    at = int(where * len(data))
    message = read(data[:at] + put + data[at + len(put) :])
    if message is not None:
        again = read(_written(message))
        assert again is None or again == message


def _written(message: Message) -> bytes:
    """What was read may be too long to be written, as replaced characters take more room."""
    try:
        return bytes(message)
    except BfcpError:
        return b""


damaged = st.tuples(
    st.sampled_from(VALID),
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 255)), max_size=3),
)


def spoil(data: bytes, changes: list[tuple[int, int]]) -> bytes:
    spoilt = bytearray(data)
    for at, value in changes:
        spoilt[at % len(spoilt)] = value
    return bytes(spoilt)


@fuzz
@given(st.lists(damaged | st.binary(max_size=60), max_size=30), st.booleans())
def test_a_server_survives_anything_and_still_answers(
    pieces: list[tuple[bytes, list[tuple[int, int]]] | bytes], reliable: bool
) -> None:
    server = FloorServer(1, (1, 2))
    server.open(3, reliable=reliable)
    server.open(4, reliable=True)
    for count, piece in enumerate(pieces):
        data = piece if isinstance(piece, bytes) else spoil(*piece)
        server.receive(3, data, count / 10)
        server.handle_timer(count / 10)
        answers = server.data_to_send()
        assert all(len(each) <= 1_200 for _, each in answers)
        server.events()
    assert len(server.requests(1)) <= 4
    server.receive(4, bytes(Message(1, 9, 4, Hello())), 10.0)
    ((_, answer),) = [each for each in server.data_to_send() if each[0] == 4]
    assert isinstance(parse_message(answer).body, HelloAck)
    server.close(3, 11.0)
    server.close(4, 11.0)
    assert server.next_timer() is None
    assert server.requests(1) == server.requests(2) == []


@fuzz
@given(st.lists(damaged | st.binary(max_size=60), max_size=30), st.booleans())
def test_a_client_survives_anything(
    pieces: list[tuple[bytes, list[tuple[int, int]]] | bytes], reliable: bool
) -> None:
    client = BfcpClient(1, 3, 1, reliable=reliable)
    client.start(0.0)
    for count, piece in enumerate(pieces):
        client.request_floor(count / 10)
        client.receive(piece if isinstance(piece, bytes) else spoil(*piece), count / 10)
        client.handle_timer(count / 10)
        client.data_to_send()
        client.events()
    client.say_goodbye(10.0)
    for now in range(11, 60):
        client.handle_timer(float(now))
    assert client.next_timer() is None


@pytest.mark.parametrize("reliable", [True, False])
def test_attributes_without_end_cost_little(reliable: bool) -> None:
    payload = b"\x04\x02\x00\x00" * 4_096
    message = bytes.fromhex("200110000000000100020003") + payload
    with pytest.raises(BfcpError, match="more than 1024 attributes"):
        parse_message(message, reliable=reliable)
