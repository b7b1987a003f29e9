"""Who presents: one participant at a time has the token. Pure decisions.

While somebody has it, only its presentation is shown, wherever one is shown; while nobody has,
whoever sends one is. Rooms that negotiated floor control (BFCP) ask for it by their own means,
others and operators by the API; it is given back when its holder leaves.
"""

from collections.abc import Sequence

from mcu.conference.commands import StartPresentation, StopPresentation
from mcu.conference.events import (
    Event,
    ParticipantLeft,
    ParticipantRemoved,
    PresentationStarted,
    PresentationStopped,
)
from mcu.conference.roster import find
from mcu.conference.state import ConferenceState, Refused
from mcu.sentences import sentence


def start(state: ConferenceState, command: StartPresentation) -> list[Event]:
    """Give the token to somebody.

    Raises:
        Refused: not on the roster, not here, or another presents and may not be replaced.
    """
    who = find(state, command.participant, "participant")
    if state.presenter == who.id:
        return []
    if not who.takes_part:
        raise Refused(sentence("presentation.not-connected", label=who.label))
    if state.presenter is not None and not command.take_over:
        other = state.participants[state.presenter].label
        raise Refused(sentence("presentation.other", other=other))
    return [PresentationStarted(who.id, state.presenter)]


def stop(state: ConferenceState, command: StopPresentation) -> list[Event]:
    """Take the token back; nothing if nobody, or somebody else than the one named, has it."""
    if state.presenter is None or command.participant not in (None, state.presenter):
        return []
    return [PresentationStopped(state.presenter)]


def given_back(state: ConferenceState, events: Sequence[Event]) -> list[Event]:
    """Events, and before them the end of the presentation if its holder goes with them."""
    gone = any(
        isinstance(event, ParticipantLeft | ParticipantRemoved)
        and event.participant.id == state.presenter
        for event in events
    )
    if state.presenter is None or not gone:
        return list(events)
    return [PresentationStopped(state.presenter), *events]
