"""The floor control server of one conference (RFC 8855 section 13)."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from signalling.bfcp.answers import Answers, Asker
from signalling.bfcp.association import Asked, Association
from signalling.bfcp.board import SERVER_USER, ChairPolicy, FloorBoard, Request, queue_policy
from signalling.bfcp.bodies import Goodbye
from signalling.bfcp.events import (
    FloorAsked,
    FloorEnded,
    FloorGranted,
    GoneCause,
    ParticipantGone,
    ServerEvent,
)
from signalling.bfcp.message import Message
from signalling.bfcp.registry import RequestStatus

PROBE_S = 30.0
"""Whoever has a floor or wants one, and is not heard for so long, is told its status once more,
which must be acknowledged (unreliable transports)."""


@dataclass(slots=True)
class _Participant:
    association: Association
    name: str | None
    is_chair: bool
    watches: set[int] = field(default_factory=set)
    sees_names: bool = True
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
        self._answers = Answers(self._board, self._name, self.__contains__)
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
        sees_names: bool = True,
    ) -> None:
        """Take a participant in: its media were agreed upon, or its connection is open.

        One that is open begins anew; its requests stay.

        Args:
            user: ``a=userid``, 1 to 65535. name: shown to others.
            chair: may decide about requests of others, and ask for others.
            first_transaction, lenient: see ``Association``.
            sees_names: it is told what others are called; else not before ``let_in``.

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
        self._participants[user] = _Participant(association, name, chair, watches, sees_names)

    def rename(self, user: int, name: str | None) -> None:
        """What a participant is called from now on; without effect if it is not open."""
        participant = self._participants.get(user)
        if participant is not None:
            participant.name = name

    def let_in(self, user: int, now: float) -> None:
        """A participant sees names from now on; nothing if it is not open, or did already."""
        participant = self._participants.get(user)
        if participant is not None and not participant.sees_names:
            participant.sees_names = True
            for floor in participant.watches:
                self._show_floor(participant, floor, now)

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

    # Inside

    def _answer(self, user: int, participant: _Participant, asked: Message, now: float) -> None:
        """Answer first, then tell others what has changed."""
        association = participant.association
        is_reliable, sees_names = association.reliable, participant.sees_names
        asker = Asker(user, participant.is_chair, is_reliable, sees_names)
        reply = self._answers.reply(asker, asked.body)
        association.answer(asked, reply.body, now)
        if reply.watches is not None:
            participant.watches = set(reply.watches)
            for floor in reply.watches[1:]:
                self._show_floor(participant, floor, now)
        self._tell(reply.changed, now, (user, reply.told))
        if isinstance(asked.body, Goodbye):
            self._gone(user, participant, "goodbye", now)

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
            status = self._answers.status(request, participant.sees_names)
            participant.association.request(status, now, key)

    def _show_floor(self, participant: _Participant, floor: int, now: float) -> None:
        status = self._answers.floor_status(floor, participant.sees_names)
        participant.association.request(status, now, ("floor", floor))

    def _name(self, user: int) -> str | None:
        participant = self._participants.get(user)
        return None if participant is None else participant.name

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
