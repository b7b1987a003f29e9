"""Small meetings for the tests of this package."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from mcu.conference.commands import Command, Fact, NoteJoined, StartConference
from mcu.conference.decide import decide, decide_start
from mcu.conference.events import Event
from mcu.conference.evolve import evolve_all
from mcu.conference.state import ConferenceState, RosterEntry

NOW = datetime(2026, 11, 2, 7, 30, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def entry(id_: str, *, unit: str = "tinh/xa", importance: int = 0) -> RosterEntry:
    """A bridge; ``unit`` is its path in the tree, joined by slashes."""
    path = tuple(unit.split("/"))
    return RosterEntry(id_, f"Điểm cầu {id_}", id_, path[-1], path, importance)


def ids(count: int) -> list[str]:
    return [f"b{number}" for number in range(count)]


def meeting(
    entries: int | Sequence[RosterEntry] = 3,
    *,
    chair: str | None = None,
    layout: str = "auto",
    joined: Sequence[str] = (),
    drill: bool = False,
) -> ConferenceState:
    """A running conference; ``joined`` came in this order, each with a leg ``leg-<id>``."""
    roster = [entry(id_) for id_ in ids(entries)] if isinstance(entries, int) else entries
    command = StartConference("Họp", "tinh", chair=chair, layout=layout, drill=drill)
    state = evolve_all(None, decide_start("c1", command, roster, NOW))
    for id_ in joined:
        state, _ = did(state, NoteJoined(id_, f"leg-{id_}"))
    return state


def did(
    state: ConferenceState, command: Command | Fact, now: datetime = NOW
) -> tuple[ConferenceState, list[Event]]:
    """The state afterwards, and the events."""
    events = decide(state, command, now)
    return (evolve_all(state, events) if events else state), events


def then(state: ConferenceState, *commands: Command | Fact) -> ConferenceState:
    """The state after all commands."""
    for command in commands:
        state, _ = did(state, command)
    return state


def types(events: Sequence[Event]) -> list[str]:
    return [event.type for event in events]
