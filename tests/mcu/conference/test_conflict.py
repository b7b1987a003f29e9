"""A bridge that two conferences want: pure decisions."""

import pytest

from mcu.conference.commands import AddParticipant, Lock
from mcu.conference.conflict_model import (
    MAX_KEPT,
    Conflict,
    DecideConflict,
    NoteConflict,
    NoteConflictStatus,
    RaiseConflict,
    find_conflict,
)
from mcu.conference.state import Refused
from tests.mcu.conference.meeting import NOW, after, did, entry, meeting, then, types

ASKED = RaiseConflict("x", "Xã X", "c2", "Họp huyện", "An")


def asked(state):
    return find_conflict(state.conflicts, "x", "asking")


def test_asked_waits_and_is_settled_when_it_comes():
    state, events = did(meeting(), ASKED)
    assert types(events) == ["conflict.raised"]
    assert (asked(state).status, asked(state).other, asked(state).by) == ("open", "c2", "An")
    assert did(state, ASKED)[1] == [], "once is enough"
    state, events = did(state, DecideConflict("x", "wait", "Bình"), after(5))
    assert (asked(state).status, asked(state).decided_by) == ("waiting", "Bình")
    state, events = did(state, AddParticipant(entry("x")), after(9))
    assert types(events) == ["participant.added", "conflict.decided"]
    assert asked(state).status == "settled"


def test_declined_and_asked_again():
    state = then(meeting(), ASKED, DecideConflict("x", "decline", "Bình"))
    assert asked(state).status == "declined"
    with pytest.raises(Refused, match="not asked for any more"):
        did(state, DecideConflict("x", "wait"))
    assert asked(then(state, ASKED)).status == "open"
    assert types(did(state, AddParticipant(entry("x")))[1]) == ["participant.added"]


def test_while_it_is_moved_nobody_decides_and_a_move_that_fails_is_open_again():
    state = then(meeting(), ASKED, DecideConflict("x", "move", "An"))
    with pytest.raises(Refused, match="moved already by An"):
        did(state, DecideConflict("x", "decline", "Bình"))
    assert asked(then(state, NoteConflictStatus("x", "c2", "open"))).status == "open"
    assert did(state, NoteConflictStatus("x", "c9", "open"))[1] == [], "another conference"


def test_refused():
    with pytest.raises(Refused, match="in this conference already"):
        did(meeting(1), RaiseConflict("b0", "Xã", "c2", "Họp"))
    with pytest.raises(Refused, match="locked"):
        did(then(meeting(1), Lock()), ASKED)


def test_the_other_side_keeps_one_for_each_who_asks():
    state = meeting()
    for other in ("c2", "c3", "c2"):
        told = Conflict("b0", "Xã", "holding", other, "Họp", after(1 if other == "c3" else 0))
        state = then(state, NoteConflict(told))
        assert did(state, NoteConflict(told))[1] == []
    assert [each.other for each in state.conflicts] == ["c2", "c3"] or [
        each.other for each in state.conflicts
    ] == ["c3", "c2"]
    state = then(state, NoteConflictStatus("b0", "c3", "settled"))
    assert find_conflict(state.conflicts, "b0", "holding", "c2").is_open
    assert not find_conflict(state.conflicts, "b0", "holding", "c3").is_open


def test_what_is_over_is_forgotten_in_time_and_what_is_open_is_not():
    state = then(meeting(), ASKED)
    for number in range(MAX_KEPT + 5):
        over = Conflict(f"y{number}", "Xã", "holding", "c9", "Họp", NOW, status="settled")
        state = then(state, NoteConflict(over))
    assert len(state.conflicts) == MAX_KEPT
    assert asked(state).is_open
