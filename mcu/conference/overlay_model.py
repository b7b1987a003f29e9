"""Texts that are pinned to the picture: what they are, commands, facts and events."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final, Literal

from mcu.engine.plan import Position

OverlayKind = Literal["text", "floor"]
"""``floor`` is the name of who has the floor and the time that is left."""

MAX_OVERLAYS: Final = 8
MAX_OVERLAY_TEXT: Final = 200


@dataclass(frozen=True, slots=True)
class Overlay:
    """One of them.

    Args:
        number: from 1, never given twice in a conference.
        view: None: on every view. until: None: until somebody removes it.
    """

    number: int
    kind: OverlayKind
    text: str
    position: Position
    view: str | None
    until: datetime | None
    pinned_at: datetime


@dataclass(frozen=True, slots=True)
class PinOverlay:
    """Pin a text, or the time of the floor; for good where ``duration_s`` is None."""

    kind: OverlayKind
    text: str = ""
    position: Position = "top"
    view: str | None = None
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class RemoveOverlay:
    """Take one away."""

    number: int


@dataclass(frozen=True, slots=True)
class NoteOverlayOver:
    """The time of some may be over; decided by the clock."""


OverlayCommand = PinOverlay | RemoveOverlay


@dataclass(frozen=True, slots=True)
class OverlayPinned:
    """It is seen from now on."""

    type: ClassVar[str] = "overlay.pinned"
    overlay: Overlay


@dataclass(frozen=True, slots=True)
class OverlayRemoved:
    """It is seen no more: an operator took it away, or its time is over."""

    type: ClassVar[str] = "overlay.removed"
    number: int
    reason: Literal["removed", "over"]


OverlayEvent = OverlayPinned | OverlayRemoved


def evolve_overlays(overlays: tuple[Overlay, ...], event: OverlayEvent) -> tuple[Overlay, ...]:
    """The overlays after an event."""
    if isinstance(event, OverlayPinned):
        return (*overlays, event.overlay)
    return tuple(one for one in overlays if one.number != event.number)
