"""Bridges that two conferences want."""

from typing import Literal

from pydantic import Field

from mcu.api.schemas.base import Identifier, Input, Output, Time


class NewConflict(Input):
    """A bridge that is asked for."""

    bridge: Identifier


class ConflictDecision(Input):
    """What becomes of it."""

    decision: Literal["wait", "move", "decline"] = Field(
        description="`wait` until the bridge is free; `move` it over now, with rights over both "
        "conferences; `decline`: it is not asked for any more"
    )
    conference: Identifier | None = Field(
        default=None,
        description="who asks, where the path names the conference that has the bridge and "
        "several ask for it",
    )


class Conflict(Output):
    """One bridge, as one of the two conferences sees it."""

    bridge: str
    name: str
    side: Literal["asking", "holding"] = Field(description="what this conference does")
    conference: str = Field(description="the other one")
    conference_name: str
    status: Literal["open", "waiting", "moving", "declined", "settled"]
    at: Time
    by: str = Field(description="who asked")
    decided_at: Time | None
    decided_by: str
    may_move: bool = Field(description="this token may move the bridge over")
