import pytest

from mcu.conference.automatic import LEADS, fill, seating, slot_count, smallest_grid
from mcu.conference.commands import (
    AddParticipant,
    ChangeParticipant,
    NoteJoined,
    NoteLeft,
    NoteLost,
)
from mcu.engine.plan import EmptySlot, ParticipantSlot, PresentationSlot, SpeakerSlot
from mixer.video.layout import LAYOUTS
from tests.mcu.conference.meeting import entry, ids, meeting, then


def seats(state) -> list[str]:
    return [each.id for each in seating(state)]


def test_connected_before_expected_then_by_arrival():
    assert seats(meeting(4, joined=["b3", "b1"])) == ["b3", "b1", "b0", "b2"]


def test_importance_then_arrival_and_the_chair_first():
    roster = [entry("a"), entry("b", importance=9), entry("c", importance=9), entry("d")]
    state = meeting(roster, chair="d", joined=["a", "c", "b", "d"])
    assert seats(state) == ["d", "c", "b", "a"]


def test_who_drops_keeps_the_place_until_it_left():
    state = then(meeting(3, joined=["b0", "b1", "b2"]), NoteLost("b1", "leg-b1"))
    assert seats(state) == ["b0", "b1", "b2"]
    assert seats(then(state, NoteLeft("b1", "leg-b1"))) == ["b0", "b2"]


def test_coming_back_gives_the_old_place_and_no_second_one():
    state = then(meeting(3, joined=ids(3)), NoteLost("b1", "leg-b1"), NoteJoined("b1", "new"))
    assert seats(state) == ["b0", "b1", "b2"]


@pytest.mark.parametrize(
    ("here", "grid"),
    [(0, "1x1"), (1, "1x1"), (2, "2x2"), (4, "2x2"), (5, "3x3"), (16, "4x4"), (17, "5x5"),
     (36, "6x6"), (49, "7x7"), (145, "7x7")],
)  # fmt: skip
def test_the_smallest_grid_holds_all_who_are_here(here, grid):
    assert smallest_grid(seating(meeting(max(here, 3), joined=ids(here)))) == grid


def test_expected_ones_have_reserved_places():
    _, slots = fill("2x2", seating(meeting(3, joined=["b2"])))
    assert slots == (
        ParticipantSlot("b2"), ParticipantSlot("b0"), ParticipantSlot("b1"), EmptySlot(),
    )  # fmt: skip


@pytest.mark.parametrize("layout", list(LAYOUTS))
@pytest.mark.parametrize("count", [0, 1, 4, 60])
def test_every_layout_is_filled_exactly(layout, count):
    shown, slots = fill(layout, seating(meeting(count, joined=ids(count))))
    assert shown == layout
    assert len(slots) == slot_count(layout) == len(LAYOUTS[layout].slots)
    named = [slot.participant for slot in slots if isinstance(slot, ParticipantSlot)]
    assert len(named) == len(set(named)) == min(count, len(slots) - len(LEADS.get(layout, ())))


@pytest.mark.parametrize(
    ("layout", "leads"),
    [
        ("1x1", (SpeakerSlot(1),)),
        ("1+7", (SpeakerSlot(1),)),
        ("2+8", (SpeakerSlot(1), SpeakerSlot(2))),
        ("lecture", (SpeakerSlot(1),)),
        ("presenter", (PresentationSlot(), SpeakerSlot(1))),
    ],
)
def test_the_large_slots_follow_the_speaker(layout, leads):
    _, slots = fill(layout, seating(meeting(3, joined=ids(3))))
    assert slots[: len(leads)] == leads


def test_one_room_alone_sees_itself_under_auto():
    assert fill("auto", seating(meeting(1, joined=["b0"]))) == ("1x1", (ParticipantSlot("b0"),))


def test_a_change_of_importance_moves_the_place():
    state = then(meeting(3, joined=ids(3)), ChangeParticipant("b2", importance=50))
    assert seats(state)[0] == "b2"
    assert seats(then(state, AddParticipant(entry("new", importance=99))))[-1] == "new"
