import json
from dataclasses import fields
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcu.conference import events as catalogue
from mcu.conference.alarm_model import ConferenceAlarm
from mcu.conference.chair_view_model import StartChairView
from mcu.conference.codec import (
    SCHEMA_VERSION,
    UnreadableRecord,
    event_from_json,
    event_to_json,
    slot_from_json,
    slot_to_json,
    state_from_json,
    state_to_json,
    time_to_text,
)
from mcu.conference.commands import (
    Lock,
    MuteAll,
    NoteJoined,
    SetLayout,
    ShowMessage,
    StartBroadcast,
)
from mcu.conference.conflict_model import Conflict, NoteConflict
from mcu.conference.convening_model import ConvenedRoom, Convening, Milestone, StartConvening
from mcu.conference.drill_model import DrillStep, Fault, FaultMark, FaultWish
from mcu.conference.floor_model import FloorHolder, GrantFloor, InterruptFloor, RequestFloor
from mcu.conference.invitation_model import Invitation
from mcu.conference.overlay_model import Overlay
from mcu.conference.polling_model import Polling, StartPolling
from mcu.conference.recording_model import Recording, StartRecording
from mcu.conference.roll_call_model import (
    ExpectedRoom,
    RollCall,
    RollCallMark,
    StartRollCall,
)
from mcu.conference.scenario import (
    Agenda,
    AgendaItem,
    Before,
    Contingency,
    Duty,
    ItemPolling,
    Visit,
)
from mcu.conference.state import Participant, ParticipantLeg
from mcu.engine.plan import (
    EmptySlot,
    ParticipantSlot,
    PollingSlot,
    PresentationSlot,
    SpeakerSlot,
)
from tests.mcu.conference.meeting import NOW, meeting, then

texts = st.text(max_size=8)
times = st.integers(0, 10**9).map(lambda millis: NOW + timedelta(milliseconds=millis))
slots = st.one_of(
    st.text(min_size=1).map(ParticipantSlot),
    st.integers(1, 49).map(SpeakerSlot),
    st.builds(PollingSlot, st.floats(2, 3600), st.lists(texts).map(tuple)),
    st.just(PresentationSlot()),
    st.just(EmptySlot()),
)
participants = st.builds(
    Participant,
    id=texts,
    name=texts,
    label=texts,
    order=st.integers(0, 999),
    bridge=st.none() | texts,
    unit=st.none() | texts,
    unit_path=st.lists(texts).map(tuple),
    role=st.sampled_from(["participant", "chair"]),
    presence=st.sampled_from(["expected", "calling", "connected", "lost", "left"]),
    audio_muted=st.booleans(),
    volume_db=st.floats(-60, 20),
    legs=st.lists(
        st.builds(
            ParticipantLeg, texts, st.sampled_from(["join", "publish", "view"]), st.booleans()
        )
    ).map(tuple),
    join_order=st.none() | st.integers(0, 999),
    joined_at=st.none() | times,
    lost_at=st.none() | times,
    version=st.integers(1, 99),
)
items = st.builds(
    AgendaItem,
    texts,
    texts,
    st.integers(1, 86_400),
    starts_s=st.none() | st.integers(0, 86_400),
    speaker=st.none() | texts,
    broadcast=st.booleans(),
    unmuted=st.none() | st.lists(texts).map(tuple),
    polling=st.none() | st.builds(ItemPolling, texts, st.floats(2, 60)),
    message=st.none() | texts,
)
befores = st.builds(
    Before,
    muted=st.none() | st.lists(texts).map(tuple),
    layout=st.none() | texts,
    slots=st.none() | st.lists(slots).map(tuple),
)
duties = st.builds(Duty, texts, texts, texts, st.none() | texts)
contingencies = st.builds(Contingency, texts, texts)
agendas = st.builds(
    Agenda,
    items=st.lists(items, max_size=3).map(tuple),
    duties=st.lists(duties, max_size=2).map(tuple),
    contingencies=st.lists(contingencies, max_size=2).map(tuple),
    begins_at=st.none() | times,
    current=st.none() | texts,
    visits=st.lists(
        st.builds(Visit, texts, texts, times, st.none() | times, st.booleans()), max_size=3
    ).map(tuple),
    before=befores,
    version=st.integers(1, 99),
)


floor_holders = st.builds(
    FloorHolder,
    participant=texts,
    since=times,
    until=st.none() | times,
    limit_s=st.none() | st.floats(1, 900),
    picture=st.sampled_from(["speaker", "broadcast", "none"]),
    was_muted=st.booleans(),
    interrupted_at=st.none() | times,
    left_s=st.none() | st.floats(0, 900),
)


