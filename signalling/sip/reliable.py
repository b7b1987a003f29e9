"""Provisional responses that arrive (RFC 3262): RSeq, PRACK and RAck."""

import random
from dataclasses import dataclass

from sipmessage import Headers, Response

from signalling.sip.errors import SipError
from signalling.sip.fields import read_number, tokens
from signalling.sip.message import ReceivedRequest, ReceivedResponse

EXTENSION = "100rel"


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What a PRACK names: RSeq, and CSeq of the INVITE."""

    rseq: int
    cseq: int


def read_rack(request: ReceivedRequest) -> Acknowledged:
    """RAck of a PRACK (section 7.2).

    Raises:
        SipError: it is not there, or not two numbers and INVITE.
    """
    parts = (request.headers.get("RAck") or "").split(" ")
    if len(parts) != 3 or parts[2] != "INVITE":
        raise SipError("RAck", "is not two numbers and INVITE")
    rseq, cseq = (read_number(part, "RAck") for part in parts[:2])
    return Acknowledged(rseq or 0, cseq or 0)


class ReliableSender:
    """Numbers our provisional responses; one at a time waits for its PRACK (section 3).

    Args:
        cseq: of the INVITE. rng: for the first number.
    """

    def __init__(self, cseq: int, rng: random.Random) -> None:
        self.waiting: Response | None = None
        self._cseq = cseq
        self._rseq = rng.randrange(1, 2**31)

    def send(self, response: Response) -> None:
        """Number a response that is about to be sent."""
        self._rseq += 1
        required = tokens(response.headers, "Require") | {EXTENSION}
        response.headers.set("Require", ", ".join(sorted(required)))
        response.headers.set("RSeq", str(self._rseq))
        self.waiting = response

    def acknowledge(self, acknowledged: Acknowledged) -> bool:
        """Whether the PRACK is for what waits, which then waits no longer."""
        if self.waiting is None or acknowledged != Acknowledged(self._rseq, self._cseq):
            return False
        self.waiting = None
        return True


class ReliableReceiver:
    """Says which provisional responses of one early dialog are to be acknowledged (section 4)."""

    def __init__(self) -> None:
        self._last: int | None = None

    def take(self, response: ReceivedResponse) -> str | None:
        """RAck to acknowledge with; None for what came before, or came too early.

        Raises:
            SipError: RSeq is not a number.
        """
        rseq = read_number(response.headers.get("RSeq"), "RSeq")
        if rseq is None or not is_reliable(response):
            return None
        if self._last is not None and rseq != self._last + 1:
            return None
        self._last = rseq
        return f"{rseq} {response.envelope.cseq.sequence} INVITE"


def is_reliable(response: ReceivedResponse) -> bool:
    """Whether a provisional response wants to be acknowledged."""
    return 100 < response.code < 200 and EXTENSION in tokens(response.headers, "Require")


def peer_takes(headers: Headers) -> bool:
    """Whether a client can be sent reliable responses."""
    return EXTENSION in tokens(headers, "Supported") | tokens(headers, "Require")


def peer_demands(headers: Headers) -> bool:
    """Whether a client takes nothing else."""
    return EXTENSION in tokens(headers, "Require")
