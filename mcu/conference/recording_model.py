"""Recordings of a conference: those that run, their commands, facts and events.

What became of the files (parts, sizes, checksums) is kept beside them, in the store: here stands
only what is being recorded now, and what people are told of it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Literal

RecordedView = Literal["main", "chair"]

StopReason = Literal["stopped", "ended", "disk_full", "failed"]
"""By an operator; with the conference; before the disk was full; it could not be written."""

Trouble = Literal["disk_low", "disk_slow"]
"""The disk will be full soon; it does not keep up, and something was left out."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A view and the conference's sound that are being written to a file.

    Args:
        by: who started it. interruptions: how often the server was restarted meanwhile.
        trouble: the latest, which somebody should look after.
    """

    id: str
    name: str
    view: RecordedView
    by: str
    started_at: datetime
    interruptions: int = 0
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class StartRecording:
    """Record a view; ``id`` must never have been used."""

    id: str
    name: str
    view: RecordedView
    by: str


@dataclass(frozen=True, slots=True)
class StopRecording:
    """End a recording, or all of them (None)."""

    by: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class NoteRecordingOver:
    """It cannot go on."""

    id: str
    reason: StopReason


@dataclass(frozen=True, slots=True)
class NoteRecordingTrouble:
    """It goes on, but somebody should look after the disk.

    Args:
        dropped: pieces (pictures and packets of sound) left out so far.
        free_bytes: left on the disk.
    """

    id: str
    trouble: Trouble
    dropped: int = 0
    free_bytes: int = 0


RecordingCommand = StartRecording | StopRecording
RecordingFact = NoteRecordingOver | NoteRecordingTrouble


@dataclass(frozen=True, slots=True)
class RecordingStarted:
    """Everybody in the conference is to know it."""

    type: ClassVar[str] = "recording.started"
    recording: Recording


@dataclass(frozen=True, slots=True)
class RecordingStopped:
    """Its file is closed. ``by`` None: nobody asked for it."""

    type: ClassVar[str] = "recording.stopped"
    id: str
    reason: StopReason
    at: datetime
    by: str | None = None


@dataclass(frozen=True, slots=True)
class RecordingInterrupted:
    """The server was restarted: what follows is in another file."""

    type: ClassVar[str] = "recording.interrupted"
    id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RecordingTroubled:
    """See ``NoteRecordingTrouble``."""

    type: ClassVar[str] = "recording.troubled"
    id: str
    trouble: Trouble
    dropped: int
    free_bytes: int


RecordingEvent = RecordingStarted | RecordingStopped | RecordingInterrupted | RecordingTroubled


def evolve_recordings(
    recordings: tuple[Recording, ...], event: RecordingEvent
) -> tuple[Recording, ...]:
    """Those that run after an event."""
    match event:
        case RecordingStarted():
            return (*recordings, event.recording)
        case RecordingStopped():
            return tuple(one for one in recordings if one.id != event.id)
        case RecordingInterrupted():
            return tuple(
                replace(one, interruptions=one.interruptions + 1) if one.id == event.id else one
                for one in recordings
            )
        case RecordingTroubled():
            return tuple(
                replace(one, trouble=event.trouble) if one.id == event.id else one
                for one in recordings
            )
