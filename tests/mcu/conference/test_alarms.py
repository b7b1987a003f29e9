"""Alarms of a conference: raised once, how bad they are, acknowledged, over."""

import json

import pytest

from mcu.conference.alarm_model import (
    KEPT_CLEARED,
    AcknowledgeAlarm,
    NoteTroubles,
    TroubleBegan,
    TroubleEnded,
    open_alarms,
)
from mcu.conference.alarms import expected_to_speak, severity
from mcu.conference.codec import state_from_json, state_to_json
from mcu.conference.commands import (
    ChangeParticipant,
    EndConference,
    NoteLeft,
    NoteLost,
    NoteRestarted,
    RemoveParticipant,
    StartBroadcast,
    StartPresentation,
)
from mcu.conference.drill_model import FaultWish, InjectFault
from mcu.conference.floor_model import GrantFloor, InterruptFloor
from mcu.conference.roll_call_model import StartRollCall
from mcu.conference.state import Refused
from tests.mcu.conference.meeting import NOW, after, did, ids, meeting, then, types


def began(*troubles: tuple[str, str], **detail: float) -> NoteTroubles:
    return NoteTroubles(tuple(TroubleBegan(who, kind, NOW, detail) for who, kind in troubles))


def ended(*troubles: tuple[str, str]) -> NoteTroubles:
    return NoteTroubles(tuple(TroubleEnded(who, kind) for who, kind in troubles))


def test_raised_once_cleared_and_raised_again_under_a_new_number():
    state, events = did(meeting(3), began(("b0", "echo"), ("b1", "loss"), delay_ms=180.0))
    assert types(events) == ["alarm.raised", "alarm.raised"]
    assert [one.number for one in state.alarms] == [1, 2]
    assert state.alarms[0].detail == {"delay_ms": 180.0}
    same, events = did(state, began(("b0", "echo")))
    assert (same, events) == (state, [])
    state, events = did(state, ended(("b0", "echo"), ("b0", "black")), after(9))
    assert types(events) == ["alarm.cleared"]
    assert state.alarms[0].cleared_at == after(9)
    state, _ = did(state, began(("b0", "echo")), after(20))
    assert [(one.number, one.open) for one in state.alarms] == [(1, False), (2, True), (3, True)]


def test_who_is_not_on_the_roster_has_no_alarm():
    assert did(meeting(1), began(("nobody", "lost")))[1] == []


def test_a_room_that_is_lost_is_in_that_trouble_alone_until_it_is_back():
    state = then(meeting(3, joined=ids(3)), began(("b0", "silent"), ("b0", "loss"), ("b1", "echo")))
    state, events = did(state, NoteLost("b0", "leg-b0"), after(5))
    assert types(events) == ["participant.lost", "alarm.cleared", "alarm.cleared"]
    assert [(one.kind, one.cleared_at, one.ending) for one in state.alarms] == [
        ("silent", after(5), "lost"), ("loss", after(5), "lost"), ("echo", None, None),
    ]  # fmt: skip
    state, events = did(state, began(("b0", "lost"), ("b0", "black")))
    assert [event.alarm.kind for event in events] == ["lost"]
    state, events = did(state, NoteLeft("b0", "leg-b0", "timeout"))
    assert types(events) == ["participant.left"], "nobody has said goodbye: somebody has to call"
    assert [(one.participant, one.kind) for one in open_alarms(state.alarms)] == [
        ("b1", "echo"), ("b0", "lost"),
    ]  # fmt: skip
    assert did(state, began(("b0", "lost"), ("b0", "silent")))[1] == []
    state, events = did(state, RemoveParticipant("b0"))
    assert [one.ending for one in state.alarms] == ["lost", "lost", None, "removed"]


def test_a_room_that_said_goodbye_is_in_no_trouble():
    state = then(meeting(2, joined=ids(2)), began(("b0", "silent"), ("b1", "echo")))
    state, events = did(state, NoteLeft("b1", "leg-b1", "bye"))
    assert types(events) == ["participant.left", "alarm.cleared"]
    assert [one.ending for one in state.alarms] == [None, "left"]
    assert did(state, began(("b1", "lost"), ("b1", "silent")))[1] == []


