"""Readiness checks: what is asked for, and what came of it."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from mcu.api.schemas.base import Identifier, Input, Name, Output, PageQuery, Time
from mcu.readiness.model import MAX_ROOMS
from mcu.sentences import sentence

Phase = Literal["waiting", "reaching", "reached", "measuring", "confirming", "done"]
Verdict = Literal["go", "no-go"]
Topic = Literal[
    "reach", "line", "sound_out", "sound_in", "echo", "picture", "configuration", "incidents"
]
Weight = Literal["good", "note", "fault", "missing"]


class NewReadinessCheck(Input):
    """Whom to check: exactly one of the first three members."""

    bridges: Annotated[list[Identifier], Field(min_length=1, max_length=MAX_ROOMS)] | None = Field(
        default=None, description="these bridges"
    )
    conference: Identifier | None = Field(
        default=None,
        description="a running conference: its bridges, where they are; those that are not in are "
        "called",
    )
    scenario: Identifier | None = Field(
        default=None, description="the bridges that a scenario expects"
    )
    unit: Identifier | None = Field(
        default=None,
        description="whose check it is; null: the conference's, the scenario's, or the token's",
    )
    name: Name | None = Field(default=None, description="null: the conference's or scenario's")

    @model_validator(mode="after")
    def _exactly_one(self) -> "NewReadinessCheck":
        given = (self.bridges, self.conference, self.scenario)
        if sum(each is not None for each in given) != 1:
            raise ValueError(sentence("check.one-of"))
        return self


class NewConfirmation(Input):
    """What somebody in the room says."""

    heard: bool | None = Field(default=None, description="whether the test tone is heard")
    loopback: bool | None = Field(
        default=None,
        description="the endpoint returns what it is sent, on purpose: the tone in its return "
        "proves the line and is no echo",
    )

    @model_validator(mode="after")
    def _something(self) -> "NewConfirmation":
        if self.heard is None and self.loopback is None:
            raise ValueError(sentence("check.heard-or-loopback"))
        return self


class ReadinessFinding(Output):
    """One thing that was found."""

    topic: Topic
    weight: Weight = Field(
        description="`fault` and `missing` (there is no evidence) refuse the room; `note` does not"
    )
    code: str = Field(description="names the sentence, for other languages")
    values: dict[str, int | float | str] = Field(description="what stands in the sentence")
    text: str = Field(description="the sentence, in English")


class ReadinessContact(Output):
    """Whom to call."""

    name: str
    phone: str


class ReadinessRoom(Output):
    """One room in a check."""

    bridge: str
    name: str
    unit: str
    kind: Literal["webrtc", "sip"]
    contact: ReadinessContact
    phase: Phase
    since: Time = Field(description="when the phase began; `done`: when it was judged")
    verdict: Verdict | None
    reason: str = Field(description="what refuses it; empty where nothing does")
    findings: list[ReadinessFinding]
    confirmation: Literal["heard", "not-heard"] | None
    loopback: bool
    measured: dict[str, Any] | None = Field(description="line, sound, picture, configuration")
    recorded: dict[str, Any] | None = Field(description="the configuration it was accepted with")
    check: str


class ReadinessCounts(Output):
    """Rooms by verdict, or by phase where they have none yet."""

    go: int = 0
    no_go: int = 0
    waiting: int = 0
    reaching: int = 0
    reached: int = 0
    measuring: int = 0
    confirming: int = 0


class ReadinessSummary(Output):
    """One check, without its rooms."""

    id: str
    name: str
    unit: str
    scenario: str | None
    due: Time | None = Field(description="the beginning of the session that it was scheduled for")
    began_at: Time
    ended_at: Time | None
    running: bool
    counts: ReadinessCounts


class ReadinessCheck(ReadinessSummary):
    """One check with all its rooms, those that are not ready first."""

    by: str
    conference: str | None
    reason: Literal["complete", "cancelled", "time"] | None
    total_s: float | None = Field(description="how long it took; of a re-check, that one alone")
    rooms: list[ReadinessRoom]


class ReadinessQuery(PageQuery):
    """Which checks."""

    unit: Identifier | None = None


class RecordedConfiguration(Output):
    """What a room was accepted with."""

    accepted_at: Time
    accepted_by: str
    configuration: dict[str, Any]


class ReadinessNow(Output):
    """The check that a room is in at this moment."""

    check: str
    phase: Phase
    confirmation: Literal["heard", "not-heard"] | None
    loopback: bool


class ReadinessHistory(Output):
    """What came of a room's checks, the newest first."""

    current: ReadinessNow | None
    recorded: RecordedConfiguration | None
    items: list[ReadinessRoom]
    next_cursor: str | None = None
