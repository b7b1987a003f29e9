"""What all parts of an agent share: sending, answering, timers, names, events."""

import random
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from sipmessage import Request, Response

from signalling.sip.digest import Credentials, answer, is_stale
from signalling.sip.effects import Event
from signalling.sip.errors import SipError
from signalling.sip.fields import with_brackets
from signalling.sip.hop import Hop, Transport, next_hop
from signalling.sip.message import (
    COOKIE,
    ReceivedRequest,
    ReceivedResponse,
    encode,
    response_to,
)
from signalling.sip.settings import AgentSettings, Listener
from signalling.sip.statistics import SipStatistics
from signalling.sip.timers import TimerQueue
from signalling.sip.transactions import (
    Key,
    OtherWay,
    SendMessage,
    Transactions,
    TransactionUser,
)
from signalling.sip.uri import DEFAULT_PORTS, SipUri, parse_uri

METHODS = (
    "INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "UPDATE", "PRACK", "REFER", "NOTIFY",
    "SUBSCRIBE", "REGISTER",
)  # fmt: skip
"""What we understand (Allow)."""
EXTENSIONS = ("100rel", "timer", "norefersub")
"""What we know of extensions (Supported, Require)."""
EVENT_PACKAGES = ("conference", "refer")
SDP = "application/sdp"
MAX_ATTEMPTS = 3
"""With credentials: once, and again where the nonce was stale."""
MAX_DATAGRAM_BYTES = 1_300
"""Longer requests go by TCP, as their datagrams would be fragmented (RFC 3261 section 18.1.1)."""
NO_STREAMS_S = 3_600.0
"""So long it is remembered that a place took no TCP."""
MAX_WITHOUT_STREAMS = 1_000


class TimerOwner(Protocol):
    """Whoever sets timers; compared by identity."""

    def timer_due(self, name: str, now: float) -> None:
        """The timer called ``name`` is due."""
        ...


