"""What the server answers, and whom it tells what."""

import pytest

from signalling.bfcp import (
    ErrorCode,
    FloorAsked,
    FloorEnded,
    FloorGranted,
    FloorServer,
    Message,
    ParticipantGone,
    RequestStatus,
    ask_policy,
    parse_message,
    queue_policy,
)
from signalling.bfcp.board import MAX_FLOORS_OF_REQUEST, MAX_REQUESTS_OF_USER, ChairPolicy
from signalling.bfcp.bodies import (
    Body,
    ChairAction,
    ChairActionAck,
    Error,
    FloorQuery,
    FloorRelease,
    FloorRequest,
    FloorRequestQuery,
    FloorRequestStatus,
    FloorStatus,
    Goodbye,
    GoodbyeAck,
    Hello,
    HelloAck,
    UserQuery,
    UserStatus,
)
from signalling.bfcp.information import RequestInformation, Standing

CHAIR = 9


class Room:
    """A server with participants on streams, whose messages are typed by hand."""

    def __init__(self, policy: ChairPolicy = queue_policy, *, reliable: bool = True) -> None:
        self.server = FloorServer(1, (1, 2), policy)
        self.reliable = reliable
        self.transaction = 0
        self.now = 0.0
        self.others: list[tuple[int, Message]] = []
        for user in (1, 2, CHAIR):
            self.server.open(user, reliable=reliable, name=f"room {user}", chair=user == CHAIR)

    def ask(self, user: int, body: Body) -> Body:
        """The answer; what others are told meanwhile waits for ``told``."""
        self.transaction += 1
        version = 1 if self.reliable else 2
        message = Message(1, self.transaction, user, body, False, version)
        self.server.receive(user, bytes(message), self.now)
        sent = self._sent()
        mine = [(who, each) for who, each in sent if each.transaction == self.transaction]
        self.others = [each for each in sent if each not in mine]
        ((who, answer),) = mine
        assert who == user
        return answer.body

    def told(self) -> list[tuple[int, Body]]:
        """Who has been told what since the last request."""
        found = [*self.others, *self._sent()]
        self.others = []
        assert not self.reliable or all(message.transaction == 0 for _, message in found)
        return [(user, message.body) for user, message in found]

    def _sent(self) -> list[tuple[int, Message]]:
        sent = self.server.data_to_send()
        return [(user, parse_message(data, reliable=self.reliable)) for user, data in sent]


def status(body: Body) -> tuple[int, RequestStatus, int]:
    """Request, status and place of a FloorRequestStatus."""
    assert isinstance(body, FloorRequestStatus)
    assert body.request.overall is not None
    assert body.request.status is not None
    return body.request.request, body.request.status, body.request.overall.queue_position


def error(body: Body) -> int:
    assert isinstance(body, Error)
    return body.code


def test_granted_released_and_the_next_told() -> None:
    room = Room()
    first, *granted = status(room.ask(1, FloorRequest((1,))))
    assert granted == [RequestStatus.GRANTED, 0]
    second, *waits = status(room.ask(2, FloorRequest((1,))))
    assert waits == [RequestStatus.ACCEPTED, 1]
    assert room.told() == []
    assert status(room.ask(1, FloorRelease(first))) == (first, RequestStatus.RELEASED, 0)
    ((user, body),) = room.told()
    assert (user, status(body)) == (2, (second, RequestStatus.GRANTED, 0))
    kinds = [(type(event), event.request.user) for event in room.server.events()
             if not isinstance(event, ParticipantGone)]  # fmt: skip
    assert kinds == [(FloorGranted, 1), (FloorEnded, 1), (FloorGranted, 2)]


def names(body: Body) -> list[str | None]:
    """Of those whom requests are for."""
    assert isinstance(body, FloorStatus | UserStatus)
    return [one.beneficiary.name for one in body.requests if one.beneficiary is not None]


def test_who_is_not_let_in_is_told_no_names() -> None:
    room = Room()
    room.server.open(3, reliable=True, name="room 3", sees_names=False)
    room.server.take(1, room.now, "Vạn Ninh")
    assert names(room.ask(3, FloorQuery((1,)))) == [None]
    assert names(room.ask(1, FloorQuery((1,)))) == ["Vạn Ninh"]
    own, *_ = status(room.ask(3, FloorRequest((1,))))
    room.told()
    known = room.ask(3, UserQuery(1))
    assert isinstance(known, UserStatus)
    assert known.beneficiary is not None
    assert known.beneficiary.name is None
    asked = room.ask(3, FloorRequestQuery(own))
    assert isinstance(asked, FloorRequestStatus)
    room.server.free(1, room.now)
    assert {name for user, body in room.told() if user == 3 and isinstance(body, FloorStatus)
            for name in names(body)} == {None}  # fmt: skip

    # Let in, it is told who has what it watches, with names from then on.
    room.server.let_in(3, room.now)
    ((user, body),) = room.told()
    assert (user, names(body)) == (3, ["room 3"])
    room.server.let_in(3, room.now)
    assert room.told() == []


