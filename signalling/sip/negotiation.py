"""Media and session timer of a call that stands: re-INVITE and UPDATE, both ways, and glare.

RFC 3261 section 14, RFC 3311, RFC 4028. One offer at a time: what our side wants meanwhile waits,
the last wish counts.
"""

from typing import TYPE_CHECKING

from sipmessage import Request, Response

from signalling.sip.causes import Reason, retry_after
from signalling.sip.core import SDP, Core
from signalling.sip.effects import MediaAnswered, MediaOffered, MediaRefused
from signalling.sip.errors import SipError
from signalling.sip.exchange import Outcome
from signalling.sip.invite_client import InviteClient
from signalling.sip.invite_server import InviteServer
from signalling.sip.message import ReceivedRequest, ReceivedResponse, response_to, set_body
from signalling.sip.sdp_body import sdp_of
from signalling.sip.session_timer import SessionInterval, agree, ask, offered_interval, raised
from signalling.sip.transactions import Key

if TYPE_CHECKING:
    from signalling.sip.call import Call

BUSY_RETRY_S = 10
"""The peer is told to try again within so many seconds (RFC 3261 section 14.2)."""
OVERTAKEN_RETRY_S = 1.0
MAX_RETRIES = 10
REFRESH_AGAIN_S = 5.0


