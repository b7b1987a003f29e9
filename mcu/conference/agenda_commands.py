"""What may be asked of a conference's agenda."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mcu.conference.scenario import AgendaItem, Contingency, Duty


@dataclass(frozen=True, slots=True)
class NextItem:
    """Go to the item after the current one: the first if none was held, the end after the last."""


@dataclass(frozen=True, slots=True)
class PreviousItem:
    """Go back by one item; from the end to the last one."""


@dataclass(frozen=True, slots=True)
class JumpToItem:
    """Go to any item; to the current one: set everything once more as it says."""

    item: str


@dataclass(frozen=True, slots=True)
class ChangeAgenda:
    """Write the agenda anew, whole.

    What the current item says about sound and picture is not applied again: what the operator
    has done meanwhile stays. Its duration counts at once.

    Args:
        duties, contingencies: None: as they are.
        begins_at: None takes it away, ``kept`` leaves it as it is.
    """

    items: tuple[AgendaItem, ...]
    duties: tuple[Duty, ...] | None = None
    contingencies: tuple[Contingency, ...] | None = None
    begins_at: datetime | Literal["kept"] | None = "kept"


@dataclass(frozen=True, slots=True)
class NoteItemOver:
    """The current item's time may be over; decided by the clock, as it may have been changed."""


AgendaCommand = NextItem | PreviousItem | JumpToItem | ChangeAgenda
