import json

import pytest

from mcu.conference.commands import (
    ChangeConference,
    EndConference,
    MuteAll,
    NoteJoined,
    NoteLeft,
    NoteLost,
    SetLayout,
    ShowMessage,
)
from mcu.conference.events import EVENT_TYPES, ConferenceStarted
from mcu.conference.resources import conference_resource, event_data, participant_resource
from mcu.engine.plan import EmptySlot, ParticipantSlot, PollingSlot, SpeakerSlot
from tests.mcu.conference.meeting import NOW, after, did, meeting, then


def test_a_conference():
    slots = (ParticipantSlot("b0"), SpeakerSlot(1), PollingSlot(5, ("b1",)), EmptySlot())
    state = then(
        meeting(3, chair="b0", joined=["b0", "b1"]),
        NoteLost("b1", "leg-b1"), SetLayout("main", "2x2", slots), ShowMessage("a", 60),
    )  # fmt: skip
    assert conference_resource(state) == {
        "id": "c1",
        "name": "Họp",
        "unit": "tinh",
        "state": "running",
        "chair": "b0",
        "views": {
            "main": {
                "layout": "2x2",
                "slots": [
                    {"participant": "b0"},
                    {"speaker": 1},
                    {"polling": {"interval_s": 5, "participants": ["b1"]}},
                    {},
                ],
                "fit": "letterbox",
            },
            "chair": {"layout": "auto", "slots": None, "fit": "letterbox"},
        },
        "locked": False,
        "message": {"text": "a", "until": "2026-11-02T07:31:00.000000Z"},
        "broadcast": None,
        "overlays": [],
        "presentation": None,
        "floor": {"holder": None, "requests": [], "previous": None},
        "chair_view": None,
        "polling": None,
        "roll_call": None,
        "recordings": [],
        "scenario": None,
        "convening": None,
        "waiting": 0,
        "conflicts": 0,
        "calls_when_convened": False,
        "drill": False,
        "counts": {"expected": 1, "calling": 0, "connected": 1, "lost": 1, "left": 0},
        "started_at": "2026-11-02T07:30:00.000000Z",
        "ended_at": None,
        "number": None,
        "has_pin": False,
        "damaged": False,
        "version": 3,
    }


def test_an_ended_one():
    state, _ = did(meeting(), EndConference(), after(60))
    shown = conference_resource(state)
    assert (shown["state"], shown["ended_at"]) == ("ended", "2026-11-02T07:31:00.000000Z")


def test_a_participant():
    state = meeting(1, joined=["b0"])
    assert participant_resource(state.participants["b0"]) == {
        "id": "b0",
        "bridge": "b0",
        "address": None,
        "name": "Điểm cầu b0",
        "label": "Điểm cầu b0",
        "unit": "xa",
        "role": "participant",
        "importance": 0,
        "state": "connected",
        "call_failure": None,
        "call_failure_detail": None,
        "audio_muted": False,
        "video_muted": False,
        "deafened": False,
        "volume_db": 0.0,
        "view": "main",
        "legs": ["leg-b0"],
        "joined_at": "2026-11-02T07:30:00.000000Z",
        "waiting": False,
        "invited": False,
        "lost_at": None,
        "version": 2,
    }


def test_muting_everybody_is_small_however_many_they_are():
    _, events = did(meeting(145, chair="b0"), MuteAll(except_=("chair",)))
    data = event_data(events[0])
    assert data["changes"] == {"audio_muted": True}
    assert len(data["participants"]) == 144
    assert len(json.dumps(data)) < 2_000


def test_the_first_event_shows_conference_and_roster():
    state = meeting(2)
    event = ConferenceStarted(
        "c1", "Họp", "tinh", None, "auto", tuple(state.participants.values()), NOW
    )
    data = event_data(event)
    assert data["conference"] == conference_resource(state)
    assert [each["id"] for each in data["participants"]] == ["b0", "b1"]


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        (NoteJoined("b0", "new"), {"leg": "new", "replaced": ["leg-b0"]}),
        (NoteLeft("b0", "leg-b0", "bye"), {"reason": "bye"}),
        (NoteLost("b0", "leg-b0"), {}),
    ],
)
def test_events_about_one_participant_carry_all_of_it(command, extra):
    state, events = did(meeting(2, joined=["b0"]), command)
    data = dict(event_data(events[0]))
    assert data.pop("participant") == participant_resource(state.participants["b0"])
    assert data == extra


def test_the_catalogue_knows_the_types_that_clients_rely_on():
    assert {
        "conference.started", "conference.changed", "conference.ended", "conference.locked",
        "conference.unlocked", "participant.added", "participant.removed", "participant.changed",
        "participant.joined", "participant.lost", "participant.returned", "participant.left",
        "participants.changed", "layout.changed", "broadcast.started", "broadcast.stopped",
        "presentation.started", "presentation.stopped", "message.shown", "message.cleared",
        "floor.requested", "floor.withdrawn", "floor.granted", "floor.interrupted",
        "floor.resumed", "floor.ended", "chair-view.started", "chair-view.stopped",
        "polling.started", "polling.moved", "polling.skipped", "polling.paused",
        "polling.resumed", "polling.stopped", "roll-call.started", "roll-call.marked",
        "roll-call.called", "roll-call.skipped", "roll-call.paused", "roll-call.resumed",
        "roll-call.mutes-kept", "roll-call.signed", "roll-call.cancelled",
        "overlay.pinned", "overlay.removed", "alarm.raised", "alarm.cleared", "alarm.acknowledged",
        "recording.started", "recording.stopped", "recording.interrupted", "recording.troubled",
        "agenda.changed", "agenda.advanced", "agenda.overrun",
        "convening.started", "convening.called", "convening.reached", "convening.failed",
        "convening.joined", "convening.passed", "convening.overrun", "convening.stopped",
        "convening.retried", "convening.changed", "conflict.raised", "conflict.decided",
        "invitation.sent", "invitation.answered",
        "participants.admitted", "participants.refused",
        "drill.fault-injected", "drill.fault-ended", "drill.fault-marked", "drill.script-changed",
        "drill.script-started", "drill.script-stopped", "drill.step-skipped",
    } == set(EVENT_TYPES)  # fmt: skip


def test_the_pin_stays_out_of_what_streams_show():
    state, events = did(meeting(), ChangeConference(pin="471100", number="77"))
    shown = [conference_resource(state), *(event_data(event) for event in events)]
    assert "471100" not in json.dumps(shown)
    assert [(each["has_pin"], each["number"]) for each in shown] == [(True, "77")] * 2
