"""From one conference to another: somebody is taken off one roster and put on the other."""

import structlog

from mcu.conference.commands import RemoveParticipant
from mcu.conference.roster import MAX_PARTICIPANTS
from mcu.conference.service import Actor, Conferences
from mcu.conference.state import Participant, Refused
from mcu.sentences import sentence
from mcu.store.errors import StoreUnavailable

log = structlog.get_logger(__name__)


async def move(
    conferences: Conferences,
    conference: str,
    participant: str,
    target: str,
    actor: Actor,
    *,
    comes: bool = False,
) -> Participant:
    """Move somebody; its connection here ends. Gives it as it stands on the other roster.

    Args:
        comes: it is on its way to the other conference by itself; else it must be somebody who
            is called, or who looks where it is expected: a bridge, or a guest with an address.

    Raises:
        Refused: one of them is not there, they are the same, the other one is locked or full, or
            the guest cannot be called. UnknownConference, StoreUnavailable.
    """
    who = check_move(conferences, conference, participant, target)
    if not comes and who.bridge is None and who.address is None:
        raise Refused(
            sentence("transfer.came-by-itself", label=who.label),
            "participant",
        )
    await conferences.execute(conference, RemoveParticipant(participant), actor)
    try:
        return await _enlist(conferences, target, who, actor)
    except (Refused, StoreUnavailable):
        try:
            await _enlist(conferences, conference, who, actor)
        except (Refused, StoreUnavailable) as error:
            log.error("moved_nowhere", participant=participant, reason=error.reason)
        raise


def check_move(
    conferences: Conferences, conference: str, participant: str, target: str
) -> Participant:
    """Whether somebody may be moved, as things stand; raises what ``move`` raises."""
    who = conferences.participant(conference, participant)
    state = conferences.get(target)
    if conference == target:
        raise Refused(sentence("transfer.there-already", label=who.label), "conference")
    if state.locked:
        raise Refused(sentence("transfer.locked", conference=state.name), "conference")
    if len(state.participants) >= MAX_PARTICIPANTS:
        raise Refused(sentence("transfer.full", conference=state.name), "conference")
    return who


async def _enlist(
    conferences: Conferences, conference: str, who: Participant, actor: Actor
) -> Participant:
    if who.bridge is not None:
        return await conferences.add_bridge(
            conference, who.bridge, actor, importance=who.importance
        )
    return await conferences.add_guest(
        conference,
        who.name,
        actor,
        unit=who.unit,
        importance=who.importance,
        address=who.address,
    )
