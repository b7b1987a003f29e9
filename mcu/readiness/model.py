"""One readiness check: values, commands, events. Times are timezone-aware UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

from mcu.readiness.assessment import Confirmation, Finding, Rules, Verdict
from mcu.readiness.measurements import Configuration, Measurements

Phase = Literal["waiting", "reaching", "reached", "measuring", "confirming", "done"]
"""``reaching``: called or awaited; ``reached``: here, until there is room in the load budget;
``confirming``: all is measured, somebody in the room is to say that the tone is heard."""
Presence = Literal["absent", "connected", "busy", "gone"]
EndReason = Literal["complete", "cancelled", "time"]
MAX_ROOMS = 500


class CheckRefused(Exception):  # noqa: N818 - the vocabulary's word: a command is refused
    """A command cannot be carried out; nothing has changed.

    Args:
        field: what of the request is at fault; None: it is the state that is against it.
    """

    def __init__(self, reason: str, field: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field


@dataclass(frozen=True, slots=True)
class Budget:
    """How much is done at once, and how long is waited; seconds.

    Args:
        measured_at_once: rooms whose sound and pictures are decoded and looked at.
        reached_at_once: rooms that are called and have not come.
        limit_s: a check ends after so long, whatever is left.
    """

    measured_at_once: int = 12
    reached_at_once: int = 48
    reach_s: float = 60.0
    measure_s: float = 20.0
    confirm_s: float = 60.0
    limit_s: float = 600.0


@dataclass(frozen=True, slots=True)
class RoomEntry:
    """A room to be checked, as the registry had it when the check began."""

    bridge: str
    name: str
    unit: str
    kind: str
    contact: str = ""
    phone: str = ""
    importance: int = 0
    standard: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RoomCheck:
    """One room in a check.

    Args:
        since: when its phase began. order: whose turn it is, lower first; grows with a re-check.
        drops: how often its connection was lost in this check.
        recorded: its accepted configuration when it was measured.
        incidents: those of the room that nobody has closed, by their titles.
    """

    entry: RoomEntry
    order: int
    since: datetime
    phase: Phase = "waiting"
    drops: int = 0
    confirmation: Confirmation | None = None
    loopback: bool = False
    measured: Measurements | None = None
    recorded: Configuration | None = None
    incidents: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Args:
        conference: the running conference whose rooms are checked where they are; None: none.
        scenario, due: what it was scheduled for.
    """

    id: str
    name: str
    unit: str
    by: str
    began_at: datetime
    rules: Rules
    budget: Budget
    rooms: Mapping[str, RoomCheck]
    conference: str | None = None
    scenario: str | None = None
    due: datetime | None = None
    resumed_at: datetime | None = None
    ended_at: datetime | None = None
    reason: EndReason | None = None

    @property
    def running(self) -> bool:
        """Whether rooms are still looked at."""
        return self.ended_at is None


# Commands, and what the runner reports


@dataclass(frozen=True, slots=True)
class Seen:
    """Where a room is now. ``conference``, ``name``: which one it is busy in."""

    presence: Presence
    conference: str = ""
    name: str = ""
    cause: str = ""


@dataclass(frozen=True, slots=True)
class NoteSeen:
    """Where the rooms are; the check goes on by it.

    Args:
        rooms: of those that are not done.
        elsewhere: rooms that other checks measure now, out of the same budget.
    """

    rooms: Mapping[str, Seen]
    elsewhere: int = 0


@dataclass(frozen=True, slots=True)
class NoteMeasured:
    """A room was measured."""

    bridge: str
    measured: Measurements
    recorded: Configuration | None
    incidents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConfirmSound:
    """Somebody in a room says whether the tone is heard, or declares a loopback test."""

    bridge: str
    heard: bool | None
    loopback: bool | None
    by: str


@dataclass(frozen=True, slots=True)
class RecheckRoom:
    """Check one room once more."""

    bridge: str
    by: str


@dataclass(frozen=True, slots=True)
class AcceptConfiguration:
    """What was measured is what the room should be like from now on."""

    bridge: str
    by: str


@dataclass(frozen=True, slots=True)
class CancelCheck:
    """End it now."""

    by: str


@dataclass(frozen=True, slots=True)
class NoteRestarted:
    """The daemon was restarted meanwhile: what was under way begins anew."""


Command = (
    NoteSeen
    | NoteMeasured
    | ConfirmSound
    | RecheckRoom
    | AcceptConfiguration
    | CancelCheck
    | NoteRestarted
)

# Events


@dataclass(frozen=True, slots=True)
class CheckBegun:
    """The check as it begins."""

    type: ClassVar[str] = "check.begun"
    id: str
    name: str
    unit: str
    by: str
    rules: Rules
    budget: Budget
    rooms: tuple[RoomEntry, ...]
    conference: str | None = None
    scenario: str | None = None
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class RoomCalled:
    """It is called, or awaited."""

    type: ClassVar[str] = "room.called"
    bridge: str


@dataclass(frozen=True, slots=True)
class RoomReached:
    """It is here."""

    type: ClassVar[str] = "room.reached"
    bridge: str


@dataclass(frozen=True, slots=True)
class MeasuringBegun:
    """It is measured from now on."""

    type: ClassVar[str] = "measuring.begun"
    bridge: str


@dataclass(frozen=True, slots=True)
class RoomMeasured:
    """What was measured; somebody may still have to confirm the sound."""

    type: ClassVar[str] = "room.measured"
    bridge: str
    measured: Measurements
    recorded: Configuration | None
    incidents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SoundConfirmed:
    """Somebody in the room has answered."""

    type: ClassVar[str] = "sound.confirmed"
    bridge: str
    confirmation: Confirmation | None
    loopback: bool
    by: str


@dataclass(frozen=True, slots=True)
class RoomDropped:
    """Its connection was lost; it is awaited once more."""

    type: ClassVar[str] = "room.dropped"
    bridge: str


@dataclass(frozen=True, slots=True)
class RoomJudged:
    """The result of one room."""

    type: ClassVar[str] = "room.judged"
    bridge: str
    verdict: Verdict
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class ConfigurationAccepted:
    """The room's configuration is recorded as it was measured."""

    type: ClassVar[str] = "configuration.accepted"
    bridge: str
    by: str


@dataclass(frozen=True, slots=True)
class RoomReopened:
    """It is to be checked once more."""

    type: ClassVar[str] = "room.reopened"
    bridge: str
    by: str


@dataclass(frozen=True, slots=True)
class CheckInterrupted:
    """The daemon was restarted."""

    type: ClassVar[str] = "check.interrupted"


@dataclass(frozen=True, slots=True)
class CheckEnded:
    """All rooms have a result."""

    type: ClassVar[str] = "check.ended"
    reason: EndReason


Event = (
    CheckBegun
    | RoomCalled
    | RoomReached
    | MeasuringBegun
    | RoomMeasured
    | SoundConfirmed
    | RoomDropped
    | RoomJudged
    | ConfigurationAccepted
    | RoomReopened
    | CheckInterrupted
    | CheckEnded
)
