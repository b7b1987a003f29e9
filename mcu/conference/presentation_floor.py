"""The presentation's token and the floor that rooms ask for by BFCP, kept the same.

The conference decides; the floor follows. A request becomes a command, whose outcome is told here:

    for wish in floor.wishes(now):          # after every call of the server's ``receive`` and timer
        execute(wish.command)               # Refused: floor.refused(wish, reason, now)
    presentation.started, .stopped          -> floor.started, floor.stopped

Pure but for the server, which has no I/O either.
"""

from dataclasses import dataclass

from mcu.conference.commands import StartPresentation, StopPresentation
from signalling.bfcp import (
    SERVER_USER,
    FloorAsked,
    FloorEnded,
    FloorGranted,
    FloorServer,
    RequestStatus,
    ServerEvent,
)

REASON = "another presents"
"""What a room is told that asks in vain; short, as BFCP has little room for it."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A command for the conference; ``request`` is the floor request it is for, if it is one."""

    command: StartPresentation | StopPresentation
    request: int | None = None


class PresentationFloor:
    """One floor of a server whose policy is ``ask_policy``.

    Args:
        take_over: the site's policy: a room that asks takes the token from another room; else it
            waits until that one has given it back.
    """

    def __init__(self, server: FloorServer, floor: int = 1, *, take_over: bool = False) -> None:
        self.take_over = take_over
        self._server = server
        self._floor = floor
        self._participants: dict[int, str] = {}
        self._presenter: str | None = None
        self._late: list[ServerEvent] = []

    def join(self, user: int, participant: str) -> None:
        """A participant speaks BFCP as this user.

        What the user has asked before it was known who it is (a caller who had to enter a PIN
        first) is among the next ``wishes``.
        """
        if self._participants.get(user) == participant:
            return
        self._participants[user] = participant
        self._late += (
            FloorAsked(request)
            for request in self._server.requests(self._floor)
            if request.user == user and request.status is RequestStatus.PENDING
        )

    def leave(self, user: int) -> None:
        """It does no more. After ``wishes`` of its end were taken, so that they are known."""
        self._participants.pop(user, None)

    def wishes(self, now: float) -> list[Wish]:
        """What rooms want of the conference since this was last asked, in order."""
        late, self._late = self._late, []
        events = (*late, *self._server.events())
        return [wish for event in events for wish in self._wishes_of(event, now)]

    def refused(self, wish: Wish, now: float) -> None:
        """The conference did not let the room present: it waits its turn, or is denied."""
        if wish.request is None:
            return
        holder = self._server.holder(self._floor)
        waits = self._presenter is not None and not self.take_over
        if waits and (holder is None or holder.id != wish.request):
            self._server.accept(wish.request, now)
        else:
            reason = None if self._presenter is None else REASON
            self._server.deny(wish.request, now, reason)

    def started(self, participant: str, label: str, now: float) -> None:
        """A participant presents: its request is granted, or others are told its name."""
        self._presenter = participant
        for request in self._server.requests(self._floor):
            if self._participants.get(request.user) == participant:
                self._server.grant(request.id, now)
                return
        self._server.take(self._floor, now, label)

    def stopped(self, participant: str, now: float) -> None:
        """It does not present any more: the floor is free, or goes to who waits longest."""
        if self._presenter == participant:
            self._presenter = None
        holder = self._server.holder(self._floor)
        if holder is None:
            return
        if holder.user == SERVER_USER or self._participants.get(holder.user) == participant:
            self._server.free(self._floor, now)

    def _wishes_of(self, event: ServerEvent, now: float) -> list[Wish]:
        match event:
            case FloorAsked(request=request) | FloorGranted(request=request):
                take_over = self.take_over and isinstance(event, FloorAsked)
            case FloorEnded(request=request, held=True):
                who = self._participants.get(request.user)
                presents = who is not None and who == self._presenter
                return [Wish(StopPresentation(who))] if presents else []
            case _:
                return []
        who = self._participants.get(request.user)
        if who is None:
            return []
        if who == self._presenter:
            self._server.grant(request.id, now)  # an operator let it present before it asked
            return []
        return [Wish(StartPresentation(who, take_over), request.id)]
