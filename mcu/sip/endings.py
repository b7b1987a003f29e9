"""Why a call ended, in the three languages that are spoken of it: of SIP, of legs, of rosters."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from mcu.conference.state import CallFailure
from signalling.sip import CallEnded, Cause, Reason

_FAILURES: Final[Mapping[Cause, CallFailure]] = {
    "busy": "busy",
    "no answer": "no_answer",
    "cancelled": "no_answer",
    "declined": "refused",
    "unauthorized": "refused",
    "unreachable": "unreachable",
    "gone": "unreachable",
    "not found": "not_found",
    "moved": "not_found",
    "not acceptable": "not_acceptable",
}
_GOODBYES: Final[Mapping[str, Reason]] = {
    "ended": Reason("SIP", 410, "The conference has ended"),
    "disconnected": Reason("SIP", 403, "Disconnected by the operator"),
    "replaced": Reason("SIP", 200, "Replaced by another connection of this room"),
    "moved": Reason("SIP", 200, "Moved to another conference"),
    "timeout": Reason("SIP", 408, "No media came for too long"),
    "failed": Reason("SIP", 488, "The media could not be set up"),
    "restart": Reason("SIP", 503, "The server is stopping"),
}


def failure_of(event: CallEnded) -> CallFailure:
    """The roster's word for a call of ours that came to nothing."""
    if event.cause == "no answer" and event.code == 0 and event.by_peer:
        return "unreachable"  # not even a provisional response came
    return _FAILURES.get(event.cause, "failed")


def status_of(event: CallEnded) -> str:
    """The status that a call of ours was refused with, ``SIP 486``; empty where none came."""
    return f"SIP {event.code}" if event.code else ""


def tries_elsewhere(event: CallEnded) -> bool:
    """Whether the next place of the same address is to be tried (RFC 3263 section 4.3)."""
    return failure_of(event) == "unreachable"


def refuses_media(event: CallEnded) -> bool:
    """Whether what we offered was refused, or answered by what was not offered.

    Another offer may suit the peer (RFC 3261 section 21.4.26): some that know one protection only
    answer every offer with that.
    """
    return event.code in (488, 606)


def goodbye(reason: str, text: str = "") -> Reason:
    """What the room is told when its leg was closed for ``reason`` (``LegObserver.leg_left``).

    Args:
        text: an operator's words for why it was disconnected.
    """
    found = _GOODBYES.get(reason, Reason("SIP", 200, "Disconnected"))
    return replace(found, text=text) if text and reason == "disconnected" else found


def leg_reason(event: CallEnded) -> str:
    """Why the leg of a call that has ended is closed."""
    if event.cause == "hung up" and event.by_peer:
        return "bye"
    return "timeout" if event.cause == "gone" else "failed"
