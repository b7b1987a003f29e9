"""Rooms from elsewhere in the tree, invited to one conference."""

from typing import Literal

from pydantic import Field

from mcu.api.schemas.base import Identifier, Input, Output, PageQuery, Presence, Text, Time


class NewInvitation(Input):
    """Who is invited."""

    bridge: Identifier = Field(
        description="the id of any room outside of this token's reach; those of agencies are in "
        "`/invitable`, others are asked of their unit"
    )
    note: Text | None = Field(
        default=None,
        description="what is said to the room's side; asked again with another note, an invitation "
        "that stands says that one",
    )


class InvitationAnswer(Input):
    """What the room's side says."""

    answer: Literal["accept", "decline"] = Field(
        description="`accept`: the room is called, or asked for where another conference has it; "
        "`decline`, also after `accept`: it is taken out again"
    )


class Invitation(Output):
    """One room that was asked to take part."""

    bridge: str
    name: str
    unit: str = Field(description="the room's")
    unit_name: str
    conference: str
    conference_name: str
    conference_unit: str
    conference_unit_name: str
    conference_started_at: Time
    status: Literal["open", "accepted", "declined", "withdrawn", "ended"] = Field(
        description="`withdrawn` by who had invited; `ended` with the conference"
    )
    note: str
    at: Time
    by: str = Field(description="who invited")
    answered_at: Time | None
    answered_by: str
    presence: Presence | None = Field(description="on that conference's roster; null: not on it")
    conflict: Literal["open", "waiting", "moving"] | None = Field(
        description="accepted while another conference has the room: not decided, comes when it is "
        "free, is being moved over"
    )
    held_by: str | None = Field(
        description="the other conference that has the room now; who invited is told it only where "
        "it is asked for the room, the room's side always"
    )
    held_by_name: str | None
    held_by_unit_name: str | None = Field(description="for the room's side")


class InvitableQuery(PageQuery):
    """Which rooms."""

    search: str | None = Field(
        default=None, min_length=1, max_length=100, description="part of a room's or unit's name"
    )


class Invitable(Output):
    """A room of an agency that can be invited: no more than is needed to choose it."""

    bridge: str
    name: str
    unit: str
    unit_name: str
