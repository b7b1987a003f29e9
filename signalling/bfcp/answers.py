"""What a floor control server answers to each request, and what changes (RFC 8855 section 13)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from signalling.bfcp.board import (
    MAX_FLOORS_OF_REQUEST,
    SERVER_USER,
    BoardFull,
    FloorBoard,
    Request,
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
from signalling.bfcp.information import RequestInformation
from signalling.bfcp.registry import ErrorCode, Primitive, Priority, RequestStatus
from signalling.bfcp.status import describe, user_of

RELIABLE_PRIMITIVES = tuple(each for each in Primitive if each <= Primitive.ERROR)
"""What is spoken over TCP; the others acknowledge and part over UDP."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks.

    Args:
        is_chair: it may decide about requests of others, and ask for others.
        sees_names: it is told what others are called.
    """

    user: int
    is_chair: bool
    reliable: bool
    sees_names: bool = True


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and what others are to be told.

    Args:
        changed: requests that are different now.
        watches: the floors the asker is told of from now on; None: as before.
        told: the request whose status the answer is.
    """

    body: Body
    changed: list[Request] = field(default_factory=list)
    watches: tuple[int, ...] | None = None
    told: int | None = None


class Answers:
    """Answers from the board.

    Args:
        name_of: the name of a participant; None where it has none.
        is_open: whether there is a participant of this number.
    """

    def __init__(
        self,
        board: FloorBoard,
        name_of: Callable[[int], str | None],
        is_open: Callable[[int], bool],
    ) -> None:
        self._board = board
        self._name_of = name_of
        self._is_open = is_open

    def reply(self, asker: Asker, body: Body) -> Reply:
        """Carry out a request and answer it. Cost: O(requests^2) at most."""
        match body:
            case FloorRequest():
                return self._ask(asker, body)
            case FloorRelease(request=id_):
                return self._release(asker, id_)
            case FloorRequestQuery(request=id_):
                request = self._board.get(id_)
                names = asker.sees_names
                return Reply(_NO_REQUEST if request is None else self.status(request, names))
            case UserQuery(beneficiary=who):
                return self._user_status(asker, asker.user if who is None else who)
            case FloorQuery(floors=floors):
                return self._watch(asker, floors)
            case ChairAction():
                return self._decide(asker, body)
            case Hello():
                return Reply(HelloAck(RELIABLE_PRIMITIVES) if asker.reliable else HelloAck())
            case Goodbye():
                return Reply(GoodbyeAck())
            case _:
                reason = f"{body.primitive.name} is not for a server"
                return Reply(Error(ErrorCode.UNKNOWN_PRIMITIVE, information=reason))

    def status(self, request: Request, names: bool) -> FloorRequestStatus:
        """How far a request is, for somebody who sees names or does not."""
        return FloorRequestStatus(self._describe(request, names))

    def floor_status(self, floor: int, names: bool) -> FloorStatus:
        """Who has a floor and who wants it, for somebody who sees names or does not."""
        return FloorStatus(floor, self._describe_all(self._board.of_floor(floor), names))

    def _ask(self, asker: Asker, wanted: FloorRequest) -> Reply:
        if (refused := self._check_floors(wanted.floors)) is not None:
            return refused
        if len(wanted.floors) > MAX_FLOORS_OF_REQUEST:
            return Reply(Error(ErrorCode.GENERIC, information="Too many floors in one request"))
        for_whom = asker.user if wanted.beneficiary is None else wanted.beneficiary
        if for_whom != asker.user and not asker.is_chair:
            return _UNAUTHORIZED
        if not self._is_open(for_whom):
            return Reply(Error(ErrorCode.USER_UNKNOWN))
        try:
            id_, changed = self._board.ask(
                for_whom,
                wanted.floors,
                requested_by=asker.user,
                priority=Priority.NORMAL if wanted.priority is None else wanted.priority,
                information=wanted.information,
            )
        except BoardFull:
            return Reply(Error(ErrorCode.TOO_MANY_REQUESTS))
        request = next(each for each in changed if each.id == id_)
        return Reply(self.status(request, asker.sees_names), changed, told=id_)

    def _release(self, asker: Asker, id_: int) -> Reply:
        request = self._board.get(id_)
        if request is None:
            return Reply(_NO_REQUEST)
        if asker.user not in (request.user, request.requested_by):
            return _UNAUTHORIZED
        changed = self._board.end(id_, by_user=True)
        return Reply(self.status(changed[0], asker.sees_names), changed, told=id_)

    def _watch(self, asker: Asker, floors: tuple[int, ...]) -> Reply:
        if (refused := self._check_floors(floors)) is not None:
            return refused
        body = self.floor_status(floors[0], asker.sees_names) if floors else FloorStatus()
        return Reply(body, watches=floors)

    def _decide(self, asker: Asker, action: ChairAction) -> Reply:
        if not asker.is_chair:
            return _UNAUTHORIZED
        id_ = action.request.request
        if self._board.get(id_) is None:
            return Reply(_NO_REQUEST)
        reason = action.request.floors[0].information
        match action.request.status:
            case RequestStatus.GRANTED:
                return Reply(ChairActionAck(), self._board.grant(id_, reason))
            case RequestStatus.ACCEPTED:
                return Reply(ChairActionAck(), self._board.accept(id_))
            case RequestStatus.DENIED | RequestStatus.REVOKED:
                return Reply(ChairActionAck(), self._board.end(id_, reason, by_user=False))
            case _:
                return Reply(Error(ErrorCode.GENERIC, information="No such action"))

    def _user_status(self, asker: Asker, user: int) -> Reply:
        if not self._is_open(user):
            return Reply(Error(ErrorCode.USER_UNKNOWN))
        found = self._describe_all(self._board.of_user(user), asker.sees_names)
        name = self._name_of(user) if asker.sees_names else None
        return Reply(UserStatus(user_of(user, name), found))

    def _check_floors(self, floors: tuple[int, ...]) -> Reply | None:
        unknown = next((each for each in floors if each not in self._board.floors), None)
        if unknown is None:
            return None
        return Reply(Error(ErrorCode.INVALID_FLOOR, information=f"There is no floor {unknown}"))

    def _describe_all(
        self, requests: Iterable[Request], names: bool
    ) -> tuple[RequestInformation, ...]:
        return tuple(self._describe(one, names) for one in requests)

    def _describe(self, request: Request, names: bool) -> RequestInformation:
        if not names:
            if request.user == SERVER_USER:  # its reason is a name
                request = replace(request, reason=None)
            return describe(request, None, None)
        asker = self._name_of(request.requested_by)
        return describe(request, self._name_of(request.user), asker)


_NO_REQUEST = Error(ErrorCode.REQUEST_UNKNOWN)
_UNAUTHORIZED = Reply(Error(ErrorCode.UNAUTHORIZED))