def test_the_alarm_of_a_room_that_was_never_told_as_lost_is_raised_when_it_is_missed():
    state = then(meeting(2, joined=ids(2)), NoteLost("b0", "leg-b0"))
    state = then(state, NoteLeft("b0", "leg-b0", "timeout"))
    assert types(did(state, began(("b0", "lost")))[1]) == ["alarm.raised"]


def test_alarms_of_who_is_taken_off_and_of_all_after_a_restart_are_over():
    state = then(meeting(3, joined=ids(3)), began(("b0", "echo"), ("b1", "black"), ("b2", "loss")))
    state = then(state, RemoveParticipant("b0"))
    assert [one.ending for one in state.alarms] == ["removed", None, None]
    state = then(state, NoteRestarted())
    assert [one.ending for one in state.alarms] == ["removed", "lost", "lost"]
    drill = then(meeting(2, joined=ids(2), drill=True), began(("b0", "silent")))
    drill = then(drill, InjectFault(FaultWish("restart", duration_s=10), "Lan"))
    assert [one.ending for one in drill.alarms] == ["lost"]


def test_the_version_of_the_conference_stays():
    state = meeting(2)
    assert then(state, began(("b0", "echo"))).version == state.version


def test_acknowledged_once_by_name():
    state = then(meeting(2), began(("b0", "echo")))
    state, events = did(state, AcknowledgeAlarm(1, "Lan"), after(5))
    assert types(events) == ["alarm.acknowledged"]
    assert (state.alarms[0].acknowledged_by, state.alarms[0].acknowledged_at) == ("Lan", after(5))
    assert did(state, AcknowledgeAlarm(1, "Minh"))[1] == []
    with pytest.raises(Refused, match="No alarm 7"):
        did(state, AcknowledgeAlarm(7, "Lan"))


def test_the_worst_first_and_who_is_in_focus_is_worse():
    state = then(meeting(4, chair="b3", joined=ids(4)), StartBroadcast("b2"))
    assert severity(state, "b0", "echo") == "critical"
    assert [severity(state, who, "black") for who in ids(4)] == [
        "major", "major", "critical", "critical",
    ]  # fmt: skip
    assert [severity(state, who, "loss") for who in ids(4)] == ["minor", "minor", "major", "major"]
    state = then(state, began(("b0", "loss"), ("b1", "lost"), ("b0", "howl")))
    assert [one.kind for one in open_alarms(state.alarms)] == ["howl", "lost", "loss"]


def test_whose_silence_is_trouble():
    state = meeting(4, chair="b3", joined=ids(4))
    assert expected_to_speak(state) == frozenset()
    given = then(state, GrantFloor("b0", 60, "none"))
    assert expected_to_speak(given) == {"b0"}
    assert expected_to_speak(then(given, InterruptFloor())) == frozenset()
    assert expected_to_speak(then(given, ChangeParticipant("b0", audio_muted=True))) == frozenset()
    assert expected_to_speak(then(given, NoteLost("b0", "leg-b0"))) == frozenset()
    assert expected_to_speak(then(state, StartPresentation("b1"))) == {"b1"}
    calling = then(state, StartRollCall("called"))
    assert expected_to_speak(calling) == {calling.roll_calls[0].on_air}


def test_all_are_over_with_the_conference_and_those_that_are_over_are_bounded():
    state = then(meeting(2), began(("b0", "lost")), EndConference("bye"))
    assert [(one.open, one.ending) for one in state.alarms] == [(False, "ended")]
    assert did(state, began(("b0", "echo")))[1] == []
    state = meeting(1)
    for _ in range(KEPT_CLEARED + 20):
        state = then(state, began(("b0", "echo")), ended(("b0", "echo")))
    assert len(state.alarms) == KEPT_CLEARED
    assert state.alarms_raised == state.alarms[-1].number == KEPT_CLEARED + 20


def test_they_survive_the_store():
    state = then(meeting(2), began(("b0", "echo"), level_db=-12.5), AcknowledgeAlarm(1, "Lan"))
    assert state_from_json(json.loads(json.dumps(state_to_json(state)))) == state
