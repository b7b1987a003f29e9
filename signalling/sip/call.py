"""A call once it stands: what may come within its dialog, and how it ends.

How it comes about is in ``outgoing_call`` and ``incoming_call``; changes of its media are in
``negotiation``.
"""

from collections import deque
from collections.abc import Callable
from typing import Literal, Protocol

from sipmessage import Request

from signalling.sip.causes import COMPLETED, Cause, Reason, read_reason
from signalling.sip.core import SDP, Core
from signalling.sip.dialog import TARGET_REFRESHES, Dialog
from signalling.sip.digest import Credentials
from signalling.sip.effects import CallEnded, CallId, Event
from signalling.sip.errors import SipError
from signalling.sip.exchange import Exchange, Outcome
from signalling.sip.fields import tokens
from signalling.sip.hop import Hop
from signalling.sip.info import take_info
from signalling.sip.message import ReceivedRequest, ReceivedResponse, response_to, set_body
from signalling.sip.negotiation import Negotiation
from signalling.sip.transactions import Key
from signalling.sip.transfers import Transfers

MAX_WAITING = 32
"""Requests of one call that wait for their turn."""

CallState = Literal["early", "established", "ending", "ended"]


class CallOwner(Protocol):
    """Whoever keeps the calls."""

    def call_gone(self, call: "Call") -> None:
        """Nothing of the call is left."""
        ...


