"""Transactions: one request and its responses, each sent until the other side has it.

``Transactions`` owns all of an agent. Messages, orders and timers go in; what the user of the
transactions has to know comes back as events, and what is to be sent waits in ``outgoing``. Every
step is a row of ``transaction_table``.

Matching (RFC 3261 sections 17.1.3 and 17.2.3): by branch, sent-by and method, as RFC 3261 wants.
A branch without the magic cookie, or of nothing but the cookie (RFC 4475 section 3.3.1), means a
client of RFC 2543; its requests are told apart by Call-ID, number of CSeq, tag of From, sent-by
and the branch it may have sent. Request-URI and tag of To, which RFC 3261 also compares, are left
out: ACK must find the INVITE whose To had no tag yet, and the rest is unique enough.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from sipmessage import Request, Response

from signalling.sip.hop import Hop
from signalling.sip.message import (
    COOKIE,
    Envelope,
    ReceivedRequest,
    ReceivedResponse,
    copy_of,
    encode,
)
from signalling.sip.statistics import SipStatistics
from signalling.sip.timers import TimerName, TimerQueue, TimerValues
from signalling.sip.transaction_table import FIRST_STATES, TABLES, Happening, Kind, State
from signalling.sip.uri import parameter

Key = tuple[str, ...]
"""Names a transaction; opaque to its user."""
FailureReason = Literal["timeout", "transport error"]


@dataclass(frozen=True, slots=True)
class RequestArrived:
    """A new request; it must be answered by ``respond``."""

    key: Key
    request: ReceivedRequest


@dataclass(frozen=True, slots=True)
class AckArrived:
    """The ACK of a 2xx; it belongs to a dialog, not to a transaction."""

    request: ReceivedRequest


@dataclass(frozen=True, slots=True)
class ResponseArrived:
    """A response to our request; of the 2xx of an INVITE, every repetition."""

    key: Key
    response: ReceivedResponse
    user: "TransactionUser | None" = None


@dataclass(frozen=True, slots=True)
class TransactionFailed:
    """A client got no answer, or a server's response or its ACK was lost for good."""

    key: Key
    reason: FailureReason
    user: "TransactionUser | None" = None


TransactionEvent = RequestArrived | AckArrived | ResponseArrived | TransactionFailed


class TransactionUser(Protocol):
    """Whoever waits for the responses to a request; the events of a client name it."""

    def response_arrived(self, key: Key, response: ReceivedResponse, now: float) -> None:
        """A response came."""
        ...

    def transaction_failed(self, key: Key, reason: FailureReason, now: float) -> None:
        """None will come."""
        ...


@dataclass(frozen=True, slots=True)
class SendMessage:
    """Send ``message`` to ``hop``.

    Args:
        transaction: to be named when sending failed; None where nobody would care.
        is_trial: it goes another way where this one fails, so do not try for long.
    """

    hop: Hop
    message: Request | Response
    transaction: Key | None = None
    is_trial: bool = False

    @property
    def data(self) -> bytes:
        """The bytes to send."""
        return encode(self.message)


@dataclass(frozen=True, slots=True)
class OtherWay:
    """How a request goes out where its first way fails.

    Args:
        via: the Via it has then. noted: told that the first way failed.
    """

    hop: Hop
    via: str
    noted: Callable[[float], None]


@dataclass(slots=True)
class _Transaction:
    key: Key
    kind: Kind
    state: State
    hop: Hop
    last: Request | Response | None = None
    user: TransactionUser | None = None
    otherwise: OtherWay | None = None
    intervals: dict[TimerName, float] = field(default_factory=dict)
    timers: set[TimerName] = field(default_factory=set)


