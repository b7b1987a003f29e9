"""The floor: who has the right to speak, until when, and who waits for it."""

from typing import Literal

from pydantic import Field

from mcu.api.schemas.base import Input, Output, Query, Time
from mcu.api.schemas.conference import FloorHolder, FloorRequest, ParticipantId

FloorPicture = Literal["speaker", "broadcast", "none"]


class Floor(Output):
    """The floor now."""

    holder: FloorHolder | None
    requests: list[FloorRequest] = Field(description="in the order in which they came")
    previous: str | None = Field(description="who had it last")
    remaining_s: float | None = Field(
        description="what is left of the holder's time; null without a limit"
    )
    now: Time = Field(description="the server's clock, to count down by")


class NewFloor(Input):
    """Who gets the floor."""

    participant: ParticipantId = Field(description="whether it has asked or not")
    time_limit_s: float | None = Field(
        default=None, ge=1, le=14_400, description="from now on; null: no limit"
    )
    picture: FloorPicture = Field(
        default="speaker",
        description="where it is shown: in the large slot of the layout, alone to everybody, or "
        "as before",
    )


class NewFloorRequest(Input):
    """Who asks for the floor."""

    participant: ParticipantId | None = Field(
        default=None, description="left out by a room: itself"
    )


class FloorRequestQuery(Query):
    """Whose request."""

    participant: ParticipantId | None = Field(
        default=None, description="left out by a room: its own"
    )
