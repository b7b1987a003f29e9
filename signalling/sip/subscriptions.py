"""SUBSCRIBE and NOTIFY of the conference package (RFC 6665, RFC 4575): we notify.

Each subscription has a dialog of its own. At most one NOTIFY of it is under way; what changes
meanwhile goes into the next one, so a slow subscriber costs no memory.
"""

from typing import Protocol

from sipmessage import Request

from signalling.sip.conference_info import (
    CONTENT_TYPE,
    ConferenceInfo,
    full_document,
    partial_document,
)
from signalling.sip.core import EVENT_PACKAGES, Core
from signalling.sip.dialog import Dialog, DialogId
from signalling.sip.errors import SipError
from signalling.sip.exchange import Exchange, Outcome
from signalling.sip.fields import read_number
from signalling.sip.hop import Hop
from signalling.sip.message import ReceivedRequest, ReceivedResponse, response_to, set_body
from signalling.sip.transactions import Key

DEFAULT_S = 3_600
LEAST_S = 60
MOST_S = 3_600


class Watchers(Protocol):
    """Who may see who is in a conference."""

    def may_watch(self, conference: str, account: str, call: str | None) -> bool:
        """Whether somebody may, now; asked again before everything that is told.

        Args:
            conference: user part of the address that is subscribed to, as it was asked for.
            account: authenticated user; empty within a call, and where none was asked for.
            call: within whose dialog the subscription came, as events name it; None: by itself.
        """


class _Subscription:
    """One subscriber of one conference."""

    def __init__(
        self, dialog: Dialog, conference: str, event: str, account: str, call: str | None
    ) -> None:
        self.dialog = dialog
        self.conference = conference
        self.account = account
        self.call = call
        self.event = event
        self.expires_at = 0.0
        self.version = 0
        self.sent: ConferenceInfo | None = None
        self.is_notifying = False
        self.wants_full = True
        self.ended = ""  # reason; set once it is to end


