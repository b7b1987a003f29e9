"""How a room's account stands, made of what its devices and its refusals are."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from mcu.api.schemas.base import utc_text
from mcu.api.services import SipContact, SipRefusal, SipStatus
from mcu.sip.sign_ins import Refusal
from mcu.sip.stored_bindings import written
from signalling.sip.registrar import Binding


def status_of(
    bindings: Sequence[Binding],
    refused: Refusal | None,
    wall: Callable[[float], datetime],
    *,
    has_secret: bool,
    has_outbound: bool,
) -> SipStatus:
    """A status as the API has it.

    Args:
        bindings: those that have not expired. wall: UTC of a time of the agent's clock.
    """
    return SipStatus(
        registered=bool(bindings),
        reachable="registered" if bindings else "nowhere",
        since=wall(min(one.since for one in bindings)) if bindings else None,
        contacts=tuple(
            SipContact(
                address=str(one.contact),
                transport=one.source.transport,
                source=written(one.source),
                expires_at=wall(one.expires_at),
                user_agent=one.user_agent,
            )
            for one in bindings
        ),
        has_secret=has_secret,
        has_outbound=has_outbound,
        last_refused=None
        if refused is None
        else SipRefusal(
            time=wall(refused.at),
            reason=refused.fault,
            source=refused.source,
            method=refused.method,
            count=refused.count,
        ),
    )


def status_document(status: SipStatus) -> dict[str, Any]:
    """A status as events carry it, the same as in the API's bridges."""
    refused = status.last_refused
    return {
        "registered": status.registered,
        "reachable": status.reachable,
        "since": None if status.since is None else utc_text(status.since),
        "contacts": [
            {
                "address": one.address,
                "transport": one.transport,
                "source": one.source,
                "expires_at": utc_text(one.expires_at),
                "user_agent": one.user_agent,
            }
            for one in status.contacts
        ],
        "has_secret": status.has_secret,
        "has_outbound": status.has_outbound,
        "last_refused": None
        if refused is None
        else {
            "time": utc_text(refused.time),
            "reason": refused.reason,
            "source": refused.source,
            "method": refused.method,
            "count": refused.count,
        },
    }
