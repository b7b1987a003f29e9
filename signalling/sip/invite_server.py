"""An INVITE of the peer: provisional responses that arrive, a 2xx repeated until its ACK comes.

RFC 3261 section 13.3, RFC 3262 section 3.
"""

from collections import deque
from typing import Protocol

from sipmessage import Response

from signalling.sip.core import Core
from signalling.sip.errors import SipError
from signalling.sip.message import ReceivedRequest, response_to
from signalling.sip.reliable import ReliableSender, read_rack
from signalling.sip.transactions import Key

PROGRESS_S = 60.0
"""So often a provisional response is repeated, or proxies give the call up (section 13.3.1.1)."""
MAX_WAITING = 8


class InviteServerOwner(Protocol):
    """Whoever answers the INVITE: a call, or its negotiation of media."""

    def invite_confirmed(self, ack: ReceivedRequest, now: float) -> None:
        """The ACK of our 2xx came, for the first time."""
        ...

    def invite_unacknowledged(self, now: float) -> None:
        """No ACK came for our 2xx, or no PRACK for a provisional response, after 64 * T1."""
        ...


class InviteServer:
    """One INVITE to be answered.

    Args:
        key: its transaction. tag: ours, in all responses.
    """

    def __init__(
        self, core: Core, owner: InviteServerOwner, key: Key, request: ReceivedRequest, tag: str
    ) -> None:
        self.key = key
        self.request = request
        self.is_answered = False
        self.is_confirmed = False
        self._core = core
        self._owner = owner
        self._tag = tag
        self._reliable = ReliableSender(request.envelope.cseq.sequence, core.rng)
        self._waiting: deque[Response] = deque()
        self._held: Response | None = None
        self._last: Response | None = None
        self._interval = 0.0

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to come of it: answered, and acknowledged if that was a 2xx."""
        return self.is_answered and (self.is_confirmed or self._last is None)

    def trying(self, now: float) -> None:
        """Say at once that the INVITE has arrived."""
        self._core.respond(self.key, response_to(self.request, 100), now)

    def progress(self, response: Response, reliable: bool, now: float) -> None:
        """Send a provisional response; several reliable ones go out one after the other."""
        if self.is_answered or self._held is not None:
            return
        if not reliable:
            self._last = response
            self._core.respond(self.key, response, now)
            self._core.set_timer(self, "progress", now + PROGRESS_S)
        elif self._reliable.waiting is None:
            self._send_reliably(response, now)
        elif len(self._waiting) < MAX_WAITING:
            self._waiting.append(response)

    def accept(self, response: Response, now: float) -> None:
        """Send the 2xx, after the PRACK that is still missing."""
        if self.is_answered:
            return
        if self._reliable.waiting is not None:
            self._held = response
            self._waiting.clear()
            return
        self._stop()
        self.is_answered = True
        self._last = response
        values = self._core.settings.timers
        self._interval = values.t1_s
        self._core.respond(self.key, response, now)
        self._core.set_timer(self, "repeat", now + self._interval)
        self._core.set_timer(self, "give up", now + values.give_up_s)

    def refuse(self, response: Response, now: float) -> None:
        """Send a final response that is no success; its ACK is the transaction's business."""
        if self.is_answered:
            return
        self._stop()
        self.is_answered = True
        self._last = None
        self._core.respond(self.key, response, now)

    def acknowledged(self, ack: ReceivedRequest, now: float) -> bool:
        """Take an ACK; False where it is for another INVITE."""
        if ack.envelope.cseq.sequence != self.request.envelope.cseq.sequence:
            return False
        if self.is_answered and self._last is not None and not self.is_confirmed:
            self._stop()
            self.is_confirmed = True
            self._owner.invite_confirmed(ack, now)
        return True

    def acknowledge_progress(self, key: Key, prack: ReceivedRequest, now: float) -> bool:
        """Take a PRACK and answer it; False (and 481) where nothing waits for it."""
        try:
            known = self._reliable.acknowledge(read_rack(prack))
        except SipError as error:
            self._core.respond(key, response_to(prack, error.status, self._tag), now)
            return False
        self._core.respond(key, response_to(prack, 200 if known else 481, self._tag), now)
        if not known:
            return False
        self._core.cancel_timers(self, "repeat", "give up")
        if self._waiting:
            self._send_reliably(self._waiting.popleft(), now)
        elif self._held is not None:
            held, self._held = self._held, None
            self.accept(held, now)
        return True

    def drop(self) -> None:
        """Forget all timers: the dialog is over."""
        self._stop()

    def timer_due(self, name: str, now: float) -> None:
        """Repeat, or give up."""
        values = self._core.settings.timers
        if name == "give up":
            self._stop()
            if not self.is_answered:
                self.refuse(response_to(self.request, 504, self._tag, "No PRACK"), now)
            self._owner.invite_unacknowledged(now)
            return
        response = self._reliable.waiting or self._last
        if response is None:
            return
        self._core.respond(self.key, response, now)
        if name == "progress":
            self._core.set_timer(self, name, now + PROGRESS_S)
            return
        self._core.statistics.repetitions["sent"] += 1
        # A 2xx up to T2 apart (section 13.3.1.4), a provisional one ever further (RFC 3262).
        longest = values.t2_s if self.is_answered else values.give_up_s
        self._interval = min(2 * self._interval, longest)
        self._core.set_timer(self, "repeat", now + self._interval)

    def _send_reliably(self, response: Response, now: float) -> None:
        self._core.cancel_timers(self, "progress")
        self._reliable.send(response)
        self._core.respond(self.key, response, now)
        values = self._core.settings.timers
        self._interval = values.t1_s
        self._core.set_timer(self, "repeat", now + self._interval)
        self._core.set_timer(self, "give up", now + values.give_up_s)

    def _stop(self) -> None:
        self._core.cancel_timers(self, "repeat", "give up", "progress")