def test_whoever_watches_a_floor_is_told_of_it() -> None:
    room = Room()
    assert room.ask(2, FloorQuery((2, 1))) == FloorStatus(2)
    assert room.told() == [(2, FloorStatus(1))]
    room.ask(1, FloorRequest((1,), information="slides"))
    ((user, body),) = room.told()
    assert user == 2
    assert isinstance(body, FloorStatus)
    (request,) = body.requests
    assert request.status is RequestStatus.GRANTED
    assert request.beneficiary is not None
    assert (request.beneficiary.id, request.beneficiary.name) == (1, "room 1")
    assert request.information == "slides"
    assert room.ask(2, FloorQuery()) == FloorStatus()
    room.ask(1, FloorRelease(request.request))
    assert room.told() == []


def test_what_a_user_has_and_wants() -> None:
    room = Room()
    id_, *_ = status(room.ask(1, FloorRequest((1,))))
    for asker, of in ((1, None), (2, 1)):
        body = room.ask(asker, UserQuery(of))
        assert isinstance(body, UserStatus)
        assert body.beneficiary is not None
        assert body.beneficiary.name == "room 1"
        assert [each.request for each in body.requests] == [id_]
    assert error(room.ask(1, UserQuery(8))) == ErrorCode.USER_UNKNOWN
    assert status(room.ask(2, FloorRequestQuery(id_)))[1] is RequestStatus.GRANTED


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (FloorRequest((1, 3)), ErrorCode.INVALID_FLOOR),
        (FloorQuery((3,)), ErrorCode.INVALID_FLOOR),
        (FloorRequest((1,), beneficiary=2), ErrorCode.UNAUTHORIZED),
        (FloorRelease(99), ErrorCode.REQUEST_UNKNOWN),
        (FloorRequestQuery(99), ErrorCode.REQUEST_UNKNOWN),
        (ChairAction(RequestInformation(1, (Standing(1),))), ErrorCode.UNAUTHORIZED),
    ],
)
def test_refused(body: Body, code: ErrorCode) -> None:
    room = Room()
    assert error(room.ask(1, body)) == code
    assert room.told() == []


def test_nobody_gives_back_what_another_has() -> None:
    room = Room()
    id_, *_ = status(room.ask(1, FloorRequest((1,))))
    assert error(room.ask(2, FloorRelease(id_))) == ErrorCode.UNAUTHORIZED
    assert room.server.holder(1) is not None


def test_too_many_requests_and_too_many_floors() -> None:
    room = Room()
    room.ask(2, FloorRequest((1,)))
    for _ in range(MAX_REQUESTS_OF_USER):
        room.ask(1, FloorRequest((1,)))
    assert error(room.ask(1, FloorRequest((1,)))) == ErrorCode.TOO_MANY_REQUESTS
    many = FloorServer(1, tuple(range(1, 20)))
    many.open(1, reliable=True)
    wanted = FloorRequest(tuple(range(1, MAX_FLOORS_OF_REQUEST + 2)))
    many.receive(1, bytes(Message(1, 1, 1, wanted)), 0.0)
    ((_, data),) = many.data_to_send()
    assert error(parse_message(data).body) == ErrorCode.GENERIC


@pytest.mark.parametrize(("reliable", "count"), [(True, 13), (False, 17)])
def test_hello(reliable: bool, count: int) -> None:
    body = Room(reliable=reliable).ask(1, Hello())
    assert isinstance(body, HelloAck)
    assert body.primitives == tuple(range(1, count + 1))
    assert body.attributes == tuple(range(1, 19))


def test_only_what_a_server_is_asked_is_answered() -> None:
    body = Room().ask(1, FloorStatus(1))
    assert error(body) == ErrorCode.UNKNOWN_PRIMITIVE


def action(id_: int, what: RequestStatus | None, reason: str | None = None) -> ChairAction:
    return ChairAction(RequestInformation(id_, (Standing(1, what, 0, reason),)))


