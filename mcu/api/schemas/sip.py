"""SIP messages of a participant's calls."""

from typing import Literal

from pydantic import Field

from mcu.api.schemas.base import Output, Time

NoWayCause = Literal[
    "lookup", "dns", "transport", "family", "address", "connection", "certificate", "icmp", "gone",
    "socket", "crowd", "fault",
]  # fmt: skip


class SipCaller(Output):
    """Somebody who calls and is to enter the PIN; on no roster yet."""

    name: str = Field(description="as the caller gives it, which may be anything")
    address: str = Field(description="of the caller, as it says")
    source: str = Field(description="address and port it calls from")
    bridge: str | None = Field(description="the room that it has signed in as; null: a guest")
    since: Time
    tries_left: int
    call: str = Field(description="names it in the log, and in the address of its ladder")
    call_id: str = Field(description="its Call-ID, by which the device's own log has it")


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
        "certificate, ICMP); it stands as an entry of its own behind the message, or alone where "
        "there was nowhere to send one. null: a message"
    )
    failure_cause: NoWayCause | None = Field(
        description="the same in a word. `lookup`: neither DNS nor `/etc/hosts` knows the name; "
        "`dns`: no name server answers; `transport`: the one in the address is off here; `family`: "
        "the name has addresses of IPv4 or IPv6 alone, and this server has the other; `address`: "
        "it is no SIP address; `connection`, `certificate`, `icmp`: of the peer or on the way; "
        "`gone`: the connection that it came by; `socket`, `crowd`, `fault`: of this server"
    )
    failure_detail: str | None = Field(
        description="the name and what was asked for it, as in `room.example (NAPTR, SRV "
        "_sip._udp, A, AAAA)`; or what the system says of a connection"
    )


class SipTrace(Output):
    """The newest messages of a participant's calls, the oldest first; bounded in number."""

    items: list[SipTraceEntry]