class Subscriptions:
    """All subscriptions to conferences.

    Args:
        watchers: None lets everybody whose request is taken.
    """

    def __init__(self, core: Core, watchers: Watchers | None = None) -> None:
        self._core = core
        self._watchers = watchers
        self._conferences: dict[str, ConferenceInfo] = {}
        self._subscriptions: dict[DialogId, _Subscription] = {}

    def __len__(self) -> int:
        return len(self._subscriptions)

    def show(self, conference: str, info: ConferenceInfo | None, now: float) -> None:
        """Tell the subscribers of a conference what it is like now; None: it has ended.

        Args:
            conference: user part of its address.
        """
        if info is None:
            self._conferences.pop(conference, None)
        else:
            self._conferences[conference] = info
        for subscription in list(self._subscriptions.values()):
            if subscription.conference == conference:
                if info is None:
                    subscription.ended = "noresource"
                self._notify(subscription, now)

    def receive(
        self,
        key: Key,
        request: ReceivedRequest,
        source: Hop,
        now: float,
        *,
        account: str = "",
        call: str | None = None,
        dialog: Dialog | None = None,
    ) -> None:
        """Take a SUBSCRIBE: a new one, a refresh, or the end of one.

        Args:
            account: of whoever has signed in for it.
            call, dialog: in which it came, and which the subscription then shares (RFC 5057).

        Raises:
            SipError: status 403, 404, 423 (to be told ``Min-Expires``), 481, 489, 503.
        """
        event = request.headers.get("Event") or ""
        if event.partition(";")[0].strip().lower() != "conference":
            raise SipError("Event", f"is none of {', '.join(EVENT_PACKAGES)}", 489)
        seconds = read_number(request.headers.get("Expires"), "Expires")
        seconds = DEFAULT_S if seconds is None else min(seconds, MOST_S)
        if 0 < seconds < LEAST_S:
            raise SipError("Expires", f"is below {LEAST_S} seconds", 423)
        subscription = self._find(request)
        if subscription is None:
            subscription = self._new(request, event, source, account, call, dialog)
        else:
            subscription.dialog.take_sequence(request)
            subscription.dialog.refresh_target(request.envelope.contacts)
        self._accept(subscription, key, request, seconds, now)

    def knows(self, request: ReceivedRequest) -> bool:
        """Whether a request belongs to the dialog of a subscription."""
        return self._find(request) is not None

    def timer_due(self, name: str, now: float) -> None:
        """Somebody's time is up."""
        for subscription in list(self._subscriptions.values()):
            if subscription.expires_at <= now and not subscription.ended:
                subscription.ended = "timeout"
                self._notify(subscription, now)
        self._set_timer()

    def _find(self, request: ReceivedRequest) -> _Subscription | None:
        envelope = request.envelope
        return self._subscriptions.get(
            DialogId(envelope.call_id, envelope.to_tag, envelope.from_tag)
        )

    def _new(
        self,
        request: ReceivedRequest,
        event: str,
        source: Hop,
        account: str,
        call: str | None,
        dialog: Dialog | None,
    ) -> _Subscription:
        if dialog is not None:
            dialog.take_sequence(request)
        elif request.envelope.to_tag:
            raise SipError("To", "names a dialog that is not there", 481)
        conference = request.uri.user or ""
        if conference not in self._conferences:
            raise SipError("start-line", "names no conference", 404)
        if not self._may(conference, account, call):
            raise SipError("start-line", "names a conference of others", 403)
        if len(self) >= self._core.settings.max_subscriptions:
            raise SipError("start-line", "asks for one subscription too many", 503)
        sequence = self._core.rng.randrange(1, 2**16)
        dialog = dialog or Dialog.of_server(request, self._core.new_name(), sequence, source)
        return _Subscription(dialog, conference, event, account, call)

    def _may(self, conference: str, account: str, call: str | None) -> bool:
        return self._watchers is None or self._watchers.may_watch(conference, account, call)

    def _accept(
        self,
        subscription: _Subscription,
        key: Key,
        request: ReceivedRequest,
        seconds: int,
        now: float,
    ) -> None:
        dialog = subscription.dialog
        self._subscriptions[dialog.id] = subscription
        subscription.expires_at = now + seconds
        subscription.wants_full = True
        if seconds == 0:
            subscription.ended = "timeout"
        response = response_to(request, 200, dialog.id.local_tag)
        if values := request.headers.getlist("Record-Route"):
            response.headers.setlist("Record-Route", list(values))
        response.headers.set("Expires", str(seconds))
        response.headers.set("Contact", self._core.contact(self._hop(dialog), self._user(dialog)))
        self._core.describe(response)
        self._core.respond(key, response, now)
        self._set_timer()
        self._notify(subscription, now)

    def _notify(self, subscription: _Subscription, now: float) -> None:
        if subscription.is_notifying:
            return
        info = self._conferences.get(subscription.conference)
        body = b""
        if info is not None:
            if subscription.wants_full or subscription.sent is None:
                body = full_document(info, subscription.version)
            elif info != subscription.sent:
                body = partial_document(subscription.sent, info, subscription.version)
            elif not subscription.ended:
                return
        who = (subscription.conference, subscription.account, subscription.call)
        if body and not self._may(*who):  # it was let in once
            body = b""
            subscription.ended = subscription.ended or "rejected"
        if body:
            subscription.version += 1
            subscription.sent = info
            subscription.wants_full = False
        subscription.is_notifying = True
        ended = subscription.ended
        left = max(0, round(subscription.expires_at - now))
        state = f"terminated;reason={ended}" if ended else f"active;expires={left}"
        dialog = subscription.dialog
        hop = self._hop(dialog)

        def make() -> Request:
            request = dialog.request("NOTIFY")
            request.headers.set("Event", subscription.event)
            request.headers.set("Subscription-State", state)
            request.headers.set("Contact", self._core.contact(hop, self._user(dialog)))
            if body:
                set_body(request, CONTENT_TYPE, body)
            return request

        def done(outcome: Outcome, at: float) -> None:
            subscription.is_notifying = False
            taken = isinstance(outcome, ReceivedResponse) and outcome.code < 300
            if ended or not taken:
                self._subscriptions.pop(dialog.id, None)
                self._set_timer()
            else:
                self._notify(subscription, at)

        Exchange(self._core, make, hop, done).start(now)

    def _hop(self, dialog: Dialog) -> Hop:
        hop = dialog.hop(self._core.default_transport)
        if hop is None:
            raise SipError("Contact", "cannot be reached by SIP")
        return hop

    def _user(self, dialog: Dialog) -> str:
        subscription = self._subscriptions.get(dialog.id)
        return subscription.conference if subscription else ""

    def _set_timer(self) -> None:
        times = [one.expires_at for one in self._subscriptions.values() if not one.ended]
        if times:
            self._core.set_timer(self, "expire", min(times))
        else:
            self._core.cancel_timers(self, "expire")
