"""A call of ours until it stands (RFC 3261 section 13.2): forks, early media, refusals."""

from dataclasses import dataclass

from sipmessage import Request

from signalling.sip.call import Call, CallOwner
from signalling.sip.causes import Reason, cause_of, retry_after
from signalling.sip.core import SDP, Core
from signalling.sip.dialog import Dialog
from signalling.sip.digest import Credentials
from signalling.sip.effects import CallAnswered, CallProgressed
from signalling.sip.errors import SipError
from signalling.sip.exchange import Exchange, Outcome
from signalling.sip.fields import uri_of
from signalling.sip.hop import Hop
from signalling.sip.invite_client import MAX_FORKS, InviteClient
from signalling.sip.message import ReceivedRequest, ReceivedResponse, set_body
from signalling.sip.reliable import ReliableReceiver, is_reliable
from signalling.sip.sdp_body import sdp_of
from signalling.sip.uri import SipUri

MAX_INTERVAL_RAISES = 2
"""So often a 422 is followed (each proxy on the way may ask for more)."""


@dataclass(frozen=True, slots=True)
class Target:
    """Who is called, and how.

    Args:
        uri: without header fields. hop: where the INVITE goes. routes: its Route.
        caller: From without a tag; ``<sip:mcu@example.com>``, perhaps with a name before it.
        fields: further header fields.
    """

    uri: SipUri
    hop: Hop
    routes: tuple[str, ...]
    caller: str
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class _Early:
    """One fork that has answered provisionally."""

    dialog: Dialog
    reliable: ReliableReceiver
    sdp: bytes | None = None
    unanswered: str = ""  # RAck of a response whose offer waits for our answer


