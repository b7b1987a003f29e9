"""The user agent: everything of SIP that a conference server needs, without I/O.

See the package's text for how a transport and a media engine drive it.
"""

import random
from collections.abc import Mapping

from signalling.sip.calls import Calls
from signalling.sip.causes import Reason
from signalling.sip.conference_info import ConferenceInfo
from signalling.sip.core import METHODS, Core
from signalling.sip.digest import Credentials, DigestVerifier
from signalling.sip.effects import CallId, Effect, OptionsAnswered
from signalling.sip.errors import SipError
from signalling.sip.exchange import Exchange, Outcome
from signalling.sip.hop import Hop, mark_source, reply_hop
from signalling.sip.incoming_call import IncomingCall
from signalling.sip.info import DTMF_RELAY, MEDIA_CONTROL, PICTURE_REQUEST, digit_body
from signalling.sip.message import ReceivedRequest, ReceivedResponse, parse_message, response_to
from signalling.sip.options import options_request, read_caller
from signalling.sip.outgoing_call import OutgoingCall, Target
from signalling.sip.reception import Reception
from signalling.sip.registrar import Registrar
from signalling.sip.settings import AgentSettings
from signalling.sip.statistics import SipStatistics
from signalling.sip.subscriptions import Subscriptions, Watchers
from signalling.sip.transactions import (
    AckArrived,
    RequestArrived,
    ResponseArrived,
    SendMessage,
    TransactionEvent,
    TransactionFailed,
)
from signalling.sip.uri import parse_uri

MAX_REASONS = 100
"""Names that refusals are counted under."""


