"""Session timers (RFC 4028): a call whose peer is gone ends although nobody said goodbye."""

from dataclasses import dataclass
from typing import Literal

from sipmessage import Headers

from signalling.sip.errors import SipError
from signalling.sip.fields import read_number, tokens

LEAST_S = 90
"""Of any Session-Expires and Min-SE (section 4)."""
BYE_BEFORE_S = 32.0
"""At most this long before the interval ends, the side that is not refreshed hangs up."""

Refresher = Literal["uac", "uas"]


@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """What our side wants: ``wanted_s``, and nothing below ``least_s`` (itself ``LEAST_S`` up)."""

    wanted_s: int = 1_800
    least_s: int = LEAST_S


@dataclass(frozen=True, slots=True)
class SessionInterval:
    """What both sides agreed on.

    Args:
        refresher: of the two roles in the request that agreed it, who refreshes.
        peer_supports: the client knows session timers, so that ``Require: timer`` may be sent.
    """

    seconds: int
    refresher: Refresher
    peer_supports: bool = True

    def __str__(self) -> str:
        return f"{self.seconds};refresher={self.refresher}"

    @property
    def refresh_after_s(self) -> float:
        """When the refresher refreshes: half of the interval (section 10)."""
        return self.seconds / 2

    @property
    def give_up_after_s(self) -> float:
        """When the other side hangs up unless it was refreshed (section 10)."""
        return self.seconds - min(BYE_BEFORE_S, self.seconds / 3)


def offered_interval(headers: Headers) -> SessionInterval | None:
    """Session-Expires of a message.

    Raises:
        SipError: it is no number of seconds.
    """
    text = headers.get("Session-Expires")
    seconds = read_number(text, "Session-Expires")
    if text is None or seconds is None:
        return None
    refresher: Refresher = "uac"
    for parameter in text.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "refresher" and value.strip().lower() == "uas":
            refresher = "uas"
    return SessionInterval(seconds, refresher)


def agree(headers: Headers, policy: SessionPolicy) -> SessionInterval:
    """What the server answers a request with (section 9).

    Raises:
        SipError: status 422, the client asks for less than our least; it must be told ``Min-SE``.
    """
    supports = "timer" in tokens(headers, "Supported") | tokens(headers, "Require")
    offered = offered_interval(headers)
    if offered is None:
        # We refresh ourselves: the client did not offer to.
        return SessionInterval(policy.wanted_s, "uas", supports)
    if offered.seconds < policy.least_s and supports:
        raise SipError("Session-Expires", f"is below {policy.least_s} seconds", 422)
    least = max(read_number(headers.get("Min-SE"), "Min-SE") or LEAST_S, policy.least_s)
    seconds = min(offered.seconds, max(policy.wanted_s, least))
    named = "refresher" in (headers.get("Session-Expires") or "").lower()
    refresher: Refresher = offered.refresher if named and supports else "uac"
    return SessionInterval(max(seconds, LEAST_S), refresher if supports else "uas", supports)


def ask(headers: Headers, policy: SessionPolicy, refresher: Refresher | None = None) -> None:
    """Put our wish into a request (section 7.1)."""
    named = f";refresher={refresher}" if refresher else ""
    headers.set("Session-Expires", f"{policy.wanted_s}{named}")
    headers.set("Min-SE", str(policy.least_s))


def raised(headers: Headers, policy: SessionPolicy) -> SessionPolicy | None:
    """The policy to try again with after a 422; None where it names nothing we could take."""
    least = read_number(headers.get("Min-SE"), "Min-SE")
    if least is None or least <= policy.least_s or least > 24 * 3_600:
        return None
    return SessionPolicy(max(policy.wanted_s, least), least)
