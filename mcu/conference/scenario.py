"""What a session is to be: agenda, duties and what is done when something fails. Immutable values.

A conference that is started from a scenario keeps a copy of it with what has become of it so far
(``Agenda``), so that it can be edited while it runs and a later change of the scenario does not
reach it. Decisions are in ``mcu.conference.agenda``, checks in ``mcu.conference.scenario_rules``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from mcu.engine.plan import Slot
from mixer.video.layout import Fit

ALL = "all"
"""In ``unmuted``: everybody; as a polling scope: all who are here."""
CHAIR = "chair"
"""In ``unmuted``: whoever presides."""


@dataclass(frozen=True, slots=True)
class ItemPolling:
    """Whom the chair's picture pages through during an item.

    Args:
        scope: ``all``, or a unit's id (it and everything under it).
        interval_s: how long it stays with each.
    """

    scope: str = ALL
    interval_s: float = 10.0


@dataclass(frozen=True, slots=True)
class AgendaItem:
    """One item of the agenda; whatever is None is left as it was before the agenda touched it.

    Args:
        id: unique in the agenda; stays the same when the agenda is edited.
        duration_s: planned.
        starts_s: planned start, seconds after the session's; None: right after the item before.
        speaker: the bridge that has the word.
        layout: of the view ``main``.
        broadcast: the speaker is shown alone to everybody.
        unmuted: ids, ``chair``, ``all``; with any list the speaker is unmuted and everybody else
            is muted, newcomers too. None: nobody's microphone is touched.
        presentation: the bridge that presents.
        message: laid over every picture until the next item.
        note: for the operator.
    """

    id: str
    title: str
    duration_s: int
    starts_s: int | None = None
    speaker: str | None = None
    layout: str | None = None
    broadcast: bool = False
    unmuted: tuple[str, ...] | None = None
    presentation: str | None = None
    polling: ItemPolling | None = None
    message: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Duty:
    """Who is on duty; ``bridge`` None: at the centre, ``phone`` None: reached through the room."""

    role: str
    name: str
    phone: str | None = None
    bridge: str | None = None


def on_duty(duties: Iterable[Duty], bridge: str) -> Duty | None:
    """Who is to be called about a bridge: who has a number first, else the first of them.

    Whoever has none is reached through the room, at the number that is registered for it.
    """
    here = [each for each in duties if each.bridge == bridge]
    return next((each for each in here if each.phone), here[0] if here else None)


@dataclass(frozen=True, slots=True)
class Contingency:
    """What is done when something fails."""

    when: str
    then: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """A session as it is prepared.

    Args:
        unit: who controls it; the conference started from it belongs to that unit.
        expected: ids of bridges; None: all of the unit and those below it.
        chair: one of them. layout: what the conference begins with.
        begins_at: when the session is planned to begin, UTC.
    """

    name: str
    unit: str
    expected: tuple[str, ...] | None = None
    chair: str | None = None
    layout: str = "auto"
    begins_at: datetime | None = None
    items: tuple[AgendaItem, ...] = ()
    duties: tuple[Duty, ...] = ()
    contingencies: tuple[Contingency, ...] = ()


@dataclass(frozen=True, slots=True)
class Visit:
    """An item as it was held; one that is gone back to has several.

    Args:
        title: as it was then. ended_at: None while it is the current one.
        overran: it took longer than planned.
    """

    item: str
    title: str
    started_at: datetime
    ended_at: datetime | None = None
    overran: bool = False


@dataclass(frozen=True, slots=True)
class Before:
    """What is put back when no item asks for anything else any more.

    Args:
        muted: who was muted before the first item that says who is unmuted; None: no item has.
        entry_muted: which newcomers came in muted then.
        enlisted: ``ConferenceState.enlisted`` then: who is of a later order has come since.
        layout: of ``main`` before the first item with a layout, with its slots and fit; None: no
            item has.
    """

    muted: tuple[str, ...] | None = None
    entry_muted: tuple[str, ...] = ()
    enlisted: int = 0
    layout: str | None = None
    slots: tuple[Slot, ...] | None = None
    fit: Fit = "letterbox"


@dataclass(frozen=True, slots=True)
class Agenda:
    """The scenario as a conference carries it out.

    Args:
        scenario: id of what it was copied from; None: it was written for this conference.
        current: the item that is held now; None: not begun, or finished.
        began_at: of its first item. finished_at: None again when it is gone back to.
        visits: in order.
        version: grows with every change of the agenda (ETag).
    """

    items: tuple[AgendaItem, ...] = ()
    duties: tuple[Duty, ...] = ()
    contingencies: tuple[Contingency, ...] = ()
    begins_at: datetime | None = None
    scenario: str | None = None
    current: str | None = None
    began_at: datetime | None = None
    finished_at: datetime | None = None
    visits: tuple[Visit, ...] = ()
    before: Before = Before()
    version: int = 1

    @property
    def item(self) -> AgendaItem | None:
        """The current one."""
        return next((each for each in self.items if each.id == self.current), None)


def agenda_of(scenario: Scenario, id_: str | None) -> Agenda:
    """The copy that a conference starts with; ``id_``: the scenario's."""
    return Agenda(
        items=scenario.items,
        duties=scenario.duties,
        contingencies=scenario.contingencies,
        begins_at=scenario.begins_at,
        scenario=id_,
    )
