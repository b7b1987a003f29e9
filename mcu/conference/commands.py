"""What may be asked of a conference, and what the media plane reports as facts.

Commands are imperative and come from operators; ``Note…`` are facts that have already happened
and are never refused for policy. A command that changes nothing gives no events.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mcu.conference.agenda_commands import AgendaCommand, NoteItemOver
from mcu.conference.invitation_model import InvitationCommand
from mcu.conference.procedure_model import ProcedureCommand, ProcedureFact
from mcu.conference.scenario import Agenda
from mcu.conference.state import (
    AUTO_LAYOUT,
    EVERYONE,
    CallFailure,
    LegUse,
    Role,
    RosterEntry,
)
from mcu.engine.plan import Slot
from mixer.video.layout import Fit


@dataclass(frozen=True, slots=True)
class StartConference:
    """Start a conference.

    Args:
        unit: the unit it belongs to; who controls the unit controls the conference.
        bridges: ids, or ``"subtree"`` for every bridge of the unit and all units under it.
        chair: a participant id out of ``bridges``, or None.
        layout: a layout's name or ``auto``, for both views.
        id: a stable id; None lets the service make one.
        pin: what uninvited callers must enter, 4 to 10 digits.
        number: what devices with a keypad dial; None lets the service choose a free one.
        agenda: a copy of the scenario's.
        calls_when_convened: rooms are not called before they are convened.
        busy: what becomes of bridges that another conference has: the start is refused, or they
            are asked for and stay where they are.
        drill: it is held to practise, and faults may be injected into it; for good.
    """

    name: str
    unit: str
    bridges: tuple[str, ...] | Literal["subtree"] = ()
    chair: str | None = None
    layout: str = AUTO_LAYOUT
    id: str | None = None
    pin: str | None = None
    number: str | None = None
    agenda: Agenda | None = None
    calls_when_convened: bool = False
    busy: Literal["refuse", "ask"] = "refuse"
    drill: bool = False


@dataclass(frozen=True, slots=True)
class EndConference:
    """End it for all; asking twice is harmless."""

    reason: str = "ended"


@dataclass(frozen=True, slots=True)
class ChangeConference:
    """Rename it, change who presides, PIN or number; None leaves as is.

    An empty ``chair``, ``pin`` or ``number`` takes it away.
    """

    name: str | None = None
    chair: str | None = None
    pin: str | None = None
    number: str | None = None


@dataclass(frozen=True, slots=True)
class AddParticipant:
    """Put somebody on the roster (see ``Conferences.add_bridge`` and ``add_guest``).

    ``knocks``: it is at the door by itself, with the right to come in: of a locked conference it
    gets a place where it waits until it is let in.
    """

    entry: RosterEntry
    knocks: bool = False


@dataclass(frozen=True, slots=True)
class RemoveParticipant:
    """Take somebody off the roster; its legs are disconnected. The room is told the reason."""

    participant: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ChangeParticipant:
    """Change how one participant is heard, seen and labelled; None leaves as is."""

    participant: str
    audio_muted: bool | None = None
    video_muted: bool | None = None
    deafened: bool | None = None
    importance: int | None = None
    label: str | None = None
    volume_db: float | None = None
    role: Role | None = None


@dataclass(frozen=True, slots=True)
class MuteAll:
    """Mute those present and those still expected.

    Args:
        scope: ``all``, a unit's id (it and everything under it), or participant ids.
        except_: participant ids, or ``chair`` for whoever presides; they are left as they are.

    With ``all`` or a unit the mute also holds for newcomers: who is added to that scope later
    comes in muted, until ``UnmuteAll`` for the scope (or for all).
    """

    scope: str | tuple[str, ...] = EVERYONE
    except_: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnmuteAll:
    """Undo ``MuteAll`` for a scope; see there."""

    scope: str | tuple[str, ...] = EVERYONE
    except_: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetLayout:
    """Choose a view's layout.

    Args:
        slots: None lets the conference choose who stands where.
        fit: how pictures of another shape stand in their slots; None leaves as is.
    """

    view: str
    layout: str
    slots: tuple[Slot, ...] | None = None
    fit: Fit | None = None


@dataclass(frozen=True, slots=True)
class StartBroadcast:
    """Show one participant full on ``main`` to everybody."""

    participant: str


@dataclass(frozen=True, slots=True)
class StopBroadcast:
    """Back to the layout that was there before."""


@dataclass(frozen=True, slots=True)
class StartPresentation:
    """Let one participant present.

    Args:
        take_over: also if another presents, who loses it; else it is refused then.
    """

    participant: str
    take_over: bool = True


@dataclass(frozen=True, slots=True)
class StopPresentation:
    """Nobody presents any more; with a participant: if it is that one who does."""

    participant: str | None = None


@dataclass(frozen=True, slots=True)
class ShowMessage:
    """Lay a text over every picture, for ``duration_s`` seconds or until cleared."""

    text: str
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class ClearMessage:
    """Take the text away."""


@dataclass(frozen=True, slots=True)
class Lock:
    """Close the roster: nobody new may be added; who was here may rejoin, who comes late waits."""


@dataclass(frozen=True, slots=True)
class Unlock:
    """Open the roster again."""


@dataclass(frozen=True, slots=True)
class AdmitWaiting:
    """Let somebody in who waits, or (None) all."""

    participant: str | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class RefuseWaiting:
    """Take somebody off the roster who waits, or (None) all: they come in no more."""

    participant: str | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class NoteCalling:
    """A participant is being called."""

    participant: str


@dataclass(frozen=True, slots=True)
class NoteCallFailed:
    """A call came to nothing; ``reason`` None: we have given it up.

    Args:
        detail: what is known beyond the reason, for technicians.
    """

    participant: str
    reason: CallFailure | None = "failed"
    detail: str = ""


@dataclass(frozen=True, slots=True)
class NoteJoined:
    """A leg's media flows. It takes the place of older legs that carry the same direction.

    The event ``ParticipantJoined`` names the replaced legs; whoever holds them closes them with
    reason ``replaced``. Facts about them that come later are ignored.
    """

    participant: str
    leg: str
    kind: LegUse = "join"


@dataclass(frozen=True, slots=True)
class NoteLost:
    """Nothing is heard on a leg any more."""

    participant: str
    leg: str


@dataclass(frozen=True, slots=True)
class NoteReturned:
    """A lost leg is heard again."""

    participant: str
    leg: str


@dataclass(frozen=True, slots=True)
class NoteLeft:
    """A leg is closed for good; the participant has left when it was its last."""

    participant: str
    leg: str
    reason: str = "bye"


@dataclass(frozen=True, slots=True)
class NoteRestarted:
    """The daemon was restarted: no leg exists any more. Who was connected is lost.

    Args:
        since: when it is known to have run last, so that nobody counts as present while there was
            no server; None: until now.
    """

    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class NoteAbsent:
    """A participant without any leg has not come back in time (after a restart)."""

    participant: str


@dataclass(frozen=True, slots=True)
class NoteMessageOver:
    """The time of the message may be over; decided by the clock, as it may have been replaced."""


PlainCommand = (
    EndConference
    | ChangeConference
    | AddParticipant
    | RemoveParticipant
    | ChangeParticipant
    | MuteAll
    | UnmuteAll
    | SetLayout
    | StartBroadcast
    | StopBroadcast
    | StartPresentation
    | StopPresentation
    | ShowMessage
    | ClearMessage
    | Lock
    | Unlock
    | AdmitWaiting
    | RefuseWaiting
    | InvitationCommand
    | AgendaCommand
)
"""All but those of the procedure."""

Command = PlainCommand | ProcedureCommand

MediaFact = (
    NoteCalling
    | NoteCallFailed
    | NoteJoined
    | NoteLost
    | NoteReturned
    | NoteLeft
    | NoteRestarted
    | NoteAbsent
    | NoteMessageOver
    | NoteItemOver
)

Fact = MediaFact | ProcedureFact
