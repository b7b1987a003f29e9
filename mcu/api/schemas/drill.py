"""Drills: faults that are injected on purpose, and what people did about them."""

from typing import Literal

from pydantic import Field

from mcu.api.schemas.base import MAX_LIST, Input, Output, Time
from mcu.api.schemas.conference import ParticipantId
from mcu.conference.drill_model import (
    DEFAULT_DURATION_S,
    LATEST_STEP_S,
    LONGEST_S,
    MAX_STEPS,
    FaultEnding,
    FaultKind,
    FaultWish,
    MarkKind,
)
from mcu.conference.drill_model import DrillStep as DomainStep

KIND_TEXT = (
    "`lost`: no packet passes. `loss`: packets are lost or late. `overload`: the line carries "
    "little. `muted`: no sound comes. `black`, `frozen`: the camera shows nothing, or stands "
    "still. `codec`: what is sent is not understood. `restart`: the conference's media is dropped "
    "and restored"
)


class NewFault(Input):
    """A fault to be put into legs of a drill."""

    kind: FaultKind = Field(description=KIND_TEXT)
    participants: list[ParticipantId] = Field(
        default_factory=list,
        max_length=MAX_LIST,
        description="whose legs; none: the whole conference's, the only choice for `restart`",
    )
    duration_s: float = Field(
        default=DEFAULT_DURATION_S,
        ge=1,
        le=LONGEST_S,
        description="it ends by itself then; a `restart` lasts 120 seconds at most",
    )
    loss_percent: float = Field(default=0, ge=0, le=100, description="of `loss`, each way")
    jitter_ms: float = Field(
        default=0, ge=0, le=1000, description="of `loss`: each packet takes up to so much longer"
    )
    rate_kbps: float = Field(
        default=0, ge=0, le=100_000, description="of `overload`: what the line carries, each way"
    )

    def wish(self) -> FaultWish:
        """As the conference takes it."""
        return FaultWish(
            self.kind,
            tuple(self.participants),
            self.duration_s,
            self.loss_percent,
            self.jitter_ms,
            self.rate_kbps,
        )


class NewStep(NewFault):
    """A fault of a script."""

    at_s: float = Field(ge=0, le=LATEST_STEP_S, description="seconds after the script's start")

    def step(self) -> DomainStep:
        """As the conference takes it."""
        return DomainStep(self.at_s, self.wish())


class NewScript(Input):
    """Faults in time; replaces the script there was."""

    steps: list[NewStep] = Field(max_length=MAX_STEPS)


class DrillMark(Output):
    """Something about a fault that happened for the first time."""

    kind: MarkKind = Field(
        description="`detected`: an alarm was raised. `noticed`: somebody took the room in hand. "
        "`acted`: somebody did something about it. `recovered`: the fault itself has ended, and "
        "nothing is left of it"
    )
    at: Time
    after_s: float = Field(description="seconds after the fault began")
    by: str = Field(description="the operator's name; empty: the machine")
    what: str = Field(description="the alarm's kind, or what was done")


class DrillFault(Output):
    """A fault that was injected."""

    number: int
    kind: FaultKind
    participants: list[str] = Field(description="empty: the whole conference")
    labels: list[str]
    duration_s: float
    loss_percent: float
    jitter_ms: float
    rate_kbps: float
    state: Literal["active", "ended"]
    by: str = Field(description="who injected it, or started the script")
    step: int | None = Field(description="of the script, from 1; null: by hand")
    began_at: Time
    until: Time = Field(description="when it ends by itself")
    ended_at: Time | None
    ending: FaultEnding | None = Field(
        description="`over`: its time was; `cleared` by an operator; `ended` with the conference"
    )
    marks: list[DrillMark]
    detected_s: float | None = Field(description="null: no alarm was raised")
    noticed_s: float | None
    acted_s: float | None
    recovered_s: float | None


class ScriptStep(Output):
    """A step of the script."""

    at_s: float
    kind: FaultKind
    participants: list[str]
    duration_s: float
    loss_percent: float
    jitter_ms: float
    rate_kbps: float


class DrillScript(Output):
    """Faults in time."""

    state: Literal["idle", "running"]
    started_at: Time | None
    by: str | None
    next_step: int | None = Field(description="from 1; null: none is to come")
    next_at: Time | None
    steps: list[ScriptStep]


class Drill(Output):
    """Everything about one drill."""

    conference: str
    faults: list[DrillFault] = Field(description="in the order in which they were injected")
    script: DrillScript