pollings = st.builds(
    Polling,
    interval_s=st.floats(2, 99),
    scope=texts | st.lists(texts).map(tuple),
    except_=st.lists(texts).map(tuple),
    participant=st.none() | texts,
    due=st.none() | times,
)
marks = st.builds(
    RollCallMark,
    entry=st.integers(1, 99),
    participant=texts,
    status=st.sampled_from(["present", "late", "absent", "lost"]),
    at=times,
    by=texts,
    correction=st.booleans(),
)
recordings = st.builds(
    Recording, texts, texts, st.sampled_from(("main", "chair")), texts, times, st.integers(0, 9)
)
roll_calls = st.builds(
    RollCall,
    number=st.integers(1, 9),
    mode=st.sampled_from(["presence", "called"]),
    started_at=times,
    expected=st.lists(st.builds(ExpectedRoom, texts, texts, st.none() | texts)).map(tuple),
    due=st.none() | times,
    marks=st.lists(marks, max_size=3).map(tuple),
    heard=st.lists(texts).map(tuple),
)
conveneds = st.builds(
    ConvenedRoom,
    texts,
    st.integers(0, 99),
    called_at=st.none() | times,
    due=st.none() | times,
    joined_at=st.none() | times,
    failure=st.none() | st.sampled_from(["busy", "no_answer"]),
    next_at=st.none() | times,
    stopped=st.booleans(),
)
convenings = st.builds(
    Convening,
    number=st.integers(1, 9),
    started_at=times,
    by=texts,
    order=st.sampled_from(["importance", "units", "scenario"]),
    at_once=st.integers(1, 99),
    target_s=st.floats(30, 900),
    rooms=st.lists(conveneds, max_size=3).map(tuple),
    milestones=st.lists(st.builds(Milestone, st.integers(1, 100), times), max_size=3).map(tuple),
    overdue_at=st.none() | times,
    ended_at=st.none() | times,
    ended_by=st.none() | texts,
)


alarms = st.builds(
    ConferenceAlarm,
    number=st.integers(1, 9),
    participant=texts,
    kind=st.sampled_from(["echo", "lost"]),
    severity=st.sampled_from(["critical", "minor"]),
    since=times,
    raised_at=times,
    detail=st.dictionaries(texts, texts | st.floats(-60, 400)),
    cleared_at=st.none() | times,
    ending=st.none() | st.sampled_from(["well", "lost", "left"]),
    acknowledged_by=st.none() | texts,
)
conflicts = st.builds(
    Conflict,
    texts,
    texts,
    st.sampled_from(["asking", "holding"]),
    texts,
    texts,
    times,
    is_chair=st.booleans(),
    status=st.sampled_from(["open", "waiting", "settled"]),
    decided_at=st.none() | times,
)


invitations = st.builds(
    Invitation,
    texts,
    texts,
    texts,
    times,
    status=st.sampled_from(["open", "accepted", "withdrawn"]),
    answered_at=st.none() | times,
)
overlays = st.builds(
    Overlay,
    st.integers(1, 99),
    st.sampled_from(["text", "floor"]),
    texts,
    st.sampled_from(["top", "bottom-right"]),
    st.none() | texts,
    st.none() | times,
    times,
)


wishes = st.builds(
    FaultWish,
    st.sampled_from(["lost", "loss", "restart"]),
    st.lists(texts, max_size=2).map(tuple),
    st.floats(1, 3600),
    st.floats(0, 100),
)
steps = st.builds(DrillStep, st.floats(0, 600), wishes)
fault_marks = st.builds(FaultMark, st.sampled_from(["detected", "acted"]), times, texts, texts)
faults = st.builds(
    Fault,
    st.integers(1, 9),
    wishes,
    texts,
    times,
    times,
    st.none() | st.integers(1, 9),
    st.none() | times,
    st.none() | st.sampled_from(["over", "cleared"]),
    st.lists(fault_marks, max_size=3).map(tuple),
)


