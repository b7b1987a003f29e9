"""What an agent is told once."""

from dataclasses import dataclass, field

from signalling.sip.hop import Transport
from signalling.sip.session_timer import SessionPolicy
from signalling.sip.timers import TimerValues


@dataclass(frozen=True, slots=True)
class Listener:
    """Where we can be reached, as peers see it.

    Args:
        host: an address or a name, IPv6 without brackets.
    """

    transport: Transport
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """What an agent is told once.

    Args:
        listeners: at least one; of several for a transport, the one of the peer's address family
            is put into Via and Contact.
        tell_local: put the address there that the peer reached, where that is known; not for a
            server behind address translation, whose listeners say how it is seen from outside.
        outbound_proxy: URI with ``lr`` through which everything goes out; empty for none.
        no_answer_s: how long an outgoing call rings.
        offer_s: how long the peer waits for the answer to its UPDATE (RFC 3311 wants it soon).
        authenticated_methods: requests from outside a dialog that need credentials, where the
            agent has a verifier.
        guest_methods: of these, the ones that strangers may send: credentials are asked for only
            where From names a user that the verifier knows.
        is_focus: our Contact says that it is a conference's (RFC 4579).
        max_calls, max_transactions, max_subscriptions: beyond, requests get 503 with Retry-After.
    """

    listeners: tuple[Listener, ...]
    tell_local: bool = False
    user_agent: str = "government-meeting-mcu"
    outbound_proxy: str = ""
    timers: TimerValues = field(default_factory=TimerValues)
    session: SessionPolicy = field(default_factory=SessionPolicy)
    no_answer_s: float = 60.0
    offer_s: float = 10.0
    authenticated_methods: frozenset[str] = frozenset({"INVITE", "REGISTER", "SUBSCRIBE", "REFER"})
    guest_methods: frozenset[str] = frozenset()
    is_focus: bool = True
    max_calls: int = 500
    max_transactions: int = 5_000
    max_subscriptions: int = 1_000
    retry_after_s: int = 30

    def __post_init__(self) -> None:
        if not self.listeners:
            raise ValueError("an agent needs a place where it can be reached")
