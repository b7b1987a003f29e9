"""The chair's own look at one room. Pure decisions."""

from collections.abc import Sequence

from mcu.conference.chair_view_model import (
    ChairViewCommand,
    ChairViewStarted,
    ChairViewStopped,
    StartChairView,
)
from mcu.conference.events import Event
from mcu.conference.evolve import evolve_all
from mcu.conference.roster import find
from mcu.conference.state import ConferenceState, Refused
from mcu.sentences import sentence


def decide_chair_view(state: ConferenceState, command: ChairViewCommand) -> list[Event]:
    """Begin or end it.

    Raises:
        Refused: not on the roster, not here, nobody presides, or the chair would look at itself.
    """
    if not isinstance(command, StartChairView):
        return [] if state.chair_view is None else [ChairViewStopped(state.chair_view)]
    who = find(state, command.participant, "participant")
    if state.chair is None:
        raise Refused(sentence("chair-view.no-chair"))
    if who.id == state.chair:
        raise Refused(sentence("chair-view.itself", label=who.label))
    if state.chair_view != who.id and (who.presence != "connected" or who.waiting):
        raise Refused(sentence("chair-view.not-connected", label=who.label))
    return [] if state.chair_view == who.id else [ChairViewStarted(who.id)]


def follow(state: ConferenceState, events: Sequence[Event]) -> list[Event]:
    """Events, and the end of the look if its room is removed or nobody else presides any more."""
    seen = state.chair_view
    if seen is None:
        return list(events)
    after = evolve_all(state, events)
    if after.chair_view != seen or not after.running:
        return list(events)
    if seen in after.participants and after.chair not in (None, seen):
        return list(events)
    return [*events, ChairViewStopped(seen)]