class UserAgent:
    """One agent: calls both ways, registrations, subscriptions.

    Args:
        verifier: judges credentials; None takes everybody for who they say.
        registrar: keeps registrations; None refuses them.
        rng: of tests.
        watchers: who may subscribe to a conference; None: whoever is let by ``verifier``.

    Nothing a peer sends makes a call raise. Commands on a call that has ended return False: both
    sides may end it at any time. After every call, do what ``effects`` gives.
    """

    def __init__(
        self,
        settings: AgentSettings,
        verifier: DigestVerifier | None = None,
        registrar: Registrar | None = None,
        rng: random.Random | None = None,
        watchers: Watchers | None = None,
    ) -> None:
        self.registrar = registrar
        self._core = Core(settings, rng)
        self._settings = settings
        self._calls = Calls(self._core)
        self._subscriptions = Subscriptions(self._core, watchers)
        self._reception = Reception(
            self._core, self._calls, self._subscriptions, verifier, registrar
        )

    # -- what goes in and out

    @property
    def statistics(self) -> SipStatistics:
        """Counters; see there."""
        return self._core.statistics

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way: no call, subscription, transaction or timer."""
        return not (
            len(self._calls)
            or len(self._subscriptions)
            or len(self._core.transactions)
            or len(self._core.timers)
        )

    def receive(self, data: bytes, source: Hop, now: float) -> None:
        """Take one message: a datagram, or what a stream's framing cut out.

        Args:
            source: address and port it came from, and for a stream the connection.
        """
        try:
            message = parse_message(data)
        except SipError as error:
            refused = self.statistics.refused
            # A peer may write any name: they must not fill the memory.
            may_count = error.field in refused or len(refused) < MAX_REASONS
            refused[error.field[:40] if may_count else "other"] += 1
            if error.response is not None:
                self._core.transactions.outgoing.append(SendMessage(source, error.response))
            return
        if isinstance(message, ReceivedResponse):
            self.statistics.messages[f"received {message.code // 100}xx"] += 1
            self._handle(self._core.transactions.receive_response(message, now), source, now)
            return
        known = message.method if message.method in METHODS else "other"
        self.statistics.messages[f"received {known}"] += 1
        request = mark_source(message, source)
        reply_to = reply_hop(request.envelope.vias[0], source)
        if self._is_overloaded(request):
            if request.method != "ACK":
                self._refuse_statelessly(request, reply_to)
            return
        events = self._core.transactions.receive_request(request, reply_to, now)
        self._handle(events, source, now)

    def transport_failed(self, message: SendMessage, now: float) -> None:
        """A message could not be sent: no such name, connection refused, certificate wrong."""
        if message.transaction is not None:
            events = self._core.transactions.transport_failed(message.transaction, now)
            self._handle(events, message.hop, now)

    def unreachable(self, hop: Hop, now: float) -> list[SendMessage]:
        """Nobody takes datagrams at this address, as ICMP says (RFC 3261 section 18.4).

        Only requests that nobody has answered yet fail: ICMP can be feigned, and whoever has
        answered is there.

        Returns:
            those that did.
        """
        failed = self._core.transactions.unanswered(hop)
        for message in failed:
            if message.transaction is not None:
                events = self._core.transactions.transport_failed(message.transaction, now)
                self._handle(events, hop, now)
        return failed

    def effects(self) -> list[Effect]:
        """Take what is to be sent, and what happened, each in its order."""
        outgoing, events = self._core.transactions.outgoing, self._core.events
        effects: list[Effect] = [*outgoing, *events]
        outgoing.clear()
        events.clear()
        return effects

    def next_timer(self) -> float | None:
        """When ``handle_timer`` wants to be called; None while there is nothing to wait for."""
        registered = None if self.registrar is None else self.registrar.next_timer()
        times = (self._core.transactions.next_timer(), self._core.timers.next(), registered)
        return min((at for at in times if at is not None), default=None)

    def handle_timer(self, now: float) -> None:
        """Repeat, refresh, give up: whatever is due."""
        self._handle(self._core.transactions.handle_timer(now), None, now)
        for owner, name in self._core.timers.due(now):
            owner.timer_due(name, now)
        if self.registrar is not None:
            for change in self.registrar.handle_timer(now):
                self._core.emit(change)

    # -- calls

    def call_id(self, call: CallId) -> str | None:
        """The Call-ID of a call's messages; None where the call has ended."""
        found = self._calls.get(call)
        return None if found is None else found.call_id

    def call(
        self,
        target: str,
        sdp: bytes | None,
        now: float,
        *,
        caller: str,
        hop: Hop | None = None,
        credentials: Credentials | None = None,
        no_answer_s: float | None = None,
        fields: Mapping[str, str] | None = None,
        is_flow: bool = False,
    ) -> CallId:
        """Call somebody; ``CallProgressed`` and ``CallAnswered`` or ``CallEnded`` follow.

        Args:
            target: its URI. sdp: our offer; None lets the other side make it.
            caller: From, ``"Name" <sip:conference@host>``; its user part stands in our Contact.
            hop: where to send, in place of what the address says: to a device that registered,
                the source of its binding.
            fields: further header fields.
            is_flow: ``hop`` is where the peer has come from: no outbound proxy stands between, and
                over UDP all goes by UDP, however long it is, as nobody knows whether TCP leads
                there (against RFC 3261 section 18.1.1).

        Raises:
            SipError: ``target`` or ``caller`` is no SIP address.
        """
        uri = parse_uri(target.partition("?")[0], "target")
        own = read_caller(caller)
        found, routes = self._core.route_out(uri)
        wait = self._settings.no_answer_s if no_answer_s is None else no_answer_s
        if is_flow and hop is not None:
            self._core.stay_on_datagrams(hop, now)
            routes = []
        where = Target(uri, hop or found, tuple(routes), caller, tuple((fields or {}).items()))
        user = own.user or ""
        call = OutgoingCall(self._core, self._calls, where, user, sdp, credentials, wait)
        self._calls.keep(call, call.call_id)
        call.start(now)
        return call.id

    def ring(self, call: CallId, now: float, code: int = 180, sdp: bytes | None = None) -> bool:
        """Say that a call rings here; with ``sdp`` (and 183) there is early media."""
        found = self._calls.get(call)
        return isinstance(found, IncomingCall) and found.ring(code, sdp, now)

    def accept(self, call: CallId, sdp: bytes, now: float) -> bool:
        """Take a call; ``sdp`` answers its offer, or is ours where it made none."""
        found = self._calls.get(call)
        return isinstance(found, IncomingCall) and found.accept(sdp, now)

    def reject(
        self,
        call: CallId,
        code: int,
        now: float,
        phrase: str = "",
        retry_after_s: int | None = None,
    ) -> bool:
        """Refuse a call: 486 busy, 603 declined, 503 with ``retry_after_s`` for overload ..."""
        found = self._calls.get(call)
        return isinstance(found, IncomingCall) and found.reject(code, now, phrase, retry_after_s)

    def redirect(self, call: CallId, contacts: tuple[str, ...], now: float) -> bool:
        """Send a caller elsewhere (302)."""
        found = self._calls.get(call)
        return isinstance(found, IncomingCall) and found.reject(302, now, contacts=contacts)

    def confirm(self, call: CallId, sdp: bytes, now: float) -> bool:
        """Answer the offer that ``CallAnswered`` or ``CallProgressed`` brought."""
        found = self._calls.get(call)
        return isinstance(found, OutgoingCall) and found.confirm(sdp, now)

    def hang_up(self, call: CallId, now: float, reason: Reason | None = None) -> bool:
        """End a call in whatever state it is; ``CallEnded`` follows at once."""
        found = self._calls.get(call)
        return found is not None and found.hang_up(now, reason)

    def change_media(self, call: CallId, sdp: bytes | None, now: float) -> bool:
        """Offer other media as soon as nothing else is under way; None asks for an offer."""
        found = self._calls.get(call)
        if found is None or found.state in ("ending", "ended"):
            return False
        found.negotiation.change(sdp, now)
        return True

    def answer_media(self, call: CallId, sdp: bytes, now: float) -> bool:
        """Answer what ``MediaOffered`` told."""
        found = self._calls.get(call)
        return found is not None and found.negotiation.answer(sdp, now)

    def refuse_media(self, call: CallId, now: float, code: int = 488) -> bool:
        """Do not take what ``MediaOffered`` told; all stays as it was."""
        found = self._calls.get(call)
        return found is not None and found.negotiation.refuse(code, now)

    def request_picture(self, call: CallId, now: float) -> bool:
        """Ask for a key frame by INFO (RFC 5168), where RTCP cannot."""
        return self._info(call, MEDIA_CONTROL, PICTURE_REQUEST, now)

    def press(self, call: CallId, digit: str, now: float) -> bool:
        """Press a key by INFO; ValueError for what is no key."""
        return self._info(call, DTMF_RELAY, digit_body(digit), now)

    def peer_allows(self, call: CallId, method: str) -> bool:
        """Whether the peer of a call that stands has said that it takes a method (Allow)."""
        found = self._calls.standing(call)
        return found is not None and method.lower() in found.peer_allows

    def refer(self, call: CallId, target: str, now: float, referred_by: str = "") -> bool:
        """Ask the peer to call ``target`` (RFC 3515); ``ReferProgressed`` follows."""
        found = self._calls.standing(call)
        if found is not None:
            found.transfers.refer(str(parse_uri(target, "target")), referred_by, now)
        return found is not None

    def report_refer(
        self, call: CallId, refer: str, code: int, now: float, phrase: str = ""
    ) -> bool:
        """Tell the peer how its REFER goes; a code of 200 or more ends it."""
        found = self._calls.standing(call)
        return found is not None and found.transfers.report(refer, code, phrase, now)

    def ask_options(self, target: str, now: float, *, caller: str, hop: Hop | None = None) -> str:
        """Ask whether somebody is there; ``OptionsAnswered`` follows.

        Raises:
            SipError: ``target`` is no SIP address.
        """
        uri = parse_uri(target, "target")
        found, routes = self._core.route_out(uri)
        name = self._core.new_name()

        def done(outcome: Outcome, at: float) -> None:
            code = outcome.code if isinstance(outcome, ReceivedResponse) else outcome
            self._core.emit(OptionsAnswered(name, code))

        make = options_request(self._core, uri, routes, caller)
        Exchange(self._core, make, hop or found, done).start(now)
        return name

    def show_conference(self, conference: str, info: ConferenceInfo | None, now: float) -> None:
        """Let subscribers see a conference, at first or as it is now; None: it has ended."""
        self._subscriptions.show(conference, info, now)

    # -- inside

    def _info(self, call: CallId, content_type: str, body: bytes, now: float) -> bool:
        found = self._calls.standing(call)
        if found is None:
            return False
        return found.exchange(lambda: found.request("INFO", content_type, body), now)

    def _is_overloaded(self, request: ReceivedRequest) -> bool:
        transactions = self._core.transactions
        if len(transactions) < self._settings.max_transactions:
            return False
        return not transactions.knows(request) and not request.envelope.to_tag

    def _refuse_statelessly(self, request: ReceivedRequest, reply_to: Hop) -> None:
        response = response_to(request, 503, self._core.new_name())
        response.headers.set("Retry-After", str(self._settings.retry_after_s))
        self.statistics.refused["503"] += 1
        self._core.transactions.outgoing.append(SendMessage(reply_to, response))

    def _handle(self, events: list[TransactionEvent], source: Hop | None, now: float) -> None:
        for event in events:
            if isinstance(event, ResponseArrived) and event.user is not None:
                event.user.response_arrived(event.key, event.response, now)
            elif isinstance(event, TransactionFailed) and event.user is not None:
                event.user.transaction_failed(event.key, event.reason, now)
            elif isinstance(event, AckArrived):
                call = self._calls.of_dialog(event.request)
                if call is None:
                    self.statistics.dropped["ACK of nothing"] += 1
                else:
                    call.acknowledged(event.request, now)
            elif isinstance(event, RequestArrived) and source is not None:
                self._reception.take(event.key, event.request, source, now)
