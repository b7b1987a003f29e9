"""Transactions of one association: versions, repetitions, answers kept, what is refused."""

import pytest

from signalling.bfcp.association import (
    MAX_ANSWERS,
    MAX_WAITING,
    Answered,
    Asked,
    Association,
)
from signalling.bfcp.bodies import (
    Body,
    Error,
    FloorQuery,
    FloorRelease,
    FloorRequest,
    FloorStatus,
    FloorStatusAck,
    Hello,
    HelloAck,
)
from signalling.bfcp.message import Message, parse_message
from signalling.bfcp.registry import ErrorCode
from signalling.bfcp.timers import T2_S


def server(*, reliable: bool = False, lenient: bool = True) -> Association:
    return Association(1, 3, reliable=reliable, server=True, lenient=lenient)


def client(*, reliable: bool = False, first: int = 1) -> Association:
    return Association(1, 3, reliable=reliable, server=False, first_transaction=first)


def hello(transaction: int = 9, *, version: int = 2, user: int = 3, conference: int = 1) -> bytes:
    return bytes(Message(conference, transaction, user, Hello(), False, version))


def sent(association: Association, *, reliable: bool = False) -> list[Message]:
    return [parse_message(data, reliable=reliable) for data in association.data_to_send()]


def error_of(association: Association) -> Error:
    (message,) = sent(association)
    assert isinstance(message.body, Error)
    return message.body


def test_a_request_is_answered_with_its_numbers() -> None:
    end = server()
    (asked,) = end.receive(hello(), 0.0)
    assert isinstance(asked, Asked)
    end.answer(asked.message, HelloAck(), 0.0)
    assert sent(end) == [Message(1, 9, 3, HelloAck(), True, 2)]


def test_over_a_stream_flags_are_clear_and_it_is_version_1() -> None:
    end = server(reliable=True)
    (asked,) = end.receive(hello(version=1), 0.0)
    assert isinstance(asked, Asked)
    end.answer(asked.message, HelloAck(), 0.0)
    assert end.data_to_send() == [bytes(Message(1, 9, 3, HelloAck()))]


def test_what_is_told_over_a_stream_has_no_number_and_is_not_acknowledged() -> None:
    end, far = server(reliable=True), client(reliable=True)
    end.request(FloorStatus(1), 0.0)
    (data,) = end.data_to_send()
    assert data == bytes(Message(1, 0, 3, FloorStatus(1)))
    (asked,) = far.receive(data, 0.0)
    assert isinstance(asked, Asked)
    far.answer(asked.message, FloorStatusAck(), 0.0)
    assert far.data_to_send() == []
    assert end.next_timer() is None


def test_one_request_at_a_time_and_the_later_of_two_of_one_kind() -> None:
    end = client(first=0xFFFF)
    end.request(Hello(), 0.0)
    for floor in (1, 2, 3):
        end.request(FloorQuery((floor,)), 0.0, "query")
    end.request(FloorRelease(5), 0.0)
    assert [message.transaction for message in sent(end)] == [0xFFFF]
    (answered,) = end.receive(bytes(Message(1, 0xFFFF, 3, HelloAck(), True, 2)), 0.1)
    assert answered == Answered(Hello(), HelloAck())
    assert sent(end) == [Message(1, 1, 3, FloorQuery((3,)), version=2)]
    end.receive(bytes(Message(1, 1, 3, FloorStatus(3), True, 2)), 0.2)
    assert sent(end) == [Message(1, 2, 3, FloorRelease(5), version=2)]


@pytest.mark.parametrize(
    "stray",
    [
        Message(1, 2, 3, HelloAck(), True, 2),
        Message(1, 1, 3, FloorStatus(1), True, 2),
        Message(1, 1, 4, HelloAck(), True, 2),
        Message(2, 1, 3, HelloAck(), True, 2),
    ],
)
def test_answers_to_something_else_are_dropped(stray: Message) -> None:
    end = client()
    end.request(Hello(), 0.0)
    assert end.receive(bytes(stray), 0.1) == []
    assert not end.is_idle
    assert end.next_timer() == 0.5


def test_an_error_answers_anything() -> None:
    end = client()
    end.request(FloorRequest((1,)), 0.0)
    error = Error(ErrorCode.INVALID_FLOOR)
    (answered,) = end.receive(bytes(Message(1, 1, 3, error, True, 2)), 0.1)
    assert answered == Answered(FloorRequest((1,)), error)


def test_t1_follows_the_round_trip_but_not_of_repeated_requests() -> None:
    end = client()
    now = 0.0
    for transaction, took in enumerate((0.4, 0.4), start=1):
        end.request(Hello(), now)
        end.receive(bytes(Message(1, transaction, 3, HelloAck(), True, 2)), now + took)
        now += 1
    end.request(Hello(), now)
    # 0.4 + 4 * 0.15
    assert end.next_timer() == pytest.approx(now + 1.0)
    end.handle_timer(now + 1.0)
    end.receive(bytes(Message(1, 3, 3, HelloAck(), True, 2)), now + 30.0)
    end.request(Hello(), 100.0)
    assert end.next_timer() == pytest.approx(101.0)


def test_over_a_stream_an_answer_is_waited_for_and_nothing_repeated() -> None:
    end = client(reliable=True)
    end.request(Hello(), 0.0)
    assert len(end.data_to_send()) == 1
    due = end.next_timer()
    assert due is not None
    end.handle_timer(due)
    assert end.data_to_send() == []
    assert end.failure == "no answer"


