"""Media connections as the API shows them."""

from typing import Literal

from pydantic import Field

from mcu.api.schemas.base import Identifier, Name, Output, Query
from mcu.api.schemas.conference import Receives, ViewName


class JoinQuery(Query):
    """For whom an operator or technician joins; a room's own token needs neither."""

    bridge: Identifier | None = Field(default=None, description="act for this bridge")
    name: Name | None = Field(default=None, description="join as a guest of this name")


class WatchQuery(Query):
    """What a viewer gets."""

    view: ViewName = "main"


class Stream(Output):
    """Counters of one direction of one stream since it began (RFC 3550 terms)."""

    packets: int
    bytes: int
    packets_lost: int
    fraction_lost: float
    jitter_ms: float
    round_trip_ms: float | None
    frames: int
    key_frames: int
    nacks: int
    retransmissions: int
    plis: int
    bitrate_bps: int
    reports: int = Field(default=0, description="how often loss was measured anew from its reports")


class Line(Output):
    """The line to a peer that reports on each packet of its pictures; counters since it joined."""

    estimate_bps: int = Field(description="what pictures may take")
    arriving_bps: int = Field(description="rate at which they arrive now")
    loss: float = Field(description="share lost of the last half second")
    queue_ms: float = Field(description="by how much the line delays more than at its best")
    width_bps: int | None = Field(description="what it carries, as bursts of late tell")
    packets: int = Field(description="reported on, those of outages left out")
    lost: int
    outages: int = Field(description="times in which nothing at all arrived")
    reports: int


class Leg(Output):
    """One media connection with its statistics."""

    id: str
    conference: str
    participant: str | None
    kind: Literal["join", "publish", "view"]
    state: Literal["new", "connected", "lost", "left"]
    view: str
    received: dict[str, Stream]
    sent: dict[str, Stream]
    remote_address: str | None
    srtp_profile: str | None
    dropped: dict[str, int]
    remb_bps: int | None
    rembs: int = 0
    line: Line | None = None
    on_hold: bool = Field(default=False, description="the peer has put the call on hold (SIP)")
    receives: Receives | None = None
