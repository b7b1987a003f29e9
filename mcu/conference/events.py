"""What has happened in a conference: the only thing that changes its state, and what is stored.

Participant events carry the participant as it is afterwards, so that a console needs no rules of
its own, and a change to very many at once (mute all) is one small event, not one for each room.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from mcu.conference.agenda_events import AgendaEvent
from mcu.conference.invitation_model import InvitationEvent
from mcu.conference.procedure_model import ProcedureEvent
from mcu.conference.scenario import Agenda
from mcu.conference.state import Participant
from mcu.engine.plan import Slot
from mixer.video.layout import Fit


@dataclass(frozen=True, slots=True)
class ConferenceStarted:
    """The first event of every conference; carries the whole roster."""

    type: ClassVar[str] = "conference.started"
    id: str
    name: str
    unit: str
    chair: str | None
    layout: str
    participants: tuple[Participant, ...]
    at: datetime
    pin: str | None = None
    number: str | None = None
    agenda: Agenda | None = None
    calls_when_convened: bool = False
    drill: bool = False


@dataclass(frozen=True, slots=True)
class ConferenceChanged:
    """A new name, chair, PIN or number; the others are as they were.

    The participants concerned have their own events.
    """

    type: ClassVar[str] = "conference.changed"
    name: str
    chair: str | None
    pin: str | None = None
    number: str | None = None


@dataclass(frozen=True, slots=True)
class ConferenceEnded:
    """Over for all: whoever was here has left."""

    type: ClassVar[str] = "conference.ended"
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ConferenceLocked:
    """The roster is closed."""

    type: ClassVar[str] = "conference.locked"


@dataclass(frozen=True, slots=True)
class ConferenceUnlocked:
    """The roster is open."""

    type: ClassVar[str] = "conference.unlocked"


@dataclass(frozen=True, slots=True)
class ParticipantAdded:
    """On the roster."""

    type: ClassVar[str] = "participant.added"
    participant: Participant


@dataclass(frozen=True, slots=True)
class ParticipantRemoved:
    """Off the roster; ``participant`` is as it was, its legs are to be disconnected.

    ``reason`` is for the room, in an operator's words; empty for none.
    """

    type: ClassVar[str] = "participant.removed"
    participant: Participant
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ParticipantChanged:
    """Muted, labelled, called, one of several legs changed, ..."""

    type: ClassVar[str] = "participant.changed"
    participant: Participant


@dataclass(frozen=True, slots=True)
class ParticipantsChanged:
    """Muted or unmuted, many at once: each one named now has ``audio_muted``.

    ``entry_muted`` is the conference's whole new set of scopes whose newcomers come in muted.
    """

    type: ClassVar[str] = "participants.changed"
    participants: tuple[str, ...]
    audio_muted: bool
    entry_muted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ParticipantJoined:
    """Connected by ``leg``; the legs in ``replaced`` are to be closed."""

    type: ClassVar[str] = "participant.joined"
    participant: Participant
    leg: str
    replaced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ParticipantLost:
    """No living leg is heard."""

    type: ClassVar[str] = "participant.lost"
    participant: Participant


@dataclass(frozen=True, slots=True)
class ParticipantReturned:
    """Heard again on the leg it had."""

    type: ClassVar[str] = "participant.returned"
    participant: Participant


@dataclass(frozen=True, slots=True)
class ParticipantLeft:
    """Its last leg is gone."""

    type: ClassVar[str] = "participant.left"
    participant: Participant
    reason: str


@dataclass(frozen=True, slots=True)
class LayoutChanged:
    """A view is divided anew; ``slots`` None: automatically."""

    type: ClassVar[str] = "layout.changed"
    view: str
    layout: str
    slots: tuple[Slot, ...] | None
    fit: Fit = "letterbox"


@dataclass(frozen=True, slots=True)
class BroadcastStarted:
    """One participant is shown to all; it replaces an earlier one."""

    type: ClassVar[str] = "broadcast.started"
    participant: str


@dataclass(frozen=True, slots=True)
class BroadcastStopped:
    """``participant`` is no longer shown to all."""

    type: ClassVar[str] = "broadcast.stopped"
    participant: str


@dataclass(frozen=True, slots=True)
class PresentationStarted:
    """One participant presents; ``replaced`` has lost it to this one."""

    type: ClassVar[str] = "presentation.started"
    participant: str
    replaced: str | None = None


@dataclass(frozen=True, slots=True)
class PresentationStopped:
    """``participant`` does not present any more."""

    type: ClassVar[str] = "presentation.stopped"
    participant: str


@dataclass(frozen=True, slots=True)
class MessageShown:
    """A text lies over every picture."""

    type: ClassVar[str] = "message.shown"
    text: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class MessageCleared:
    """No text any more."""

    type: ClassVar[str] = "message.cleared"


@dataclass(frozen=True, slots=True)
class ParticipantsAdmitted:
    """Those who waited are let in."""

    type: ClassVar[str] = "participants.admitted"
    participants: tuple[str, ...]
    by: str


@dataclass(frozen=True, slots=True)
class ParticipantsRefused:
    """Those who waited are not let in; each is removed from the roster."""

    type: ClassVar[str] = "participants.refused"
    participants: tuple[str, ...]
    by: str


Event = (
    ConferenceStarted
    | ConferenceChanged
    | ConferenceEnded
    | ConferenceLocked
    | ConferenceUnlocked
    | ParticipantAdded
    | ParticipantRemoved
    | ParticipantChanged
    | ParticipantsChanged
    | ParticipantsAdmitted
    | ParticipantsRefused
    | ParticipantJoined
    | ParticipantLost
    | ParticipantReturned
    | ParticipantLeft
    | LayoutChanged
    | BroadcastStarted
    | BroadcastStopped
    | PresentationStarted
    | PresentationStopped
    | MessageShown
    | MessageCleared
    | InvitationEvent
    | ProcedureEvent
    | AgendaEvent
)

EVENT_TYPES: tuple[str, ...] = tuple(event.type for event in Event.__args__)
EPHEMERAL_TYPES = (
    "levels.measured",
    "quality.measured",
    "sources.requested",
    "load.measured",
    "bridge.registered",
    "bridge.unregistered",
    "bridge.refused",
    "callers.changed",
    "incident.opened",
    "incident.changed",
    "readiness.changed",
    "invitation.changed",
)
"""Published but never stored: they have no ``seq`` and are not repeated on resume."""