def test_a_chair_decides() -> None:
    room = Room(ask_policy)
    first, *pending = status(room.ask(1, FloorRequest((1,))))
    assert pending == [RequestStatus.PENDING, 0]
    second, *_ = status(room.ask(2, FloorRequest((1,))))
    assert room.ask(CHAIR, action(first, RequestStatus.GRANTED)) == ChairActionAck()
    assert [(u, status(b)[1]) for u, b in room.told()] == [(1, RequestStatus.GRANTED)]
    assert room.ask(CHAIR, action(second, RequestStatus.ACCEPTED)) == ChairActionAck()
    assert room.ask(CHAIR, action(first, RequestStatus.REVOKED, "time")) == ChairActionAck()
    told = dict(room.told())
    assert status(told[1])[1] is RequestStatus.REVOKED
    assert isinstance(told[1], FloorRequestStatus)
    assert told[1].request.overall is not None
    assert told[1].request.overall.information == "time"
    assert status(told[2])[1] is RequestStatus.GRANTED
    assert error(room.ask(CHAIR, action(first, RequestStatus.GRANTED))) == (
        ErrorCode.REQUEST_UNKNOWN
    )
    assert error(room.ask(CHAIR, action(second, RequestStatus.PENDING))) == ErrorCode.GENERIC


def test_a_chair_asks_for_another() -> None:
    room = Room()
    id_, *_ = status(room.ask(CHAIR, FloorRequest((1,), beneficiary=1)))
    assert [(u, status(b)) for u, b in room.told()] == [(1, (id_, RequestStatus.GRANTED, 0))]
    holder = room.server.holder(1)
    assert holder is not None
    assert (holder.user, holder.requested_by) == (1, CHAIR)
    assert error(room.ask(CHAIR, FloorRequest((1,), beneficiary=8))) == ErrorCode.USER_UNKNOWN
    assert status(room.ask(1, FloorRelease(id_)))[1] is RequestStatus.RELEASED


def test_the_driver_decides() -> None:
    room = Room(ask_policy)
    first, *_ = status(room.ask(1, FloorRequest((1,))))
    second, *_ = status(room.ask(2, FloorRequest((1,))))
    events = room.server.events()
    assert [e.request.id for e in events if isinstance(e, FloorAsked)] == [first, second]
    room.server.grant(first, room.now)
    room.server.grant(first, room.now)
    room.server.deny(second, room.now, "another presents")
    told = dict(room.told())
    assert status(told[1])[1] is RequestStatus.GRANTED
    assert status(told[2])[1] is RequestStatus.DENIED
    room.server.free(1, room.now)
    room.server.free(1, room.now)
    assert [(u, status(b)[1]) for u, b in room.told()] == [(1, RequestStatus.REVOKED)]
    ended = [e for e in room.server.events() if isinstance(e, FloorEnded)]
    assert [(e.request.id, e.held) for e in ended] == [(second, False), (first, True)]


def test_a_policy_can_be_changed() -> None:
    room = Room(ask_policy)
    room.server.set_policy(queue_policy)
    assert status(room.ask(1, FloorRequest((1,))))[1] is RequestStatus.GRANTED


def test_a_call_that_ends_frees_the_floor() -> None:
    room = Room()
    room.ask(1, FloorRequest((1,)))
    room.ask(2, FloorRequest((1,)))
    room.server.close(1, room.now)
    room.server.close(1, room.now)
    assert [(u, status(b)[1]) for u, b in room.told()] == [(2, RequestStatus.GRANTED)]
    assert 1 not in room.server
    room.server.receive(1, bytes(Message(1, 5, 1, Hello())), room.now)
    assert room.told() == []


def test_a_connection_made_anew_keeps_the_floor() -> None:
    room = Room()
    id_, *_ = status(room.ask(1, FloorRequest((1,))))
    room.server.open(1, reliable=True, name="room 1")
    assert status(room.ask(1, FloorRequestQuery(id_)))[1] is RequestStatus.GRANTED


def test_goodbye_and_back_again() -> None:
    room = Room(reliable=False)
    room.ask(1, FloorRequest((1,)))
    assert room.ask(1, Goodbye()) == GoodbyeAck()
    assert room.server.holder(1) is None
    gone = [e for e in room.server.events() if isinstance(e, ParticipantGone)]
    assert gone == [ParticipantGone(1, "goodbye")]
    assert status(room.ask(1, FloorRequest((1,))))[1] is RequestStatus.GRANTED


def test_a_stream_of_something_else_is_reported_once() -> None:
    room = Room()
    room.ask(1, FloorRequest((1,)))
    for _ in range(3):
        room.server.receive(1, b"\x20\x0b\xff\xff" + bytes(100), room.now)
    gone = [e for e in room.server.events() if isinstance(e, ParticipantGone)]
    assert gone == [ParticipantGone(1, "protocol")]
    assert room.server.holder(1) is None
    assert room.server.association(1).failure == "protocol"


def test_no_participant_is_the_server() -> None:
    with pytest.raises(ValueError, match="user 0"):
        Room().server.open(0, reliable=True)
