"""Late to a locked conference: rooms wait, are let in or sent away."""

import pytest

from mcu.conference.commands import (
    AdmitWaiting,
    ChangeConference,
    Lock,
    NoteJoined,
    NoteLeft,
    RefuseWaiting,
    Unlock,
)
from mcu.conference.floor_model import GrantFloor
from mcu.conference.plan import media_plan
from mcu.conference.resources import conference_resource
from mcu.conference.state import Refused
from mcu.engine.plan import WAITING_VIEW, EmptySlot
from tests.mcu.conference.meeting import did, ids, meeting, then, types


def late(count=4, *more):
    """Two are here, the others come when it is locked."""
    state = then(meeting(count, chair="b0", joined=["b0", "b1"]), Lock())
    return then(state, *(NoteJoined(each, f"leg-{each}") for each in ids(count)[2:]), *more)


def waiting(state):
    return [each.id for each in state.participants.values() if each.waiting]


def test_who_comes_late_waits_and_who_was_here_comes_back():
    state = then(late(), NoteLeft("b1", "leg-b1"), NoteJoined("b1", "again"))
    assert waiting(state) == ["b2", "b3"]
    assert conference_resource(state)["waiting"] == 2
    plan = media_plan(state)
    for who in ("b2", "b3"):
        seen = plan.participants[who]
        assert (seen.presence, seen.audio_muted, seen.deafened, seen.view) == (
            "expected", True, True, WAITING_VIEW,
        )  # fmt: skip
    card = plan.views[WAITING_VIEW]
    assert card.slots == (EmptySlot(),)
    assert "Xin chờ" in card.message
    assert "Please wait" in card.message
    assert plan.views["main"].layout == "2x2", "of the two who are here, and places for the others"


def test_nobody_waits_where_it_is_open():
    assert WAITING_VIEW not in media_plan(meeting(2, joined=["b0"])).views


def test_one_is_let_in_and_then_all():
    state, events = did(late(), AdmitWaiting("b3", "An"))
    assert types(events) == ["participants.admitted"]
    assert waiting(state) == ["b2"]
    assert media_plan(state).participants["b3"].view == "main"
    assert did(state, AdmitWaiting("b3"))[1] == [], "it is in"
    state, _ = did(state, AdmitWaiting())
    assert waiting(state) == []
    assert state.locked


def test_unlocking_lets_all_in():
    state, events = did(late(), Unlock())
    assert types(events) == ["conference.unlocked", "participants.admitted"]
    assert waiting(state) == []


def test_refused_rooms_are_off_the_roster():
    state, events = did(late(), RefuseWaiting("b2", "An"))
    assert types(events)[:2] == ["participants.refused", "participant.removed"]
    assert "b2" not in state.participants
    state, _ = did(state, RefuseWaiting())
    assert list(state.participants) == ["b0", "b1"]
    with pytest.raises(Refused, match="left since or was sent away"):
        did(state, AdmitWaiting("b2"))


def test_of_two_operators_one_wins_and_the_other_is_told():
    state = then(late(), AdmitWaiting("b2", "An"))
    assert did(state, AdmitWaiting("b2", "Binh"))[1] == []
    with pytest.raises(Refused, match="let in already"):
        did(state, RefuseWaiting("b2", "Binh"))
    assert "b2" in state.participants


def test_who_waits_has_no_part_in_the_procedure():
    with pytest.raises(Refused):
        did(late(), GrantFloor("b2", None, "speaker"))


def test_who_goes_while_it_waits_waits_again_and_the_chair_never():
    state = then(late(), NoteLeft("b2", "leg-b2"), NoteJoined("b2", "again"))
    assert waiting(state) == ["b2", "b3"]
    state = then(state, ChangeConference(chair="b2"))
    assert waiting(state) == ["b3"]
