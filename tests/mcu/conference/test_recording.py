"""What is recorded of a conference, that all are told, and that it ends with it."""

import pytest

from mcu.conference.commands import EndConference, NoteRestarted
from mcu.conference.decide import decide
from mcu.conference.plan import media_plan
from mcu.conference.recording_model import (
    NoteRecordingOver,
    NoteRecordingTrouble,
    Recording,
    RecordingInterrupted,
    RecordingStarted,
    RecordingStopped,
    RecordingTroubled,
    StartRecording,
    StopRecording,
)
from mcu.conference.resources import conference_resource, event_data
from mcu.conference.state import Refused
from tests.mcu.conference.meeting import NOW, after, did, meeting, then, types

MAIN = StartRecording("rec-1", "Phiên  họp", "main", "Lan")
CHAIR = StartRecording("rec-2", "Bàn chủ tọa", "chair", "Lan")


def test_it_begins_and_stops():
    state, events = did(meeting(), MAIN)
    running = Recording("rec-1", "Phiên họp", "main", "Lan", NOW)
    assert events == [RecordingStarted(running)]
    assert state.recordings == (running,)
    assert event_data(events[0]) == conference_resource(state)["recordings"][0]
    state, events = did(state, StopRecording("Hoa", "rec-1"), after(60))
    assert events == [RecordingStopped("rec-1", "stopped", after(60), "Hoa")]
    assert state.recordings == ()
    assert decide(state, StopRecording("Hoa", "rec-1"), NOW) == []


def test_every_picture_says_so_while_it_runs():
    plan = media_plan(then(meeting(4, joined=["b0", "b1"]), MAIN))
    for view in plan.views.values():
        assert view.recorded
        assert view.with_presentation is None or view.with_presentation.recorded
    plan = media_plan(then(meeting(), MAIN, StopRecording("Lan")))
    assert not any(view.recorded for view in plan.views.values())


def test_each_view_once():
    state = then(meeting(), MAIN, CHAIR)
    assert [one.view for one in state.recordings] == ["main", "chair"]
    again = StartRecording("rec-3", "Khác", "main", "Lan")
    with pytest.raises(Refused, match="stop that first"):
        decide(state, again, NOW)
    state, events = did(state, StopRecording("Lan"))
    assert types(events) == ["recording.stopped"] * 2
    assert not state.recordings


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (StartRecording("rec-1", "Họp", "side", "Lan"), "view"),  # type: ignore[arg-type]
        (StartRecording("rec-1", " ", "main", "Lan"), "name"),
        (StartRecording("rec-1", "a\x00b", "main", "Lan"), "name"),
        (StartRecording("rec-1", "x" * 201, "main", "Lan"), "name"),
    ],
)
def test_refused(command, field):
    with pytest.raises(Refused) as refused:
        decide(meeting(), command, NOW)
    assert refused.value.field == field


def test_the_end_of_the_conference_is_its_end_first():
    state, events = did(then(meeting(), MAIN, CHAIR), EndConference(), after(9))
    assert types(events) == ["recording.stopped"] * 2 + ["conference.ended"]
    assert events[0] == RecordingStopped("rec-1", "ended", after(9))
    assert not state.recordings
    assert decide(state, NoteRecordingOver("rec-1", "failed"), NOW) == []


def test_after_a_restart_it_goes_on():
    state, events = did(then(meeting(), MAIN), NoteRestarted(), after(30))
    assert RecordingInterrupted("rec-1", after(30)) in events
    assert [one.interruptions for one in state.recordings] == [1]


def test_what_the_disk_does_is_told():
    state = then(meeting(), MAIN)
    trouble = NoteRecordingTrouble("rec-1", "disk_slow", 12, 99)
    now, events = did(state, trouble)
    assert events == [RecordingTroubled("rec-1", "disk_slow", 12, 99)]
    assert [one.trouble for one in now.recordings] == ["disk_slow"]
    assert conference_resource(now)["recordings"][0]["trouble"] == "disk_slow"
    state, events = did(state, NoteRecordingOver("rec-1", "disk_full"), after(5))
    assert events == [RecordingStopped("rec-1", "disk_full", after(5))]
    for late in (NoteRecordingOver("rec-1", "failed"), trouble):
        assert decide(state, late, NOW) == []
