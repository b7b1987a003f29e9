"""SIP messages of a participant's calls."""

from typing import Literal

from pydantic import Field

from mcu.api.schemas.base import Output, Time


class SipTraceEntry(Output):
    """One message: one arrow of the ladder."""

    time: Time
    direction: Literal["received", "sent"] = Field(description="as seen from this server")
    transport: Literal["udp", "tcp", "tls"]
    remote: str = Field(description="the peer's address and port")
    summary: str = Field(description="`INVITE`, or `200 OK (INVITE)`")
    text: str = Field(description="the whole message, secrets masked")


class SipTrace(Output):
    """The newest messages of a participant's calls, the oldest first; bounded in number."""

    items: list[SipTraceEntry]