class Call:
    """What outgoing and incoming calls have in common.

    Args:
        call_id: of its messages. user: user part of our Contact.
        credentials: for whoever asks us for some.
    """

    is_ours = True
    """We made the Call-ID, which decides who waits longer after a glare (section 14.1)."""

    def __init__(
        self,
        core: Core,
        owner: CallOwner,
        call_id: str,
        user: str,
        credentials: Credentials | None,
    ) -> None:
        self.id: CallId = core.new_name()
        self.call_id = call_id
        self.core = core
        self.state: CallState = "early"
        self.tag = core.new_name()
        self.user = user
        self.credentials = credentials
        self.dialog: Dialog | None = None
        self.negotiation = Negotiation(core, self)
        self.transfers = Transfers(core, self)
        self.peer_allows: frozenset[str] = frozenset()
        self._owner = owner
        self.is_over = False
        self._waiting: deque[Exchange] = deque()  # the first is under way

    @property
    def is_confirmed(self) -> bool:
        """Whether both sides know that the call stands, so that either may change it."""
        return self.state == "established"

    def dialog_with(self, remote_tag: str) -> Dialog | None:
        """The dialog a request of the peer belongs to."""
        if self.dialog is not None and self.dialog.id.remote_tag == remote_tag:
            return self.dialog
        return None

    def hang_up(self, now: float, reason: Reason | None = None) -> bool:
        """End the call; False where it has ended."""
        return self.leave(now, reason)

    def acknowledged(self, ack: ReceivedRequest, now: float) -> None:
        """An ACK came within the dialog."""
        self.negotiation.acknowledged(ack, now)

    def receive(self, key: Key, request: ReceivedRequest, now: float) -> None:
        """Take a request within the dialog, and answer it."""
        dialog = self.dialog_with(request.envelope.from_tag)
        if dialog is None or self.state == "ended":
            self.core.respond(key, response_to(request, 481, self.tag), now)
            return
        try:
            dialog.take_sequence(request)
            self.note_peer(request)
            self._dispatch(key, request, now)
        except SipError as error:
            phrase = "" if error.status == 422 else str(error)
            response = response_to(request, error.status, self.tag, phrase)
            if error.status == 422:
                response.headers.set("Min-SE", str(self.core.settings.session.least_s))
            self.core.respond(key, response, now)

    def note_peer(self, message: ReceivedRequest | ReceivedResponse) -> None:
        """Remember what the peer says it understands."""
        if allows := tokens(message.headers, "Allow"):
            self.peer_allows = allows

    def request(self, method: str, content_type: str = "", body: bytes = b"") -> Request:
        """A request within the dialog."""
        if self.dialog is None:
            raise SipError("dialog", "is not there yet")
        request = self.dialog.request(method)
        hop = self.hop
        if method in TARGET_REFRESHES:
            request.headers.set("Contact", self.core.contact(hop, self.user))
        if content_type:
            set_body(request, content_type, body)
        return request

    @property
    def hop(self) -> Hop:
        """Where requests within the dialog go."""
        hop = None if self.dialog is None else self.dialog.hop(self.core.default_transport)
        if hop is None:
            raise SipError("dialog", "has no next hop")
        return hop

    def exchange(
        self,
        make: Callable[[], Request],
        now: float,
        done: Callable[[Outcome, float], None] | None = None,
    ) -> bool:
        """Send a request within the dialog; what its failure means for the call is seen to.

        One after the other: what overtakes another on the way is refused for its CSeq.

        Returns:
            False where too many wait.
        """

        def finished(outcome: Outcome, at: float) -> None:
            if not self.judge(outcome, at) or self.state != "established":
                self._waiting.clear()
                return
            self._waiting.popleft()
            if self._waiting:
                self._waiting[0].start(at)
            if done is not None:
                done(outcome, at)

        if len(self._waiting) >= MAX_WAITING:
            return False
        exchange = Exchange(self.core, make, self.hop, finished, self.credentials)
        self._waiting.append(exchange)
        if len(self._waiting) == 1:
            exchange.start(now)
        return True

    def judge(self, outcome: Outcome, now: float) -> bool:
        """Whether the dialog still stands after the outcome of a request in it (12.2.1.2)."""
        if self.state == "ended":
            return False
        if isinstance(outcome, ReceivedResponse):
            if outcome.code == 481:
                self.tell_end("gone", now, outcome.code)
                self.gone(now)
                return False
            if outcome.code != 408:
                return True
        self.lost(now)
        return False

    def lost(self, now: float) -> None:
        """The peer does not answer any more: say goodbye, and go."""
        if self.state == "established":
            self.tell_end("gone", now)
            self.send_bye(now, Reason("SIP", 408, "No answer"))

    def send_bye(self, now: float, reason: Reason) -> None:
        """Say goodbye within the dialog; nothing else will be said."""
        self.state = "ending"
        self._waiting.clear()
        self.negotiation.stop(now)
        self.transfers.stop()

        def bye() -> Request:
            request = self.request("BYE")
            request.headers.set("Reason", str(reason))
            return request

        Exchange(self.core, bye, self.hop, lambda _, at: self.gone(at), self.credentials).start(now)

    def tell(self, event: Event) -> None:
        """Tell the owner of the agent something of this call, unless it has been told the end.

        A call that was hung up stands until its BYE may leave, and answers come meanwhile.
        """
        if not self.is_over:
            self.core.emit(event)

    def tell_end(
        self,
        cause: Cause,
        now: float,
        code: int = 0,
        reason: Reason | None = None,
        by_peer: bool = True,
        retry_after_s: int | None = None,
        contacts: tuple[str, ...] = (),
    ) -> None:
        """Tell the owner of the agent that the call is over; only the first time counts."""
        if self.is_over:
            return
        self.is_over = True
        self.core.statistics.results[cause] += 1
        self.core.emit(CallEnded(self.id, cause, code, reason, retry_after_s, contacts, by_peer))

    def gone(self, now: float) -> None:
        """Leave nothing behind."""
        if self.state != "ended":
            self.state = "ended"
            self.negotiation.stop(now)
            self.transfers.stop()
            self._owner.call_gone(self)

    def peer_left(self, key: Key, request: ReceivedRequest, now: float) -> None:
        """Answer a BYE."""
        self.core.respond(key, response_to(request, 200, self.tag), now)
        reason = read_reason(request.headers)
        self.tell_end("hung up", now, 0, reason)
        if self.state != "ending":  # else our own BYE is on its way, and its answer ends all
            self.gone(now)

    def leave(self, now: float, reason: Reason | None) -> bool:
        """Hang up a call that stands."""
        if self.state != "established":
            return False
        self.tell_end("hung up", now, 0, reason, by_peer=False)
        self.send_bye(now, reason or COMPLETED)
        return True

    def _dispatch(self, key: Key, request: ReceivedRequest, now: float) -> None:
        method = request.method
        if method == "BYE":
            self.peer_left(key, request, now)
        elif self.state == "ending" or self.is_over:  # our BYE is under way, or waits for an ACK
            self.core.respond(key, response_to(request, 481, self.tag), now)
        elif method == "INVITE":
            self.negotiation.receive_invite(key, request, now)
        elif method == "UPDATE":
            self.negotiation.receive_update(key, request, now)
        elif method == "PRACK":
            self.receive_prack(key, request, now)
        elif method == "INFO":
            event = take_info(self.id, request)
            self.core.respond(key, response_to(request, 200, self.tag), now)
            if event is not None:
                self.tell(event)
        elif method == "REFER":
            self.transfers.receive_refer(key, request, now)
        elif method == "NOTIFY":
            self.transfers.receive_notify(key, request, now)
        elif method == "OPTIONS":
            response = response_to(request, 200, self.tag)
            self.core.describe(response)
            response.headers.set("Accept", SDP)
            self.core.respond(key, response, now)
        else:
            response = response_to(request, 405, self.tag)
            self.core.describe(response)
            self.core.respond(key, response, now)

    def receive_prack(self, key: Key, request: ReceivedRequest, now: float) -> None:
        """Nothing waits for a PRACK but a call that rings here."""
        self.core.respond(key, response_to(request, 481, self.tag), now)
