"""A drill: what can be broken in it and what cannot, when it ends, and how long people took."""

import json
from datetime import timedelta

import pytest

from mcu.conference.alarm_model import AcknowledgeAlarm, NoteTroubles, TroubleBegan, TroubleEnded
from mcu.conference.chair_view_model import StartChairView
from mcu.conference.codec import event_from_json, event_to_json, state_from_json, state_to_json
from mcu.conference.commands import (
    AddParticipant,
    ChangeParticipant,
    EndConference,
    MuteAll,
    NoteJoined,
    NoteLost,
    NoteReturned,
    RemoveParticipant,
)
from mcu.conference.deadlines import deadlines
from mcu.conference.drill import NotADrill
from mcu.conference.drill_effects import is_down, leg_faults
from mcu.conference.drill_hands import hand_of
from mcu.conference.drill_model import (
    MAX_FAULTS,
    ClearFaults,
    Drill,
    DrillStep,
    Fault,
    FaultKind,
    FaultWish,
    InjectFault,
    NoteDrillDue,
    NoteHand,
    SetScript,
    StartScript,
    StopScript,
)
from mcu.conference.drill_resources import FAULT_COLUMNS, drill_resource, fault_row
from mcu.conference.overlays import DRILL_TEXT
from mcu.conference.plan import media_plan
from mcu.conference.recording_model import StartRecording
from mcu.conference.state import ConferenceState, Refused
from mcu.engine.plan import LegFaults, LineFault
from tests.mcu.conference.meeting import NOW, after, did, entry, meeting, then, types

INSTRUCTOR = "Hải"
COMMANDS = (
    InjectFault(FaultWish("black"), INSTRUCTOR),
    ClearFaults(None, INSTRUCTOR),
    SetScript((), INSTRUCTOR),
    StartScript(INSTRUCTOR),
    StopScript(INSTRUCTOR),
)


def drill(*joined: str) -> ConferenceState:
    return meeting(3, drill=True, joined=joined or ("b0", "b1", "b2"))


def inject(kind: FaultKind, *who: str, **values: float) -> InjectFault:
    return InjectFault(FaultWish(kind, who, **values), INSTRUCTOR)  # type: ignore[arg-type]


def began(who: str, kind: str, since: float = 0.0) -> NoteTroubles:
    return NoteTroubles((TroubleBegan(who, kind, after(since)),))  # type: ignore[arg-type]


def ended(who: str, kind: str) -> NoteTroubles:
    return NoteTroubles((TroubleEnded(who, kind),))  # type: ignore[arg-type]


def marks(state: ConferenceState, number: int = 1) -> dict[str, tuple[float, str, str]]:
    assert state.drill is not None
    fault = state.drill.faults[number - 1]
    return {
        one.kind: ((one.at - fault.began_at).total_seconds(), one.by, one.what)
        for one in fault.marks
    }


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: type(one).__name__)
def test_what_is_no_drill_cannot_be_touched(command: object) -> None:
    state = meeting(3, joined=("b0",))
    assert state.drill is None
    with pytest.raises(NotADrill, match="is not a drill"):
        did(state, command)  # type: ignore[arg-type]
    assert did(state, NoteDrillDue())[1] == []
    assert did(state, NoteHand("b0", "Lan", "changed", acts=True))[1] == []
    assert (media_plan(state).faults, media_plan(state).down) == ({}, False)


def test_a_fault_begins_ends_by_itself_and_stands_in_the_plan_meanwhile() -> None:
    state, events = did(drill(), inject("black", "b1", duration_s=30))
    assert types(events) == ["drill.fault-injected"]
    assert media_plan(state).faults == {"b1": LegFaults(picture="black")}
    assert (after(30), NoteDrillDue()) in list(deadlines(state))
    assert did(state, NoteDrillDue(), after(29))[1] == []
    state, events = did(state, NoteDrillDue(), after(30))
    assert types(events) == ["drill.fault-ended", "drill.fault-marked"]
    assert media_plan(state).faults == {}
    assert marks(state) == {"recovered": (30.0, "", "")}
    assert list(deadlines(state)) == []


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        (FaultWish("black", ("b1", "b9")), "participants.1"),
        (FaultWish("black", ("b1", "b1")), "participants"),
        (FaultWish("restart", ("b1",)), "participants"),
        (FaultWish("black", duration_s=0.5), "duration_s"),
        (FaultWish("black", duration_s=3601), "duration_s"),
        (FaultWish("restart", duration_s=121), "duration_s"),
        (FaultWish("loss"), "loss_percent"),
        (FaultWish("loss", loss_percent=101), "loss_percent"),
        (FaultWish("loss", jitter_ms=1001), "jitter_ms"),
        (FaultWish("overload"), "rate_kbps"),
        (FaultWish("overload", rate_kbps=8), "rate_kbps"),
        (FaultWish("lost", loss_percent=5), "loss_percent"),
        (FaultWish("muted", jitter_ms=5), "jitter_ms"),
        (FaultWish("loss", loss_percent=5, rate_kbps=64), "rate_kbps"),
    ],
)
def test_what_means_nothing_is_refused_by_field(wish: FaultWish, field: str) -> None:
    with pytest.raises(Refused) as refused:
        did(drill(), InjectFault(wish, INSTRUCTOR))
    assert refused.value.field == field
    with pytest.raises(Refused) as refused:
        did(drill(), SetScript((DrillStep(0, FaultWish("black")), DrillStep(1, wish)), ""))
    assert refused.value.field == f"steps.1.{field}"


