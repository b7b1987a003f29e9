"""What carries the floor control of one call: a way to the peer, and whoever is told by it."""

from dataclasses import dataclass
from typing import Final, Protocol

from signalling.bfcp import BfcpError
from signalling.bfcp.header import Header
from signalling.offer_answer.agreement import Address

MESSAGES_PER_S: Final = 50.0
"""A room that is told of everything answers with some; nobody at a remote control asks so fast."""
BURST: Final = 100.0


class FloorLine(Protocol):
    """A way to the peer; datagrams, or one connection after the other."""

    def send(self, data: bytes) -> None:
        """Send a datagram, or a piece of the stream; what cannot be sent is lost."""

    def announce(self, remote: Address | None, now: float) -> None:
        """The peer has said anew where it is; a connection is to be made anew."""

    def close(self) -> None:
        """Let go of everything. Idempotent; nobody is told any more."""


class FloorEnd(Protocol):
    """Whoever speaks BFCP on our side of a line."""

    def connected(self) -> None:
        """A connection begins; or there is a way for datagrams, and whoever made it says so."""

    def heard(self, data: bytes, now: float) -> bool:
        """A datagram, or bytes of the stream; False: close the connection."""

    def disconnected(self) -> None:
        """The connection has ended; another may follow."""


@dataclass(frozen=True, slots=True)
class FloorNames:
    """What stands in each message of a call: both are drawn at random and known to it alone.

    So a message that names them is taken for the peer's, from wherever it comes.
    """

    conference: int
    user: int

    def are_in(self, data: bytes, *, reliable: bool) -> bool:
        """Whether a message, or the beginning of one, names both."""
        try:
            header = Header.parse(data, reliable=reliable)
        except BfcpError:
            return False
        return (header.conference, header.user) == (self.conference, self.user)


class Pace:
    """Lets ``MESSAGES_PER_S`` pass, after a pause ``BURST`` at once."""

    def __init__(self, now: float) -> None:
        self._left = BURST
        self._at = now

    def passes(self, now: float) -> bool:
        """Whether one more may."""
        self._left = min(BURST, self._left + (now - self._at) * MESSAGES_PER_S)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
