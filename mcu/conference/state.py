"""What is known of one conference: immutable values, changed only by ``evolve``.

All times are timezone-aware UTC ``datetime``. A state is made by events alone, so it can be
rebuilt after a crash, and holds nothing that passes (levels, quality, addresses).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from mcu.conference.alarm_model import ConferenceAlarm
from mcu.conference.call_failure import CallFailure as CallFailure
from mcu.conference.conflict_model import Conflict
from mcu.conference.convening_model import Convening
from mcu.conference.drill_model import Drill
from mcu.conference.floor_model import IDLE_FLOOR, Floor
from mcu.conference.invitation_model import Invitation
from mcu.conference.overlay_model import Overlay
from mcu.conference.polling_model import Polling
from mcu.conference.presence import holds_tile
from mcu.conference.recording_model import Recording
from mcu.conference.roll_call_model import RollCall
from mcu.conference.scenario import Agenda
from mcu.engine.plan import WAITING_VIEW, Presence, Slot
from mcu.sentences import sentence
from mixer.video.layout import Fit

Role = Literal["participant", "chair"]
LegUse = Literal["join", "publish", "view"]
"""Both directions (a room), sends only (WHIP), receives only (WHEP)."""

AUTO_LAYOUT = "auto"
"""In place of a layout's name: the smallest grid that holds everybody who is here."""

VIEWS = ("main", "chair")
"""``main`` is what rooms see, ``chair`` what the presiding room sees."""

EVERYONE = "all"
"""The mute scope that means the whole conference."""


