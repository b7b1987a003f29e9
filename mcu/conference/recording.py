"""Which views of a conference are recorded. Pure decisions."""

from collections.abc import Sequence
from datetime import datetime

from mcu.conference.events import ConferenceEnded, Event
from mcu.conference.recording_model import (
    NoteRecordingOver,
    NoteRecordingTrouble,
    Recording,
    RecordingCommand,
    RecordingFact,
    RecordingInterrupted,
    RecordingStarted,
    RecordingStopped,
    RecordingTroubled,
    StartRecording,
    StopRecording,
)
from mcu.conference.state import ConferenceState, Refused
from mcu.conference.texts import checked_name
from mcu.sentences import sentence


def decide_recording(
    state: ConferenceState, command: RecordingCommand | RecordingFact, now: datetime
) -> list[Event]:
    """Decide what is asked of the recordings.

    Raises:
        Refused: an unknown view, one that is recorded already, a name that cannot be shown.
    """
    match command:
        case StartRecording():
            return [_start(state, command, now)]
        case StopRecording():
            return [
                RecordingStopped(one.id, "stopped", now, command.by)
                for one in state.recordings
                if command.id in (None, one.id)
            ]
        case NoteRecordingOver():
            return [
                RecordingStopped(one.id, command.reason, now)
                for one in state.recordings
                if one.id == command.id
            ]
        case NoteRecordingTrouble():
            return [
                RecordingTroubled(one.id, command.trouble, command.dropped, command.free_bytes)
                for one in state.recordings
                if one.id == command.id
            ]


def follow(state: ConferenceState, events: Sequence[Event], now: datetime) -> list[Event]:
    """Events, and before its end the end of all that a conference records."""
    if not state.recordings or not any(isinstance(each, ConferenceEnded) for each in events):
        return list(events)
    return [*(RecordingStopped(one.id, "ended", now) for one in state.recordings), *events]


def interrupted(state: ConferenceState, now: datetime) -> list[Event]:
    """What a restart of the server is to those that run."""
    return [RecordingInterrupted(one.id, now) for one in state.recordings]


def _start(state: ConferenceState, command: StartRecording, now: datetime) -> RecordingStarted:
    if command.view not in state.views:
        known = ", ".join(state.views)
        raise Refused(sentence("view.unknown", view=command.view, known=known), "view")
    name = checked_name(command.name, "name")
    running = next((one for one in state.recordings if one.view == command.view), None)
    if running is not None:
        raise Refused(sentence("recording.view-running", view=command.view, name=running.name))
    return RecordingStarted(Recording(command.id, name, command.view, command.by, now))