def test_the_same_twice_at_one_place_is_refused_and_elsewhere_not() -> None:
    state = then(drill(), inject("black", "b1"))
    for again in (inject("black", "b0", "b1"), inject("black")):
        with pytest.raises(Refused, match="in effect there already"):
            did(state, again)
    state = then(state, inject("black", "b0"), inject("muted", "b1"))
    assert media_plan(state).faults["b1"] == LegFaults(silent=True, picture="black")
    with pytest.raises(Refused, match="in effect there already"):
        did(then(drill(), inject("lost")), inject("lost", "b2"))


def test_cleared_by_number_or_all_and_never_twice() -> None:
    state = then(drill(), inject("black", "b0"), inject("muted", "b1"), inject("codec", "b2"))
    state, events = did(state, ClearFaults(2, "Lan"), after(5))
    assert [one.by for one in events if one.type == "drill.fault-ended"] == ["Lan"]  # type: ignore[union-attr]
    assert did(state, ClearFaults(2, "Lan"))[1] == []
    with pytest.raises(Refused, match="No fault 7"):
        did(state, ClearFaults(7, "Lan"))
    state, events = did(state, ClearFaults(None, "Lan"), after(6))
    assert types(events).count("drill.fault-ended") == 2
    assert media_plan(state).faults == {}


def test_the_whole_conference_is_everybody_also_who_comes_later() -> None:
    state = then(drill(), inject("loss", loss_percent=20), AddParticipant(entry("b7")))
    line = LineFault(loss_percent=20)
    assert media_plan(state).faults == {
        who: LegFaults(line=line) for who in ("b0", "b1", "b2", "b7")
    }


def test_its_pictures_say_so() -> None:
    for view in media_plan(drill()).views.values():
        assert [one.text for one in view.overlays] == [DRILL_TEXT]
    assert not any(view.overlays for view in media_plan(meeting(2)).views.values())


def test_faults_of_a_line_add_up() -> None:
    wishes = (
        FaultWish("loss", ("b0",), loss_percent=5, jitter_ms=80),
        FaultWish("loss", ("b0",), loss_percent=10, jitter_ms=20),
        FaultWish("overload", ("b0",), rate_kbps=256),
        FaultWish("overload", ("b0",), rate_kbps=128),
        FaultWish("lost", ("b0",)),
        FaultWish("frozen", ("b0", "gone")),
        FaultWish("black", ("b0",)),
    )
    all_of = Drill(tuple(Fault(n, one, "", NOW, after(60)) for n, one in enumerate(wishes, 1)))
    line = LineFault(cut=True, loss_percent=10, jitter_ms=80, rate_bps=128_000)
    assert leg_faults(all_of, {"b0", "b1"}) == {"b0": LegFaults(picture="black", line=line)}
    assert not is_down(all_of)


def test_a_restart_takes_all_out_until_it_is_over() -> None:
    state, events = did(drill(), inject("restart", duration_s=10))
    assert types(events) == ["drill.fault-injected", *["participant.lost"] * 3]
    assert media_plan(state).down
    state, _ = did(state, NoteDrillDue(), after(10))
    assert not media_plan(state).down
    assert marks(state) == {}  # nobody is back
    for who in ("b0", "b1", "b2"):
        assert "recovered" not in marks(state)
        state, _ = did(state, NoteJoined(who, f"new-{who}"), after(15))
    assert marks(state) == {"recovered": (15.0, "", "")}


@pytest.mark.parametrize(("late_s", "detected"), [(0.5, True), (15.0, True), (15.5, False)])
def test_a_restart_is_found_when_something_is_watched_again(late_s: float, detected: bool) -> None:
    state, _ = did(drill(), inject("restart", duration_s=10))
    state, _ = did(state, NoteDrillDue(), after(10))
    state, _ = did(state, began("b1", "lost", 10.0 + late_s), after(30))
    assert ("detected" in marks(state)) is detected