class Core:
    """What all parts of an agent share.

    Args:
        rng: for branches, tags and waiting times. Whoever can foresee it can forge responses over
            UDP, so outside of tests it is the system's.
    """

    def __init__(self, settings: AgentSettings, rng: random.Random | None = None) -> None:
        self.settings = settings
        self.statistics = SipStatistics()
        self.transactions = Transactions(settings.timers, self.statistics)
        self.timers: TimerQueue[tuple[TimerOwner, str]] = TimerQueue()
        self.rng = random.SystemRandom() if rng is None else rng
        self.events: deque[Event] = deque()
        self._without_streams: OrderedDict[tuple[str, int | None], float] = OrderedDict()

    def emit(self, event: Event) -> None:
        """Tell the owner of the agent."""
        self.events.append(event)

    def new_name(self) -> str:
        """A name nobody has: for tags, Call-IDs, calls."""
        return f"{self.rng.getrandbits(80):020x}"

    def set_timer(self, owner: TimerOwner, name: str, at: float) -> None:
        """Make ``owner.timer_due(name, ...)`` be called at ``at``."""
        self.timers.set((owner, name), at)

    def cancel_timers(self, owner: TimerOwner, *names: str) -> None:
        """Forget timers; those not set do not matter."""
        for name in names:
            self.timers.cancel((owner, name))

    @property
    def default_transport(self) -> Transport:
        """What is used where an address names none."""
        return self.settings.listeners[0].transport

    def listener(self, hop: Hop) -> Listener:
        """Which of our places a peer over there is told."""
        same = [one for one in self.settings.listeners if one.transport == hop.transport]
        family = [one for one in same if (":" in one.host) == (":" in hop.host)]
        own = (family or same or list(self.settings.listeners))[0]
        if self.settings.tell_local and hop.local and same:
            return replace(own, host=hop.local)
        return own

    def contact(self, hop: Hop, user: str) -> str:
        """Our Contact towards ``hop``."""
        own = self.listener(hop)
        scheme_end = "" if own.transport == "udp" else f";transport={own.transport}"
        uri = SipUri("sip", with_brackets(own.host), user=user or None, port=own.port)
        focus = ";isfocus" if self.settings.is_focus else ""
        return f"<{uri}{scheme_end}>{focus}"

    def route_out(self, uri: SipUri) -> tuple[Hop, list[str]]:
        """Where a request outside a dialog goes first, and its Route.

        Raises:
            SipError: the address cannot be called by SIP.
        """
        proxy = self.settings.outbound_proxy
        first = parse_uri(proxy) if proxy else uri
        hop = next_hop(first, self.default_transport)
        if hop is None:
            raise SipError("target", "cannot be reached by SIP")
        return hop, [f"<{first}>"] if proxy else []

    def send(self, request: Request, hop: Hop, user: TransactionUser | None, now: float) -> Key:
        """Send a request in a transaction of its own; its Via is made here.

        One that is too long for a datagram goes by TCP, and by UDP after all where that fails
        (RFC 3261 section 18.1.1).
        """
        branch = COOKIE + self.new_name()
        self._set_via(request, hop, branch)
        self._count_sent(request.method)
        otherwise = None
        if self._is_too_long(request, hop, now):
            otherwise = OtherWay(hop, request.headers["Via"], self._without_stream(hop))
            hop = replace(hop, transport="tcp")
            self._set_via(request, hop, branch)
        return self.transactions.request(request, branch, hop, now, user, otherwise)

    def stay_on_datagrams(self, hop: Hop, now: float) -> None:
        """Long requests to this place go by UDP as well: the peer has chosen it."""
        if hop.transport == "udp":
            self._without_stream(hop)(now)

    def send_cancel(self, invite: Request, hop: Hop, reason: str, now: float) -> None:
        """Cancel an INVITE (RFC 3261 section 9.1); nobody waits for the answer."""
        cancel = Request("CANCEL", invite.uri)
        for name in ("Via", "Route", "Max-Forwards", "From", "To", "Call-ID"):
            if values := invite.headers.getlist(name):
                cancel.headers.setlist(name, list(values))
        number = invite.headers["CSeq"].split(" ")[0]
        cancel.headers.set("CSeq", f"{number} CANCEL")
        if reason:
            cancel.headers.set("Reason", reason)
        branch = invite.headers["Via"].rpartition("branch=")[2].partition(";")[0]
        self._count_sent("CANCEL")
        went = self.transactions.hop(("client", branch, "INVITE"))
        self.transactions.request(cancel, branch, went or hop, now, None)

    def send_ack(self, ack: Request, hop: Hop) -> None:
        """Send the ACK of a 2xx, for the first time or again."""
        if ack.headers.get("Via") is None:
            self._set_via(ack, hop, COOKIE + self.new_name())
        self._count_sent("ACK")
        self.transactions.outgoing.append(SendMessage(hop, ack))

    def respond(self, key: Key, response: Response, now: float) -> None:
        """Answer a request; nothing happens where that was done already."""
        response.headers.set("Server", self.settings.user_agent)
        if self.transactions.respond(key, response, now):
            self._count_sent(f"{response.code // 100}xx")

    def answer(
        self, key: Key, request: ReceivedRequest, code: int, now: float, **fields: str
    ) -> None:
        """Answer without more than a status and a few fields (``Retry_After="5"``)."""
        tag = "" if code == 100 else self.new_name()
        response = response_to(request, code, tag)
        for name, value in fields.items():
            response.headers.set(name.replace("_", "-"), value)
        self.respond(key, response, now)

    def describe(self, message: Request | Response) -> None:
        """Say what we understand (Allow, Supported)."""
        message.headers.set("Allow", ", ".join(METHODS))
        message.headers.set("Supported", ", ".join(EXTENSIONS))

    def _set_via(self, request: Request, hop: Hop, branch: str) -> None:
        own = self.listener(hop)
        port = "" if own.port == DEFAULT_PORTS[own.transport] else f":{own.port}"
        via = f"SIP/2.0/{hop.transport.upper()} {with_brackets(own.host)}{port}"
        rport = ";rport" if hop.transport == "udp" else ""
        request.headers.set("Via", f"{via};branch={branch}{rport}")
        request.headers.set("User-Agent", self.settings.user_agent)

    def _is_too_long(self, request: Request, hop: Hop, now: float) -> bool:
        if hop.transport != "udp":
            return False
        if all(one.transport != "tcp" for one in self.settings.listeners):
            return False
        if self._without_streams.get((hop.host, hop.port), now) > now:
            return False
        return len(encode(request)) > MAX_DATAGRAM_BYTES

    def _without_stream(self, hop: Hop) -> Callable[[float], None]:
        def note(now: float) -> None:
            self._without_streams[hop.host, hop.port] = now + NO_STREAMS_S
            self._without_streams.move_to_end((hop.host, hop.port))
            if len(self._without_streams) > MAX_WITHOUT_STREAMS:
                self._without_streams.popitem(last=False)

        return note

    def _count_sent(self, what: str) -> None:
        self.statistics.messages[f"sent {what}"] += 1


def authorization(
    request: Request, response: ReceivedResponse, credentials: Credentials | None, attempt: int
) -> tuple[str, str] | None:
    """Field and value to send the request with once more after 401 or 407.

    Args:
        attempt: how often it was sent, from 1.

    Returns:
        None where there is nothing to answer with, or the answer was wrong before.
    """
    if response.code == 401:
        challenge, field = "WWW-Authenticate", "Authorization"
    elif response.code == 407:
        challenge, field = "Proxy-Authenticate", "Proxy-Authorization"
    else:
        return None
    if credentials is None or attempt >= MAX_ATTEMPTS:
        return None
    challenges = response.headers.getlist(challenge)
    if request.headers.get(field) is not None and not is_stale(challenges):
        return None
    value = answer(challenges, request.method, str(request.uri), credentials)
    return None if value is None else (field, value)
