import pytest

from mcu.conference.commands import MuteAll, UnmuteAll
from mcu.conference.decide import decide
from mcu.conference.state import Refused
from tests.mcu.conference.meeting import NOW, did, entry, meeting, then, types


def muted(state) -> set[str]:
    return {each.id for each in state.participants.values() if each.audio_muted}


@pytest.fixture
def tree():
    roster = [
        entry("hq", unit="tinh"),
        entry("a1", unit="tinh/a"),
        entry("a2", unit="tinh/a/aa"),
        entry("b1", unit="tinh/b"),
    ]
    return meeting(roster, chair="hq", joined=["hq", "a1"])


def test_all_but_the_chair_is_one_event_for_present_and_expected(tree):
    state, events = did(tree, MuteAll("all", ("chair",)))
    assert types(events) == ["participants.changed"]
    assert muted(state) == {"a1", "a2", "b1"}
    assert decide(state, MuteAll("all", ("chair",)), NOW) == []


def test_only_those_who_change_are_named(tree):
    state = then(tree, MuteAll(("a1",)))
    _, events = did(state, MuteAll("all", ("chair", "b1")))
    assert events[0].participants == ("a2",)


def test_a_unit_is_its_subtree(tree):
    state = then(tree, MuteAll("a"))
    assert muted(state) == {"a1", "a2"}
    assert state.entry_muted == ("a",)
    assert muted(then(state, UnmuteAll("aa"))) == {"a1"}


def test_a_list_leaves_newcomers_alone(tree):
    state = then(tree, MuteAll(("a1", "b1")))
    assert muted(state) == {"a1", "b1"}
    assert state.entry_muted == ()


def test_unmuting_all_forgets_every_scope(tree):
    state = then(tree, MuteAll("a"), MuteAll("b"), UnmuteAll("all"))
    assert muted(state) == set()
    assert state.entry_muted == ()


def test_spared_ones_stay_as_they_are(tree):
    state = then(tree, MuteAll("all"), UnmuteAll("all", ("b1",)))
    assert muted(state) == {"b1"}


def test_chair_among_the_spared_when_nobody_presides():
    assert muted(then(meeting(2), MuteAll("all", ("chair",)))) == {"b0", "b1"}


def test_muting_an_empty_conference_holds_for_newcomers():
    state, events = did(meeting(0), MuteAll())
    assert types(events) == ["participants.changed"]
    assert events[0].participants == ()
    assert state.entry_muted == ("all",)


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (MuteAll("nowhere"), "scope"),
        (MuteAll(("a1", "x")), "scope.1"),
        (MuteAll("all", ("chair", "x")), "except.1"),
        (UnmuteAll("nowhere"), "scope"),
    ],
)
def test_refusals_name_the_field(tree, command, field):
    with pytest.raises(Refused) as caught:
        decide(tree, command, NOW)
    assert caught.value.field == field


def test_versions_grow_with_the_change(tree):
    state = then(tree, MuteAll("a"))
    grown = {
        each.id
        for each in state.participants.values()
        if each.version > tree.participants[each.id].version
    }
    assert grown == {"a1", "a2"}
