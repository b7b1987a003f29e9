"""An INVITE of ours: credentials, forks, CANCEL, an ACK for every 2xx (RFC 3261 section 13.2)."""

from collections.abc import Callable
from typing import Protocol

from sipmessage import Request

from signalling.sip.core import SDP, Core, authorization
from signalling.sip.dialog import Dialog
from signalling.sip.digest import Credentials
from signalling.sip.exchange import Outcome
from signalling.sip.hop import Hop
from signalling.sip.message import ReceivedResponse, set_body
from signalling.sip.transactions import FailureReason, Key

MAX_FORKS = 8
"""Places that may answer one INVITE; of more, the answers are not heard."""


class InviteClientOwner(Protocol):
    """Whoever sent the INVITE: a call, or its negotiation of media."""

    def invite_progressed(self, response: ReceivedResponse, now: float) -> None:
        """A provisional response above 100 came."""
        ...

    def invite_accepted(self, response: ReceivedResponse, now: float) -> None:
        """The first 2xx of one fork came; it must be answered by ``acknowledge``."""
        ...

    def invite_refused(self, outcome: Outcome, now: float) -> None:
        """No 2xx will come."""
        ...


class InviteClient:
    """One INVITE and what comes of it.

    Args:
        make: builds the INVITE, each time with a new CSeq.
        give_up_s: it is cancelled where no final response has come by then: once a provisional one
            has come, no timer of the transaction ends it (RFC 3261 section 17.1.1.2). None: the
            owner sees to that.
    """

    def __init__(
        self,
        core: Core,
        owner: InviteClientOwner,
        make: Callable[[], Request],
        hop: Hop,
        credentials: Credentials | None,
        *,
        give_up_s: float | None = None,
    ) -> None:
        self.is_done = False
        self.is_cancelling = False
        self.request: Request | None = None
        self._core = core
        self._owner = owner
        self._make = make
        self._hop = hop
        self._credentials = credentials
        self._give_up_s = give_up_s
        self._attempt = 0
        self._fields: dict[str, str] = {}
        self._key: Key | None = None
        self._heard = False
        self._reason = ""
        self._acks: dict[str, tuple[Request, Hop] | None] = {}

    def start(self, now: float) -> None:
        """Send it."""
        self._attempt += 1
        self._heard = False
        self.request = self._make()
        for name, value in self._fields.items():
            self.request.headers.set(name, value)
        self._key = self._core.send(self.request, self._hop, self, now)
        if self._give_up_s is not None:
            self._core.set_timer(self, "give up", now + self._give_up_s)

    @property
    def hop(self) -> Hop:
        """Where it went: over a stream where it was too long for a datagram."""
        went = None if self._key is None else self._core.transactions.hop(self._key)
        return went or self._hop

    def cancel(self, now: float, reason: str = "") -> None:
        """Take the INVITE back; a 2xx that is on its way still comes (section 9.1)."""
        if self.is_done or self.is_cancelling:
            return
        self.is_cancelling = True
        self._reason = reason
        if self._heard:
            self._send_cancel(now)

    def acknowledge(self, dialog: Dialog, body: bytes | None) -> None:
        """Send the ACK of a 2xx, and again whenever that 2xx is repeated.

        Args:
            body: the answer, where the 2xx held the offer.
        """
        hop = dialog.hop(self._core.default_transport)
        if hop is None or self.request is None:
            return  # a dialog's target is always a SIP address
        ack = dialog.request("ACK")
        number = self.request.headers["CSeq"].split(" ")[0]
        ack.headers.set("CSeq", f"{number} ACK")
        for name in ("Authorization", "Proxy-Authorization"):
            if (value := self.request.headers.get(name)) is not None:
                ack.headers.set(name, value)
        if body is not None:
            set_body(ack, SDP, body)
        self._acks[dialog.id.remote_tag] = (ack, hop)
        self._core.send_ack(ack, hop)

    def response_arrived(self, key: Key, response: ReceivedResponse, now: float) -> None:
        """Take a response of our transaction."""
        if key != self._key or self.request is None:
            return
        if response.code < 200:
            self._take_progress(response, now)
        elif response.code < 300:
            self._take_success(response, now)
        elif not self.is_done:
            again = authorization(self.request, response, self._credentials, self._attempt)
            if again is not None and not self.is_cancelling:
                self._fields[again[0]] = again[1]
                self.start(now)
                return
            self._finish()
            self._owner.invite_refused(response, now)

    def transaction_failed(self, key: Key, reason: FailureReason, now: float) -> None:
        """No response came, or the ACK of a refusal could not be sent."""
        if key == self._key and not self.is_done:
            self._finish()
            self._owner.invite_refused(reason, now)

    def timer_due(self, name: str, now: float) -> None:
        """No final response for too long; or CANCEL was followed by none for 64 * T1 (9.1)."""
        if name == "give up":
            self.cancel(now)
            return
        if self._key is not None:
            self._core.transactions.destroy(self._key)
        self._finish()
        self._owner.invite_refused("timeout", now)

    def _take_progress(self, response: ReceivedResponse, now: float) -> None:
        heard_before, self._heard = self._heard, True
        if self.is_cancelling and not heard_before:
            self._send_cancel(now)
        if response.code > 100 and not self.is_done:
            self._owner.invite_progressed(response, now)

    def _take_success(self, response: ReceivedResponse, now: float) -> None:
        tag = response.envelope.to_tag
        if tag in self._acks:
            ack = self._acks[tag]
            if ack is not None:
                self._core.send_ack(*ack)
            return
        if len(self._acks) >= MAX_FORKS:
            self._core.statistics.dropped["fork"] += 1
            return
        self._acks[tag] = None
        self._finish()
        self._owner.invite_accepted(response, now)

    def _send_cancel(self, now: float) -> None:
        if self.request is not None:
            self._core.send_cancel(self.request, self._hop, self._reason, now)
            wait = self._core.settings.timers.give_up_s
            self._core.set_timer(self, "cancelled", now + wait)

    def _finish(self) -> None:
        self.is_done = True
        self._core.cancel_timers(self, "cancelled", "give up")
