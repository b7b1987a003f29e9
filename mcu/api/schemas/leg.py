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
    receives: Receives | None = None
