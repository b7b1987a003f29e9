"""Roll call: who was here, marked when, by whom, and how the room looked."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from mcu.api.schemas.base import MAX_LIST, FutureTime, Input, Output, Time
from mcu.api.schemas.conference import ParticipantId
from mcu.sentences import sentence

RollCallMode = Literal["presence", "called"]
RollCallState = Literal["open", "signed", "cancelled", "unsigned"]
MarkStatus = Literal["present", "late", "absent", "lost"]
MarkSource = Literal["rule", "operator", "room"]
Note = Annotated[str, StringConstraints(max_length=500)]


class RollCallRow(Output):
    """What counts for one room; null: it is not marked yet."""

    participant: str
    label: str = Field(description="as it was when the roll call began")
    unit: str | None
    status: MarkStatus | None = Field(description="`lost`: its line was lost when it was called")
    at: Time | None
    source: MarkSource | None = Field(description="`room`: by its own button")
    by: str | None = Field(description="the operator's name; empty for a rule")
    note: str | None
    entry: int | None
    skipped: bool = Field(description="it was called and left without a mark")
    picture: str | None = Field(description="address of its picture when it was marked")


class RollCallMark(Output):
    """One entry of the record, never changed."""

    entry: int
    participant: str
    status: MarkStatus
    at: Time
    source: MarkSource
    by: str
    note: str
    correction: bool = Field(description="made after the sign-off")
    picture: str | None


class RollCallCounts(Output):
    """Rooms by what counts for them."""

    present: int
    late: int
    absent: int
    lost: int
    unmarked: int


class RollCallSummary(Output):
    """One roll call, without its rooms."""

    number: int
    mode: RollCallMode
    state: RollCallState = Field(description="`unsigned`: the conference ended before a sign-off")
    started_at: Time
    by: str = Field(description="who began it")
    starts_at: Time | None
    due: Time | None = Field(description="until when one is in time")
    calling: str | None
    called_at: Time | None
    paused: bool
    ended_at: Time | None
    ended_by: str
    counts: RollCallCounts


class RollCall(RollCallSummary):
    """One roll call: what counts, and all entries in their order."""

    rows: list[RollCallRow]
    marks: list[RollCallMark]


class NewRollCall(Input):
    """A roll call to begin."""

    mode: RollCallMode
    expected: list[ParticipantId] | None = Field(
        default=None,
        max_length=MAX_LIST,
        description="in the order in which they are called; null: everybody but the chair",
    )
    starts_at: FutureTime | None = Field(
        default=None, strict=False, description="of `presence`: when the meeting begins; null: now"
    )
    grace_s: float = Field(
        default=600, ge=0, le=86_400, description="of `presence`: who comes later is late"
    )


class RollCallChange(Input):
    """How a roll call that calls rooms goes on: exactly one of the members."""

    paused: bool | None = None
    calling: ParticipantId | None = Field(default=None, description="call this room now")
    skip: ParticipantId | None = Field(
        default=None, description="leave this room, if it is called, without a mark"
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> "RollCallChange":
        if sum(value is not None for value in self.__dict__.values()) != 1:
            raise ValueError(sentence("roll-call.one-of"))
        return self


class NewMark(Input):
    """A further entry; a room marks itself present while it is called."""

    participant: ParticipantId
    status: Literal["present", "late", "absent"] = "present"
    note: Note = Field(default="", description="needed after the sign-off: why")


class SignOff(Input):
    """The end of a roll call."""

    rest: Literal["absent"] | None = Field(
        default=None, description="what rooms without a mark are; null: there must be none"
    )
