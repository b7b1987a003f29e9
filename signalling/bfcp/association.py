"""One participant's connection with the floor control server, seen from either end.

Requests of this side go out one at a time (RFC 8855 section 6.2.1); the next waits for the answer.
Over an unreliable transport they are repeated after T1, 2 * T1 and 4 * T1, and every answer of this
side is kept for T2, so that a request that comes again is answered again and not carried out again.
Over a reliable one a server tells things without being answered, in transaction 0.
"""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal

from signalling.bfcp.bodies import Body, Error, FloorRequestStatusAck, FloorStatusAck
from signalling.bfcp.errors import BfcpError
from signalling.bfcp.fragments import Reassembly, datagrams
from signalling.bfcp.framing import MessageStream
from signalling.bfcp.header import Header
from signalling.bfcp.message import Message, read_body
from signalling.bfcp.registry import (
    ANSWERS,
    RELIABLE_VERSION,
    UNRELIABLE_VERSION,
    VERSIONS,
    ErrorCode,
    Primitive,
)
from signalling.bfcp.timers import REPETITIONS, T2_S, RoundTrip

Failure = Literal["no answer", "protocol", "overrun"]
"""The peer is gone; what it sends is no BFCP; it takes less than there is to be told."""

MAX_WAITING = 64
"""Own requests that wait for their turn."""
MAX_ANSWERS = 64
"""Answers kept for repeated requests; of a peer that asks faster the oldest are given up."""
MAX_REFUSAL_TEXT = 80

_ACKS = (FloorRequestStatusAck, FloorStatusAck)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of the peer: answer it by ``Association.answer`` before anything else."""

    message: Message


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to a request of this side; ``body`` may be an ``Error``."""

    request: Body
    body: Body


@dataclass(slots=True)
class _Transaction:
    """A request of this side that has no answer yet."""

    id: int
    request: Body
    pieces: list[bytes]
    began: float
    interval_s: float
    due: float
    repetitions: int = 0


@dataclass(slots=True)
class _Kept:
    """A request of the peer and what it was answered with."""

    request: Message
    pieces: list[bytes]
    until: float


