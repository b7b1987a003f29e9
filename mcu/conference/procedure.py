"""The procedure of a meeting: to whom each of its commands goes, and what follows from others."""

from collections.abc import Sequence
from datetime import datetime

from mcu.conference import floor
from mcu.conference.events import Event
from mcu.conference.procedure_model import ProcedureCommand, ProcedureFact
from mcu.conference.state import ConferenceState


def decide_procedure(
    state: ConferenceState, command: ProcedureCommand | ProcedureFact, now: datetime
) -> list[Event]:
    """Decide a command or a fact of the procedure.

    Raises:
        Refused: see the module of its noun.
    """
    return floor.decide_floor(state, command, now)


def follow(state: ConferenceState, events: Sequence[Event], now: datetime) -> list[Event]:
    """Events, and what they end or move on: rooms go while they have the floor, are called, ...

    Args:
        state: before ``events``.
    """
    if not events:
        return []
    return floor.follow(state, events, now)
