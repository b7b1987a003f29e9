"""What the engine is told to do: one immutable plan per conference, applied by difference.

The conference decides (pure), makes a plan, and the engine compares it with what runs. A plan
says everything, so a conference restored after a crash needs no replay of single steps.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from mixer.video.caption import Position as Position
from mixer.video.layout import Fit

WAITING_VIEW = "waiting"
"""The view of those who are not let in yet: they receive nothing else of the conference."""

Presence = Literal["expected", "calling", "connected", "lost", "left"]


@dataclass(frozen=True, slots=True)
class ParticipantSlot:
    """The picture of one participant, wherever it is in the roster."""

    participant: str


@dataclass(frozen=True, slots=True)
class SpeakerSlot:
    """The n-th most recent speaker who stands in no other slot of the view; 1 is the loudest."""

    rank: int


@dataclass(frozen=True, slots=True)
class PollingSlot:
    """Participants in turn, ``interval_s`` seconds each, those without picture left out."""

    interval_s: float
    participants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PresentationSlot:
    """The presentation stream of whoever presents; empty when nobody does."""


@dataclass(frozen=True, slots=True)
class EmptySlot:
    """Background only."""


Slot = ParticipantSlot | SpeakerSlot | PollingSlot | PresentationSlot | EmptySlot


@dataclass(frozen=True, slots=True)
class LineFault:
    """How bad the line of a leg is made, each way.

    Args:
        cut: nothing passes. loss_percent: of packets. jitter_ms: each takes up to so much longer.
        rate_bps: what it carries; 0: no limit.
    """

    cut: bool = False
    loss_percent: float = 0.0
    jitter_ms: float = 0.0
    rate_bps: float = 0.0


PictureFault = Literal["black", "frozen"]


@dataclass(frozen=True, slots=True)
class LegFaults:
    """What is done on purpose to the legs of one participant, in a drill.

    Args:
        silent: no sound comes of it. picture: what its camera seems to show.
        codec: what it sends is in no format that was agreed on.
    """

    silent: bool = False
    picture: PictureFault | None = None
    codec: bool = False
    line: LineFault | None = None


@dataclass(frozen=True, slots=True)
class ParticipantPlan:
    """How one participant is heard, seen and labelled.

    Args:
        label: the name on its tile, NFC.
        view: name of the view this participant's legs receive.
        volume_db: gain of this participant in the mix, -60 to +20 dB.
        audio_muted: others do not hear it. video_muted: its tile shows the name card.
        deafened: it hears silence (packets go on).
        importance: higher stands first where a choice must be made.
    """

    participant: str
    label: str
    presence: Presence
    audio_muted: bool = False
    video_muted: bool = False
    deafened: bool = False
    volume_db: float = 0.0
    importance: int = 0
    view: str = "main"


@dataclass(frozen=True, slots=True)
class OverlayPlan:
    """A text that is laid over a view.

    Args:
        until: behind it the time until then is counted down. left_s: this time stands still
            behind it.
    """

    position: Position
    text: str
    until: datetime | None = None
    left_s: float | None = None


@dataclass(frozen=True, slots=True)
class ViewPlan:
    """One composed picture: a layout's name and what stands in its slots (same length).

    Args:
        fit: of cameras; a presentation is always shown whole.
        recorded: a mark beside the clock says so.
        watcher: whom it is made for; it stands in no speaker's slot of it, however much it speaks.
        with_presentation: what legs that do not receive presentation as a stream of its own are
            shown instead, while there is one; a name of its own. None: they are shown this.
    """

    name: str
    layout: str
    slots: tuple[Slot, ...]
    message: str | None = None
    show_clock: bool = True
    fit: Fit = "letterbox"
    with_presentation: "ViewPlan | None" = None
    recorded: bool = False
    overlays: tuple[OverlayPlan, ...] = ()
    watcher: str | None = None


@dataclass(frozen=True, slots=True)
class MediaPlan:
    """The whole of one conference as the engine needs it.

    Args:
        presenter: whose presentation alone is shown; None: of whoever sends one.
        faults: what is done to whose legs on purpose; a ``dict``, as it travels.
        down: there is no media and nobody may join, as while a server is started again.
    """

    participants: Mapping[str, ParticipantPlan] = field(default_factory=dict)
    views: Mapping[str, ViewPlan] = field(default_factory=dict)
    presenter: str | None = None
    faults: Mapping[str, LegFaults] = field(default_factory=dict)
    down: bool = False
