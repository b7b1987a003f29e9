"""SIP messages of a participant's calls."""

from typing import Literal

from pydantic import Field

from mcu.api.schemas.base import Output, Time


class SipCaller(Output):
    """Somebody who calls and is to enter the PIN; on no roster yet."""

    name: str = Field(description="as the caller gives it, which may be anything")
    address: str = Field(description="of the caller, as it says")
    source: str = Field(description="address it calls from")
    bridge: str | None = Field(description="the room that it has signed in as; null: a guest")
    since: Time
    tries_left: int


class SipCallers(Output):
    """Callers at the PIN prompt of one conference, the one who waits for longest first."""

    items: list[SipCaller]


class SipTraceEntry(Output):
    """One message: one arrow of the ladder."""

    time: Time
    direction: Literal["received", "sent"] = Field(description="as seen from this server")
    transport: Literal["udp", "tcp", "tls"]
    remote: str = Field(description="the peer's address and port")
    summary: str = Field(description="`INVITE`, or `200 OK (INVITE)`")
    text: str = Field(description="the whole message, secrets masked")
    failure: str | None = Field(
        description="why a message of this server found no way (connection refused, no such name, "
        "certificate, ICMP); it stands as an entry of its own behind the message. null: a message"
    )


class SipTrace(Output):
    """The newest messages of a participant's calls, the oldest first; bounded in number."""

    items: list[SipTraceEntry]