def test_a_restart_would_cut_a_recording() -> None:
    state = then(drill(), StartRecording("rec-1", "Phiên", "main", "Lan"))
    with pytest.raises(Refused, match="recording is running"):
        did(state, inject("restart"))


def test_staffs_times_are_those_of_the_first_hands_on_the_room() -> None:
    state = then(drill(), inject("black", "b1", duration_s=600))
    state, _ = did(state, began("b1", "black", 2), after(12))
    state, _ = did(state, NoteHand("b0", "Lan", "changed", acts=True), after(13))
    state, _ = did(state, NoteHand("b1", "Lan", "acknowledged", acts=False), after(20))
    state, _ = did(state, NoteHand("b1", "Minh", "called", acts=True), after(45))
    state, events = did(state, NoteHand("b1", "Lan", "changed", acts=True), after(50))
    assert events == []
    state, _ = did(state, ClearFaults(1, INSTRUCTOR), after(70))
    state, _ = did(state, ended("b1", "black"), after(80))
    assert marks(state) == {
        "detected": (12.0, "", "black"),
        "noticed": (20.0, "Lan", "acknowledged"),
        "acted": (45.0, "Minh", "called"),
        "recovered": (80.0, "", ""),
    }


def test_a_fault_that_lasts_is_not_over_whatever_has_cleared_its_alarm() -> None:
    state = then(drill(), inject("black", "b1", duration_s=600))
    state, _ = did(state, began("b1", "black", 2), after(12))
    state, _ = did(state, inject("restart", duration_s=10), after(20))
    state, _ = did(state, ended("b1", "black"), after(21))
    assert "recovered" not in marks(state), "a restart has silenced the alarm; the camera is black"
    state, _ = did(state, NoteDrillDue(), after(30))
    state, _ = did(state, NoteJoined("b1", "again"), after(35))
    state, _ = did(state, began("b1", "black", 36), after(40))
    state, _ = did(state, NoteHand("b1", "Lan", "called", acts=True), after(45))
    assert marks(state)["acted"] == (45.0, "Lan", "called"), "hands count until it is over"
    state, _ = did(state, ClearFaults(1, INSTRUCTOR), after(50))
    assert "recovered" not in marks(state), "its alarm lasts"
    state, _ = did(state, ended("b1", "black"), after(53))
    assert marks(state)["recovered"] == (53.0, "", "")


def test_who_acts_at_once_has_noticed_too() -> None:
    state = then(drill(), inject("muted", "b1"))
    state, _ = did(state, NoteHand("b1", "Lan", "called", acts=True), after(4))
    assert marks(state) == {"noticed": (4.0, "Lan", "called"), "acted": (4.0, "Lan", "called")}


def test_alarms_of_other_rooms_kinds_and_times_are_not_of_the_fault() -> None:
    state = then(drill(), began("b1", "black"))
    state, _ = did(state, inject("black", "b1", duration_s=30), after(5))
    for other in (began("b0", "black", 6), began("b1", "frozen", 6)):
        state, _ = did(state, other, after(9))
    assert marks(state) == {}
    state, _ = did(state, NoteDrillDue(), after(40))
    state, _ = did(state, ended("b1", "black"), after(41))
    state, _ = did(state, began("b1", "black", 42), after(50))
    assert "detected" not in marks(state)


def test_it_is_not_over_while_its_alarm_lasts_or_the_room_is_away() -> None:
    state = then(drill(), inject("lost", "b1", duration_s=20))
    state, _ = did(state, NoteLost("b1", "leg-b1"), after(3))
    state, _ = did(state, began("b1", "lost", 3), after(3))
    state, _ = did(state, NoteDrillDue(), after(20))
    assert "recovered" not in marks(state)
    state, _ = did(state, NoteReturned("b1", "leg-b1"), after(21))
    assert "recovered" not in marks(state)
    state, _ = did(state, ended("b1", "lost"), after(23))
    assert marks(state)["recovered"] == (23.0, "", "")


@pytest.mark.parametrize(
    ("command", "what", "acts"),
    [
        (StartChairView("b1"), "chair-view", False),
        (ChangeParticipant("b1", audio_muted=True), "changed", True),
        (RemoveParticipant("b1"), "removed", True),
        (AddParticipant(entry("b1")), "called", True),
    ],
)
def test_which_commands_take_a_room_in_hand(command: object, what: str, acts: bool) -> None:
    found = hand_of(drill(), command, "Lan")  # type: ignore[arg-type]
    assert found == NoteHand("b1", "Lan", what, acts)