class Transactions:
    """All transactions of one agent.

    Args:
        timers: what the timers follow from. statistics: counted into.

    Nothing a peer sends makes a call raise. ``outgoing`` is emptied by the owner.
    """

    def __init__(self, timers: TimerValues, statistics: SipStatistics) -> None:
        self.outgoing: deque[SendMessage] = deque()
        self._values = timers
        self._statistics = statistics
        self._transactions: dict[Key, _Transaction] = {}
        self._timers: TimerQueue[tuple[Key, TimerName]] = TimerQueue()

    def __len__(self) -> int:
        return len(self._transactions)

    def state(self, key: Key) -> State:
        """Where a transaction stands; ``terminated`` for one that is gone."""
        transaction = self._transactions.get(key)
        return "terminated" if transaction is None else transaction.state

    def request(
        self,
        request: Request,
        branch: str,
        hop: Hop,
        now: float,
        user: TransactionUser | None = None,
        otherwise: OtherWay | None = None,
    ) -> Key:
        """Send a request (not ACK) and wait for its responses.

        Args:
            request: with its Via. branch: of that Via; new and unique.
            user: named by the events that follow.
            otherwise: how it goes where it cannot be sent this way.
        """
        kind: Kind = "INVITE client" if request.method == "INVITE" else "client"
        key = ("client", branch, request.method)
        transaction = self._begin(key, kind, hop)
        transaction.last = request
        transaction.user = user
        transaction.otherwise = otherwise
        self._happen(transaction, "start", now)
        return key

    def respond(self, key: Key, response: Response, now: float) -> bool:
        """Answer a request; False where its transaction has ended or is answered already."""
        transaction = self._transactions.get(key)
        happening = f"send {_class_of(response.code)}"
        if transaction is None or not self._has(transaction, happening):
            return False
        self._happen(transaction, happening, now, response)  # type: ignore[arg-type]
        return True

    def receive_request(
        self, request: ReceivedRequest, reply_to: Hop, now: float
    ) -> list[TransactionEvent]:
        """Take a request whose Via is marked with its source.

        Args:
            reply_to: where responses go.
        """
        key = server_key(request.envelope, "INVITE" if request.method == "ACK" else request.method)
        transaction = self._transactions.get(key)
        if transaction is not None:
            happening: Happening = "ack" if request.method == "ACK" else "request"
            if happening == "request":
                self._statistics.repetitions["received"] += 1
            return self._happen(transaction, happening, now, request)
        if request.method == "ACK":
            return [AckArrived(request)]
        kind: Kind = "INVITE server" if request.method == "INVITE" else "server"
        return self._happen(self._begin(key, kind, reply_to), "start", now, request)

    def receive_response(self, response: ReceivedResponse, now: float) -> list[TransactionEvent]:
        """Take a response; one that answers nothing is counted and dropped (RFC 6026)."""
        envelope = response.envelope
        branch = parameter(envelope.vias[0].parameters, "branch") or ""
        transaction = self._transactions.get(("client", branch, envelope.cseq.method))
        if transaction is None or len(envelope.vias) != 1:
            self._statistics.dropped["response to nothing"] += 1
            return []
        happening: Happening = _class_of(response.code)
        return self._happen(transaction, happening, now, response)

    def transport_failed(self, key: Key, now: float) -> list[TransactionEvent]:
        """A message of this transaction could not be sent; it goes the other way if it has one."""
        transaction = self._transactions.get(key)
        if transaction is None:
            return []
        other, first = transaction.otherwise, transaction.last
        if other is None or first is None or transaction.state not in ("calling", "trying"):
            return self._happen(transaction, "transport error", now)
        for timer in tuple(transaction.timers):
            self._stop(transaction, timer)
        transaction.intervals.clear()
        other.noted(now)
        first.headers.set("Via", other.via)
        transaction.hop, transaction.otherwise = other.hop, None
        return self._happen(transaction, "start", now)

    def unanswered(self, hop: Hop) -> list[SendMessage]:
        """Requests that wait for a first response from an address. O(transactions)."""
        return [
            SendMessage(transaction.hop, transaction.last, transaction.key)
            for transaction in self._transactions.values()
            if transaction.state in ("calling", "trying")
            and transaction.last is not None
            and transaction.kind in ("INVITE client", "client")
            and (transaction.hop.transport, transaction.hop.host, transaction.hop.port)
            == (hop.transport, hop.host, hop.port)
        ]

    def destroy(self, key: Key) -> None:
        """Forget a client that was cancelled and got no final response (RFC 3261 section 9.1)."""
        transaction = self._transactions.get(key)
        if transaction is not None:
            self._end(transaction)

    def hop(self, key: Key) -> Hop | None:
        """Where a transaction's messages go; None for one that is gone."""
        transaction = self._transactions.get(key)
        return None if transaction is None else transaction.hop

    def knows(self, request: ReceivedRequest) -> bool:
        """Whether a request belongs to a transaction that is there."""
        method = "INVITE" if request.method == "ACK" else request.method
        return server_key(request.envelope, method) in self._transactions

    def matching_invite(self, cancel: ReceivedRequest) -> Key | None:
        """The INVITE a CANCEL means (RFC 3261 section 9.2)."""
        key = server_key(cancel.envelope, "INVITE")
        return key if key in self._transactions else None

    def next_timer(self) -> float | None:
        """When ``handle_timer`` wants to be called."""
        return self._timers.next()

    def handle_timer(self, now: float) -> list[TransactionEvent]:
        """Repeat, give up, forget: whatever is due."""
        events: list[TransactionEvent] = []
        for key, name in self._timers.due(now):
            transaction = self._transactions[key]
            transaction.timers.discard(name)
            events += self._happen(transaction, f"timer {name}", now)  # type: ignore[arg-type]
        return events

    def _begin(self, key: Key, kind: Kind, hop: Hop) -> _Transaction:
        transaction = _Transaction(key, kind, FIRST_STATES[kind], hop)
        self._transactions[key] = transaction
        self._statistics.transactions[kind] += 1
        return transaction

    def _has(self, transaction: _Transaction, happening: str) -> bool:
        return (transaction.state, happening) in TABLES[transaction.kind]

    def _happen(
        self,
        transaction: _Transaction,
        happening: Happening,
        now: float,
        what: ReceivedRequest | ReceivedResponse | Response | None = None,
    ) -> list[TransactionEvent]:
        """One row of the table."""
        transition = TABLES[transaction.kind].get((transaction.state, happening))
        if transition is None:
            return []
        transaction.state = transition.state
        events: list[TransactionEvent] = []
        for action in transition.actions:
            if action.startswith("start "):
                events += self._start(transaction, action[-1], now)  # type: ignore[arg-type]
            elif action.startswith("stop "):
                self._stop(transaction, action[-1])  # type: ignore[arg-type]
            elif action == "deliver":
                events.append(_delivered(transaction, what))
            elif action.startswith("report "):
                reason: FailureReason = "timeout" if action.endswith("timeout") else action[7:]  # type: ignore[assignment]
                self._statistics.failures[reason] += 1
                events.append(TransactionFailed(transaction.key, reason, transaction.user))
            else:
                self._send(transaction, action, what)
        if transaction.state == "terminated":
            self._end(transaction)
        return events

    def _send(
        self,
        transaction: _Transaction,
        action: str,
        what: ReceivedRequest | ReceivedResponse | Response | None,
    ) -> None:
        if isinstance(what, Response):
            transaction.last = what
        message = transaction.last
        if message is None:
            return  # a request came twice before the first response
        if action == "repeat":
            self._statistics.repetitions["sent"] += 1
        elif isinstance(what, ReceivedResponse) and isinstance(message, Request):
            message = acknowledgement(message, what)
        is_trial = transaction.otherwise is not None
        self.outgoing.append(SendMessage(transaction.hop, message, transaction.key, is_trial))

    def _start(
        self, transaction: _Transaction, timer: TimerName, now: float
    ) -> list[TransactionEvent]:
        duration = self._values.duration_s(timer, transaction.hop.is_reliable)
        if duration is None:
            return []
        if (last := transaction.intervals.get(timer)) is not None:
            duration = self._values.next_interval_s(timer, last)
            if transaction.state == "proceeding":
                duration = self._values.t2_s  # Timer E (RFC 3261 section 17.1.2.2)
        if duration == 0:
            return self._happen(transaction, f"timer {timer}", now)  # type: ignore[arg-type]
        if timer in ("A", "E", "G"):
            transaction.intervals[timer] = duration
        transaction.timers.add(timer)
        self._timers.set((transaction.key, timer), now + duration)
        return []

    def _stop(self, transaction: _Transaction, timer: TimerName) -> None:
        transaction.timers.discard(timer)
        self._timers.cancel((transaction.key, timer))

    def _end(self, transaction: _Transaction) -> None:
        for timer in transaction.timers:
            self._timers.cancel((transaction.key, timer))
        transaction.timers.clear()
        self._transactions.pop(transaction.key, None)


