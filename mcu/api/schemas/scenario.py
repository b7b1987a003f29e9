"""Scenarios and the agendas that conferences carry out.

Only the form is checked here; what an item refers to, its times and its numbers are checked by
``mcu.conference.scenario_rules``, so that one answer names everything that is wrong.
"""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from mcu.api.schemas.base import (
    CODE,
    MAX_LIST,
    PARAMS,
    FutureTime,
    Identifier,
    Input,
    Name,
    Output,
    PageQuery,
    Text,
    Time,
)
from mcu.api.schemas.conference import ParticipantId
from mcu.sentences import sentence

LayoutText = Annotated[
    str, StringConstraints(min_length=1, max_length=20), Field(description="as of `PUT .../layout`")
]
PhoneText = Annotated[str, StringConstraints(min_length=1, max_length=40)]
Seconds = Annotated[int, Field(ge=0, le=10_000_000)]
MAX_ITEMS = 500
"""Read at all; how many an agenda may have is a rule."""


class NewItemPolling(Input):
    """Whom the chair's picture pages through."""

    scope: Literal["all"] | Identifier = Field(default="all", description="`all`, or a unit")
    interval_s: float = 10.0


class NewAgendaItem(Input):
    """One item of the agenda; what is null is left as it was before the agenda touched it."""

    id: Identifier | None = Field(
        default=None, description="unique in the agenda; null: one is made"
    )
    title: Name
    duration_s: Seconds = Field(description="10 to 86400")
    starts_s: Seconds | None = Field(
        default=None,
        description="planned start, seconds after the session's; null: after the item before",
    )
    speaker: ParticipantId | None = Field(default=None, description="the bridge that has the word")
    layout: LayoutText | None = None
    broadcast: bool = Field(default=False, description="the speaker is shown alone to everybody")
    unmuted: list[ParticipantId] | None = Field(
        default=None,
        max_length=MAX_LIST,
        description="bridges, `chair` or `all`; with a list the speaker is heard too and everybody "
        "else is muted. Null: no microphone is touched",
    )
    presentation: ParticipantId | None = Field(default=None, description="the bridge that presents")
    polling: NewItemPolling | None = None
    message: Text | None = Field(default=None, description="over every picture, until the next")
    note: Text | None = Field(default=None, description="for the operator")


class NewDuty(Input):
    """Who is on duty; ``bridge`` null: at the centre."""

    role: Name
    name: Name
    phone: PhoneText | None = Field(
        default=None,
        description="3 to 15 digits, perhaps with + before them; null: no number of their own",
    )
    bridge: Identifier | None = None


class NewContingency(Input):
    """What is done when something fails."""

    when: Text
    then: Text


class NewAgenda(Input):
    """An agenda with its duties and what is done when something fails."""

    begins_at: FutureTime | None = Field(
        default=None, description="when the session is planned to begin"
    )
    items: list[NewAgendaItem] = Field(default_factory=list, max_length=MAX_ITEMS)
    duties: list[NewDuty] = Field(default_factory=list, max_length=MAX_LIST)
    contingencies: list[NewContingency] = Field(default_factory=list, max_length=200)


Expected = Literal["subtree"] | Annotated[list[Identifier], Field(max_length=MAX_LIST)]


class ScenarioBody(NewAgenda):
    """A whole scenario, without its id."""

    name: Name
    unit: Identifier
    expected: Expected = Field(
        default="subtree", description="bridges, or all of the unit and those below it"
    )
    chair: Identifier | None = Field(default=None, description="one of the expected")
    layout: LayoutText = Field(default="auto", description="what the conference begins with")


class ScenarioTemplate(Input):
    """What a new scenario is made from: another one, or a conference as it is."""

    scenario: Identifier | None = None
    conference: ParticipantId | None = None

    @model_validator(mode="after")
    def _one(self) -> "ScenarioTemplate":
        if (self.scenario is None) == (self.conference is None):
            raise ValueError(sentence("copy.one-of"))
        return self


class ScenarioChange(NewAgenda):
    """What of a scenario changes; lists are replaced as a whole."""

    name: Name | None = None
    unit: Identifier | None = None
    expected: Expected | None = None
    chair: Identifier | None = None
    layout: LayoutText | None = None


class NewScenario(ScenarioChange):
    """A scenario to be kept, or checked as if it were.

    Name and unit are needed where there is no template.
    """

    id: Identifier | None = Field(default=None, description="null: one is made")
    template: ScenarioTemplate | None = Field(
        default=None, description="what is not given is taken from there"
    )


class ItemPolling(Output):
    """Whom the chair's picture pages through."""

    scope: str
    interval_s: float


class ScenarioItem(Output):
    """One item of the agenda."""

    id: str
    title: str
    duration_s: int
    starts_s: int | None
    speaker: str | None
    layout: str | None
    broadcast: bool
    unmuted: list[str] | None
    presentation: str | None
    polling: ItemPolling | None
    message: str | None
    note: str | None


class Duty(Output):
    """Who is on duty; ``bridge`` null: at the centre."""

    role: str
    name: str
    phone: str | None
    bridge: str | None


class Contingency(Output):
    """What is done when something fails."""

    when: str
    then: str


class Scenario(Output):
    """What a session is prepared with."""

    id: str
    name: str
    unit: str
    expected: Literal["subtree"] | list[str]
    chair: str | None
    layout: str
    begins_at: Time | None
    items: list[ScenarioItem]
    duties: list[Duty]
    contingencies: list[Contingency]
    changed_at: Time
    version: int


class ScenarioSummary(Output):
    """A scenario in the list."""

    id: str
    name: str
    unit: str
    begins_at: Time | None
    items: int
    duration_s: int = Field(description="from the beginning to the planned end of the last item")
    changed_at: Time
    version: int


class ScenarioQuery(PageQuery):
    """Which scenarios."""

    unit: Identifier | None = Field(default=None, description="only this unit and those below it")


class ScenarioFault(Output):
    """One thing that is wrong."""

    field: str = Field(description="JSON path")
    message: str
    code: str | None = Field(default=None, description=CODE)
    params: dict[str, str | float | None] | None = Field(default=None, description=PARAMS)


class Validation(Output):
    """What came of checking a scenario."""

    valid: bool
    errors: list[ScenarioFault]
    items: int
    duration_s: int
    expected: int = Field(description="bridges")


class ImportedScenarios(Output):
    """What was made of a file."""

    created: list[str] = Field(description="ids")


class HeldTime(Output):
    """When an item was held; ``ended_at`` null: it is held now."""

    started_at: Time
    ended_at: Time | None
    overran: bool


class AgendaItem(ScenarioItem):
    """An item with its planned and its actual times; planned ones null until they are known."""

    planned_start: Time | None
    planned_end: Time | None
    held: list[HeldTime] = Field(description="more than once where it was gone back to")


class Agenda(Output):
    """A conference's agenda: what was planned, and what has become of it.

    A room's token sees neither duties nor contingencies nor notes.
    """

    scenario: str | None = Field(description="what it was copied from")
    state: Literal["waiting", "running", "finished"]
    current: str | None
    begins_at: Time | None
    began_at: Time | None
    finished_at: Time | None
    behind_s: float | None = Field(
        description="how far behind the plan the current item will end; below 0: ahead"
    )
    now: Time = Field(description="of the server, what `behind_s` was reckoned with")
    items: list[AgendaItem]
    duties: list[Duty]
    contingencies: list[Contingency]
    version: int


class AgendaJump(Input):
    """Which item is held next."""

    item: Identifier
