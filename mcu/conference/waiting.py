"""Who comes late to a locked conference waits until an operator lets it in. Pure decisions."""

from mcu.conference.commands import AdmitWaiting, RefuseWaiting, RemoveParticipant
from mcu.conference.events import Event, ParticipantsAdmitted, ParticipantsRefused
from mcu.conference.evolve import evolve_all
from mcu.conference.roster import remove
from mcu.conference.state import ConferenceState, Participant, Refused
from mcu.sentences import sentence


def must_wait(state: ConferenceState, who: Participant) -> bool:
    """Whether somebody who comes now waits: late, and not the one who presides."""
    late = who.waiting or who.join_order is None
    return state.locked and late and who.role != "chair"


def is_outside(state: ConferenceState, participant: str) -> bool:
    """Whether somebody may not know what goes on inside: nobody of the roster, or late and not let
    in yet."""
    who = state.participants.get(participant)
    return who is None or who.waiting or must_wait(state, who)


def admit(state: ConferenceState, command: AdmitWaiting) -> list[Event]:
    """Let one or all in.

    Raises:
        Refused: it waits no more, as somebody else has sent it away.
    """
    found = _meant(state, command.participant)
    return [ParticipantsAdmitted(found, command.by)] if found else []


def refuse(state: ConferenceState, command: RefuseWaiting) -> list[Event]:
    """Send one or all away.

    Raises:
        Refused: it does not wait: two operators were at it, and the other one has let it in.
    """
    found = _meant(state, command.participant)
    if not found and command.participant is not None:
        raise Refused(
            sentence("waiting.let-in"),
            "participant",
        )
    if not found:
        return []
    events: list[Event] = [ParticipantsRefused(found, command.by)]
    for each in found:
        events += remove(evolve_all(state, events), RemoveParticipant(each))
    return events


def _meant(state: ConferenceState, participant: str | None) -> tuple[str, ...]:
    if participant is None:
        return tuple(each.id for each in state.participants.values() if each.waiting)
    who = state.participants.get(participant)
    if who is None:
        raise Refused(sentence("waiting.gone", participant=participant), "participant")
    return (participant,) if who.waiting else ()