def server_key(envelope: Envelope, method: str) -> Key:
    """What a request is matched by; see the module's text."""
    via = envelope.vias[0]
    branch = parameter(via.parameters, "branch") or ""
    sent_by = f"{via.host.lower()}:{via.port or ''}"
    if branch.startswith(COOKIE) and branch != COOKIE:
        return ("server", branch, sent_by, method)
    number = str(envelope.cseq.sequence)
    return ("old server", branch, sent_by, method, envelope.call_id, number, envelope.from_tag)


def acknowledgement(invite: Request, response: ReceivedResponse) -> Request:
    """The ACK of a response that is no success (RFC 3261 section 17.1.1.3)."""
    ack = Request("ACK", invite.uri)
    original = copy_of(invite)
    ack.headers.set("Via", original.headers["Via"])
    for name in ("Max-Forwards", "From", "Call-ID", "Route"):
        if values := original.headers.getlist(name):
            ack.headers.setlist(name, values)
    ack.headers.set("To", response.headers["To"])
    ack.headers.set("CSeq", f"{response.envelope.cseq.sequence} ACK")
    return ack


def _delivered(
    transaction: _Transaction, what: ReceivedRequest | ReceivedResponse | Response | None
) -> TransactionEvent:
    if isinstance(what, ReceivedResponse):
        return ResponseArrived(transaction.key, what, transaction.user)
    if not isinstance(what, ReceivedRequest):
        raise TypeError("only what was received is delivered")
    if what.method == "ACK":
        return AckArrived(what)
    return RequestArrived(transaction.key, what)


def _class_of(code: int) -> Literal["1xx", "2xx", "3xx-6xx"]:
    if code < 200:
        return "1xx"
    return "2xx" if code < 300 else "3xx-6xx"
