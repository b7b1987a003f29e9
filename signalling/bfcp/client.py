"""A floor participant: asks a floor control server for one floor (RFC 8855 sections 10 and 11)."""

from dataclasses import dataclass, field

from signalling.bfcp.association import Answered, Association
from signalling.bfcp.bodies import (
    Body,
    Error,
    FloorQuery,
    FloorRelease,
    FloorRequest,
    FloorRequestStatus,
    FloorRequestStatusAck,
    FloorStatus,
    FloorStatusAck,
    Goodbye,
    GoodbyeAck,
    Hello,
)
from signalling.bfcp.events import (
    ClientEvent,
    GoneCause,
    HolderChanged,
    RequestChanged,
    RequestRefused,
    ServerGone,
)
from signalling.bfcp.information import RequestInformation
from signalling.bfcp.message import Message
from signalling.bfcp.registry import Priority, RequestStatus

KEEP_ALIVE_S = 20.0
"""Over an unreliable transport the server is asked for a sign of life after so much silence, which
also keeps the way through address translators open."""
MAX_EARLY = 8
"""News of requests whose number is not known yet."""


@dataclass(slots=True)
class _Own:
    """The own request.

    Args:
        wanted: whether there shall be one. asking, releasing: an answer is waited for.
        request: its number, once known. last: what was told of it last.
        early: news of requests that came before the answer with the number.
    """

    wanted: bool = False
    asking: bool = False
    releasing: bool = False
    request: int | None = None
    status: RequestStatus | None = None
    last: RequestChanged | None = None
    early: dict[int, RequestInformation] = field(default_factory=dict)

    def end(self) -> None:
        """There is none any more."""
        self.request = self.status = self.last = None


