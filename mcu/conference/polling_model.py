"""Polling, rooms shown in turn by a timer: its value, commands, fact and events."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Literal

PollingView = Literal["main", "chair"]


@dataclass(frozen=True, slots=True)
class Polling:
    """Rooms in turn, alone on a view.

    Args:
        scope: ``all``, a unit's id (it and everything under it), or participants in their order.
        except_: participants that are left out.
        participant: who is shown; None: nobody has a picture now.
        due: when the next one is shown; None while it is paused.
        left_s: of the time of who is shown, while it is paused.
    """

    interval_s: float
    scope: str | tuple[str, ...]
    except_: tuple[str, ...] = ()
    view: PollingView = "chair"
    participant: str | None = None
    due: datetime | None = None
    paused: bool = False
    left_s: float | None = None


@dataclass(frozen=True, slots=True)
class StartPolling:
    """Show rooms in turn; other settings replace those that run. See ``Polling``."""

    interval_s: float
    scope: str | tuple[str, ...] = "all"
    except_: tuple[str, ...] = ()
    view: PollingView = "chair"


@dataclass(frozen=True, slots=True)
class PausePolling:
    """Stay with who is shown."""


@dataclass(frozen=True, slots=True)
class ResumePolling:
    """Go on with the time that was left."""


@dataclass(frozen=True, slots=True)
class SkipPolling:
    """Show the next one now; with a participant: only if it is that one who is shown.

    Args:
        dark: who sends no picture now, as the media plane knows.
    """

    participant: str | None = None
    dark: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class StopPolling:
    """Back to the view's layout."""


@dataclass(frozen=True, slots=True)
class NotePollingDue:
    """The next one's time may have come; decided by the clock.

    Args:
        dark: who sends no picture now, as the media plane knows.
    """

    dark: frozenset[str] = frozenset()


PollingCommand = StartPolling | PausePolling | ResumePolling | SkipPolling | StopPolling


@dataclass(frozen=True, slots=True)
class PollingStarted:
    """Polling runs with these settings."""

    type: ClassVar[str] = "polling.started"
    polling: Polling


@dataclass(frozen=True, slots=True)
class PollingMoved:
    """``participant`` is shown until ``due`` (None: it is paused)."""

    type: ClassVar[str] = "polling.moved"
    participant: str | None
    due: datetime | None
    left_s: float | None = None


@dataclass(frozen=True, slots=True)
class PollingSkipped:
    """Who is shown gives way to the next one."""

    type: ClassVar[str] = "polling.skipped"
    participant: str | None
    due: datetime


@dataclass(frozen=True, slots=True)
class PollingPaused:
    """It stays with who is shown."""

    type: ClassVar[str] = "polling.paused"
    left_s: float


@dataclass(frozen=True, slots=True)
class PollingResumed:
    """It goes on at ``due``."""

    type: ClassVar[str] = "polling.resumed"
    due: datetime


@dataclass(frozen=True, slots=True)
class PollingStopped:
    """Nobody is polled any more."""

    type: ClassVar[str] = "polling.stopped"


PollingEvent = (
    PollingStarted | PollingMoved | PollingSkipped | PollingPaused | PollingResumed | PollingStopped
)


def evolve_polling(polling: Polling | None, event: PollingEvent) -> Polling | None:
    """The polling after an event."""
    if isinstance(event, PollingStarted):
        return event.polling
    if polling is None or isinstance(event, PollingStopped):
        return None
    match event:
        case PollingMoved():
            return replace(
                polling, participant=event.participant, due=event.due, left_s=event.left_s
            )
        case PollingSkipped():
            return replace(polling, due=event.due, left_s=None)
        case PollingPaused():
            return replace(polling, paused=True, due=None, left_s=event.left_s)
        case PollingResumed():
            return replace(polling, paused=False, due=event.due, left_s=None)
