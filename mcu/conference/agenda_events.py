"""What has happened to a conference's agenda."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from mcu.conference.scenario import AgendaItem, Before, Contingency, Duty


@dataclass(frozen=True, slots=True)
class AgendaChanged:
    """It was written anew; what has been held stays on record."""

    type: ClassVar[str] = "agenda.changed"
    items: tuple[AgendaItem, ...]
    duties: tuple[Duty, ...]
    contingencies: tuple[Contingency, ...]
    begins_at: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True)
class AgendaAdvanced:
    """Another item is held; the events that make it so follow.

    Args:
        item: its id; None: the agenda is finished.
        missing: participants that it names and that were not there for it.
        before: what is put back later.
    """

    type: ClassVar[str] = "agenda.advanced"
    item: str | None
    title: str
    at: datetime
    missing: tuple[str, ...]
    before: Before


@dataclass(frozen=True, slots=True)
class AgendaOverrun:
    """The current item takes longer than planned; said once for each time it is held."""

    type: ClassVar[str] = "agenda.overrun"
    item: str
    title: str
    at: datetime


AgendaEvent = AgendaChanged | AgendaAdvanced | AgendaOverrun