class BfcpClient:
    """See the package. One thread; no method blocks.

    Args:
        conference, user, floor: what the other side's ``a=confid``, ``a=userid``, ``a=floorid``
            say.
        first_transaction: best chosen at random.
    """

    def __init__(
        self,
        conference: int,
        user: int,
        floor: int,
        *,
        reliable: bool,
        first_transaction: int = 1,
    ) -> None:
        self.floor = floor
        self.association = Association(
            conference, user, reliable=reliable, server=False, first_transaction=first_transaction
        )
        self._priority: int = Priority.NORMAL
        self._information: str | None = None
        self._events: list[ClientEvent] = []
        self._holder = HolderChanged(None)
        self._is_up = False
        self._told_since_query = False
        self._own = _Own()

    @property
    def has_floor(self) -> bool:
        """Whether the floor is granted to this participant."""
        return self._own.status is RequestStatus.GRANTED

    @property
    def holder(self) -> HolderChanged:
        """Who else has the floor."""
        return self._holder

    def start(self, now: float) -> None:
        """Let the server tell who has the floor, now and whenever that changes.

        To be called when the transport is there, and again after ``ServerGone``.
        """
        self._is_up = True
        self._told_since_query = False
        self.association.request(FloorQuery((self.floor,)), now, "query")
        self._check()

    def request_floor(
        self, now: float, *, priority: int = Priority.NORMAL, information: str | None = None
    ) -> None:
        """Ask for the floor; nothing if it was asked for already.

        Raises:
            BfcpError: the information is too long.
        """
        bytes(FloorRequest((self.floor,), None, information, priority))
        self._own.wanted = self._is_up = True
        self._priority, self._information = priority, information
        self._pursue(now)

    def release_floor(self, now: float) -> None:
        """Give the floor back, or withdraw the request; nothing if there is none."""
        self._own.wanted = False
        self._pursue(now)

    def say_goodbye(self, now: float) -> None:
        """Leave (unreliable transports; a reliable one is just closed)."""
        self._own = _Own()
        self._is_up = False
        self.association.forget_requests()
        if not self.association.reliable:
            self.association.request(Goodbye(), now, "goodbye")

    # The wire

    def receive(self, data: bytes, now: float) -> None:
        """Take a datagram, or what was read of the stream. Cost: O(bytes)."""
        for received in self.association.receive(data, now):
            if isinstance(received, Answered):
                self._answered(received, now)
            else:
                self._told(received.message, now)
        self._check()

    def data_to_send(self) -> list[bytes]:
        """Datagrams, or pieces of the stream, in order."""
        return self.association.data_to_send()

    def events(self) -> list[ClientEvent]:
        """What has happened since this was last asked, in order."""
        events, self._events = self._events, []
        return events

    def next_timer(self) -> float | None:
        """When ``handle_timer`` is next needed, or None."""
        times = (self.association.next_timer(), self._keep_alive_at())
        return min((time for time in times if time is not None), default=None)

    def handle_timer(self, now: float) -> None:
        """Repeat, give up, ask for a sign of life."""
        self.association.handle_timer(now)
        keep_alive_at = self._keep_alive_at()
        if keep_alive_at is not None and keep_alive_at <= now:
            self.association.request(Hello(), now, "hello")
        self._check()

    # What the server says

    def _answered(self, received: Answered, now: float) -> None:
        body = received.body
        match received.request:
            case FloorRequest():
                self._own.asking = False
                if isinstance(body, FloorRequestStatus):
                    self._own.request = body.request.request
                    self._take(body.request)
                    early = self._own.early.get(body.request.request)
                    if early is not None:
                        self._take(early)
                else:
                    self._own.wanted = False
                    self._refused(body)
                self._own.early.clear()
            case FloorRelease():
                if isinstance(body, FloorRequestStatus):
                    self._take(body.request)
                elif self._own.request is not None:
                    self._refused(body)  # else it was taken away meanwhile
                self._own.releasing = False
            case FloorQuery() if isinstance(body, FloorStatus) and not self._told_since_query:
                self._see(body)
        self._pursue(now)

    def _told(self, message: Message, now: float) -> None:
        answer: Body
        match message.body:
            case FloorRequestStatus(request=request):
                answer = FloorRequestStatusAck()
                if request.request == self._own.request:
                    self._take(request)
                elif self._own.asking:
                    if len(self._own.early) >= MAX_EARLY:
                        self._own.early.clear()
                    self._own.early[request.request] = request
            case FloorStatus() as status:
                answer = FloorStatusAck()
                self._told_since_query = True
                self._see(status)
            case Goodbye():
                answer = GoodbyeAck()
            case _:
                return  # nothing a server asks a participant
        self.association.answer(message, answer, now)
        if isinstance(message.body, Goodbye):
            self._gone("goodbye")
        self._pursue(now)

    def _take(self, request: RequestInformation) -> None:
        """Follow the own request. It never goes back: news may overtake an answer."""
        own, status = self._own, request.status
        if own.request is None or status is None or status < (own.status or status):
            return
        overall = request.overall or request.floors[0]
        changed = RequestChanged(status, overall.queue_position, overall.information)
        if changed != own.last:
            own.last = changed
            self._events.append(changed)
        own.status = status
        if status.is_final:
            if not own.releasing:
                own.wanted = False
            own.end()

    def _see(self, status: FloorStatus) -> None:
        if status.floor != self.floor:
            return
        holder = HolderChanged(None)
        for request in status.requests:
            who = request.beneficiary
            if request.status is RequestStatus.GRANTED and who is not None:
                if who.id != self.association.user:
                    holder = HolderChanged(who.id, who.name)
                break
        if holder != self._holder:
            self._holder = holder
            self._events.append(holder)

    def _refused(self, body: Body) -> None:
        if isinstance(body, Error):
            self._events.append(RequestRefused(body.code, body.information))
        self._own.end()

    # What is to be done

    def _pursue(self, now: float) -> None:
        """Ask or give back, whichever is missing; one thing at a time."""
        if self._own.asking or self._own.releasing:
            return
        if self._own.wanted and self._own.request is None:
            self._own.asking = True
            wanted = FloorRequest((self.floor,), None, self._information, self._priority)
            self.association.request(wanted, now, "floor")
        elif not self._own.wanted and self._own.request is not None:
            self._own.releasing = True
            self.association.request(FloorRelease(self._own.request), now, "floor")
        self._check()

    def _keep_alive_at(self) -> float | None:
        heard = self.association.heard_at
        if not self._is_up or self.association.reliable or heard is None:
            return None
        return heard + KEEP_ALIVE_S if self.association.is_idle else None

    def _check(self) -> None:
        failure = self.association.failure
        if failure is not None and self._is_up:
            if not self.association.reliable:
                self.association.reset()
            self._gone(failure)

    def _gone(self, cause: GoneCause) -> None:
        self._own = _Own()
        self._is_up = False
        self._holder = HolderChanged(None)
        self.association.forget_requests()
        self._events.append(ServerGone(cause))
