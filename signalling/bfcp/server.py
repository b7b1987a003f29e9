"""The floor control server of one conference (RFC 8855 section 13)."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from signalling.bfcp.association import Asked, Association
from signalling.bfcp.board import (
    MAX_FLOORS_OF_REQUEST,
    SERVER_USER,
    BoardFull,
    ChairPolicy,
    FloorBoard,
    Request,
    queue_policy,
)
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
from signalling.bfcp.events import (
    FloorAsked,
    FloorEnded,
    FloorGranted,
    GoneCause,
    ParticipantGone,
    ServerEvent,
)
from signalling.bfcp.information import RequestInformation
from signalling.bfcp.message import Message
from signalling.bfcp.registry import ErrorCode, Primitive, Priority, RequestStatus
from signalling.bfcp.status import describe, user_of

PROBE_S = 30.0
"""Whoever has a floor or wants one, and is not heard for so long, is told its status once more,
which must be acknowledged (unreliable transports)."""


@dataclass(slots=True)
class _Participant:
    association: Association
    name: str | None
    is_chair: bool
    watches: set[int] = field(default_factory=set)
    is_gone: bool = False


class FloorServer:
    """See the package. One thread; no method blocks.

    Args:
        conference: ``a=confid`` of RFC 8856. floors: ``a=floorid``, at least one.
        policy: decides about new requests.
    """

    def __init__(
        self, conference: int, floors: tuple[int, ...], policy: ChairPolicy = queue_policy
    ) -> None:
        self.conference = conference
        self._board = FloorBoard(floors, policy)
        self._participants: dict[int, _Participant] = {}
        self._events: list[ServerEvent] = []

    # Participants

    def open(
        self,
        user: int,
        *,
        reliable: bool,
        name: str | None = None,
        chair: bool = False,
        first_transaction: int = 1,
        lenient: bool = True,
    ) -> None:
        """Take a participant in: its media were agreed upon, or its connection is open.

        One that is open begins anew; its requests stay.

        Args:
            user: ``a=userid``, 1 to 65535. name: shown to others.
            chair: may decide about requests of others, and ask for others.
            first_transaction, lenient: see ``Association``.

        Raises:
            ValueError: ``user`` is the server's own.
        """
        if user == SERVER_USER:
            raise ValueError("user 0 is the server")
        before = self._participants.get(user)
        association = Association(
            self.conference,
            user,
            reliable=reliable,
            server=True,
            first_transaction=first_transaction,
            lenient=lenient,
        )
        watches = set() if before is None else before.watches
        self._participants[user] = _Participant(association, name, chair, watches)

    def close(self, user: int, now: float) -> None:
        """Forget a participant: its call has ended, or its connection. Its requests end."""
        if self._participants.pop(user, None) is not None:
            self._tell(self._board.forget_user(user), now)

    def say_goodbye(self, now: float) -> None:
        """Tell all that floor control is over (unreliable transports); ``close`` them later."""
        for participant in self._open():
            if not participant.association.reliable:
                participant.association.forget_requests()
                participant.association.request(Goodbye(), now)

    def __contains__(self, user: int) -> bool:
        return user in self._participants

    def association(self, user: int) -> Association:
        """A participant's association, for its counts and its failure.

        Raises:
            KeyError: it is not open.
        """
        return self._participants[user].association

    # Deciding

    def holder(self, floor: int) -> Request | None:
        """The request a floor is granted to; its user is 0 where ``take`` gave it away."""
        return self._board.holder(floor)

    def requests(self, floor: int) -> list[Request]:
        """The holder's, then the queue, then those nobody has decided about."""
        return self._board.of_floor(floor)

    def set_policy(self, policy: ChairPolicy) -> None:
        """Decide about further requests by ``policy``."""
        self._board.policy = policy

    def grant(self, request: int, now: float) -> None:
        """Grant a request; whoever has its floors loses them. Nothing if it has ended."""
        self._tell(self._board.grant(request), now)

    def accept(self, request: int, now: float) -> None:
        """Put a request that was asked about into the queue."""
        self._tell(self._board.accept(request), now)

    def deny(self, request: int, now: float, reason: str | None = None) -> None:
        """Deny a request, or revoke it if it was granted."""
        self._tell(self._board.end(request, reason, by_user=False), now)

    def take(self, floor: int, now: float, name: str | None = None) -> None:
        """The floor belongs to somebody without BFCP; its holder loses it, who asks must wait."""
        self._tell(self._board.take(floor, name), now)

    def free(self, floor: int, now: float, reason: str | None = None) -> None:
        """Take the floor from whoever has it; the queue's next gets it."""
        holder = self._board.holder(floor)
        if holder is not None:
            self._tell(self._board.end(holder.id, reason, by_user=False), now)

    # The wire

    def receive(self, user: int, data: bytes, now: float) -> None:
        """Take what came from a participant: a datagram, or bytes of its stream.

        Dropped if it is not open. Cost: O(bytes + participants * requests) for each message.
        """
        participant = self._participants.get(user)
        if participant is None:
            return
        for received in participant.association.receive(data, now):
            participant.is_gone = False
            if isinstance(received, Asked):
                self._answer(user, participant, received.message, now)
        self._check(user, participant, now)

    def data_to_send(self) -> list[tuple[int, bytes]]:
        """What is to be sent to whom: datagrams, or pieces of streams, each one's in order."""
        return [
            (user, data)
            for user, participant in self._participants.items()
            for data in participant.association.data_to_send()
        ]

    def events(self) -> list[ServerEvent]:
        """What has happened since this was last asked, in order."""
        events, self._events = self._events, []
        return events

    def next_timer(self) -> float | None:
        """When ``handle_timer`` is next needed, or None."""
        times = [self._probe_at(user, each) for user, each in self._participants.items()]
        times += (each.association.next_timer() for each in self._participants.values())
        return min((time for time in times if time is not None), default=None)

    def handle_timer(self, now: float) -> None:
        """Repeat, give up, ask whether somebody is still there."""
        for user, participant in list(self._participants.items()):
            participant.association.handle_timer(now)
            probe_at = self._probe_at(user, participant)
            if probe_at is not None and probe_at <= now:
                self._show(participant, self._board.of_user(user)[0], now)
            self._check(user, participant, now)

    # Requests of participants

    def _answer(self, user: int, participant: _Participant, asked: Message, now: float) -> None:
        """Answer first, then tell others what has changed."""
        changed: list[Request] = []
        further: tuple[int, ...] = ()
        answer: Body
        match asked.body:
            case FloorRequest() as wanted:
                answer, changed = self._ask(user, participant, wanted)
            case FloorRelease(request=id_):
                answer, changed = self._release(user, id_)
            case FloorRequestQuery(request=id_):
                request = self._board.get(id_)
                answer = _NO_REQUEST if request is None else self._status(request)
            case UserQuery(beneficiary=who):
                answer = self._user_status(user if who is None else who)
            case FloorQuery(floors=floors):
                answer, further = self._watch(participant, floors)
            case ChairAction() as action:
                answer, changed = self._chair(participant, action)
            case Hello():
                answer = _hello_ack(participant.association.reliable)
            case Goodbye():
                answer = GoodbyeAck()
            case other:
                reason = f"{other.primitive.name} is not for a server"
                answer = Error(ErrorCode.UNKNOWN_PRIMITIVE, information=reason)
        participant.association.answer(asked, answer, now)
        for floor in further:
            self._show_floor(participant, floor, now)
        told = answer.request.request if isinstance(answer, FloorRequestStatus) else None
        self._tell(changed, now, (user, told))
        if isinstance(asked.body, Goodbye):
            self._gone(user, participant, "goodbye", now)

    def _ask(
        self, user: int, participant: _Participant, wanted: FloorRequest
    ) -> tuple[Body, list[Request]]:
        unknown = next((each for each in wanted.floors if each not in self._board.floors), None)
        if unknown is not None:
            return Error(ErrorCode.INVALID_FLOOR, information=f"There is no floor {unknown}"), []
        if len(wanted.floors) > MAX_FLOORS_OF_REQUEST:
            return Error(ErrorCode.GENERIC, information="Too many floors in one request"), []
        for_whom = user if wanted.beneficiary is None else wanted.beneficiary
        if for_whom != user and not participant.is_chair:
            return _UNAUTHORIZED, []
        if for_whom not in self._participants:
            return Error(ErrorCode.USER_UNKNOWN), []
        priority = Priority.NORMAL if wanted.priority is None else wanted.priority
        try:
            id_, changed = self._board.ask(
                for_whom,
                wanted.floors,
                requested_by=user,
                priority=priority,
                information=wanted.information,
            )
        except BoardFull:
            return Error(ErrorCode.TOO_MANY_REQUESTS), []
        request = next(each for each in changed if each.id == id_)
        return self._status(request), changed

    def _release(self, user: int, id_: int) -> tuple[Body, list[Request]]:
        request = self._board.get(id_)
        if request is None:
            return _NO_REQUEST, []
        if user not in (request.user, request.requested_by):
            return _UNAUTHORIZED, []
        changed = self._board.end(id_, by_user=True)
        return self._status(changed[0]), changed

    def _watch(
        self, participant: _Participant, floors: tuple[int, ...]
    ) -> tuple[Body, tuple[int, ...]]:
        unknown = next((each for each in floors if each not in self._board.floors), None)
        if unknown is not None:
            reason = f"There is no floor {unknown}"
            return Error(ErrorCode.INVALID_FLOOR, information=reason), ()
        participant.watches = set(floors)
        if not floors:
            return FloorStatus(), ()
        return self._floor_status(floors[0]), floors[1:]

    def _chair(self, participant: _Participant, action: ChairAction) -> tuple[Body, list[Request]]:
        if not participant.is_chair:
            return _UNAUTHORIZED, []
        id_ = action.request.request
        if self._board.get(id_) is None:
            return _NO_REQUEST, []
        reason = action.request.floors[0].information
        match action.request.status:
            case RequestStatus.GRANTED:
                return ChairActionAck(), self._board.grant(id_, reason)
            case RequestStatus.ACCEPTED:
                return ChairActionAck(), self._board.accept(id_)
            case RequestStatus.DENIED | RequestStatus.REVOKED:
                return ChairActionAck(), self._board.end(id_, reason, by_user=False)
            case _:
                return Error(ErrorCode.GENERIC, information="No such action"), []

    def _user_status(self, user: int) -> Body:
        if user not in self._participants:
            return Error(ErrorCode.USER_UNKNOWN)
        found = tuple(self._describe(each) for each in self._board.of_user(user))
        return UserStatus(user_of(user, self._name(user)), found)

    # Telling

    def _tell(
        self,
        changed: Iterable[Request],
        now: float,
        told: tuple[int, int | None] = (SERVER_USER, None),
    ) -> None:
        """Tell of requests that have changed: the driver, who asked, and who watches the floors.

        Args:
            told: a user, and the request it has just been answered about.
        """
        floors: dict[int, None] = {}
        for request in changed:
            floors |= dict.fromkeys(request.floors)
            self._note(request)
            for user in {request.user, request.requested_by} - {SERVER_USER}:
                participant = self._participants.get(user)
                if participant is not None and (user, request.id) != told:
                    self._show(participant, request, now)
        for participant in self._open():
            for floor in floors:
                if floor in participant.watches:
                    self._show_floor(participant, floor, now)
        for user, participant in list(self._participants.items()):
            self._check(user, participant, now)

    def _note(self, request: Request) -> None:
        if request.user == SERVER_USER:
            return
        if request.status is RequestStatus.PENDING:
            self._events.append(FloorAsked(request))
        elif request.status is RequestStatus.GRANTED:
            self._events.append(FloorGranted(request))
        elif request.status.is_final:
            held = request.status in (RequestStatus.RELEASED, RequestStatus.REVOKED)
            self._events.append(FloorEnded(request, held))

    def _open(self) -> list[_Participant]:
        return [each for each in self._participants.values() if not each.is_gone]

    def _show(self, participant: _Participant, request: Request, now: float) -> None:
        if not participant.is_gone:
            key = ("request", request.id)
            participant.association.request(self._status(request), now, key)

    def _show_floor(self, participant: _Participant, floor: int, now: float) -> None:
        participant.association.request(self._floor_status(floor), now, ("floor", floor))

    def _status(self, request: Request) -> FloorRequestStatus:
        return FloorRequestStatus(self._describe(request))

    def _floor_status(self, floor: int) -> FloorStatus:
        return FloorStatus(floor, tuple(map(self._describe, self._board.of_floor(floor))))

    def _describe(self, request: Request) -> RequestInformation:
        return describe(request, self._name(request.user), self._name(request.requested_by))

    def _name(self, user: int) -> str | None:
        participant = self._participants.get(user)
        return None if participant is None else participant.name

    # Who is gone

    def _probe_at(self, user: int, participant: _Participant) -> float | None:
        association = participant.association
        heard = association.heard_at
        if association.reliable or heard is None or not association.is_idle:
            return None
        return heard + PROBE_S if self._board.of_user(user) else None

    def _check(self, user: int, participant: _Participant, now: float) -> None:
        failure = participant.association.failure
        if failure is None or participant.is_gone:
            return
        if not participant.association.reliable:
            participant.association.reset()  # it may come back
        self._gone(user, participant, failure, now)

    def _gone(self, user: int, participant: _Participant, cause: GoneCause, now: float) -> None:
        participant.is_gone = True
        participant.watches.clear()
        participant.association.forget_requests()
        self._events.append(ParticipantGone(user, cause))
        self._tell(self._board.forget_user(user), now)


_NO_REQUEST = Error(ErrorCode.REQUEST_UNKNOWN)
_UNAUTHORIZED = Error(ErrorCode.UNAUTHORIZED)
_RELIABLE_PRIMITIVES = tuple(each for each in Primitive if each <= Primitive.ERROR)


def _hello_ack(reliable: bool) -> HelloAck:
    return HelloAck(_RELIABLE_PRIMITIVES) if reliable else HelloAck()
