"""What an agent wants done or known, besides messages to send."""

from dataclasses import dataclass

from signalling.sip.causes import Cause, Reason
from signalling.sip.hop import Hop
from signalling.sip.registrar import BindingsChanged
from signalling.sip.sign_in import SignedIn, SignInRefused
from signalling.sip.transactions import FailureReason, SendMessage

CallId = str
"""Names a call at this agent; not the Call-ID of its messages."""


@dataclass(frozen=True, slots=True)
class CallReceived:
    """Somebody calls. Answer by ``ring``, ``accept``, ``reject`` or ``redirect``.

    Args:
        target: the Request-URI. caller, name: URI and display name of From.
        identity: the authenticated user; empty where none was asked for.
        sdp: the offer; None where the caller wants ours (then ``accept`` carries the offer and
            ``CallConfirmed`` the answer).
    """

    call: CallId
    target: str
    caller: str
    name: str
    identity: str
    sdp: bytes | None
    source: Hop


@dataclass(frozen=True, slots=True)
class CallProgressed:
    """Our call rings (180) or is on its way (181 to 183).

    Args:
        sdp: early media, our offer's answer. answer_needed: it is an offer, wanting ``confirm``.
    """

    call: CallId
    code: int
    sdp: bytes | None
    answer_needed: bool = False


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """Our call was accepted.

    Args:
        sdp: the answer. answer_needed: we called without an offer, so it is one, and ``confirm``
            must be called with the answer.
    """

    call: CallId
    sdp: bytes
    answer_needed: bool = False


@dataclass(frozen=True, slots=True)
class CallConfirmed:
    """The caller has our answer; ``sdp`` is its answer where ours was the offer."""

    call: CallId
    sdp: bytes | None


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The call is over, or never came about. The last event of a call.

    Args:
        code: the status that ended it, 0 for none. retry_after_s: not before that again.
        contacts: where to try instead (``moved``).
        by_peer: the peer ended it, or its silence did.
    """

    call: CallId
    cause: Cause
    code: int = 0
    reason: Reason | None = None
    retry_after_s: int | None = None
    contacts: tuple[str, ...] = ()
    by_peer: bool = True


@dataclass(frozen=True, slots=True)
class MediaOffered:
    """The peer wants other media; answer by ``answer_media`` or ``refuse_media``.

    Args:
        sdp: its offer; None where it wants ours, which ``answer_media`` then carries
            (``MediaAnswered`` follows).
    """

    call: CallId
    sdp: bytes | None


@dataclass(frozen=True, slots=True)
class MediaAnswered:
    """The peer's answer to our offer."""

    call: CallId
    sdp: bytes


@dataclass(frozen=True, slots=True)
class MediaRefused:
    """The peer does not take our offer, and all stays as it was; ``code`` 0: no answer came."""

    call: CallId
    code: int


@dataclass(frozen=True, slots=True)
class PictureRequested:
    """The peer needs a key frame (RFC 5168)."""

    call: CallId


@dataclass(frozen=True, slots=True)
class DigitReceived:
    """A key was pressed, told by INFO."""

    call: CallId
    digit: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class InfoReceived:
    """An INFO of another kind."""

    call: CallId
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class ReferReceived:
    """The peer asks us to call ``target``; tell it by ``report_refer`` how that goes.

    Args:
        refer: names the request. referred_by: as the peer wrote it, empty for nothing.
    """

    refer: str
    call: CallId
    target: str
    referred_by: str


@dataclass(frozen=True, slots=True)
class ReferProgressed:
    """How the peer fares with our REFER.

    Args:
        code: of its call, or of its answer to our REFER where that was refused; 0 for none.
        final: nothing follows.
    """

    call: CallId
    code: int
    final: bool


@dataclass(frozen=True, slots=True)
class OptionsAnswered:
    """The answer to ``ask_options``; a reason in place of a code where none came."""

    request: str
    outcome: int | FailureReason


Event = (
    CallReceived
    | CallProgressed
    | CallAnswered
    | CallConfirmed
    | CallEnded
    | MediaOffered
    | MediaAnswered
    | MediaRefused
    | PictureRequested
    | DigitReceived
    | InfoReceived
    | ReferReceived
    | ReferProgressed
    | OptionsAnswered
    | BindingsChanged
    | SignedIn
    | SignInRefused
)
Effect = SendMessage | Event
