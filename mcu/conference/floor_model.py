"""The floor, the right to speak: its values, what may be asked of it and what has happened to it.

What is decided stands in ``floor``. All times are timezone-aware UTC.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Literal

FloorEnd = Literal["released", "revoked", "expired", "replaced", "left"]
"""Why somebody has the floor no more: given back, taken back, time over, given to another, gone."""

FloorPicture = Literal["speaker", "broadcast", "none"]
"""Where who has the floor is shown: in the large slot, alone on ``main``, or as before."""


@dataclass(frozen=True, slots=True)
class FloorRequest:
    """Somebody who waits for the floor; ``at``: since when."""

    participant: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FloorHolder:
    """Who has the floor.

    Args:
        until: when it ends by itself; None: not, or it is interrupted.
        limit_s: the time it was given for; None without a limit.
        picture: where it is shown.
        was_muted: it was muted before, and will be again.
        interrupted_at: since when the chair speaks in between; None: it does not.
        left_s: the time that is left of an interrupted floor; None without a limit.
        chair_was_muted: the chair was muted before it interrupted.
    """

    participant: str
    since: datetime
    until: datetime | None = None
    limit_s: float | None = None
    picture: FloorPicture = "speaker"
    was_muted: bool = False
    interrupted_at: datetime | None = None
    left_s: float | None = None
    chair_was_muted: bool = False


@dataclass(frozen=True, slots=True)
class Floor:
    """Who has the floor and who waits for it.

    Args:
        requests: in the order in which they came.
        previous: who had it last; stays in the chair's picture until another has had it.
    """

    holder: FloorHolder | None = None
    requests: tuple[FloorRequest, ...] = ()
    previous: str | None = None


IDLE_FLOOR = Floor()
"""Nobody has it or has asked."""


@dataclass(frozen=True, slots=True)
class RequestFloor:
    """Ask for the floor; who asks twice keeps its place."""

    participant: str


@dataclass(frozen=True, slots=True)
class WithdrawFloorRequest:
    """Ask no more; who has not asked changes nothing."""

    participant: str


@dataclass(frozen=True, slots=True)
class GrantFloor:
    """Give the floor to one participant, whether it has asked or not; another's floor ends.

    Args:
        limit_s: seconds from now, None for no limit. Given again to who has it, it is a new time.
        picture: where it is shown while it speaks.
    """

    participant: str
    limit_s: float | None = None
    picture: FloorPicture = "speaker"


@dataclass(frozen=True, slots=True)
class EndFloor:
    """Give the floor back (``released``) or take it back (``revoked``).

    Args:
        participant: only if it has the floor; None: whoever has it.
    """

    participant: str | None = None
    reason: Literal["released", "revoked"] = "revoked"


@dataclass(frozen=True, slots=True)
class InterruptFloor:
    """Let the chair speak in between: who has the floor is muted and its time stands still."""


@dataclass(frozen=True, slots=True)
class ResumeFloor:
    """The chair has spoken: the floor goes on with the time that was left."""


@dataclass(frozen=True, slots=True)
class NoteFloorOver:
    """The time of the floor may be over; decided by the clock, as it may have been prolonged."""


FloorCommand = (
    RequestFloor | WithdrawFloorRequest | GrantFloor | EndFloor | InterruptFloor | ResumeFloor
)


@dataclass(frozen=True, slots=True)
class FloorRequested:
    """Waits for the floor, behind all others."""

    type: ClassVar[str] = "floor.requested"
    participant: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FloorWithdrawn:
    """Waits no more."""

    type: ClassVar[str] = "floor.withdrawn"
    participant: str


@dataclass(frozen=True, slots=True)
class FloorGranted:
    """``holder.participant`` has the floor and waits no more; also with a new time or picture."""

    type: ClassVar[str] = "floor.granted"
    holder: FloorHolder


@dataclass(frozen=True, slots=True)
class FloorInterrupted:
    """The chair speaks in between; ``holder`` says how much time is left."""

    type: ClassVar[str] = "floor.interrupted"
    holder: FloorHolder


@dataclass(frozen=True, slots=True)
class FloorResumed:
    """Who has the floor speaks again; ``holder`` says until when."""

    type: ClassVar[str] = "floor.resumed"
    holder: FloorHolder


@dataclass(frozen=True, slots=True)
class FloorEnded:
    """``participant`` has the floor no more."""

    type: ClassVar[str] = "floor.ended"
    participant: str
    reason: str
    at: datetime


FloorEvent = (
    FloorRequested | FloorWithdrawn | FloorGranted | FloorInterrupted | FloorResumed | FloorEnded
)


def evolve_floor(floor: Floor, event: FloorEvent) -> Floor:
    """The floor after an event."""
    match event:
        case FloorRequested():
            return replace(
                floor, requests=(*floor.requests, FloorRequest(event.participant, event.at))
            )
        case FloorWithdrawn():
            return replace(floor, requests=_without(floor, event.participant))
        case FloorGranted():
            return replace(
                floor,
                holder=event.holder,
                requests=_without(floor, event.holder.participant),
            )
        case FloorInterrupted() | FloorResumed():
            return replace(floor, holder=event.holder)
        case FloorEnded():
            return replace(floor, holder=None, previous=event.participant)


def _without(floor: Floor, participant: str) -> tuple[FloorRequest, ...]:
    return tuple(each for each in floor.requests if each.participant != participant)
