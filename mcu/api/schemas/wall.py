"""The wall of thumbnails."""

from typing import Literal

from pydantic import Field

from mcu.api.schemas.base import Output, Presence, Query, Time
from mcu.api.schemas.conference import Grade

Trouble = Literal[
    "lost", "alarm", "gone", "call-failed", "calling", "stale", "poor-line", "missing", "fair-line"
]


class WallPicture(Output):
    """The newest thumbnail of a room."""

    digest: str = Field(description="changes with the picture; its ETag")
    taken_at: Time
    stale: bool = Field(description="the room has sent nothing newer for too long")


class WallTile(Output):
    """One room on the wall."""

    participant: str
    label: str
    unit: str | None
    state: Presence
    audio_muted: bool
    video_muted: bool
    level_db: float | None = Field(description="dBov, of what it sends")
    speaking: bool
    visible: bool = Field(description="it stands in a view now")
    grade: Grade = Field(description="of its line")
    importance: int
    troubles: list[Trouble] = Field(description="what is wrong with it, the worst first")
    alarms: list[str] = Field(description="kinds of its alarms that last, the worst first")
    picture: WallPicture | None = Field(
        description="null while nobody looks at the wall, or the room has sent nothing"
    )


class WallQuery(Query):
    """Which rooms."""

    participants: str | None = Field(
        default=None,
        min_length=1,
        max_length=20_000,
        description="ids with commas between them; all where left out",
    )

    def chosen(self) -> frozenset[str] | None:
        """The ids; None: all."""
        if self.participants is None:
            return None
        return frozenset(one for one in self.participants.split(",") if one)
