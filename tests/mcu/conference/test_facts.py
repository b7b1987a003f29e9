import pytest

from mcu.conference.commands import (
    NoteAbsent,
    NoteCallFailed,
    NoteCalling,
    NoteJoined,
    NoteLeft,
    NoteLost,
    NoteRestarted,
    NoteReturned,
    RemoveParticipant,
)
from mcu.conference.decide import decide
from mcu.conference.facts import MAX_DETAIL
from mcu.conference.state import ParticipantLeg, Refused
from tests.mcu.conference.meeting import NOW, after, did, meeting, then, types


def test_joining_sets_the_time_and_the_order():
    state, _ = did(meeting(3), NoteJoined("b2", "l2"), after(5))
    state, _ = did(state, NoteJoined("b0", "l0"), after(9))
    late, first = state.participants["b0"], state.participants["b2"]
    assert (first.join_order, late.join_order) == (0, 1)
    assert (first.joined_at, late.joined_at) == (after(5), after(9))
    assert first.legs == (ParticipantLeg("l2", "join"),)


def test_the_same_bridge_again_replaces_its_leg():
    state = meeting(joined=["b0"])
    state, events = did(state, NoteJoined("b0", "new"))
    assert types(events) == ["participant.joined"]
    assert events[0].replaced == ("leg-b0",)
    assert [leg.id for leg in state.participants["b0"].legs] == ["new"]
    assert decide(state, NoteLeft("b0", "leg-b0", "replaced"), NOW) == []
    assert decide(state, NoteLost("b0", "leg-b0"), NOW) == []


@pytest.mark.parametrize(
    ("first", "second", "replaced"),
    [
        ("publish", "view", ()),
        ("view", "publish", ()),
        ("publish", "publish", ("one",)),
        ("join", "view", ("one",)),
        ("publish", "join", ("one",)),
    ],
)
def test_a_leg_replaces_what_carries_the_same_direction(first, second, replaced):
    state = then(meeting(), NoteJoined("b0", "one", first))
    _, events = did(state, NoteJoined("b0", "two", second))
    assert events[0].replaced == replaced


def test_lost_and_returned_keep_the_leg():
    state = meeting(joined=["b0"])
    state, events = did(state, NoteLost("b0", "leg-b0"), after(5))
    assert types(events) == ["participant.lost"]
    assert state.participants["b0"].lost_at == after(5)
    assert decide(state, NoteLost("b0", "leg-b0"), NOW) == []
    state, events = did(state, NoteReturned("b0", "leg-b0"))
    assert types(events) == ["participant.returned"]
    assert state.participants["b0"].lost_at is None
    assert decide(state, NoteReturned("b0", "leg-b0"), NOW) == []


def test_left_for_good_and_back_keeps_the_first_arrival():
    state = meeting(joined=["b0", "b1"])
    state, events = did(state, NoteLeft("b0", "leg-b0", "timeout"), after(30))
    assert types(events) == ["participant.left"]
    assert events[0].reason == "timeout"
    gone = state.participants["b0"]
    assert (gone.presence, gone.legs, gone.left_at) == ("left", (), after(30))
    state, _ = did(state, NoteJoined("b0", "again"), after(90))
    back = state.participants["b0"]
    assert (back.joined_at, back.join_order, back.left_at) == (NOW, 0, None)


def test_who_was_lost_and_did_not_come_back_is_missing():
    state = then(meeting(joined=["b0", "b1"]))
    state, _ = did(state, NoteLost("b0", "leg-b0"), after(5))
    state, _ = did(state, NoteLeft("b0", "leg-b0", "timeout"), after(35))
    state, _ = did(state, NoteLeft("b1", "leg-b1", "bye"), after(35))
    gone, bye = state.participants["b0"], state.participants["b1"]
    assert (gone.is_missing, gone.lost_at, gone.left_at) == (True, after(5), after(35))
    assert (bye.is_missing, bye.lost_at) == (False, None)
    state = then(state, NoteCalling("b0"), NoteCallFailed("b0"))
    assert state.participants["b0"].is_missing
    state = then(state, NoteJoined("b0", "again"))
    assert state.participants["b0"].lost_at is None


def test_one_of_two_legs():
    state = then(meeting(), NoteJoined("b0", "up", "publish"), NoteJoined("b0", "down", "view"))
    state, events = did(state, NoteLost("b0", "up"))
    assert types(events) == ["participant.changed"]
    assert state.participants["b0"].presence == "connected"
    state, events = did(state, NoteLeft("b0", "down"))
    assert types(events) == ["participant.lost"]  # what is left of it is not heard
    state, events = did(state, NoteLeft("b0", "up"))
    assert types(events) == ["participant.left"]


def test_calling():
    state, events = did(meeting(), NoteCalling("b0"))
    assert types(events) == ["participant.changed"]
    assert state.participants["b0"].presence == "calling"
    assert decide(state, NoteCalling("b0"), NOW) == []
    assert then(state, NoteCallFailed("b0")).participants["b0"].presence == "expected"
    assert decide(meeting(joined=["b0"]), NoteCallFailed("b0"), NOW) == []


