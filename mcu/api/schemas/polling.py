"""What the chair looks at alone, and polling."""

from pydantic import Field

from mcu.api.schemas.base import MAX_LIST, Input
from mcu.api.schemas.conference import ParticipantId, Scope, ViewName


class NewChairView(Input):
    """Whom the chair looks at."""

    participant: ParticipantId


class NewPolling(Input):
    """Rooms in turn, alone on a view; those without picture are passed over."""

    interval_s: float = Field(ge=2, le=3600)
    scope: Scope = Field(
        default="all", description="everybody, a unit with all below it, or these in order"
    )
    except_: list[ParticipantId] = Field(default_factory=list, alias="except", max_length=MAX_LIST)
    view: ViewName = Field(default="chair", description="`main`: everybody sees them")


class PollingChange(Input):
    """Stay with who is shown, or go on."""

    paused: bool


class PollingSkip(Input):
    """Whose turn is over."""

    participant: ParticipantId | None = Field(
        default=None,
        description="only if it is the one that is shown, so that two operators skip one room",
    )