def test_an_acknowledged_alarm_is_its_rooms_and_what_is_for_all_is_nobodys() -> None:
    state = then(drill(), began("b2", "black"))
    assert hand_of(state, AcknowledgeAlarm(1, "Lan"), "Lan") == NoteHand(
        "b2", "Lan", "acknowledged", acts=False
    )
    assert hand_of(state, AcknowledgeAlarm(5, "Lan"), "Lan") is None
    assert hand_of(state, MuteAll(), "Lan") is None


def test_a_script_runs_in_time_skips_what_cannot_be_and_stops() -> None:
    steps = (
        DrillStep(60, FaultWish("frozen", ("b2",), 10)),
        DrillStep(0, FaultWish("black", ("b0", "b1"), 300)),
        DrillStep(30, FaultWish("black", ("b0",), 10)),
    )
    state = then(drill(), SetScript(steps, "Lan"))
    assert state.drill is not None
    assert [one.at_s for one in state.drill.script] == [0, 30, 60]
    state, events = did(state, StartScript(INSTRUCTOR))
    assert types(events) == ["drill.script-started", "drill.fault-injected"]
    with pytest.raises(Refused, match="stop it before"):
        did(state, SetScript((), "Lan"))
    with pytest.raises(Refused, match="running already"):
        did(state, StartScript("Lan"))
    state = then(state, RemoveParticipant("b1"))
    state, events = did(state, NoteDrillDue(), after(30))
    assert types(events) == ["drill.step-skipped"]
    assert "in effect there already" in events[0].why  # type: ignore[union-attr]
    state, events = did(state, NoteDrillDue(), after(61))
    assert types(events) == ["drill.fault-injected", "drill.script-stopped"]
    assert state.drill is not None
    assert [(one.step, one.by) for one in state.drill.faults] == [(1, INSTRUCTOR), (3, INSTRUCTOR)]
    assert state.drill.step_due is None


def test_steps_that_are_long_due_come_in_their_order() -> None:
    steps = tuple(DrillStep(n, FaultWish("muted", (f"b{n}",))) for n in range(3))
    state = then(drill(), SetScript(steps, "Lan"), StartScript("Lan"))
    _, events = did(state, NoteDrillDue(), after(20))
    assert types(events) == ["drill.fault-injected"] * 2 + ["drill.script-stopped"]


def test_an_empty_script_and_too_many_faults_are_refused() -> None:
    with pytest.raises(Refused, match="no script yet"):
        did(drill(), StartScript("Lan"))
    state = drill()
    for number in range(MAX_FAULTS):
        state = then(state, inject("muted", "b0"), ClearFaults(None, "Lan"))
        assert number < MAX_FAULTS
    with pytest.raises(Refused, match="at most 200 faults"):
        did(state, inject("muted", "b0"))


def test_the_end_of_the_conference_ends_all_of_it() -> None:
    steps = (DrillStep(500, FaultWish("black")),)
    state = then(drill(), SetScript(steps, ""), StartScript(""), inject("lost", "b1"))
    state, events = did(state, EndConference())
    assert types(events) == ["drill.fault-ended", "drill.script-stopped", "conference.ended"]
    assert state.drill is not None
    assert state.drill.faults[0].ending == "ended"


def test_kept_as_it_is() -> None:
    state = then(drill(), SetScript((DrillStep(5, FaultWish("black", ("b0",))),), "Lan"))
    state = then(state, StartScript("Lan"), inject("loss", "b1", loss_percent=5))
    state, _ = did(state, NoteHand("b1", "Lan", "called", acts=True), after(3))
    assert state_from_json(json.loads(json.dumps(state_to_json(state)))) == state
    _, events = did(state, NoteDrillDue(), NOW + timedelta(seconds=70))
    for event in events:
        text = json.loads(json.dumps(event_to_json(event)))
        assert event_from_json(event.type, text) == event


def test_what_is_shown_of_it() -> None:
    state = then(drill(), inject("loss", "b1", loss_percent=20, duration_s=90))
    state, _ = did(state, NoteHand("b1", "Lan", "called", acts=True), after(7.5))
    assert state.drill is not None
    (fault,) = drill_resource(state, state.drill)["faults"]
    assert (fault["labels"], fault["acted_s"], fault["detected_s"]) == (
        ["Điểm cầu b1"], 7.5, None,
    )  # fmt: skip
    row = dict(zip(FAULT_COLUMNS, fault_row(fault), strict=True))
    assert (row["participants"], row["noticed_by"], row["acted_what"]) == ("b1", "Lan", "called")
    assert row["detected_at"] is None
