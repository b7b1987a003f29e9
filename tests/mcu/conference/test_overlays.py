"""What is pinned to the picture: decided, kept, counted down, taken away."""

from datetime import timedelta

import pytest

from mcu.conference.codec import state_from_json, state_to_json, time_to_text
from mcu.conference.commands import EndConference, Fact
from mcu.conference.deadlines import deadlines
from mcu.conference.decide import decide
from mcu.conference.floor_model import GrantFloor, InterruptFloor
from mcu.conference.overlay_model import (
    MAX_OVERLAYS,
    NoteOverlayOver,
    OverlayPinned,
    OverlayRemoved,
    PinOverlay,
    RemoveOverlay,
)
from mcu.conference.overlays import overlay_plans
from mcu.conference.plan import media_plan
from mcu.conference.resources import conference_resource, event_data
from mcu.conference.state import Refused
from mcu.engine.plan import OverlayPlan
from tests.mcu.conference.meeting import NOW, after, did, ids, meeting, then


def here():
    return meeting(3, chair="b0", joined=ids(3))


def test_a_text_is_on_every_view_or_on_one_until_it_is_removed():
    state, events = did(here(), PinOverlay("text", "  Giải lao  ", "bottom"))
    assert [type(one) for one in events] == [OverlayPinned]
    assert event_data(events[0]) == {
        "overlay": {
            "number": 1, "kind": "text", "text": "Giải lao", "position": "bottom", "view": None,
            "until": None, "pinned_at": time_to_text(NOW),
        }
    }  # fmt: skip
    state = then(state, PinOverlay("text", "Chỉ chủ tọa", "top", "chair"))
    plan = media_plan(state)
    everywhere = OverlayPlan("bottom", "Giải lao")
    assert plan.views["main"].overlays == (everywhere,)
    assert plan.views["chair"].overlays == (everywhere, OverlayPlan("top", "Chỉ chủ tọa"))
    assert conference_resource(state)["overlays"][1]["view"] == "chair"
    assert state_from_json(state_to_json(state)) == state, "it survives a restart"
    assert decide(state, PinOverlay("text", "Giải lao", "bottom"), NOW) == [], "it is there"
    state, events = did(state, RemoveOverlay(1))
    assert events == [OverlayRemoved(1, "removed")]
    assert event_data(events[0]) == {"number": 1, "reason": "removed"}
    assert media_plan(state).views["main"].overlays == ()
    assert decide(state, RemoveOverlay(1), NOW) == [], "somebody was faster"
    state = then(state, PinOverlay("text", "Sau", "top"))
    assert [one.number for one in state.overlays] == [2, 3], "numbers are not given twice"


def test_also_beside_a_presentation():
    state = then(here(), PinOverlay("text", "Kỳ họp"))
    beside = media_plan(state).views["main"].with_presentation
    assert beside is not None
    assert beside.overlays == (OverlayPlan("top", "Kỳ họp"),)


def test_its_time_comes_to_an_end_by_the_clock():
    state = then(here(), PinOverlay("text", "Năm phút", duration_s=300))
    state = then(state, PinOverlay("text", "Mãi mãi"))
    due: list[tuple[object, Fact]] = list(deadlines(state))
    assert due == [(NOW + timedelta(seconds=300), NoteOverlayOver())]
    assert decide(state, NoteOverlayOver(), after(299)) == []
    state, events = did(state, NoteOverlayOver(), after(300))
    assert events == [OverlayRemoved(1, "over")]
    assert decide(state, NoteOverlayOver(), after(301)) == []
    ended = then(state, EndConference())
    assert ended.overlays == ()


def test_the_floor_counts_down_for_who_has_it():
    state = then(here(), PinOverlay("floor", position="top-left"))
    assert overlay_plans(state, "main") == (), "nobody has the floor"
    state, _ = did(state, GrantFloor("b1", 180), after(10))
    label = state.participants["b1"].label
    until = after(190)
    assert overlay_plans(state, "main") == (OverlayPlan("top-left", label, until),)
    state, _ = did(state, InterruptFloor(), after(70))
    (stands,) = overlay_plans(state, "main")
    assert (stands.until, stands.left_s) == (None, 120.0), "it stands still meanwhile"
    state, _ = did(state, GrantFloor("b2", None), after(80))
    assert overlay_plans(state, "main") == (), "without a limit there is nothing to count"


@pytest.mark.parametrize(
    ("command", "match", "field"),
    [
        (PinOverlay("text", "  "), "no text", "text"),
        (PinOverlay("floor", "chữ"), "no text of its own", "text"),
        (PinOverlay("text", "x" * 201), "longer", "text"),
        (PinOverlay("text", "x", view="moon"), "No view", "view"),
        (PinOverlay("text", "x", duration_s=0), "above 0", "duration_s"),
        (PinOverlay("text", "x", duration_s=1e9), "above 0", "duration_s"),
        (RemoveOverlay(7), "No overlay 7", "number"),
    ],
)
def test_refused(command, match, field):
    with pytest.raises(Refused, match=match) as refused:
        decide(here(), command, NOW)
    assert refused.value.field == field


def test_one_countdown_in_a_view_and_not_more_than_can_be_read():
    state = then(here(), PinOverlay("floor", view="main"))
    then(state, PinOverlay("floor", view="chair"))
    with pytest.raises(Refused, match="already"):
        decide(state, PinOverlay("floor", position="centre"), NOW)
    for number in range(MAX_OVERLAYS - 1):
        state = then(state, PinOverlay("text", f"{number}"))
    with pytest.raises(Refused, match="remove one first"):
        decide(state, PinOverlay("text", "zu viel"), NOW)