def events_of(cls):
    """Any event of a class, its fields filled by their annotations."""
    from typing import get_type_hints

    hints = get_type_hints(cls)
    kinds = {
        str: texts,
        bool: st.booleans(),
        Participant: participants,
        FloorHolder: floor_holders,
        Polling: pollings,
        Recording: recordings,
        RollCall: roll_calls,
        Convening: convenings,
        Conflict: conflicts,
        Overlay: overlays,
        Invitation: invitations,
        Fault: faults,
        FaultMark: fault_marks,
        tuple[DrillStep, ...]: st.lists(steps, max_size=3).map(tuple),
        ConferenceAlarm: alarms,
        tuple[RollCallMark, ...]: st.lists(marks, max_size=3).map(tuple),
        int: st.integers(1, 9),
        tuple[str, ...]: st.lists(texts).map(tuple),
        tuple[Participant, ...]: st.lists(participants, max_size=3).map(tuple),
        tuple[AgendaItem, ...]: st.lists(items, max_size=3).map(tuple),
        tuple[Duty, ...]: st.lists(duties, max_size=2).map(tuple),
        tuple[Contingency, ...]: st.lists(contingencies, max_size=2).map(tuple),
        Before: befores,
        Agenda | None: st.none() | agendas,
    }

    def strategy(hint):
        if hint in kinds:
            return kinds[hint]
        text = str(hint)
        if "Slot" in text:
            return st.none() | st.lists(slots).map(tuple)
        if "datetime" in text:
            return st.none() | times if "None" in text else times
        return st.none() | texts

    return st.builds(cls, **{field.name: strategy(hints[field.name]) for field in fields(cls)})


@pytest.mark.parametrize("cls", catalogue.Event.__args__, ids=lambda cls: cls.type)
@given(data=st.data())
def test_every_event_survives_json(cls, data):
    event = data.draw(events_of(cls))
    text = json.dumps(event_to_json(event))
    assert event_from_json(cls.type, json.loads(text)) == event


def test_types_are_nouns_and_past_participles_and_unique():
    assert len(set(catalogue.EVENT_TYPES)) == len(catalogue.EVENT_TYPES) >= 23
    assert all(
        type_.count(".") == 1 and type_.endswith(("ed", "n", "t", "d"))
        for type_ in catalogue.EVENT_TYPES
    )


def test_a_state_survives_json():
    state = then(
        meeting(5, chair="b1", joined=["b1", "b0"]),
        SetLayout("main", "2x2", (ParticipantSlot("b0"), SpeakerSlot(1), PollingSlot(5, ("b1",)),
                                  PresentationSlot()), "crop"),
        NoteJoined("b2", "up", "publish"), MuteAll("tinh"), Lock(), ShowMessage("a", 60),
        StartBroadcast("b1"), RequestFloor("b1"), GrantFloor("b0", 60, "none"), InterruptFloor(),
        StartChairView("b0"), StartPolling(5, ("b0", "b2")), StartRollCall("presence"),
        StartConvening(by="An", at_once=1), NoteJoined("b3", "leg-b3"),
        NoteConflict(Conflict("b0", "Xã", "holding", "c2", "Họp", NOW)),
        StartRecording("rec-1", "Họp", "main", "Lan"),
    )  # fmt: skip
    restored = state_from_json(json.loads(json.dumps(state_to_json(state))))
    assert restored == state
    assert list(restored.participants) == list(state.participants)


@given(slots)
def test_slots_survive_json(slot):
    assert slot_from_json(json.loads(json.dumps(slot_to_json(slot)))) == slot


def test_members_that_are_null_count_as_absent():
    null = {"participant": None, "speaker": None, "polling": None, "presentation": None}
    assert slot_from_json(null) == EmptySlot()
    assert slot_from_json({**null, "speaker": 2}) == SpeakerSlot(2)


GOOD = event_to_json(catalogue.BroadcastStarted("b1"))


@pytest.mark.parametrize(
    ("type_", "data"),
    [
        ("conference.vanished", GOOD),
        ("broadcast.started", {}),
        ("broadcast.started", {"v": SCHEMA_VERSION + 1, "participant": "b1"}),
        ("broadcast.started", {"v": "1", "participant": "b1"}),
        ("broadcast.started", {"v": 1}),
        ("participant.lost", {"v": 1, "participant": "b1"}),
        ("participant.lost", {"v": 1, "participant": {"id": "b1"}}),
        ("layout.changed", {"v": 1, "view": "main", "layout": "2x2", "slots": [3]}),
        ("conference.ended", {"v": 1, "reason": "x", "at": "yesterday"}),
    ],
)
def test_what_cannot_be_read_says_so(type_, data):
    with pytest.raises(UnreadableRecord):
        event_from_json(type_, data)


def test_fields_of_a_later_version_are_passed_over():
    assert event_from_json("broadcast.started", {**GOOD, "since": 1}).participant == "b1"


def test_layouts_of_an_earlier_version_show_pictures_whole():
    old = {"v": 1, "view": "main", "layout": "2x2", "slots": None}
    assert event_from_json("layout.changed", old).fit == "letterbox"
    state = state_to_json(meeting())
    for view in state["views"].values():
        del view["fit"]
    assert state_from_json(state) == meeting()


def test_times_are_utc():
    assert time_to_text(NOW) == "2026-11-02T07:30:00.000000Z"
