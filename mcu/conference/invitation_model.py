"""A room from elsewhere in the tree, invited to one conference: its value, commands and events.

Who invites controls the conference, who answers controls the room; neither has a right over the
other's things. An accepted invitation lets the room be called, and lets its own unit see and steer
it there, as long as the conference runs.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Literal

InvitationStatus = Literal["open", "accepted", "declined", "withdrawn"]
"""``declined`` by the room's side, before or after it had accepted; ``withdrawn`` by the other."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """One bridge that is asked to take part.

    Args:
        unit: the bridge's, outside of the reach of who invites.
        by: who invited. note: what is said to the room's side.
        answered_by, answered_at: the last answer, or who withdrew it.
    """

    bridge: str
    name: str
    unit: str
    at: datetime
    by: str = ""
    note: str = ""
    status: InvitationStatus = "open"
    answered_by: str = ""
    answered_at: datetime | None = None

    @property
    def stands(self) -> bool:
        """Whether it waits for an answer, or was accepted."""
        return self.status in ("open", "accepted")


@dataclass(frozen=True, slots=True)
class InviteRoom:
    """Ask a room's unit to let it take part; asked again with another note, that one is told."""

    bridge: str
    name: str
    unit: str
    note: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class AnswerInvitation:
    """The room's side says yes or no; no, after yes, takes the room out again."""

    bridge: str
    accepts: bool
    by: str = ""


@dataclass(frozen=True, slots=True)
class WithdrawInvitation:
    """Who invited thinks better of it; a room that has come is taken out."""

    bridge: str
    by: str = ""


InvitationCommand = InviteRoom | AnswerInvitation | WithdrawInvitation


@dataclass(frozen=True, slots=True)
class InvitationSent:
    """A room's unit is asked, or told another note of an invitation that stands."""

    type: ClassVar[str] = "invitation.sent"
    invitation: Invitation


@dataclass(frozen=True, slots=True)
class InvitationAnswered:
    """Accepted, declined, or withdrawn."""

    type: ClassVar[str] = "invitation.answered"
    bridge: str
    name: str
    status: InvitationStatus
    by: str
    at: datetime


InvitationEvent = InvitationSent | InvitationAnswered

MAX_STANDING = 200
"""A conference asks no more rooms than that at once."""


def find_invitation(invitations: tuple[Invitation, ...], bridge: str) -> Invitation | None:
    """The last one of a bridge."""
    return next((each for each in invitations if each.bridge == bridge), None)


def is_invited(invitations: tuple[Invitation, ...], bridge: str | None) -> bool:
    """Whether a bridge may take part because its unit has accepted."""
    found = None if bridge is None else find_invitation(invitations, bridge)
    return found is not None and found.status == "accepted"


def evolve_invitations(
    before: tuple[Invitation, ...], event: InvitationEvent
) -> tuple[Invitation, ...]:
    """The invitations after an event, one for each bridge. O(invitations)."""
    if isinstance(event, InvitationSent):
        new = event.invitation
        kept = tuple(each for each in before if each.bridge != new.bridge)
        while len(kept) >= MAX_STANDING and (over := [one for one in kept if not one.stands]):
            kept = tuple(each for each in kept if each is not over[0])
        return (*kept, new)
    return tuple(
        replace(each, status=event.status, answered_by=event.by, answered_at=event.at)
        if each.bridge == event.bridge
        else each
        for each in before
    )
