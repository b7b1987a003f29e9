"""The load of the machine as the API shows it."""

from typing import Literal

from pydantic import Field

from mcu.api.schemas.base import Output


class Load(Output):
    """How loaded the machine is, and what is done about it; as of the last second."""

    level: Literal["none", "strained", "overloaded"] = Field(
        description="`strained`: something of the pictures is given up; `overloaded`: new rooms "
        "are refused too, with 503 and `Retry-After`. Sound is never given up."
    )
    signs: list[Literal["processors", "loop", "lateness", "missed", "pictures"]] = Field(
        description="what showed it: all processor time, that of the thread that handles packets, "
        "sound mixed late, sound left out, pictures left out. Late sound counts only where the "
        "server's own use of the processors explains it, not what other programs use"
    )
    given_up: list[Literal["view-rate", "small-renditions", "small-slots"]] = Field(
        description="the first first: fewer pictures a second; weak lines share one picture; "
        "small slots of rooms that do not speak show a new picture every few seconds"
    )
    view_fps: int = Field(description="pictures a second of all views now")
    processors: float = Field(description="processor time of all processes, as part of `cores`")
    loop: float = Field(description="of the thread that handles packets, as part of one processor")
    cores: float = Field(description="processors the server may use")
    lateness_ms: float = Field(description="99th percentile of how late sound was mixed")
    ticks_missed: int
    frames_skipped: float = Field(description="part of the views' pictures that were left out")
    legs: int = Field(description="media connections now")
    max_legs: int = Field(description="limits.max_legs")
    refused: dict[str, int] = Field(
        description="rooms refused since the server began, by cause: `load`, `joins` (many at "
        "once), `max_legs`"
    )
