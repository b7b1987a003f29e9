"""Messages longer than a datagram: cut, and put together again (RFC 8855 section 6.2.3).

Every fragment has the whole message's header with its own offset and length. What does not fit
together is thrown away: the sender repeats the whole message when its timer fires.
"""

from dataclasses import dataclass, field

from signalling.bfcp.errors import BfcpError
from signalling.bfcp.header import (
    FRAGMENT_HEADER_BYTES,
    HEADER_BYTES,
    MAX_PAYLOAD_BYTES,
    WORD_BYTES,
    Header,
)
from signalling.bfcp.message import Message, read_body
from signalling.bfcp.registry import ErrorCode

DATAGRAM_BYTES = 1_200
"""Longest datagram written: IPv6's minimum of 1,280 less headers of IP, UDP and DTLS."""
MAX_INCOMPLETE = 4
"""Messages of one peer that wait for fragments; a further one takes the oldest's place."""
MAX_FRAGMENTS = 256
"""Of one message."""
WAIT_S = 10.0
"""How long fragments wait for others: as long as a sender repeats (timer T2)."""


def datagrams(message: Message, limit: int = DATAGRAM_BYTES) -> list[bytes]:
    """A message as one datagram, or as its fragments, in order.

    Args:
        limit: bytes of the longest datagram, at least 20.

    Raises:
        BfcpError: a value does not fit.
    """
    whole = bytes(message)
    if len(whole) <= limit:
        return [whole]
    payload = whole[HEADER_BYTES:]
    step = (limit - FRAGMENT_HEADER_BYTES) // WORD_BYTES * WORD_BYTES
    pieces = []
    for at in range(0, len(payload), step):
        piece = payload[at : at + step]
        header = Header(
            message.version,
            message.primitive,
            message.conference,
            message.transaction,
            message.user,
            len(payload),
            message.responder,
            (at, len(piece)),
        )
        pieces.append(bytes(header) + piece)
    return pieces


@dataclass(slots=True)
class _Incomplete:
    header: Header
    since: float
    pieces: dict[int, bytes] = field(default_factory=dict)
    received: int = 0

    def add(self, at: int, piece: bytes) -> None:
        """Take a piece that comes twice for once.

        Raises:
            BfcpError: it overlaps with others.
        """
        if self.pieces.get(at) == piece:
            return
        end = at + len(piece)
        overlaps = any(
            start < end and at < start + len(other) for start, other in self.pieces.items()
        )
        if overlaps or len(self.pieces) >= MAX_FRAGMENTS:
            raise BfcpError("header.fragment", "does not fit the others", ErrorCode.BAD_LENGTH)
        self.pieces[at] = piece
        self.received += len(piece)

    @property
    def payload(self) -> bytes | None:
        """Everything, if nothing is missing: pieces do not overlap, so their length tells."""
        if self.received < self.header.payload_bytes:
            return None
        return b"".join(piece for _, piece in sorted(self.pieces.items()))


_Key = tuple[int, int, int, int, bool]


class Reassembly:
    """Fragments of one peer, until their messages are whole.

    Memory: ``MAX_INCOMPLETE`` messages of ``MAX_PAYLOAD_BYTES``.
    """

    def __init__(self) -> None:
        self._incomplete: dict[_Key, _Incomplete] = {}

    def __len__(self) -> int:
        return len(self._incomplete)

    def receive(self, header: Header, data: bytes, now: float) -> Message | None:
        """Take a datagram's content, which follows ``header``; a message when it is whole.

        Raises:
            BfcpError: lengths that cannot be; the fragments so far are thrown away.
        """
        if header.fragment is None:
            return read_body(header, data)
        key = _key(header)
        at, length = header.fragment
        known = self._incomplete.get(key)
        if known is not None and (
            known.header.payload_bytes != header.payload_bytes or now >= known.since + WAIT_S
        ):
            known = None
        fits = at + length <= header.payload_bytes <= MAX_PAYLOAD_BYTES
        if not length or length != len(data) or not fits:
            self._incomplete.pop(key, None)
            raise BfcpError("header.fragment", "has a wrong length", ErrorCode.BAD_LENGTH)
        if known is None:
            known = self._begin(key, header, now)
        try:
            known.add(at, data)
        except BfcpError:
            del self._incomplete[key]
            raise
        payload = known.payload
        if payload is None:
            return None
        del self._incomplete[key]
        return read_body(header, payload)

    def next_timer(self) -> float | None:
        """When fragments have waited long enough, or None."""
        return min((each.since + WAIT_S for each in self._incomplete.values()), default=None)

    def handle_timer(self, now: float) -> None:
        """Throw away what has waited too long."""
        for key, each in list(self._incomplete.items()):
            if now >= each.since + WAIT_S:
                del self._incomplete[key]

    def _begin(self, key: _Key, header: Header, now: float) -> _Incomplete:
        self._incomplete.pop(key, None)
        while len(self._incomplete) >= MAX_INCOMPLETE:
            del self._incomplete[next(iter(self._incomplete))]
        began = self._incomplete[key] = _Incomplete(header, now)
        return began


def _key(header: Header) -> _Key:
    return (
        header.conference,
        header.transaction,
        header.user,
        header.primitive,
        header.responder,
    )
