"""What the API and the event stream show of invitations across the tree."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from mcu.conference.codec import Json, time_to_text
from mcu.conference.conflict_model import ConflictDecided, ConflictRaised, find_conflict
from mcu.conference.events import ConferenceEnded, Event, ParticipantAdded, ParticipantRemoved
from mcu.conference.invitation_model import (
    Invitation,
    InvitationAnswered,
    InvitationEvent,
    InvitationSent,
    find_invitation,
)
from mcu.conference.state import ConferenceState

CHANGED: Final = "invitation.changed"
"""Told to the room's side, which sees nothing else of the conference before it has accepted."""

Publish = Callable[[str, str | None, Mapping[str, Any]], None]
"""``EventHub.publish_ephemeral``."""


def invitation_resource(state: ConferenceState, invitation: Invitation) -> Json:
    """``Invitation`` of the API, but for names of units and the conference that has the room."""
    answered = invitation.answered_at
    over = invitation.stands and not state.running
    there = state.participants.get(invitation.bridge)
    asked = find_conflict(state.conflicts, invitation.bridge, "asking")
    return {
        "bridge": invitation.bridge,
        "name": invitation.name,
        "unit": invitation.unit,
        "conference": state.id,
        "conference_name": state.name,
        "conference_unit": state.unit,
        "conference_started_at": time_to_text(state.started_at),
        "status": "ended" if over else invitation.status,
        "note": invitation.note,
        "at": time_to_text(invitation.at),
        "by": invitation.by,
        "answered_at": None if answered is None else time_to_text(answered),
        "answered_by": invitation.answered_by,
        "presence": None if there is None else there.presence,
        "conflict": asked.status if asked is not None and asked.is_open else None,
    }


def invitation_data(event: InvitationEvent) -> Json:
    """The ``data`` of an event on the conference's stream."""
    if isinstance(event, InvitationSent):
        made = event.invitation
        return {
            "bridge": made.bridge,
            "name": made.name,
            "unit": made.unit,
            "note": made.note,
            "at": time_to_text(made.at),
            "by": made.by,
        }
    return {
        "bridge": event.bridge,
        "name": event.name,
        "status": event.status,
        "by": event.by,
        "at": time_to_text(event.at),
    }


def tell_invited(publish: Publish, state: ConferenceState, event: Event) -> None:
    """Tell the sides of rooms that are invited what an event is to them.

    Args:
        publish: an ephemeral event of no conference. state: after the event.
    """
    match event:
        case InvitationSent():
            concerned = [event.invitation]
        case InvitationAnswered():
            concerned = _of(state, event.bridge)
        case ConflictRaised() if event.conflict.side == "asking":
            concerned = _of(state, event.conflict.bridge)
        case ConflictDecided(side="asking"):
            concerned = _of(state, event.bridge)
        case ParticipantAdded() | ParticipantRemoved():
            concerned = _of(state, event.participant.bridge)
        case ConferenceEnded():
            concerned = [each for each in state.invitations if each.stands]
        case _:
            return
    for each in concerned:
        publish(CHANGED, None, invitation_resource(state, each))


def _of(state: ConferenceState, bridge: str | None) -> list[Invitation]:
    found = None if bridge is None else find_invitation(state.invitations, bridge)
    return [] if found is None else [found]
