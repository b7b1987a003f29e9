"""The chair's own look at one room, which nobody else sees: commands and events."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class StartChairView:
    """Show one participant full on ``chair``; what all others see stays as it is."""

    participant: str


@dataclass(frozen=True, slots=True)
class StopChairView:
    """Back to the chair's layout."""


ChairViewCommand = StartChairView | StopChairView


@dataclass(frozen=True, slots=True)
class ChairViewStarted:
    """The chair alone looks at one participant; it replaces an earlier one."""

    type: ClassVar[str] = "chair-view.started"
    participant: str


@dataclass(frozen=True, slots=True)
class ChairViewStopped:
    """The chair looks at ``participant`` alone no more."""

    type: ClassVar[str] = "chair-view.stopped"
    participant: str


ChairViewEvent = ChairViewStarted | ChairViewStopped
