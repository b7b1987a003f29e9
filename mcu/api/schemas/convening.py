"""Convening: how rooms are called together, and how far they have come."""

from typing import Annotated, Literal

from pydantic import Field

from mcu.api.schemas.base import MAX_LIST, Input, Output, Presence, Time
from mcu.api.schemas.conference import (
    CallFailure,
    ConveningSummary,
    OneOrAll,
    ParticipantId,
)
from mcu.api.schemas.registry import Contact

CallOrder = Literal["importance", "units", "scenario"]


class NewConvening(Input):
    """How the rooms are called."""

    order: CallOrder = Field(
        default="importance",
        description="the chair first; then by importance and level of the unit, by level and "
        "importance, or by the agenda's speakers",
    )
    at_once: int | None = Field(
        default=None, ge=1, le=200, description="null: `conference.calls_at_once`"
    )
    target_s: float | None = Field(
        default=None,
        ge=30,
        le=86_400,
        description="all are to be here so long after now; null: `conference.convene_within_s`",
    )
    participants: Annotated[list[ParticipantId], Field(max_length=MAX_LIST)] | None = Field(
        default=None, description="these alone, in this order; null: the whole roster"
    )


class ConvenedParticipant(OneOrAll):
    """Whom it concerns of those who are convened."""


class ConvenedRoom(Output):
    """One room that is to come."""

    participant: str
    place: int = Field(description="in the order of calling, from 1")
    label: str
    unit: str | None
    kind: Literal["webrtc", "sip", "guest"]
    state: Literal["expected", "called", "failed", "stopped", "joined"]
    presence: Presence = Field(description="now; who has come may be lost since")
    page_open: bool | None = Field(
        description="its join page is open and shows the call; null: it is dialed"
    )
    attempts: int
    called_at: Time | None
    joined_at: Time | None
    after_s: float | None = Field(description="from the beginning until it came")
    late: bool
    cause: CallFailure | None = Field(description="why the last call came to nothing")
    next_at: Time | None = Field(description="not called again before; null: as soon as it can")
    contact: Contact


class Milestone(Output):
    """When so many percent were here."""

    percent: int
    at: Time | None
    after_s: float | None


class Convening(ConveningSummary):
    """The latest convening of a conference, with its progress board."""

    by: str
    ended_by: str | None = Field(description="who stopped it")
    order: CallOrder
    at_once: int
    target_s: float
    overdue_at: Time | None = Field(description="when the time was over with rooms missing")
    milestones: list[Milestone]
    rows: list[ConvenedRoom]