class Refused(Exception):  # noqa: N818 - the vocabulary's word: a command is refused
    """A command cannot be carried out; nothing has changed.

    Args:
        reason: one sentence for the operator that ends with what to do next.
        field: the command's field at fault (dotted, for example ``slots.3.participant``).
    """

    def __init__(self, reason: str, field: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field


class UnknownConference(Refused):
    """No conference has this id."""

    def __init__(self, conference: str) -> None:
        super().__init__(sentence("conference.unknown", id=conference), None)
        self.conference = conference


@dataclass(frozen=True, slots=True)
class RosterEntry:
    """Somebody who is put on the roster: all the machine needs to know of the registry.

    Args:
        id: the bridge's id, or ``guest-…``; unique in the conference.
        unit_path: ids from the root of the tree down to ``unit`` itself, as they were when the
            entry was made (mutes by unit use it; a later move of the unit does not).
        importance: higher stands first in automatic pictures.
        address: where a guest is called, by SIP; None: it comes by itself.
    """

    id: str
    name: str
    bridge: str | None = None
    unit: str | None = None
    unit_path: tuple[str, ...] = ()
    importance: int = 0
    address: str | None = None


@dataclass(frozen=True, slots=True)
class ParticipantLeg:
    """One living leg of a participant; ``lost`` while nothing is heard on it."""

    id: str
    use: LegUse
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Participant:
    """A bridge or guest in this conference.

    Args:
        label: what its tile says (NFC); the name unless an operator changed it.
        order: place on the roster, from 0. join_order: place among those who came, from 0.
        legs: living legs; empty unless connected or lost.
        address: where a guest is called, by SIP; None for those who come by themselves.
        call_failure: why the last call to it came to nothing; None once it has come.
        call_failure_detail: what is known beyond that, for technicians; None: nothing.
        joined_at: first arrival. lost_at: since when it is lost, also when it was taken for gone
            after that. left_at: when it last left.
        waiting: it came while the conference was locked, and is not let in yet.
        invited: it is here because its unit has accepted an invitation.
        version: grows with every change of this participant (ETag).
    """

    id: str
    name: str
    label: str
    order: int
    bridge: str | None = None
    unit: str | None = None
    unit_path: tuple[str, ...] = ()
    role: Role = "participant"
    importance: int = 0
    presence: Presence = "expected"
    audio_muted: bool = False
    video_muted: bool = False
    deafened: bool = False
    volume_db: float = 0.0
    legs: tuple[ParticipantLeg, ...] = ()
    join_order: int | None = None
    joined_at: datetime | None = None
    lost_at: datetime | None = None
    left_at: datetime | None = None
    call_failure: CallFailure | None = None
    call_failure_detail: str | None = None
    address: str | None = None
    waiting: bool = False
    invited: bool = False
    version: int = 1

    @property
    def view(self) -> str:
        """The view its legs receive: the chair sees ``chair``, everybody else ``main``."""
        if self.waiting:
            return WAITING_VIEW
        return "chair" if self.role == "chair" else "main"

    @property
    def is_missing(self) -> bool:
        """Whether its signal was lost and it did not come back: nobody has said goodbye."""
        return self.presence == "left" and self.lost_at is not None

    @property
    def takes_part(self) -> bool:
        """Whether it is here, or just was, and stands in automatic pictures."""
        return holds_tile(self.presence) and not self.waiting


@dataclass(frozen=True, slots=True)
class ViewSetting:
    """What an operator chose for a view; ``slots`` None means chosen automatically."""

    layout: str = AUTO_LAYOUT
    slots: tuple[Slot, ...] | None = None
    fit: Fit = "letterbox"


@dataclass(frozen=True, slots=True)
class Message:
    """Text over every picture; ``until`` None: until somebody clears it."""

    text: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ConferenceState:
    """One conference.

    Args:
        participants: by id, in roster order.
        presenter: who has the token of the presentation. floor: who has the right to speak.
        chair_view: whom the chair alone looks at. roll_calls: all, also those that are over.
        entry_muted: ``all`` and ids of units whose newcomers come in muted (after "mute all").
        version: grows with every change of the conference itself (not of its participants).
        arrivals: how many participants have ever come; gives ``join_order``.
        enlisted: how many were ever put on the roster; gives ``order``.
        pin: what uninvited callers must enter, 4 to 10 digits; None: nothing. Kept as it is: a
            hash of so few digits hides nothing, and operators must tell it to those they invite.
        number: what devices with a keypad dial, unique among the conferences that run.
        agenda: what it was started from, and how far it has come; its version is its own.
        calls_when_convened: rooms are called when they are convened, not from the beginning.
        convening: the latest; who was to come, and who has.
        invitations: rooms from elsewhere in the tree that were asked to take part.
        conflicts: bridges that another conference wants too, and bridges it asks for.
        overlays: what is pinned to the picture. overlays_pinned: ever.
        alarms: of its rooms; those that last, and the newest that are over. alarms_raised: ever.
        recordings: that run now.
        drill: None: it is none, and never will be; faults may be injected into no other.
        damaged: what the store kept of it cannot be read; only what the list says is known. Of
            ended ones only.
    """

    id: str
    name: str
    unit: str
    started_at: datetime
    chair: str | None = None
    views: Mapping[str, ViewSetting] = field(
        default_factory=lambda: {view: ViewSetting() for view in VIEWS}
    )
    participants: Mapping[str, Participant] = field(default_factory=dict)
    locked: bool = False
    message: Message | None = None
    broadcast: str | None = None
    presenter: str | None = None
    floor: Floor = IDLE_FLOOR
    chair_view: str | None = None
    polling: Polling | None = None
    roll_calls: tuple[RollCall, ...] = ()
    entry_muted: tuple[str, ...] = ()
    ended_at: datetime | None = None
    version: int = 1
    arrivals: int = 0
    enlisted: int = 0
    pin: str | None = None
    number: str | None = None
    damaged: bool = False
    agenda: Agenda | None = None
    calls_when_convened: bool = False
    convening: Convening | None = None
    conflicts: tuple[Conflict, ...] = ()
    invitations: tuple[Invitation, ...] = ()
    alarms: tuple[ConferenceAlarm, ...] = ()
    alarms_raised: int = 0
    recordings: tuple[Recording, ...] = ()
    overlays: tuple[Overlay, ...] = ()
    overlays_pinned: int = 0
    drill: Drill | None = None

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.ended_at is None
