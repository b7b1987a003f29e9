"""Who has which floor and who wants it: requests, their queue and their ends. No messages here.

A floor has one holder. A request may want several floors and is granted when it gets them all.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from signalling.bfcp.registry import Priority, RequestStatus

SERVER_USER = 0
"""User number of the server itself, which takes a floor for whoever has no BFCP."""

MAX_REQUESTS = 64
"""That wait or are granted, all users together."""
MAX_REQUESTS_OF_USER = 4
MAX_FLOORS_OF_REQUEST = 8
"""More would not fit into FLOOR-REQUEST-INFORMATION beside names."""

_S = RequestStatus


@dataclass(frozen=True, slots=True)
class Request:
    """One floor request.

    Args:
        id: the server's number. user: for whom it is. requested_by: who asked.
        arrival: grows with each request. queue_position: 1 is next, 0 unless accepted.
        reason: text for people, why it stands so.
    """

    id: int
    user: int
    requested_by: int
    floors: tuple[int, ...]
    arrival: int
    priority: int = Priority.NORMAL
    information: str | None = None
    status: RequestStatus = RequestStatus.PENDING
    queue_position: int = 0
    reason: str | None = None


class Verdict(Enum):
    """What a chair says to a request."""

    GRANT = "grant"
    """Now; whoever has a floor of it loses it."""
    QUEUE = "queue"
    """It gets its floors when they are free, by priority and arrival."""
    DENY = "deny"
    ASK = "ask"
    """Somebody decides later, by ``grant``, ``accept`` or ``deny``."""


ChairPolicy = Callable[[Request, tuple[Request, ...]], Verdict]
"""A pure decision about a new request; the second are those of others who hold its floors."""


def queue_policy(request: Request, holders: tuple[Request, ...]) -> Verdict:
    """First come, first served."""
    return Verdict.QUEUE if holders else Verdict.GRANT


def steal_policy(request: Request, holders: tuple[Request, ...]) -> Verdict:
    """Whoever asks gets it, unless it was asked for with a higher priority."""
    higher = any(holder.priority > request.priority for holder in holders)
    return Verdict.QUEUE if higher else Verdict.GRANT


def ask_policy(request: Request, holders: tuple[Request, ...]) -> Verdict:
    """Nothing is granted here: whoever drives the server decides."""
    return Verdict.ASK


class BoardFull(Exception):  # noqa: N818 - what it is
    """No further request is taken, of anybody or of this user; nothing has changed."""


class FloorBoard:
    """The floors of one conference.

    Methods that change something return every request that has changed, as it is now, in order;
    what has come to its end is not on the board any more. Cost: O(requests^2) at most.
    """

    def __init__(self, floors: tuple[int, ...], policy: ChairPolicy) -> None:
        self.floors = floors
        self.policy = policy
        self._requests: dict[int, Request] = {}
        self._last_id = 0
        self._arrivals = 0

    def __len__(self) -> int:
        return len(self._requests)

    def get(self, id_: int) -> Request | None:
        """A request that has not ended."""
        return self._requests.get(id_)

    def holder(self, floor: int) -> Request | None:
        """The request that a floor is granted to."""
        return next((each for each in self._granted() if floor in each.floors), None)

    def of_user(self, user: int) -> list[Request]:
        """Requests for a user or by it, in order of arrival."""
        return [each for each in self._requests.values() if user in (each.user, each.requested_by)]

    def of_floor(self, floor: int) -> list[Request]:
        """Its holder, then the queue, then those nobody has decided about."""
        found = [each for each in self._requests.values() if floor in each.floors]
        return sorted(found, key=lambda each: (-each.status, *_place(each)))

    # Changes

    def ask(
        self,
        user: int,
        floors: tuple[int, ...],
        *,
        requested_by: int | None = None,
        priority: int = Priority.NORMAL,
        information: str | None = None,
    ) -> tuple[int, list[Request]]:
        """Put a request up and let the policy decide; gives its number and what has changed.

        Raises:
            BoardFull.
        """
        request = self._new(user, floors, requested_by, priority, information)
        match self.policy(request, self._others(request)):
            case Verdict.GRANT:
                return request.id, self._settle(self._grant(request))
            case Verdict.QUEUE:
                changed = self._become(request, _S.ACCEPTED)
                return request.id, self._settle(changed)
            case Verdict.DENY:
                return request.id, self._become(request, _S.DENIED)
            case Verdict.ASK:
                return request.id, [request]

    def take(self, floor: int, reason: str | None) -> list[Request]:
        """Let the server hold a floor, for somebody without BFCP; whoever has it loses it.

        Args:
            reason: the name of that somebody, which other participants are shown.
        """
        holder = self.holder(floor)
        if holder is not None and holder.user == SERVER_USER:
            if holder.reason == reason:
                return []
            return self._become(holder, _S.GRANTED, reason)
        self._arrivals += 1
        request = Request(self._free_id(), SERVER_USER, SERVER_USER, (floor,), self._arrivals)
        self._requests[request.id] = request
        return self._settle(self._grant(request, reason))

    def grant(self, id_: int, reason: str | None = None) -> list[Request]:
        """Give a request its floors; whoever has them loses them. Nothing if it holds them."""
        request = self._requests.get(id_)
        if request is None or request.status is _S.GRANTED:
            return []
        return self._settle(self._grant(request, reason))

    def accept(self, id_: int) -> list[Request]:
        """Put a request that nobody has decided about into the queue."""
        request = self._requests.get(id_)
        if request is None or request.status is not _S.PENDING:
            return []
        return self._settle(self._become(request, _S.ACCEPTED))

    def end(self, id_: int, reason: str | None = None, *, by_user: bool) -> list[Request]:
        """Take a request away: by whoever asked (released, cancelled) or not (revoked, denied)."""
        request = self._requests.get(id_)
        if request is None:
            return []
        granted = request.status is _S.GRANTED
        if by_user:
            status = _S.RELEASED if granted else _S.CANCELLED
        else:
            status = _S.REVOKED if granted else _S.DENIED
        return self._settle(self._become(request, status, reason))

    def forget_user(self, user: int) -> list[Request]:
        """Take away all requests for a user or by it."""
        changed: list[Request] = []
        for request in self.of_user(user):
            changed += self.end(request.id, by_user=True)
        return changed

    # Inside

    def _new(
        self,
        user: int,
        floors: tuple[int, ...],
        requested_by: int | None,
        priority: int,
        information: str | None,
    ) -> Request:
        asker = user if requested_by is None else requested_by
        of_asker = sum(each.requested_by == asker for each in self._requests.values())
        if len(self._requests) >= MAX_REQUESTS or of_asker >= MAX_REQUESTS_OF_USER:
            raise BoardFull
        self._arrivals += 1
        request = Request(
            self._free_id(), user, asker, floors, self._arrivals, priority, information
        )
        self._requests[request.id] = request
        return request

    def _free_id(self) -> int:
        while True:
            self._last_id = self._last_id % 0xFFFF + 1
            if self._last_id not in self._requests:
                return self._last_id

    def _granted(self) -> Iterator[Request]:
        return (each for each in self._requests.values() if each.status is _S.GRANTED)

    def _holders(self, request: Request) -> list[Request]:
        wanted = set(request.floors)
        return [each for each in self._granted() if wanted.intersection(each.floors)]

    def _others(self, request: Request) -> tuple[Request, ...]:
        return tuple(each for each in self._holders(request) if each.user != request.user)

    def _become(
        self, request: Request, status: RequestStatus, reason: str | None = None
    ) -> list[Request]:
        after = replace(request, status=status, queue_position=0, reason=reason)
        if status.is_final:
            del self._requests[request.id]
        else:
            self._requests[request.id] = after
        return [after]

    def _grant(self, request: Request, reason: str | None = None) -> list[Request]:
        """Grant it; its holders lose it first, one's own earlier request counts as given back."""
        changed: list[Request] = []
        for holder in self._holders(request):
            mine = holder.user == request.user
            changed += self._become(holder, _S.RELEASED if mine else _S.REVOKED)
        return changed + self._become(request, _S.GRANTED, reason)

    def _settle(self, changed: list[Request]) -> list[Request]:
        """Grant what the queue's order allows now, and number the queue anew."""
        latest = {each.id: each for each in changed}
        for request in self._queue():
            if not self._holders(request):
                latest |= {each.id: each for each in self._become(request, _S.GRANTED)}
        places = dict.fromkeys(self.floors, 0)
        for request in self._queue():
            for floor in request.floors:
                places[floor] = places.get(floor, 0) + 1
            position = min(max(places[floor] for floor in request.floors), 255)
            if position != request.queue_position:
                moved = replace(request, queue_position=position)
                latest[request.id] = self._requests[request.id] = moved
        return list(latest.values())

    def _queue(self) -> list[Request]:
        accepted = [each for each in self._requests.values() if each.status is _S.ACCEPTED]
        return sorted(accepted, key=_place)


def _place(request: Request) -> tuple[int, int]:
    return (-request.priority, request.arrival)
