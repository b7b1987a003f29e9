"""A call of somebody else until it stands (RFC 3261 section 13.3)."""

from sipmessage import Response

from signalling.sip.call import Call, CallOwner
from signalling.sip.causes import Reason
from signalling.sip.core import SDP, Core
from signalling.sip.dialog import Dialog
from signalling.sip.effects import CallConfirmed, CallReceived
from signalling.sip.errors import SipError
from signalling.sip.fields import uri_of
from signalling.sip.hop import Hop
from signalling.sip.invite_server import InviteServer
from signalling.sip.message import ReceivedRequest, response_to, set_body
from signalling.sip.reliable import peer_demands, peer_takes
from signalling.sip.sdp_body import sdp_of
from signalling.sip.session_timer import agree
from signalling.sip.transactions import Key


class IncomingCall(Call):
    """A call of somebody else.

    Args:
        identity: the authenticated user, empty for none.

    Raises:
        SipError: the INVITE cannot be taken, and is to be answered with that status.
    """

    is_ours = False

    def __init__(
        self,
        core: Core,
        owner: CallOwner,
        key: Key,
        request: ReceivedRequest,
        source: Hop,
        identity: str,
        now: float,
    ) -> None:
        super().__init__(core, owner, request.envelope.call_id, request.uri.user or "", None)
        self._offer = sdp_of(request)
        agree(request.headers, core.settings.session)
        sequence = core.rng.randrange(1, 2**16)
        self.dialog = Dialog.of_server(request, self.tag, sequence, source)
        self.server = InviteServer(core, self, key, request, self.tag)
        self._early_sdp: bytes | None = None
        self._bye: Reason | None = None
        self.note_peer(request)
        self.server.trying(now)
        core.set_timer(self, "ringing", now + core.settings.timers.ringing_s)
        caller = request.envelope.from_address
        core.emit(
            CallReceived(
                self.id,
                str(request.uri),
                str(uri_of(caller)),
                caller.name,
                identity,
                self._offer,
                source,
            )
        )

    @property
    def is_confirmed(self) -> bool:
        """A 2xx was sent, and its ACK has come."""
        return super().is_confirmed and self.server.is_confirmed

    def ring(self, code: int, sdp: bytes | None, now: float) -> bool:
        """Send 180 to 183, with early media where ``sdp`` is given; False where it is too late.

        Early media, and callers that ask for it, get reliable responses (RFC 3262); where the
        caller takes none, ``sdp`` goes along all the same and is repeated in the 2xx.
        """
        if self.state != "early" or self.server.is_answered or not 100 < code < 200:
            return False
        request = self.server.request
        takes = peer_takes(request.headers)
        if self._offer is None and not takes:
            sdp = None  # an offer that may be lost is none
        response = self._response(code)
        if sdp is not None:
            set_body(response, SDP, sdp)
            self._early_sdp = sdp
        reliable = peer_demands(request.headers) or (takes and sdp is not None)
        self.server.progress(response, reliable, now)
        return True

    def accept(self, sdp: bytes, now: float) -> bool:
        """Take the call; False where it has ended or was answered.

        Args:
            sdp: our answer, or where the caller made none our offer.
        """
        if self.state != "early" or self.server.is_answered:
            return False
        response = self._response(200)
        response.headers.set("Accept", SDP)
        self.negotiation.agree_session(self.server.request, response, now)
        if self._offer is not None or self.negotiation.remote_sdp is None:
            set_body(response, SDP, sdp)  # else both are in reliable responses already
        self.negotiation.local_sdp = sdp
        if self._offer is not None:
            self.negotiation.remote_sdp = self._offer
        self.state = "established"
        self.core.cancel_timers(self, "ringing")
        self.server.accept(response, now)
        return True

    def reject(
        self,
        code: int,
        now: float,
        phrase: str = "",
        retry_after_s: int | None = None,
        contacts: tuple[str, ...] = (),
    ) -> bool:
        """Refuse the call, or with 3xx and ``contacts`` send the caller elsewhere."""
        if self.state != "early" or self.server.is_answered or code < 300:
            return False
        response = response_to(self.server.request, code, self.tag, phrase)
        if retry_after_s is not None:
            response.headers.set("Retry-After", str(retry_after_s))
        if contacts:
            response.headers.setlist("Contact", [f"<{contact}>" for contact in contacts])
        self.server.refuse(response, now)
        self.tell_end("moved" if code < 400 else "declined", now, code, by_peer=False)
        self.gone(now)
        return True

    def hang_up(self, now: float, reason: Reason | None = None) -> bool:
        """Refuse the call while it rings; end it once it stands and its ACK has come."""
        if self.state == "early":
            return self.reject(480, now)
        if self.state == "established" and not self.server.is_confirmed:
            # BYE may only follow the ACK (RFC 3261 section 15).
            if self._bye is not None:
                return False
            self._bye = reason or Reason("Q.850", 16)
            self.tell_end("hung up", now, 0, reason, by_peer=False)
            return True
        return super().hang_up(now, reason)

    def timer_due(self, name: str, now: float) -> None:
        """Nobody decided about the call."""
        self.reject(480, now)

    def cancelled(self, now: float, reason: Reason | None) -> None:
        """The caller gave up (section 9.2); too late for a call that is answered."""
        if self.state == "early" and not self.server.is_answered:
            self.server.refuse(response_to(self.server.request, 487, self.tag), now)
            self.tell_end("cancelled", now, 487, reason)
            self.gone(now)

    def acknowledged(self, ack: ReceivedRequest, now: float) -> None:
        """An ACK: of the INVITE that made the call, or of a later one."""
        if not self.server.acknowledged(ack, now):
            super().acknowledged(ack, now)

    def invite_confirmed(self, ack: ReceivedRequest, now: float) -> None:
        """The call stands on both sides."""
        if self._bye is not None:
            self.send_bye(now, self._bye)
            return
        if self.state != "established":
            return
        if self._offer is not None or self.negotiation.remote_sdp is not None:
            self.tell(CallConfirmed(self.id, None))
        elif ack.body:
            self.negotiation.remote_sdp = ack.body
            self.tell(CallConfirmed(self.id, ack.body))
        else:
            self.tell_end("failed", now)
            self.send_bye(now, Reason("SIP", 488, "No answer in ACK"))
            return
        self.negotiation.proceed(now)

    def invite_unacknowledged(self, now: float) -> None:
        """The caller is gone, before or after we answered."""
        self.tell_end("gone", now)
        if self.state == "established":
            self.send_bye(now, Reason("SIP", 408, "No ACK"))
        else:
            self.gone(now)

    def receive_prack(self, key: Key, request: ReceivedRequest, now: float) -> None:
        """Take a PRACK; it may hold the answer to an offer we made in a reliable response."""
        body = sdp_of(request)
        known = self.server.acknowledge_progress(key, request, now)
        if known and body is not None and self._offer is None:
            self.negotiation.remote_sdp = body
            self.negotiation.local_sdp = self._early_sdp

    def peer_left(self, key: Key, request: ReceivedRequest, now: float) -> None:
        """A BYE may come before we have answered (section 15.1.2)."""
        if self.state == "early":
            self.server.refuse(response_to(self.server.request, 487, self.tag), now)
        self.server.drop()
        super().peer_left(key, request, now)

    def gone(self, now: float) -> None:
        """Leave nothing behind."""
        self.core.cancel_timers(self, "ringing")
        self.server.drop()
        super().gone(now)

    def _response(self, code: int) -> Response:
        request = self.server.request
        response = response_to(request, code, self.tag)
        if values := request.headers.getlist("Record-Route"):
            response.headers.setlist("Record-Route", list(values))
        if self.dialog is None:
            raise SipError("dialog", "is not there")
        response.headers.set("Contact", self.core.contact(self.hop, self.user))
        self.core.describe(response)
        return response
