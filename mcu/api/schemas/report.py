"""Reports: of a conference, and of a bridge's month."""

from typing import Literal

from pydantic import Field

from mcu.api.schemas.base import Output, Query, Time, shape
from mcu.api.schemas.drill import DrillFault
from mcu.api.schemas.roll_call import MarkStatus, RollCall
from mcu.api.schemas.scenario import Agenda
from mcu.conference.alarm_model import AlarmKind, Severity
from mcu.operations.report_tables import TableName
from mcu.operations.terms import Language


class ReportRoom(Output):
    """One room over the whole conference; null: nothing is known."""

    participant: str
    label: str
    unit: str | None
    unit_name: str | None
    bridge: str | None
    first_joined_at: Time | None = Field(description="null: it never came")
    last_left_at: Time | None = Field(description="null: it is here, or was to the end")
    present_s: float
    lost_s: float
    lost_count: int
    floor_s: float = Field(description="it had the floor, without the chair's interruptions")
    status: MarkStatus | None = Field(description="of the last roll call that was signed")
    readiness: str | None = Field(
        description="verdict of the last readiness check, from a day before the beginning on"
    )
    readiness_reason: str | None
    checked_at: Time | None
    heard_s: float = Field(description="it was in the mix, short pauses of speech included")
    loss_percent: float | None = Field(description="mean over the conference")
    worst_loss_percent: float | None
    round_trip_ms: float | None
    jitter_ms: float | None
    height: int | None = Field(
        description="of the smallest picture it was sent; 0: sound alone; null: no pictures"
    )


class ReportFault(Output):
    """Something that went wrong for a room."""

    kind: Literal["left", "call_failed"] | AlarmKind
    participant: str
    label: str
    at: Time
    until: Time | None = Field(
        description="when it was here again, or the trouble was over; null: not any more"
    )
    detail: str


class ReportIncident(Output):
    """An incident that was opened in the conference."""

    id: str
    opened_at: Time
    closed_at: Time | None
    state: Literal["open", "closed"]
    severity: Severity
    title: str
    bridge: str | None
    assignee: str | None


class ReportRecording(Output):
    """One file of a recording; null where no file came to be."""

    recording: str
    name: str
    view: str
    by: str = Field(description="who started it")
    started_at: Time
    ended_at: Time | None
    reason: str | None = Field(description="why it ended; see `Recording`")
    part: int | None
    part_state: Literal["writing", "complete", "interrupted"] | None
    part_started_at: Time | None
    size: int = Field(description="bytes")
    duration_s: float
    sha256: str | None = Field(description="of the whole file; null while it grows")
    file: str | None = Field(description="what it is called when it is downloaded")


class ReportMinute(Output):
    """All rooms in one minute."""

    at: Time
    rooms: int = Field(description="of which anything is known")
    bad: int = Field(description="that lost 2% or more")
    loss_percent: float | None
    round_trip_ms: float | None


class ReportAction(Output):
    """Something that somebody did."""

    at: Time
    by: str = Field(description="the token's name, or its id where it is kept no more")
    role: str | None
    address: str | None
    action: str
    target: str
    outcome: str


class Report(Output):
    """Everything that is kept of one conference."""

    conference: str
    name: str
    unit: str
    unit_name: str | None
    started_at: Time
    ended_at: Time | None
    made_at: Time
    incomplete: list[Literal["events", "minutes", "actions"]] = Field(
        description="what cannot be read or is kept no more"
    )
    rooms: list[ReportRoom]
    faults: list[ReportFault]
    incidents: list[ReportIncident]
    recordings: list[ReportRecording] = Field(description="that are kept still")
    agenda: Agenda | None
    roll_calls: list[RollCall]
    drill: list[DrillFault] | None = Field(
        description="faults injected on purpose, with the times of the staff; null: it was no drill"
    )
    minutes: list[ReportMinute]
    loss_percent: dict[str, list[float | None]] = Field(
        description="room → its loss in each of `minutes`"
    )
    actions: list[ReportAction]


class BridgeConference(Output):
    """One conference of a bridge's month."""

    conference: str
    name: str
    unit: str
    started_at: Time
    ended_at: Time | None
    status: MarkStatus | None
    present_s: float
    lost_count: int
    lost_s: float
    floor_s: float
    heard_s: float
    loss_percent: float | None
    worst_loss_percent: float | None
    round_trip_ms: float | None
    jitter_ms: float | None
    height: int | None
    incidents: int = Field(description="of the bridge, that were opened in it")
    incomplete: bool


class MonthIncident(ReportIncident):
    """An incident of the bridge; it need not belong to a conference."""

    conference: str | None


class BridgeMonth(Output):
    """What a bridge did in a month."""

    bridge: str
    expected: int = Field(description="conferences it was on the roster of")
    attended: int
    present_s: float
    lost_count: int
    lost_s: float
    heard_s: float
    loss_percent: float | None = Field(
        description="mean over the time it was present; null: nothing is known"
    )
    worst_loss_percent: float | None
    round_trip_ms: float | None
    jitter_ms: float | None
    incidents_open: int = Field(description="of those below, now")
    conferences: list[BridgeConference]
    incidents: list[MonthIncident] = Field(description="that were open at some time of the month")


class PrintQuery(Query):
    """How it is printed."""

    lang: Language = Field(default="vi", description="language of the printed report")


class TableQuery(Query):
    """Which list."""

    table: TableName = Field(default="rooms", description="one list of the report")
    lang: Language = Field(default="vi", description="of the incidents' titles")


class MonthPrintQuery(Query):
    """Which month, and how it is printed."""

    month: str = Field(
        pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$",
        description="of the installation's time zone",
        examples=["2026-11"],
    )
    lang: Language = Field(default="vi", description="language of the printed report")


class MonthQuery(Query):
    """Which month."""

    month: str = Field(
        pattern=shape(r"^20[0-9]{2}-(0[1-9]|1[0-2])$", "form.month"),
        description="of the installation's time zone",
        examples=["2026-11"],
    )
    table: Literal["conferences", "incidents"] = Field(
        default="conferences", description="which list the CSV is; JSON has both"
    )
    lang: Language = Field(default="vi", description="of the incidents' titles in the CSV")
