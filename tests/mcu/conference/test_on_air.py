"""Who is shown large while somebody has the floor, and that all is as before afterwards."""

import pytest

from mcu.conference.commands import MuteAll, NoteLeft, SetLayout, StartBroadcast
from mcu.conference.floor_model import EndFloor, GrantFloor, InterruptFloor
from mcu.conference.plan import media_plan
from mcu.conference.roll_call_model import StartRollCall
from mcu.engine.plan import EmptySlot, ParticipantSlot, PresentationSlot, SpeakerSlot
from tests.mcu.conference.meeting import ids, meeting, then


def here(count=5, **changes):
    return meeting(count, chair="b0", joined=ids(count), **changes)


def view(state, name="main"):
    return media_plan(state).views[name]


def shown(state, name="main"):
    """The layout, and who stands in the slots; speakers by their rank."""
    plan = view(state, name)
    names = [
        slot.participant if isinstance(slot, ParticipantSlot) else getattr(slot, "rank", None)
        for slot in plan.slots
    ]
    return plan.layout, names


def test_automatic_pictures_are_led_and_go_back():
    state = here()
    before = media_plan(state)
    granted = then(state, GrantFloor("b3"))
    assert shown(granted) == ("1+5", ["b3", "b0", "b1", "b2", "b4", None])
    assert shown(granted, "chair") == ("1+5", ["b3", "b1", "b2", "b4", None, None])
    ended = then(granted, EndFloor())
    assert media_plan(ended).views["main"] == before.views["main"]


@pytest.mark.parametrize(("count", "layout"), [(6, "1+5"), (8, "1+7"), (13, "1+12"), (30, "1+12")])
def test_the_smallest_that_holds_all(count, layout):
    assert shown(then(here(count), GrantFloor("b3")))[0] == layout


def test_the_chair_sees_who_is_called_and_never_itself():
    state = then(here(layout="1+5"), StartRollCall("called", ("b3", "b1")))
    assert shown(state, "chair") == ("1+5", ["b3", "b1", "b2", "b4", None, None])
    assert shown(state) == ("1x1", ["b3"])
    assert view(state, "chair").watcher == "b0"
    assert view(state).watcher is None


def test_one_alone():
    state = then(meeting(1, joined=["b0"]), GrantFloor("b0"))
    assert shown(state) == ("1x1", ["b0"])


def test_the_large_slot_of_a_layout():
    state = then(here(layout="1+5"), GrantFloor("b3"))
    assert shown(state) == ("1+5", ["b3", "b0", "b1", "b2", "b4", None])
    state = then(here(layout="2x2"), GrantFloor("b3"))
    assert shown(state) == ("2x2", ["b0", "b1", "b2", "b3"]), "a grid was asked for"


def test_slots_chosen_by_hand_change_places():
    slots = (SpeakerSlot(1), ParticipantSlot("b3"), ParticipantSlot("b1"), EmptySlot(),
             SpeakerSlot(2), EmptySlot())  # fmt: skip
    state = then(here(), SetLayout("main", "1+5", slots))
    assert shown(then(state, GrantFloor("b3")))[1] == ["b3", 1, "b1", None, 2, None]
    assert shown(then(state, GrantFloor("b4")))[1] == ["b4", "b3", "b1", None, 2, None]


def test_alone_to_everybody_or_not_at_all():
    state = here()
    assert shown(then(state, GrantFloor("b3", picture="broadcast"))) == ("1x1", ["b3"])
    assert shown(then(state, GrantFloor("b3", picture="none"))) == shown(state)
    state = then(state, StartBroadcast("b1"), GrantFloor("b3", picture="broadcast"))
    assert shown(state) == ("1x1", ["b1"]), "the operator's broadcast goes first"


def test_beside_a_presentation():
    plan = view(then(here(), GrantFloor("b3"))).with_presentation
    assert plan.slots[:2] == (PresentationSlot(), ParticipantSlot("b3"))


def test_the_chair_keeps_who_spoke_before():
    state = then(here(), GrantFloor("b3"), GrantFloor("b4"))
    assert shown(state)[1][0] == "b4"
    assert shown(state, "chair") == ("2+8", ["b4", "b3", "b1", "b2"] + 6 * [None])
    state = then(state, EndFloor())
    assert shown(state, "chair")[1][0] == "b4"
    assert shown(state) == shown(here())
    assert shown(then(state, NoteLeft("b4", "leg-b4")), "chair")[1][:3] == ["b1", "b2", "b3"]


def test_an_interruption_shows_the_chair():
    state = then(here(), MuteAll(), GrantFloor("b3"), InterruptFloor())
    assert shown(state)[1][:2] == ["b0", "b1"]
    assert shown(state, "chair")[1][0] == "b3"