def test_a_repeated_request_gets_the_same_answer_until_t2() -> None:
    end = server()
    (asked,) = end.receive(hello(), 0.0)
    assert isinstance(asked, Asked)
    end.answer(asked.message, HelloAck(), 0.0)
    first = end.data_to_send()
    assert end.receive(hello(), T2_S - 0.1) == []
    assert end.data_to_send() == first
    assert end.counts["absorbed"] == 1
    assert end.next_timer() == T2_S
    end.handle_timer(T2_S)
    assert end.next_timer() is None
    assert end.receive(hello(), T2_S) == [asked]


def test_the_same_number_with_something_else_is_a_new_request() -> None:
    end = server()
    (asked,) = end.receive(hello(), 0.0)
    assert isinstance(asked, Asked)
    end.answer(asked.message, HelloAck(), 0.0)
    other = Message(1, 9, 3, FloorQuery(()), version=2)
    assert end.receive(bytes(other), 0.1) == [Asked(other)]


def test_long_answers_and_requests_go_in_fragments() -> None:
    end, far = server(), client()
    body = FloorRequest(tuple(range(400)))
    far.request(body, 0.0)
    pieces = far.data_to_send()
    assert len(pieces) == 2
    assert end.receive(pieces[1], 0.0) == []
    (asked,) = end.receive(pieces[0], 0.0)
    assert asked == Asked(Message(1, 1, 3, body, version=2))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (hello(version=1), ErrorCode.UNSUPPORTED_VERSION),
        (b"\x60" + hello()[1:], ErrorCode.UNSUPPORTED_VERSION),
        (hello(conference=2), ErrorCode.CONFERENCE_UNKNOWN),
        (hello(user=4), ErrorCode.USER_UNKNOWN),
        (hello()[:1] + b"\x63" + hello()[2:], ErrorCode.UNKNOWN_PRIMITIVE),
        (hello() + bytes(4), ErrorCode.BAD_LENGTH),
        (hello()[:1] + b"\x01" + hello()[2:], ErrorCode.UNPARSABLE),
        (b"\x48" + hello()[1:] + bytes(4), ErrorCode.BAD_LENGTH),
    ],
)
def test_a_server_says_why_it_refuses(data: bytes, code: ErrorCode) -> None:
    end = server(lenient=False)
    assert end.receive(data, 0.0) == []
    (message,) = sent(end)
    assert isinstance(message.body, Error)
    assert message.body.code == code
    assert message.responder
    assert message.transaction == 9


@pytest.mark.parametrize(
    "data",
    [
        b"",
        hello()[:11],
        bytes(Message(1, 9, 4, HelloAck(), True, 2)),
        bytes(Message(1, 9, 4, Error(1), False, 2)),
    ],
)
def test_errors_and_answers_are_not_answered_with_errors(data: bytes) -> None:
    end = server()
    assert end.receive(data, 0.0) == []
    assert end.data_to_send() == []
    assert sum(end.counts[key] for key in end.counts if key.startswith("refused")) == 1


def test_a_client_refuses_in_silence() -> None:
    end = client()
    assert end.receive(hello(user=4), 0.0) == []
    assert end.data_to_send() == []


def test_version_1_over_udp_is_answered_in_version_1() -> None:
    end = server()
    (asked,) = end.receive(hello(version=1), 0.0)
    assert isinstance(asked, Asked)
    end.answer(asked.message, HelloAck(), 0.0)
    end.request(FloorStatus(1), 0.0)
    assert [message.version for message in sent(end)] == [1, 1]


def test_an_unsupported_version_over_a_stream_does_not_end_it() -> None:
    end = server(reliable=True)
    (asked,) = end.receive(hello(version=2) + hello(version=1), 0.0)
    assert asked == Asked(Message(1, 9, 3, Hello()))
    assert error_of(end).code == ErrorCode.UNSUPPORTED_VERSION
    assert end.failure is None


def test_a_stream_that_announces_too_much_is_over() -> None:
    end = server(reliable=True)
    end.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0.0)
    assert end.failure == "protocol"
    assert end.receive(hello(version=1), 0.0) == []
    end.request(FloorStatus(1), 0.0)
    assert end.data_to_send() == []


def test_what_waits_is_bounded() -> None:
    end = server()
    for floor in range(MAX_WAITING + 1):
        end.request(FloorStatus(floor), 0.0, floor)
    assert end.failure is None
    end.request(FloorStatus(0), 0.0, "one more")
    assert end.failure == "overrun"
    assert end.next_timer() is None


def test_answers_kept_are_bounded() -> None:
    end = server()
    for transaction in range(1, 500):
        (asked,) = end.receive(hello(transaction), 0.0)
        assert isinstance(asked, Asked)
        end.answer(asked.message, HelloAck(), 0.0)
    end.data_to_send()
    absorbed = sum(not end.receive(hello(number), 0.1) for number in range(1, 500))
    assert absorbed == MAX_ANSWERS


@pytest.mark.parametrize("body", [HelloAck(), FloorStatusAck(), Error(3)])
def test_answers_that_do_not_say_so_are_dropped(body: Body) -> None:
    end = server()
    assert end.receive(bytes(Message(1, 9, 3, body, False, 2)), 0.0) == []
    assert end.counts["dropped"] == 1
