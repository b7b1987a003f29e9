"""Rooms from elsewhere in the tree: invited, accepted, declined, taken back. Pure decisions.

An accepted room is not on the roster yet: it is called as any other room, or asked for where
another conference has it (``mcu.conference.conflict``).
"""

from dataclasses import replace
from datetime import datetime

from mcu.conference import conflict, roster
from mcu.conference.commands import RemoveParticipant
from mcu.conference.events import Event
from mcu.conference.invitation_model import (
    MAX_STANDING,
    AnswerInvitation,
    Invitation,
    InvitationAnswered,
    InvitationCommand,
    InvitationSent,
    InvitationStatus,
    InviteRoom,
    WithdrawInvitation,
    find_invitation,
)
from mcu.conference.state import ConferenceState, Refused
from mcu.conference.texts import MAX_MESSAGE, checked_text
from mcu.sentences import sentence


def decide_invitation(
    state: ConferenceState, command: InvitationCommand, now: datetime
) -> list[Event]:
    """Decide what is asked.

    Raises:
        Refused: the room is here already, the conference is locked or has asked very many, or
            there is no such invitation any more.
    """
    match command:
        case InviteRoom():
            return _invite(state, command, now)
        case AnswerInvitation():
            return _answer(state, command, now)
        case WithdrawInvitation():
            found = _standing(state, command.bridge, "there is nothing to take back")
            return _over(state, found, "withdrawn", command.by, now)


def _invite(state: ConferenceState, command: InviteRoom, now: datetime) -> list[Event]:
    if command.bridge in state.participants:
        raise Refused(sentence("conference.has-room", name=command.name), "bridge")
    if state.locked:
        raise Refused(sentence("locked.to-invite"))
    note = checked_text(command.note, "note", MAX_MESSAGE)
    before = find_invitation(state.invitations, command.bridge)
    if before is not None and before.stands:
        # Asked once is enough; but who says something else wants it read.
        again = replace(before, note=note, by=command.by, at=now)
        return [InvitationSent(again)] if note and note != before.note else []
    if sum(each.stands for each in state.invitations) >= MAX_STANDING:
        raise Refused(sentence("invitation.too-many", most=MAX_STANDING), "bridge")
    made = Invitation(command.bridge, command.name, command.unit, now, command.by, note)
    return [InvitationSent(made)]


def _answer(state: ConferenceState, command: AnswerInvitation, now: datetime) -> list[Event]:
    found = find_invitation(state.invitations, command.bridge)
    if found is not None and found.status == ("accepted" if command.accepts else "declined"):
        return []
    found = _standing(state, command.bridge, "its operator may invite it anew")
    if not command.accepts:
        return _over(state, found, "declined", command.by, now)
    if state.locked:
        raise Refused(sentence("locked.of-others"))
    return [InvitationAnswered(found.bridge, found.name, "accepted", command.by, now)]


def _over(
    state: ConferenceState, found: Invitation, status: InvitationStatus, by: str, now: datetime
) -> list[Event]:
    events: list[Event] = [
        InvitationAnswered(found.bridge, found.name, status, by, now),
        *conflict.given_up(state, found.bridge, by, now),
    ]
    if found.status == "accepted" and found.bridge in state.participants:
        events += roster.remove(state, RemoveParticipant(found.bridge))
    return events


def _standing(state: ConferenceState, bridge: str, what_next: str) -> Invitation:
    found = find_invitation(state.invitations, bridge)
    if found is None or not found.stands:
        name = repr(bridge) if found is None else found.name
        raise Refused(
            sentence("invitation.over", name=name, conference=state.name, what_next=what_next)
        )
    return found
