"""Alarms of a conference, and incidents."""

from typing import Literal

from pydantic import Field, model_validator

from mcu.api.schemas.base import Identifier, Input, Name, Output, PageQuery, Query, Text, Time
from mcu.api.schemas.conference import ParticipantId
from mcu.conference.alarm_model import AlarmEnding, AlarmKind, Severity
from mcu.operations.terms import Language
from mcu.sentences import sentence


class AlarmContact(Output):
    """Whom to call about a room; from the duty roster, else what is registered for the bridge."""

    name: str
    phone: str
    role: str = Field(description="of the duty roster; empty for the bridge's own contact")


class Alarm(Output):
    """One trouble of one room."""

    number: int
    participant: ParticipantId
    label: str
    kind: AlarmKind
    severity: Severity
    state: Literal["raised", "cleared"]
    since: Time = Field(description="when the trouble began")
    raised_at: Time = Field(description="when it had lasted long enough")
    cleared_at: Time | None
    ending: AlarmEnding | None = Field(
        description="why it is over: the trouble is (`well`), the room was `lost`, `left` or was "
        "`removed`, or the conference `ended`"
    )
    detail: dict[str, float | str] = Field(
        description="what was measured, by name with its unit: `delay_ms` and `level_db` of an "
        "echo, `loss_percent`, `silent_s`, …"
    )
    acknowledged_by: str | None
    acknowledged_at: Time | None
    contact: AlarmContact | None
    incident: Identifier | None = Field(
        description="that was opened of it; null also where the token may not read incidents"
    )
    incident_state: Literal["open", "closed"] | None
    actions: list[Literal["mute", "redial", "call"]] = Field(
        description="what helps at once: mute the room, dial it again, call its contact"
    )


class AlarmQuery(Query):
    """Which alarms."""

    state: Literal["raised", "cleared", "all"] = "raised"


class Alarms(Output):
    """Alarms, the worst first; those that are over come last."""

    items: list[Alarm]
    next_cursor: None = Field(default=None, description="always null: they come on one page")


class NewIncident(Input):
    """A trouble to be dealt with: of an alarm, of a bridge, or of a unit's meeting as a whole."""

    title: Name | None = Field(default=None, description="made of the alarm where it is absent")
    severity: Severity | None = Field(default=None, description="the alarm's, else `major`")
    unit: Identifier | None = Field(
        default=None, description="the bridge's or the conference's where it is absent"
    )
    bridge: Identifier | None = None
    conference: Identifier | None = None
    alarm: int | None = Field(default=None, ge=1, description="its number in the conference")
    comment: Text | None = None
    assignee: Name | None = None

    @model_validator(mode="after")
    def _has_place(self) -> "NewIncident":
        if self.alarm is not None and self.conference is None:
            raise ValueError(sentence("incident.alarm-conference"))
        if self.alarm is None and self.title is None:
            raise ValueError(sentence("incident.title-or-alarm"))
        if self.bridge is None and self.conference is None and self.unit is None:
            raise ValueError(sentence("incident.where"))
        return self


class IncidentChange(Input):
    """What is done with an incident; all of it, or one part."""

    assignee: str | None = Field(
        default=None, max_length=200, description="who deals with it; empty: nobody"
    )
    comment: Text | None = None
    state: Literal["open", "closed"] | None = Field(
        default=None, description="closed or opened again, with the comment as its reason"
    )


class IncidentNote(Output):
    """One thing that happened to an incident."""

    at: Time
    by: str
    kind: Literal["opened", "assigned", "commented", "closed", "reopened"]
    text: str


class Incident(Output):
    """A trouble that people deal with."""

    id: Identifier
    title: str
    severity: Severity
    state: Literal["open", "closed"]
    unit: str
    bridge: str | None
    bridge_name: str | None = Field(description="null also where the room is registered no more")
    conference: str | None
    drill: bool = Field(description="in a drill the trouble may have been made on purpose")
    participant: str | None
    alarm: int | None
    kind: AlarmKind | None
    assignee: str | None
    opened_at: Time
    opened_by: str
    closed_at: Time | None
    entries: list[IncidentNote]
    version: int


class IncidentQuery(PageQuery):
    """Which incidents; the newest first."""

    unit: Identifier | None = Field(default=None, description="of this unit and below")
    bridge: Identifier | None = None
    conference: Identifier | None = None
    state: Literal["open", "closed"] | None = None
    lang: Language = Field(
        default="vi",
        description="of titles in the table: those that were made of an alarm are put in words "
        "there; JSON has them as they were made, as in `echo: Room 1`",
    )