class Negotiation:
    """Who offers what to whom, in one call.

    ``local_sdp`` and ``remote_sdp`` are what was agreed last.
    """

    def __init__(self, core: Core, call: "Call") -> None:
        self.local_sdp: bytes | None = None
        self.remote_sdp: bytes | None = None
        self._core = core
        self._call = call
        self._policy = core.settings.session
        self._interval: SessionInterval | None = None
        self._we_refresh = False
        self._wanted: list[bytes | None] = []  # at most one
        self._client: InviteClient | None = None
        self._offer: bytes | None = None
        self._is_refresh = False
        self._answer_waits = False  # our ACK waits for the answer of our own side
        self._server: InviteServer | None = None
        self._server_offer: bytes | None = None
        self._update: tuple[Key, ReceivedRequest] | None = None
        self._refreshing = False
        self._retries = 0

    # -- our side

    @property
    def is_busy(self) -> bool:
        """Whether an offer of either side is under way."""
        return (
            not self._call.is_confirmed
            or self._is_offering
            or self._update is not None
            or (self._server is not None and not self._server.is_over)
        )

    @property
    def _is_offering(self) -> bool:
        return self._refreshing or self._client is not None

    def change(self, sdp: bytes | None, now: float) -> None:
        """Offer ``sdp``, or with None ask for an offer, as soon as nothing else is under way."""
        self._wanted = [sdp]
        self._retries = 0
        self._core.cancel_timers(self, "glare")
        self.proceed(now)

    def proceed(self, now: float) -> None:
        """Do what waited, if it can be done now."""
        if self._wanted and not self.is_busy and (self, "glare") not in self._core.timers:
            self._send_invite(self._wanted.pop(), now, is_refresh=False)

    def answer(self, sdp: bytes, now: float) -> bool:
        """Answer what ``MediaOffered`` told; False where nothing waits for it."""
        if self._answer_waits and self._client is not None and self._call.dialog is not None:
            self._answer_waits = False
            self.local_sdp = sdp
            client, self._client = self._client, None
            client.acknowledge(self._call.dialog, sdp)
            self.proceed(now)
            return True
        if self._update is not None:
            (key, request), self._update = self._update, None
            self._core.cancel_timers(self, "offer")
            self.local_sdp, self.remote_sdp = sdp, sdp_of(request)
            self._succeed(key, request, sdp, now)
            self.proceed(now)
            return True
        if self._server is None or self._server.is_answered:
            return False
        self.local_sdp = sdp
        if self._server_offer is not None:
            self.remote_sdp = self._server_offer
        self._accept_invite(sdp, now)
        return True

    def refuse(self, code: int, now: float) -> bool:
        """Do not take the media ``MediaOffered`` told; False where nothing waits for an answer."""
        if self._answer_waits:
            return self._call.hang_up(now, Reason("SIP", code))  # a 2xx cannot be refused
        return self.refuse_pending(code, now)

    def refuse_pending(self, code: int, now: float) -> bool:
        """Refuse whatever the peer waits for."""
        if self._update is not None:
            (key, request), self._update = self._update, None
            self._core.cancel_timers(self, "offer")
            self._core.respond(key, response_to(request, code, self._call.tag), now)
            return True
        if self._server is not None and not self._server.is_answered:
            self._server.refuse(response_to(self._server.request, code, self._call.tag), now)
            return True
        return False

    # -- the peer's side

    def receive_invite(self, key: Key, request: ReceivedRequest, now: float) -> None:
        """Take a re-INVITE (RFC 3261 section 14.2)."""
        if self._is_offering:
            raise SipError("CSeq", "crosses a request of ours", 491)
        if self.is_busy:
            self._busy(key, request, now)
            return
        offer = sdp_of(request)
        agree(request.headers, self._policy)
        self._server = InviteServer(self._core, self, key, request, self._call.tag)
        self._server_offer = offer
        self._server.trying(now)
        if offer is not None and offer == self.remote_sdp and self.local_sdp is not None:
            self._accept_invite(self.local_sdp, now)  # only refreshes the session
            return
        self._call.tell(MediaOffered(self._call.id, offer))

    def receive_update(self, key: Key, request: ReceivedRequest, now: float) -> None:
        """Take an UPDATE (RFC 3311 section 5.2)."""
        offer = sdp_of(request)
        agree(request.headers, self._policy)
        if offer is None:
            self._succeed(key, request, None, now)
            return
        if self._is_offering:
            raise SipError("CSeq", "crosses a request of ours", 491)
        pending = self._server is not None and not self._server.is_over
        if self._update is not None or pending or self.local_sdp is None or self.remote_sdp is None:
            self._busy(key, request, now)
            return
        self._update = (key, request)
        self._core.set_timer(self, "offer", now + self._core.settings.offer_s)
        self._call.tell(MediaOffered(self._call.id, offer))

    def acknowledged(self, ack: ReceivedRequest, now: float) -> None:
        """An ACK within the dialog."""
        if self._server is not None:
            self._server.acknowledged(ack, now)

    # -- session timer

    def agree_session(self, request: ReceivedRequest, response: Response, now: float) -> None:
        """Write into a 2xx which interval is agreed, and keep to it (RFC 4028 section 9)."""
        interval = agree(request.headers, self._policy)
        response.headers.set("Session-Expires", str(interval))
        if interval.peer_supports and interval.refresher == "uac":
            response.headers.set("Require", "timer")
        self._start_session(interval, interval.refresher == "uas", now)

    def ask_session(self, request: Request) -> None:
        """Put our wish into a request of ours (section 7.1)."""
        refresher = None
        if self._interval is not None:
            refresher = "uac" if self._we_refresh else "uas"
        ask(request.headers, self._policy, "uac" if refresher == "uac" else None)
        if refresher == "uas":
            ask(request.headers, self._policy, "uas")

    def keep_session(self, response: ReceivedResponse, now: float) -> None:
        """Keep to what a 2xx for our request says (section 7.2)."""
        try:
            interval = offered_interval(response.headers)
        except SipError:
            interval = None
        if interval is None or interval.seconds < self._policy.least_s:
            return
        self._start_session(interval, interval.refresher == "uac", now)

    def raise_interval(self, response: ReceivedResponse) -> bool:
        """Take over what a 422 asks for; False where that is nothing to try again with."""
        try:
            policy = raised(response.headers, self._policy)
        except SipError:
            policy = None
        if policy is None:
            return False
        self._policy = policy
        return True

    def stop(self, now: float) -> None:
        """The call is over: what is under way is decided, or it might wait for ever."""
        self.refuse_pending(487, now)
        self._core.cancel_timers(self, "refresh", "expire", "glare", "offer")
        if self._server is not None:
            self._server.drop()
        if self._client is None:
            return
        if self._answer_waits and self._call.dialog is not None:
            self._answer_waits = False
            self._client.acknowledge(self._call.dialog, None)
        self._client.cancel(now)

    def timer_due(self, name: str, now: float) -> None:
        """Refresh, give the peer up, or try again."""
        if name == "expire":
            self._call.lost(now)
        elif name == "glare":
            self.proceed(now)
        elif name == "offer":
            self.refuse_pending(504, now)
        elif self.is_busy:
            self._core.set_timer(self, "refresh", now + REFRESH_AGAIN_S)
        elif "update" in self._call.peer_allows:
            self._refreshing = True
            self._call.exchange(self._make_update, now, self._refreshed)
        else:
            self._send_invite(self.local_sdp, now, is_refresh=True)

    def _start_session(self, interval: SessionInterval, we_refresh: bool, now: float) -> None:
        self._interval, self._we_refresh = interval, we_refresh
        self._core.cancel_timers(self, "refresh", "expire")
        if we_refresh:
            self._core.set_timer(self, "refresh", now + interval.refresh_after_s)
        else:
            self._core.set_timer(self, "expire", now + interval.give_up_after_s)

    def _make_update(self) -> Request:
        update = self._call.request("UPDATE")
        self._core.describe(update)
        self.ask_session(update)
        return update

    def _refreshed(self, outcome: Outcome, now: float) -> None:
        self._refreshing = False
        if not isinstance(outcome, ReceivedResponse):
            return
        if outcome.code < 300:
            self._refresh_target(outcome)
            self.keep_session(outcome, now)
        else:
            if outcome.code == 422:
                self.raise_interval(outcome)
            self._core.set_timer(self, "refresh", now + REFRESH_AGAIN_S)
        self.proceed(now)

    # -- INVITE of ours

    def _send_invite(self, sdp: bytes | None, now: float, is_refresh: bool) -> None:
        def make() -> Request:
            invite = self._call.request("INVITE")
            self._core.describe(invite)
            self.ask_session(invite)
            if sdp is not None:
                set_body(invite, SDP, sdp)
            return invite

        self._offer, self._is_refresh = sdp, is_refresh
        self._client = InviteClient(
            self._core,
            self,
            make,
            self._call.hop,
            self._call.credentials,
            give_up_s=self._core.settings.no_answer_s,
        )
        self._client.start(now)

    def invite_progressed(self, response: ReceivedResponse, now: float) -> None:
        """The peer thinks about it; there is nothing to tell."""

    def invite_accepted(self, response: ReceivedResponse, now: float) -> None:
        """The peer takes our offer, or makes one."""
        client, dialog = self._client, self._call.dialog
        if client is None or dialog is None:
            return
        if self._call.state != "established":
            client.acknowledge(dialog, None)  # hung up meanwhile
            return
        self._refresh_target(response)
        self.keep_session(response, now)
        self._retries = 0
        sdp = response.body or None
        if self._offer is None and sdp is not None:
            self.remote_sdp = sdp
            self._answer_waits = True
            self._call.tell(MediaOffered(self._call.id, sdp))
            return
        client.acknowledge(dialog, None)
        self._client = None
        if sdp is None:
            self._call.hang_up(now, Reason("SIP", 488, "No answer in 2xx"))
            return
        unchanged = self._is_refresh and sdp == self.remote_sdp
        self.local_sdp, self.remote_sdp = self._offer, sdp
        if not unchanged and self._call.is_confirmed:
            self._call.tell(MediaAnswered(self._call.id, sdp))
        self.proceed(now)

    def invite_refused(self, outcome: Outcome, now: float) -> None:
        """The peer does not take it, or is busy with an offer of its own."""
        self._client = None
        if not self._call.judge(outcome, now) or not isinstance(outcome, ReceivedResponse):
            return
        if self._call.state != "established":
            return  # taken back when the call ended
        wait = self._wait_after(outcome)
        if wait is not None and self._retries < MAX_RETRIES:
            self._retries += 1
            if not self._wanted:
                self._wanted = [self._offer]
            self._core.set_timer(self, "glare", now + wait)
            return
        if self._is_refresh:
            self._core.set_timer(self, "refresh", now + REFRESH_AGAIN_S)
        else:
            self._call.tell(MediaRefused(self._call.id, outcome.code))
        self.proceed(now)

    def _wait_after(self, response: ReceivedResponse) -> float | None:
        """How long to wait before the same is tried again (RFC 3261 section 14.1)."""
        if response.code == 491:
            if self._call.is_ours:
                return 2.1 + self._core.rng.randrange(191) / 100
            return self._core.rng.randrange(201) / 100
        if response.code == 422 and self.raise_interval(response):
            return 0.0
        seconds = retry_after(response.headers)
        if response.code == 500 and seconds is None:
            return OVERTAKEN_RETRY_S  # another request of ours may have come before it
        if response.code in (500, 503) and seconds is not None and seconds <= BUSY_RETRY_S:
            return float(seconds)
        return None

    # -- INVITE of the peer

    def invite_confirmed(self, ack: ReceivedRequest, now: float) -> None:
        """The peer has our answer, or answers our offer."""
        if self._server_offer is None:
            if not ack.body:
                self._call.hang_up(now, Reason("SIP", 488, "No answer in ACK"))
                return
            self.remote_sdp = ack.body
            self._call.tell(MediaAnswered(self._call.id, ack.body))
        self.proceed(now)

    def invite_unacknowledged(self, now: float) -> None:
        """The peer is gone (RFC 3261 section 14.2)."""
        self._call.lost(now)

    def _accept_invite(self, sdp: bytes, now: float) -> None:
        if self._server is None:
            return
        response = self._success(self._server.request, sdp, now)
        self._server.accept(response, now)

    def _succeed(self, key: Key, request: ReceivedRequest, sdp: bytes | None, now: float) -> None:
        self._core.respond(key, self._success(request, sdp, now), now)

    def _success(self, request: ReceivedRequest, sdp: bytes | None, now: float) -> Response:
        if self._call.dialog is not None:
            self._call.dialog.refresh_target(request.envelope.contacts)
        response = response_to(request, 200, self._call.tag)
        response.headers.set("Contact", self._core.contact(self._call.hop, self._call.user))
        self._core.describe(response)
        if self._call.is_confirmed:
            self.agree_session(request, response, now)
        if sdp is not None:
            set_body(response, SDP, sdp)
        return response

    def _busy(self, key: Key, request: ReceivedRequest, now: float) -> None:
        response = response_to(request, 500, self._call.tag, "Another offer is under way")
        response.headers.set("Retry-After", str(self._core.rng.randrange(BUSY_RETRY_S + 1)))
        self._core.respond(key, response, now)

    def _refresh_target(self, response: ReceivedResponse) -> None:
        if self._call.dialog is not None:
            self._call.dialog.refresh_target(response.envelope.contacts)
