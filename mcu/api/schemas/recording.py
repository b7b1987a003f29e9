"""Recordings: what is asked for, what is listed."""

from typing import Literal

from pydantic import Field

from mcu.api.schemas.base import Input, Name, Output, Time
from mcu.api.schemas.conference import ViewName


class NewRecording(Input):
    """What is recorded."""

    name: Name | None = Field(default=None, description="null: the conference's")
    view: ViewName = Field(default="main", description="its picture; the sound is the main mix")


class RecordingPart(Output):
    """One file; a recording has more than one where the server was restarted, or the picture
    became another size.
    """

    number: int
    state: Literal["writing", "complete", "interrupted"] = Field(
        description="`interrupted`: the server was killed; it plays up to the last second"
    )
    started_at: Time
    size: int = Field(description="bytes")
    duration_s: float
    sha256: str | None = Field(description="of the whole file; null while it grows")
    url: str = Field(description="where it is downloaded; ranges are answered")


class Recording(Output):
    """One recording."""

    id: str
    name: str
    view: str
    state: Literal["recording", "stopped", "interrupted"] = Field(
        description="`interrupted`: the server was killed and did not go on with it"
    )
    by: str = Field(description="who started it")
    started_at: Time
    ended_at: Time | None
    reason: str | None = Field(
        description="why it ended: `stopped` by an operator, `ended` with the conference, "
        "`disk_full`, `failed`, `interrupted`"
    )
    interruptions: int = Field(description="how often the server was restarted meanwhile")
    size: int = Field(description="bytes of all parts")
    duration_s: float = Field(description="of all parts")
    parts: list[RecordingPart]