class OutgoingCall(Call):
    """A call of ours.

    Args:
        sdp: our offer; None lets the other side make it.
        no_answer_s: how long it may ring.
    """

    is_ours = True

    def __init__(
        self,
        core: Core,
        owner: CallOwner,
        target: Target,
        user: str,
        sdp: bytes | None,
        credentials: Credentials | None,
        no_answer_s: float,
    ) -> None:
        super().__init__(core, owner, core.new_name(), user, credentials)
        self._target = target
        self._sdp = sdp
        self._no_answer_s = no_answer_s
        self._sequence = core.rng.randrange(1, 2**16)
        self._early: dict[str, _Early] = {}
        self._raises = 0
        self._client = InviteClient(core, self, self._make, target.hop, credentials)
        self._answer_waits = False

    def start(self, now: float) -> None:
        """Send the INVITE."""
        self.core.set_timer(self, "no answer", now + self._no_answer_s)
        self._client.start(now)

    def dialog_with(self, remote_tag: str) -> Dialog | None:
        """Until one fork has won, each of them has a dialog."""
        if self.dialog is None and (early := self._early.get(remote_tag)) is not None:
            return early.dialog
        return super().dialog_with(remote_tag)

    def confirm(self, sdp: bytes, now: float) -> bool:
        """Answer the offer that came in place of ours; False where none waits."""
        for early in self._early.values():
            if early.unanswered:
                rack, early.unanswered = early.unanswered, ""
                self.negotiation.local_sdp = sdp
                self._send_prack(early.dialog, rack, sdp, now)
                return True
        if not self._answer_waits or self.dialog is None:
            return False
        self._answer_waits = False
        self.core.cancel_timers(self, "no answer")
        self.negotiation.local_sdp = sdp
        self._client.acknowledge(self.dialog, sdp)
        self.state = "established"
        self.negotiation.proceed(now)
        return True

    def hang_up(self, now: float, reason: Reason | None = None) -> bool:
        """Cancel the call, or end it."""
        if self._answer_waits and self.dialog is not None:
            # The 2xx wants its ACK before the BYE; the answer in it is of no use any more.
            self._answer_waits = False
            self.core.cancel_timers(self, "no answer")
            self._client.acknowledge(self.dialog, None)
            self.state = "established"
        if self.state == "early":
            self.tell_end("cancelled", now, 0, reason, by_peer=False)
            self._withdraw(now, reason)
            return True
        return super().hang_up(now, reason)

    def gone(self, now: float) -> None:
        """Leave nothing behind."""
        self.core.cancel_timers(self, "no answer")
        super().gone(now)

    def timer_due(self, name: str, now: float) -> None:
        """It has rung long enough, or ``confirm`` was not called."""
        if self._answer_waits:
            self.hang_up(now)
        elif self.state == "early":
            self.tell_end("no answer", now, by_peer=False)
            self._withdraw(now, None)

    def invite_progressed(self, response: ReceivedResponse, now: float) -> None:
        """A fork rings, perhaps with early media."""
        if self.state != "early":
            return
        early = self._early_of(response)
        sdp = _sdp_of(response)
        if not is_reliable(response):
            # An offer that may be lost is none (RFC 3262 section 5).
            told = sdp if self._sdp is not None else None
            self._progressed(early, response.code, told, answer_needed=False)
            return
        if early is None:
            return
        try:
            rack = early.reliable.take(response)
        except SipError:
            return
        if rack is None:
            return
        offered = sdp is not None and self._sdp is None and early.sdp is None
        if offered:
            early.unanswered = rack
        else:
            self._send_prack(early.dialog, rack, None, now)
        self._progressed(early, response.code, sdp, answer_needed=offered)

    def invite_accepted(self, response: ReceivedResponse, now: float) -> None:
        """A fork answers: the first has the call, others are sent away."""
        early = self._early.get(response.envelope.to_tag)
        try:
            dialog = early.dialog if early else self._new_dialog(response)
            dialog.confirm(response)
        except SipError:
            # Nowhere to send an ACK: the peer repeats its 2xx until it gives up by itself.
            if self.dialog is None:
                self.tell_end("failed", now, response.code)
                self.gone(now)
            return
        if self.dialog is not None or self.state != "early":
            self._send_away(dialog, now)
            return
        self.core.cancel_timers(self, "no answer")
        self.dialog = dialog
        self.note_peer(response)
        sdp = _sdp_of(response)
        self.negotiation.keep_session(response, now)
        self._established(early, sdp, response.code, now)
        self._early.clear()

    def invite_refused(self, outcome: Outcome, now: float) -> None:
        """Nobody takes the call."""
        if isinstance(outcome, ReceivedResponse):
            if outcome.code == 422 and self.state == "early" and self._raises < MAX_INTERVAL_RAISES:
                self._raises += 1
                if self.negotiation.raise_interval(outcome):
                    self._early.clear()
                    self._client = InviteClient(
                        self.core, self, self._make, self._target.hop, self.credentials
                    )
                    self._client.start(now)
                    return
            contacts = tuple(str(uri_of(contact)) for contact in outcome.envelope.contacts)
            self.tell_end(
                cause_of(outcome.code),
                now,
                outcome.code,
                retry_after_s=retry_after(outcome.headers),
                contacts=contacts if 300 <= outcome.code < 400 else (),
            )
        else:
            self.tell_end(cause_of(outcome), now)
        if self.dialog is None:
            self.gone(now)

    def peer_left(self, key: tuple[str, ...], request: ReceivedRequest, now: float) -> None:
        """A fork that only rang may leave; the others go on ringing."""
        if self.dialog is None:
            self._early.pop(request.envelope.from_tag, None)
            self.core.answer(key, request, 200, now)
            return
        super().peer_left(key, request, now)

    def _established(self, early: _Early | None, sdp: bytes | None, code: int, now: float) -> None:
        dialog = self.dialog
        if dialog is None:
            return
        known = early.sdp if early else None
        if self._sdp is None and known is None and sdp is not None:
            self._answer_waits = True
            self.negotiation.remote_sdp = sdp
            self.core.set_timer(self, "no answer", now + self.core.settings.timers.give_up_s)
            self.core.emit(CallAnswered(self.id, sdp, answer_needed=True))
            return
        self._client.acknowledge(dialog, None)
        self.state = "established"
        # What came unreliably before counts only where the 2xx repeats nothing.
        final = known if self._sdp is None else sdp or known
        if final is None:
            self.tell_end("failed", now, code)
            self.send_bye(now, Reason("SIP", 488, "No session description"))
            return
        if self._sdp is not None:
            self.negotiation.local_sdp = self._sdp
        self.negotiation.remote_sdp = final
        self.core.emit(CallAnswered(self.id, final))
        self.negotiation.proceed(now)

    def _withdraw(self, now: float, reason: Reason | None) -> None:
        self.state = "ending"
        self.core.cancel_timers(self, "no answer")
        self._client.cancel(now, str(reason) if reason else "")

    def _send_away(self, dialog: Dialog, now: float) -> None:
        """ACK and BYE for an answer nobody wants any more."""
        self._client.acknowledge(dialog, None)
        hop = dialog.hop(self.core.default_transport)
        last = self.dialog is None
        if hop is None:
            return
        if last:
            self.dialog = dialog

        def done(outcome: Outcome, at: float) -> None:
            if last:
                self.gone(at)

        Exchange(self.core, lambda: dialog.request("BYE"), hop, done, self.credentials).start(now)

    def _early_of(self, response: ReceivedResponse) -> _Early | None:
        tag = response.envelope.to_tag
        if not tag:
            return None
        if tag not in self._early and len(self._early) < MAX_FORKS:
            try:
                dialog = self._new_dialog(response)
            except SipError:
                return None  # without Contact there is nothing to send requests to
            self._early[tag] = _Early(dialog, ReliableReceiver())
        self.note_peer(response)
        return self._early.get(tag)

    def _new_dialog(self, response: ReceivedResponse) -> Dialog:
        if self._client.request is None:
            raise SipError("INVITE", "was not sent")
        return Dialog.of_client(self._client.request, response, self._client.hop)

    def _progressed(
        self, early: _Early | None, code: int, sdp: bytes | None, answer_needed: bool
    ) -> None:
        if early is not None and sdp is not None:
            early.sdp = early.sdp or sdp
            self.negotiation.remote_sdp = sdp
        self.core.emit(CallProgressed(self.id, code, sdp, answer_needed))

    def _send_prack(self, dialog: Dialog, rack: str, sdp: bytes | None, now: float) -> None:
        def make() -> Request:
            prack = dialog.request("PRACK")
            prack.headers.set("RAck", rack)
            if sdp is not None:
                set_body(prack, SDP, sdp)
            return prack

        hop = dialog.hop(self.core.default_transport)
        if hop is not None:
            # Its failure needs no answer: the peer refuses the INVITE when no PRACK comes.
            Exchange(self.core, make, hop, lambda *_: None, self.credentials).start(now)

    def _make(self) -> Request:
        self._sequence += 1
        target = self._target
        invite = Request("INVITE", target.uri)
        if target.routes:
            invite.headers.setlist("Route", list(target.routes))
        invite.headers.set("Max-Forwards", "70")
        invite.headers.set("From", f"{target.caller};tag={self.tag}")
        invite.headers.set("To", f"<{target.uri}>")
        invite.headers.set("Call-ID", self.call_id)
        invite.headers.set("CSeq", f"{self._sequence} INVITE")
        invite.headers.set("Contact", self.core.contact(target.hop, self.user))
        invite.headers.set("Accept", SDP)
        self.core.describe(invite)
        self.negotiation.ask_session(invite)
        for name, value in target.fields:
            invite.headers.set(name, value)
        if self._sdp is not None:
            set_body(invite, SDP, self._sdp)
        return invite


def _sdp_of(response: ReceivedResponse) -> bytes | None:
    """What a response says of media; None also for what cannot be understood."""
    try:
        return sdp_of(response)
    except SipError:
        return None