def test_who_cannot_be_called_stays_as_it_is_and_says_so() -> None:
    nowhere = NoteCallFailed("b0", "no_address")
    state = then(meeting(), nowhere)
    assert (state.participants["b0"].presence, state.participants["b0"].call_failure) == (
        "expected", "no_address",
    )  # fmt: skip
    assert decide(state, nowhere, NOW) == []  # once is enough
    assert decide(meeting(joined=["b0"]), nowhere, NOW) == []
    called = then(state, NoteCalling("b0"))
    assert called.participants["b0"].call_failure is None
    assert decide(called, nowhere, NOW) == []
    # It is one of another kind now, which is not called.
    assert then(state, NoteCallFailed("b0", None)).participants["b0"].call_failure is None
    busy = then(meeting(), NoteCalling("b0"), NoteCallFailed("b0", "busy"))
    assert decide(busy, NoteCallFailed("b0", None), NOW) == []


@pytest.mark.parametrize("over", [NoteCallFailed("b0"), NoteRestarted()])
def test_who_had_left_and_does_not_answer_has_left_again(over):
    state = then(meeting(joined=["b0"]), NoteLeft("b0", "leg-b0"), NoteCalling("b0"), over)
    assert state.participants["b0"].presence == "left"
    assert state.participants["b0"].left_at == NOW


def test_a_restart_loses_everybody_who_was_connected():
    state = then(
        meeting(5, joined=["b0", "b1", "b2"]),
        NoteLost("b1", "leg-b1"), NoteLeft("b2", "leg-b2"), NoteCalling("b3"),
    )  # fmt: skip
    state, events = did(state, NoteRestarted(), after(100))
    presences = [each.presence for each in state.participants.values()]
    assert presences == ["lost", "lost", "left", "expected", "expected"]
    assert all(not each.legs for each in state.participants.values())
    assert state.participants["b0"].lost_at == after(100)
    assert state.participants["b1"].lost_at == NOW
    assert types(events) == ["participant.lost", "participant.changed", "participant.changed"]
    assert decide(state, NoteRestarted(), NOW) == []


def test_who_was_here_when_the_daemon_died_is_lost_since_then():
    state = meeting(joined=["b0"])
    later, _ = did(state, NoteRestarted(after(40)), after(100))
    assert later.participants["b0"].lost_at == after(40)
    ahead, _ = did(state, NoteRestarted(after(160)), after(100))
    assert ahead.participants["b0"].lost_at == after(100)


def test_the_absent_leave_and_those_who_came_back_do_not():
    state = then(meeting(joined=["b0", "b1"]), NoteRestarted(), NoteJoined("b1", "new"))
    assert types(decide(state, NoteAbsent("b0"), NOW)) == ["participant.left"]
    assert decide(state, NoteAbsent("b1"), NOW) == []
    assert decide(state, NoteAbsent("b2"), NOW) == []


def test_a_lost_leg_is_not_absent():
    state = then(meeting(joined=["b0"]), NoteLost("b0", "leg-b0"))
    assert decide(state, NoteAbsent("b0"), NOW) == []


def test_facts_about_somebody_removed_mean_nothing_but_joining_is_refused():
    state = then(meeting(joined=["b0"]), RemoveParticipant("b0"))
    assert decide(state, NoteLeft("b0", "leg-b0"), NOW) == []
    with pytest.raises(Refused, match="add it first"):
        decide(state, NoteJoined("b0", "leg"), NOW)


def test_why_a_call_came_to_nothing_is_kept_until_it_has_come():
    state = then(meeting(), NoteCalling("b0"), NoteCallFailed("b0", "busy"))
    assert state.participants["b0"].call_failure == "busy"
    again = then(state, NoteCalling("b0"))
    assert (again.participants["b0"].presence, again.participants["b0"].call_failure) == (
        "calling",
        "busy",
    )
    unreachable = then(again, NoteCallFailed("b0", "unreachable"))
    assert unreachable.participants["b0"].call_failure == "unreachable"
    here = then(unreachable, NoteJoined("b0", "leg"))
    assert here.participants["b0"].call_failure is None


def test_what_is_known_of_a_failed_call_goes_with_its_reason():
    unknown = NoteCallFailed("b0", "name_unknown", "phong.test (A, AAAA)\x07\r\n")
    state = then(meeting(), NoteCalling("b0"), unknown)
    assert state.participants["b0"].call_failure_detail == "phong.test (A, AAAA)"
    busy = then(state, NoteCalling("b0"), NoteCallFailed("b0", "busy"))
    assert busy.participants["b0"].call_failure_detail is None
    long = then(state, NoteCalling("b0"), NoteCallFailed("b0", "failed", "x" * 9_999))
    assert len(long.participants["b0"].call_failure_detail or "") == MAX_DETAIL
    assert then(state, NoteJoined("b0", "leg")).participants["b0"].call_failure_detail is None
