from dataclasses import replace

import pytest

from mcu.conference.commands import (
    ChangeParticipant,
    EndConference,
    NoteLost,
    SetLayout,
    ShowMessage,
    StartBroadcast,
    StopBroadcast,
)
from mcu.conference.plan import media_plan, resolve_view
from mcu.conference.state import ViewSetting
from mcu.engine.plan import (
    EmptySlot,
    MediaPlan,
    ParticipantPlan,
    ParticipantSlot,
    PollingSlot,
    PresentationSlot,
    SpeakerSlot,
    ViewPlan,
)
from tests.mcu.conference.meeting import ids, meeting, then


def test_everything_of_a_participant():
    state = then(
        meeting(2, chair="b1", joined=["b0", "b1"]),
        ChangeParticipant(
            "b0", audio_muted=True, video_muted=True, deafened=True, importance=3,
            label="Cầu 0", volume_db=2.5,
        ),
        NoteLost("b0", "leg-b0"),
    )  # fmt: skip
    plan = media_plan(state)
    assert plan.participants["b0"] == ParticipantPlan(
        "b0", "Cầu 0", "lost", audio_muted=True, video_muted=True, deafened=True,
        volume_db=2.5, importance=3, view="main",
    )  # fmt: skip
    assert plan.participants["b1"].view == "chair"


def test_the_chair_does_not_see_itself_but_everybody_else_does():
    plan = media_plan(meeting(3, chair="b0", joined=ids(3)))
    assert plan.views["main"].slots[0] == ParticipantSlot("b0")
    assert ParticipantSlot("b0") not in plan.views["chair"].slots
    assert plan.views["chair"].layout == "2x2"


def test_a_broadcast_covers_main_until_it_stops():
    state = then(meeting(3, joined=ids(3)), SetLayout("main", "1+5"))
    on_air = then(state, StartBroadcast("b2"))
    assert media_plan(on_air).views["main"] == ViewPlan("main", "1x1", (ParticipantSlot("b2"),))
    assert media_plan(on_air).views["chair"] == media_plan(state).views["chair"]
    assert media_plan(then(on_air, StopBroadcast())) == media_plan(state)


def test_the_fit_of_a_view_is_kept_through_a_broadcast():
    state = then(meeting(2, joined=ids(2)), SetLayout("main", "2x2", fit="crop"))
    for each in (state, then(state, StartBroadcast("b1"))):
        views = media_plan(each).views
        assert (views["main"].fit, views["chair"].fit) == ("crop", "letterbox")


def test_a_message_lies_over_every_view():
    plan = media_plan(then(meeting(), ShowMessage("Tạm nghỉ"), StartBroadcast("b0")))
    assert {view.message for view in plan.views.values()} == {"Tạm nghỉ"}


def test_fixed_slots_stay_whoever_comes():
    slots = (ParticipantSlot("b9"), SpeakerSlot(1), EmptySlot(), ParticipantSlot("b0"))
    state = then(meeting(10, joined=ids(9)), SetLayout("main", "2x2", slots))
    assert resolve_view(state, "main").slots == slots


def test_polling_without_a_list_goes_through_all_who_are_here():
    polling = SetLayout("main", "1x1", (PollingSlot(5, ()),))
    state = then(meeting(5, joined=["b3", "b1"]), polling)
    assert resolve_view(state, "main").slots == (PollingSlot(5, ("b3", "b1")),)
    nobody = then(meeting(5), polling)
    assert resolve_view(nobody, "main").slots == (EmptySlot(),)


def test_slots_of_a_layout_that_has_changed_since_are_filled_anew():
    state = replace(
        meeting(1, joined=["b0"]), views={"main": ViewSetting("2x2", (EmptySlot(),) * 9)}
    )
    view = resolve_view(state, "main")
    assert (view.layout, len(view.slots)) == ("2x2", 4)


def test_nothing_is_planned_after_the_end():
    assert media_plan(then(meeting(joined=["b0"]), EndConference())) == MediaPlan()


def test_an_unknown_view():
    with pytest.raises(KeyError):
        resolve_view(meeting(), "nowhere")


def test_a_view_has_another_with_the_presentation_in_it():
    state = then(meeting(3, chair="b0", joined=ids(3)), ShowMessage("Nghỉ"))
    for name, first in (("main", "b0"), ("chair", "b1")):
        plan = media_plan(state).views[name]
        composed = plan.with_presentation
        assert composed.name == f"{name}+presentation"
        assert composed.layout == "presenter"
        assert composed.slots[:3] == (PresentationSlot(), SpeakerSlot(1), ParticipantSlot(first))
        assert (composed.message, composed.with_presentation) == (plan.message, None)


def test_no_other_view_where_an_operator_has_said_what_stands_where():
    state = meeting(2, joined=ids(2))
    for command in (
        StartBroadcast("b0"),
        SetLayout("main", "presenter"),
        SetLayout("main", "1x1", (ParticipantSlot("b1"),)),
    ):
        assert media_plan(then(state, command)).views["main"].with_presentation is None
