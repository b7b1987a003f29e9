"""Requests that come in: to whom they belong, who sent them, and what is not taken at all.

RFC 3261 section 8.2, in its order: method, address, extensions, then what the request is about.
"""

from sipmessage import Response

from signalling.sip.call import CallOwner
from signalling.sip.calls import Calls
from signalling.sip.causes import read_reason
from signalling.sip.core import EVENT_PACKAGES, EXTENSIONS, METHODS, SDP, Core
from signalling.sip.digest import DigestVerifier, Refused
from signalling.sip.errors import SipError
from signalling.sip.fields import tokens, uri_of, with_brackets
from signalling.sip.hop import Hop
from signalling.sip.incoming_call import IncomingCall
from signalling.sip.message import ReceivedRequest, response_to
from signalling.sip.registrar import Registrar
from signalling.sip.sign_in import (
    SignedIn,
    SignInError,
    SignInFault,
    SignInRefused,
    masked,
    phrase_of,
    warning_of,
)
from signalling.sip.subscriptions import LEAST_S, Subscriptions
from signalling.sip.transactions import Key

_ONLY_IN_DIALOGS = frozenset({"BYE", "INFO", "UPDATE", "PRACK", "NOTIFY"})


class Reception:
    """Decides about every request that is new.

    Args:
        verifier, registrar: None where there is none.
    """

    def __init__(
        self,
        core: Core,
        calls: Calls,
        subscriptions: Subscriptions,
        verifier: DigestVerifier | None,
        registrar: Registrar | None,
    ) -> None:
        self._core = core
        self._calls = calls
        self._owner: CallOwner = calls
        self._subscriptions = subscriptions
        self._verifier = verifier
        self._registrar = registrar

    def take(self, key: Key, request: ReceivedRequest, source: Hop, now: float) -> None:
        """Answer a request, or hand it to the call it belongs to."""
        try:
            self._take(key, request, source, now)
        except SipError as error:
            self._refuse(key, request, source, error, now)

    def _take(self, key: Key, request: ReceivedRequest, source: Hop, now: float) -> None:
        if request.method == "CANCEL":
            self._cancel(key, request, now)
            return
        self._inspect(request)
        if request.envelope.to_tag:
            self._within_dialog(key, request, source, now)
            return
        method = request.method
        if method in _ONLY_IN_DIALOGS:
            raise SipError("To", "names no dialog", 481)
        if method == "INVITE" and self._calls.is_merged(key, request):
            raise SipError("Call-ID", "came by another way before", 482)
        if method == "INVITE" and self._calls.is_own(request):
            raise SipError("Call-ID", "is of a call of our own", 482)
        identity = ""
        if self._verifier and self._must_authenticate(self._verifier, request):
            verified = self._authenticate(key, request, source, now)
            if verified is None:
                return
            identity = verified
        if method == "INVITE":
            self._invite(key, request, source, identity, now)
        elif method == "REGISTER":
            self._register(key, request, source, identity, now)
        elif method == "SUBSCRIBE":
            self._subscriptions.receive(key, request, source, now, account=identity)
        elif method == "OPTIONS":
            response = response_to(request, 200, self._core.new_name())
            self._core.describe(response)
            response.headers.set("Accept", SDP)
            response.headers.set("Allow-Events", ", ".join(EVENT_PACKAGES))
            self._answer_stranger(key, response, now)
        else:  # REFER to no call: we call nobody for strangers
            raise SipError("To", "names no call that could be moved", 403)

    def _inspect(self, request: ReceivedRequest) -> None:
        if request.method not in METHODS:
            raise SipError("start-line", "asks for a method that is not known here", 501)
        if not request.uri.is_sip:
            raise SipError("start-line", "has an address that is not of SIP", 416)
        required = tokens(request.headers, "Require")
        unknown = sorted(required - {extension.lower() for extension in EXTENSIONS})
        if unknown:
            raise SipError("Require", ", ".join(unknown)[:100], 420)

    def _within_dialog(self, key: Key, request: ReceivedRequest, source: Hop, now: float) -> None:
        call = self._calls.of_dialog(request)
        if request.method == "SUBSCRIBE" and (call or self._subscriptions.knows(request)):
            dialog = call.dialog_with(request.envelope.from_tag) if call else None
            within = call.id if call else None
            self._subscriptions.receive(key, request, source, now, call=within, dialog=dialog)
        elif call is not None:
            call.receive(key, request, now)
        else:
            raise SipError("To", "names a dialog that is not there", 481)

    def _cancel(self, key: Key, request: ReceivedRequest, now: float) -> None:
        invite = self._core.transactions.matching_invite(request)
        if invite is None:
            raise SipError("Via", "names no INVITE that could be cancelled", 481)
        call = self._calls.of_invite(invite)
        tag = call.tag if call is not None else self._core.new_name()
        self._core.respond(key, response_to(request, 200, tag), now)
        if call is not None:
            call.cancelled(now, read_reason(request.headers))

    def _invite(
        self, key: Key, request: ReceivedRequest, source: Hop, identity: str, now: float
    ) -> None:
        if len(self._calls) >= self._core.settings.max_calls:
            raise SipError("start-line", "asks for one call too many", 503)
        call = IncomingCall(self._core, self._owner, key, request, source, identity, now)
        self._calls.keep(call, request.envelope.call_id)

    def _register(
        self, key: Key, request: ReceivedRequest, source: Hop, identity: str, now: float
    ) -> None:
        if self._registrar is None:
            raise SipError("start-line", "asks for a registrar, which is not here", 403)
        address = uri_of(request.envelope.to_address)
        if not address.is_sip or not address.user:
            raise SipError("To", "is no address of ours", 404)
        if self._verifier is not None and address.user != identity:
            self._sign_in_refused(request, source, identity, "wrong_address")
            raise SignInError("To is not the address of these credentials", "wrong_address")
        name = self._registrar.name_of(address)
        if name is None:
            if identity:
                self._sign_in_refused(request, source, identity, "wrong_address")
            raise SipError("To", "is no address of ours", 404)
        change = self._registrar.register(name, request, source, now)
        response = response_to(request, 200, self._core.new_name())
        if contacts := self._registrar.remaining(name, now):
            response.headers.setlist("Contact", contacts)
        self._core.statistics.registrations["accepted"] += 1
        self._core.respond(key, response, now)
        if change is not None:
            self._core.emit(change)
        if identity:
            self._core.emit(SignedIn(identity, source))

    def _must_authenticate(self, verifier: DigestVerifier, request: ReceivedRequest) -> bool:
        """Whether credentials are asked for: of guests only where they say that they are none."""
        settings = self._core.settings
        if request.method not in settings.authenticated_methods:
            return False
        if request.method not in settings.guest_methods or request.headers.getlist("Authorization"):
            return True
        caller = uri_of(request.envelope.from_address)
        return verifier.knows(caller.user or "")

    def _authenticate(
        self, key: Key, request: ReceivedRequest, source: Hop, now: float
    ) -> str | None:
        """The user whose credentials came; None where they were asked for.

        Raises:
            SipError: too many wrong ones came from there before.
        """
        if self._verifier is None:
            return None
        values = request.headers.getlist("Authorization")
        judged = self._verifier.verify(request.method, request.uri, values, now, source.host)
        if not isinstance(judged, Refused):
            return judged.username
        fault, username = judged.fault, judged.username
        if judged.blocked:
            self._core.statistics.refused["too many wrong credentials"] += 1
            self._sign_in_refused(request, source, username, "locked_out")
            raise SignInError(judged.reason, "locked_out", judged.wait_s)
        envelope = request.envelope
        own = envelope.to_address if request.method == "REGISTER" else envelope.from_address
        user = uri_of(own).user or ""
        challenges = self._verifier.challenges(
            now, judged.stale, source.host, user, unanswered=not values
        )
        if not values and self._verifier.habits.is_silent((source.host, user)):
            fault, username = "no_answer", user
        phrase = "" if fault is None else phrase_of(fault)
        response = response_to(request, 401, self._core.new_name(), phrase)
        response.headers.setlist("WWW-Authenticate", challenges)
        if fault is not None:
            self._warn(response, source, fault)
            self._sign_in_refused(request, source, username, fault)
        asked = "challenged" if not values or judged.stale else "wrong credentials"
        self._core.statistics.refused[asked] += 1
        self._answer_stranger(key, response, now)
        return None

    def _sign_in_refused(
        self, request: ReceivedRequest, source: Hop, username: str, fault: SignInFault
    ) -> None:
        """Count and tell it; ``username``: as it was given, it may be nobody's."""
        self._core.statistics.sign_ins_refused[fault] += 1
        is_known = self._verifier is not None and self._verifier.knows(username)
        account, given = (username, "") if is_known else ("", masked(username))
        event = SignInRefused(account, given, source, fault, request.method, username)
        self._core.emit(event)

    def _warn(self, response: Response, source: Hop, fault: SignInFault, wait_s: int = 0) -> None:
        own = self._core.listener(source)
        warning = warning_of(fault, f"{with_brackets(own.host)}:{own.port}", wait_s)
        if warning is not None:
            response.headers.set("Warning", warning)

    def _refuse(
        self, key: Key, request: ReceivedRequest, source: Hop, error: SipError, now: float
    ) -> None:
        self._core.statistics.refused[str(error.status)] += 1
        if request.method == "REGISTER":
            self._core.statistics.registrations["refused"] += 1
        phrase = str(error) if error.status in (400, 481) else ""
        if isinstance(error, SignInError):
            phrase = phrase_of(error.fault)
        response = response_to(request, error.status, self._core.new_name(), phrase)
        if isinstance(error, SignInError):
            self._warn(response, source, error.fault, error.wait_s)
        for name, value in self._explanation(error).items():
            response.headers.set(name, value)
        if request.envelope.to_tag:
            self._core.respond(key, response, now)
        else:
            self._answer_stranger(key, response, now)

    def _answer_stranger(self, key: Key, response: Response, now: float) -> None:
        """Answer somebody of whom nothing is known.

        The answer is kept for repetitions as long as the table of transactions is not half full.
        In a crowd a repetition is answered anew instead (RFC 3261 sections 8.2.7 and 26.3.2.4), or
        strangers could fill the table, and rooms would be refused.
        """
        self._core.respond(key, response, now)
        transactions = self._core.transactions
        if 2 * len(transactions) > self._core.settings.max_transactions:
            transactions.destroy(key)

    def _explanation(self, error: SipError) -> dict[str, str]:
        """What a refusal must be sent with (RFC 3261 section 21, RFC 4028, RFC 6665)."""
        settings = self._core.settings
        if error.status in (405, 501):
            return {"Allow": ", ".join(METHODS)}
        if error.status == 415:
            return {"Accept": SDP, "Accept-Encoding": "identity"}
        if error.status == 420:
            return {"Unsupported": error.detail}
        if error.status == 422:
            return {"Min-SE": str(settings.session.least_s)}
        if error.status == 423:
            registrar = self._registrar
            least = registrar.limits.least_s if registrar else LEAST_S
            return {"Min-Expires": str(max(least, LEAST_S))}
        if error.status == 489:
            return {"Allow-Events": ", ".join(EVENT_PACKAGES)}
        if error.status == 503:
            return {"Retry-After": str(settings.retry_after_s)}
        return {}
