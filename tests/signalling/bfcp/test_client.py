"""What a participant makes of a server's answers, also of odd ones. The rest is on the link."""

import pytest

from signalling.bfcp import (
    BfcpClient,
    ErrorCode,
    HolderChanged,
    Message,
    Primitive,
    RequestChanged,
    RequestRefused,
    RequestStatus,
    ServerGone,
    parse_message,
)
from signalling.bfcp.bodies import (
    Body,
    ChairAction,
    Error,
    FloorRelease,
    FloorRequest,
    FloorRequestStatus,
    FloorStatus,
    Goodbye,
)
from signalling.bfcp.errors import BfcpError
from signalling.bfcp.information import RequestInformation, Standing, User

G = RequestStatus.GRANTED


def request(id_: int, status: RequestStatus, user: int = 3) -> RequestInformation:
    return RequestInformation(id_, (Standing(1, status),), Standing(id_, status), User(user))


class End:
    """A client over UDP, and a hand that writes the server's messages."""

    def __init__(self, *, reliable: bool = False) -> None:
        self.client = BfcpClient(1, 3, 1, reliable=reliable)
        self.number = 100
        self.now = 0.0

    def sent(self) -> Message:
        (data,) = self.client.data_to_send()
        return parse_message(data)

    def answer(self, body: Body) -> None:
        """Answer the request that is out."""
        asked = self.sent()
        message = Message(1, asked.transaction, 3, body, True, 2)
        self.client.receive(bytes(message), self.now)

    def tell(self, body: Body) -> Primitive:
        """Ask the client something; gives what it acknowledges with."""
        self.number += 1
        self.client.receive(bytes(Message(1, self.number, 3, body, False, 2)), self.now)
        for data in self.client.data_to_send():
            message = parse_message(data)
            if message.responder:
                assert message.transaction == self.number
                return message.primitive
        raise AssertionError("no acknowledgement")


def holding() -> End:
    end = End()
    end.client.request_floor(0.0)
    end.answer(FloorRequestStatus(request(7, G)))
    assert end.client.events() == [RequestChanged(G)]
    assert end.client.has_floor
    return end


def test_asking_twice_asks_once() -> None:
    end = End()
    end.client.request_floor(0.0, priority=3, information="report")
    end.client.request_floor(0.0)
    assert end.sent().body == FloorRequest((1,), None, "report", 3)


def test_given_back_before_the_answer_came() -> None:
    end = End()
    end.client.request_floor(0.0)
    end.client.release_floor(0.0)
    end.answer(FloorRequestStatus(request(7, G)))
    end.answer(FloorRequestStatus(request(7, RequestStatus.RELEASED)))
    assert end.client.events() == [RequestChanged(G), RequestChanged(RequestStatus.RELEASED)]
    assert not end.client.has_floor


def test_asked_for_again_while_it_is_given_back() -> None:
    end = holding()
    end.client.release_floor(0.0)
    end.client.request_floor(0.0)
    end.answer(FloorRequestStatus(request(7, RequestStatus.RELEASED)))
    assert end.sent().body == FloorRequest((1,), priority=2)


def test_taken_away_while_it_is_given_back() -> None:
    end = holding()
    end.client.release_floor(0.0)
    message = Message(1, 200, 3, FloorRequestStatus(request(7, RequestStatus.REVOKED)), False, 2)
    end.client.receive(bytes(message), 0.0)
    release, ack = map(parse_message, end.client.data_to_send())
    assert release.body == FloorRelease(7)
    assert ack.primitive is Primitive.FLOOR_REQUEST_STATUS_ACK
    error = Error(ErrorCode.REQUEST_UNKNOWN)
    end.client.receive(bytes(Message(1, release.transaction, 3, error, True, 2)), 0.0)
    assert end.client.events() == [RequestChanged(RequestStatus.REVOKED)]
    end.client.request_floor(0.0)
    assert isinstance(end.sent().body, FloorRequest)


@pytest.mark.parametrize("final", [RequestStatus.DENIED, RequestStatus.REVOKED])
def test_what_is_taken_away_is_not_asked_for_again(final: RequestStatus) -> None:
    end = holding()
    assert end.tell(FloorRequestStatus(request(7, final))) is (Primitive.FLOOR_REQUEST_STATUS_ACK)
    assert end.client.events() == [RequestChanged(final)]
    assert end.client.association.is_idle


def test_refused() -> None:
    end = End()
    end.client.request_floor(0.0)
    end.answer(Error(ErrorCode.INVALID_FLOOR, information="no"))
    assert end.client.events() == [RequestRefused(ErrorCode.INVALID_FLOOR, "no")]
    assert end.client.association.is_idle


def test_news_of_others_requests_do_not_count() -> None:
    end = holding()
    end.tell(FloorRequestStatus(request(8, RequestStatus.REVOKED)))
    assert end.client.has_floor
    assert end.client.events() == []


def test_it_never_goes_back() -> None:
    end = holding()
    end.tell(FloorRequestStatus(request(7, RequestStatus.PENDING)))
    assert end.client.has_floor
    assert end.client.events() == []


def test_who_has_the_floor() -> None:
    end = End()
    end.client.start(0.0)
    end.answer(FloorStatus(1, (request(5, G, user=4), request(6, RequestStatus.ACCEPTED))))
    assert end.client.events() == [HolderChanged(4)]
    assert end.tell(FloorStatus(2)) is Primitive.FLOOR_STATUS_ACK
    assert end.client.holder == HolderChanged(4)
    end.tell(FloorStatus(1, (request(6, G),)))
    assert end.client.events() == [HolderChanged(None)], "oneself does not count"


def test_an_older_answer_does_not_undo_news() -> None:
    end = End()
    end.client.start(0.0)
    query = end.sent()
    end.tell(FloorStatus(1, (request(5, G, user=4),)))
    end.client.receive(bytes(Message(1, query.transaction, 3, FloorStatus(1), True, 2)), 0.0)
    assert end.client.holder == HolderChanged(4)


def test_goodbye_of_the_server() -> None:
    end = holding()
    assert end.tell(Goodbye()) is Primitive.GOODBYE_ACK
    assert end.client.events() == [ServerGone("goodbye")]
    assert not end.client.has_floor


def test_what_a_server_does_not_ask_is_not_answered() -> None:
    end = holding()
    with pytest.raises(AssertionError, match="no acknowledgement"):
        end.tell(ChairAction(request(7, G)))


def test_a_stream_that_is_none_is_reported_once() -> None:
    end = End(reliable=True)
    end.client.start(0.0)
    for _ in range(3):
        end.client.receive(b"\x20\x08\xff\xff" + bytes(60), 0.0)
    assert end.client.events() == [ServerGone("protocol")]
    assert end.client.next_timer() is None


def test_information_that_does_not_fit_is_refused_at_once() -> None:
    end = End()
    with pytest.raises(BfcpError, match="PARTICIPANT-PROVIDED-INFO"):
        end.client.request_floor(0.0, information="x" * 300)
    assert end.client.data_to_send() == []
