"""Why a call ended: one word out of many status codes, and Reason (RFC 3326)."""

import re
from dataclasses import dataclass
from typing import Literal

from sipmessage import Headers

from signalling.sip.authentication_fields import quoted
from signalling.sip.errors import SipError
from signalling.sip.fields import read_number
from signalling.sip.transactions import FailureReason

Cause = Literal[
    "hung up",  # after it was answered, by either side
    "cancelled",  # before it was answered, by the caller
    "busy",
    "no answer",
    "declined",
    "unreachable",
    "not found",
    "unauthorized",
    "not acceptable",  # media, extensions
    "moved",
    "gone",  # the peer stopped answering in a call
    "failed",
]

_CAUSES: dict[int, Cause] = {
    401: "unauthorized",
    403: "declined",
    404: "not found",
    406: "not acceptable",
    407: "unauthorized",
    408: "no answer",
    410: "not found",
    415: "not acceptable",
    416: "not found",
    420: "not acceptable",
    480: "no answer",
    484: "not found",
    485: "not found",
    486: "busy",
    487: "cancelled",
    488: "not acceptable",
    502: "unreachable",
    503: "unreachable",
    504: "unreachable",
    600: "busy",
    603: "declined",
    604: "not found",
    606: "not acceptable",
}
_TEXT = re.compile(r'text\s*=\s*"((?:[^"\\]|\\.)*+)"', re.IGNORECASE)
_CAUSE = re.compile(r"cause\s*=\s*([0-9]{1,3})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reason:
    """One value of Reason: ``SIP`` with a status code, or ``Q.850`` with a cause."""

    protocol: str = "SIP"
    cause: int = 200
    text: str = ""

    def __str__(self) -> str:
        shown = "".join(one for one in " ".join(self.text.split()) if one.isprintable())
        text = f";text={quoted(shown)}" if shown else ""
        return f"{self.protocol};cause={self.cause}{text}"


COMPLETED = Reason("Q.850", 16, "Normal call clearing")


def cause_of(outcome: int | FailureReason) -> Cause:
    """The word for a final status code above 299, or for getting none."""
    if outcome == "timeout":
        return "no answer"
    if outcome == "transport error":
        return "unreachable"
    if 300 <= outcome < 400:
        return "moved"
    return _CAUSES.get(outcome, "failed")


def read_reason(headers: Headers) -> Reason | None:
    """The first Reason of a message that can be read; what is none is ignored."""
    value = headers.get("Reason")
    if value is None:
        return None
    protocol, _, parameters = value.partition(";")
    cause = _CAUSE.search(parameters)
    if cause is None:
        return None
    text = _TEXT.search(parameters)
    return Reason(protocol.strip(), int(cause[1]), text[1][:120] if text else "")


def retry_after(headers: Headers) -> int | None:
    """Seconds of Retry-After; what is none is ignored."""
    try:
        return read_number(headers.get("Retry-After"), "Retry-After")
    except SipError:
        return None