class Association:
    """See the module. One thread; every method returns at once.

    Args:
        conference, user: what stands in every message.
        server: whether this side is the floor control server.
        first_transaction: where numbers begin, 1 to 65535; best chosen at random, so that a peer
            does not take this association for one before it.
        lenient: take version 1 over an unreliable transport, which endpoints older than the
            standard speak there, and speak it then too; else it is refused as the standard has it.

    ``failure`` says that it is over, and why; ``reset`` begins anew. ``counts`` has ``sent``,
    ``received``, ``repeated``, ``absorbed`` (repetitions of the peer), ``dropped``, and what was
    refused by field (``refused FLOOR-ID``).
    """

    def __init__(
        self,
        conference: int,
        user: int,
        *,
        reliable: bool,
        server: bool,
        first_transaction: int = 1,
        lenient: bool = True,
    ) -> None:
        self.conference = conference
        self.user = user
        self.reliable = reliable
        self.failure: Failure | None = None
        self.heard_at: float | None = None
        self.counts: Counter[str] = Counter()
        self._server = server
        self._allowed = VERSIONS if lenient and not reliable else (_version(reliable),)
        self._version = _version(reliable)
        self._last_id = (first_transaction - 1) % 0xFFFF
        self._round_trip = RoundTrip()
        self._current: _Transaction | None = None
        self._waiting: dict[Hashable, Body] = {}
        self._kept: dict[int, _Kept] = {}
        self._stream = MessageStream()
        self._reassembly = Reassembly()
        self._out: list[bytes] = []

    @property
    def is_idle(self) -> bool:
        """Whether every request of this side has been answered."""
        return self._current is None and not self._waiting

    def reset(self) -> None:
        """Forget all transactions; what is ready to be sent still is."""
        self.failure = None
        self.heard_at = None
        self._current = None
        self._waiting.clear()
        self._kept.clear()
        self._stream = MessageStream()
        self._reassembly = Reassembly()

    def forget_requests(self) -> None:
        """Ask nothing more; what was answered is still answered again."""
        self._current = None
        self._waiting.clear()

    def data_to_send(self) -> list[bytes]:
        """Datagrams, or pieces of the stream, in order."""
        out, self._out = self._out, []
        return out

    # Asking and answering

    def request(self, body: Body, now: float, key: Hashable = None) -> None:
        """Ask the peer something; ``Answered`` comes out of ``receive``, or ``failure`` is set.

        Args:
            key: of two requests that wait under one key only the later is sent, in the place of
                the first; None: always sent.

        Raises:
            BfcpError: a value does not fit.
        """
        if self.failure is not None:
            return
        bytes(body)
        if self.reliable and self._server:
            self._write(Message(self.conference, 0, self.user, body))
            return
        if len(self._waiting) >= MAX_WAITING and key not in self._waiting:
            self._fail("overrun")
            return
        self._waiting[object() if key is None else key] = body
        self._next_request(now)

    def answer(self, asked: Message, body: Body, now: float) -> None:
        """Answer a request of the peer; acknowledgements are for unreliable transports only.

        Raises:
            BfcpError: a value does not fit.
        """
        if self.reliable:
            if not isinstance(body, _ACKS):
                self._write(Message(asked.conference, asked.transaction, asked.user, body))
            return
        pieces = self._write(
            Message(asked.conference, asked.transaction, asked.user, body, True, self._version)
        )
        self._kept.pop(asked.transaction, None)
        while len(self._kept) >= MAX_ANSWERS:
            del self._kept[next(iter(self._kept))]
        self._kept[asked.transaction] = _Kept(asked, pieces, now + T2_S)

    # Receiving

    def receive(self, data: bytes, now: float) -> list[Asked | Answered]:
        """Take a datagram, or what was read of a stream.

        What cannot be taken is counted, and answered with an Error where this side is the server
        and it was a request. Cost: O(bytes).
        """
        if self.failure is not None:
            return []
        if not self.reliable:
            message = self._datagram(data, now)
            found = None if message is None else self._classify(message, now)
            return [] if found is None else [found]
        self._stream.add(data)
        received = []
        while self.failure is None and (message := self._of_stream()) is not None:
            if message is not _REFUSED and (found := self._classify(message, now)) is not None:
                received.append(found)
        return received

    def _datagram(self, data: bytes, now: float) -> Message | None:
        try:
            header = Header.parse(data, reliable=False)
        except BfcpError as error:
            self.counts[f"refused {error.field}"] += 1
            return None
        try:
            self._check(header)
            self._version = header.version
            return self._reassembly.receive(header, data[header.header_bytes :], now)
        except BfcpError as error:
            self._refuse(header, error)
            return None

    def _of_stream(self) -> Message | None:
        try:
            found = self._stream.next()
        except BfcpError as error:
            self.counts[f"refused {error.field}"] += 1
            self._fail("protocol")
            return None
        if found is None:
            return None
        header, payload = found
        try:
            self._check(header)
            return read_body(header, payload)
        except BfcpError as error:
            self._refuse(header, error)
            return _REFUSED

    def _check(self, header: Header) -> None:
        header.check_version(self._allowed)
        if header.conference != self.conference:
            raise BfcpError("header.conference", "is unknown", ErrorCode.CONFERENCE_UNKNOWN)
        if header.user != self.user:
            raise BfcpError("header.user", "is not yours", ErrorCode.USER_UNKNOWN)

    def _refuse(self, header: Header, error: BfcpError) -> None:
        self.counts[f"refused {error.field}"] += 1
        if not self._server or header.responder or header.primitive == Primitive.ERROR:
            return
        body = Error(error.code, error.details, str(error)[:MAX_REFUSAL_TEXT])
        self._write(
            Message(
                header.conference,
                header.transaction,
                header.user,
                body,
                not self.reliable,
                self._version,
            )
        )

    def _classify(self, message: Message, now: float) -> Asked | Answered | None:
        self.counts["received"] += 1
        self.heard_at = now
        if self._is_answer(message):
            return self._answered(message, now)
        if message.primitive in _NOT_ASKED:
            self.counts["dropped"] += 1
            return None
        kept = self._kept.get(message.transaction)
        if kept is not None and kept.request == message and now < kept.until:
            self.counts["absorbed"] += 1
            self._out += kept.pieces
            return None
        return Asked(message)

    def _is_answer(self, message: Message) -> bool:
        if not self.reliable:
            return message.responder
        return not self._server and message.transaction != 0

    def _answered(self, message: Message, now: float) -> Answered | None:
        current = self._current
        if (
            current is None
            or message.transaction != current.id
            or message.primitive not in (ANSWERS[current.request.primitive], Primitive.ERROR)
        ):
            self.counts["dropped"] += 1
            return None
        if not current.repetitions:
            self._round_trip.measured(now - current.began)
        self._current = None
        self._next_request(now)
        return Answered(current.request, message.body)

    # Time

    def next_timer(self) -> float | None:
        """When ``handle_timer`` is next needed, or None."""
        times = [kept.until for kept in self._kept.values()]
        if self._current is not None:
            times.append(self._current.due)
        waiting = self._reassembly.next_timer()
        return min(times if waiting is None else [*times, waiting], default=None)

    def handle_timer(self, now: float) -> None:
        """Repeat what has no answer, give up, forget."""
        self._reassembly.handle_timer(now)
        self._kept = {id_: kept for id_, kept in self._kept.items() if now < kept.until}
        current = self._current
        if current is None or now < current.due:
            return
        if self.reliable or current.repetitions >= REPETITIONS:
            self._fail("no answer")
            return
        current.repetitions += 1
        current.interval_s *= 2
        current.due = now + current.interval_s
        self.counts["repeated"] += 1
        self._out += current.pieces

    # Inside

    def _next_request(self, now: float) -> None:
        if self._current is not None or not self._waiting:
            return
        key = next(iter(self._waiting))
        body = self._waiting.pop(key)
        self._last_id = self._last_id % 0xFFFF + 1
        message = Message(self.conference, self._last_id, self.user, body, version=self._version)
        interval = T2_S if self.reliable else self._round_trip.t1_s
        pieces = self._write(message)
        self._current = _Transaction(self._last_id, body, pieces, now, interval, now + interval)

    def _write(self, message: Message) -> list[bytes]:
        pieces = [bytes(message)] if self.reliable else datagrams(message)
        self.counts["sent"] += 1
        self._out += pieces
        return pieces

    def _fail(self, failure: Failure) -> None:
        self.reset()
        self.failure = failure


_NOT_ASKED = frozenset(Primitive) - frozenset(ANSWERS)
"""Answers that do not say they are answers: they mean nothing."""

_REFUSED = Message(0, 0, 0, Error(ErrorCode.GENERIC))
"""Stands for a message of a stream that was refused: the next may be good."""


def _version(reliable: bool) -> int:
    return RELIABLE_VERSION if reliable else UNRELIABLE_VERSION
