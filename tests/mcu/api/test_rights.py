"""The table of rights, and the relations it speaks of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcu.api.rights import (
    RIGHTS,
    Action,
    Holder,
    Role,
    Room,
    UnitTree,
    may,
    may_ever,
    relations_to_conference,
    relations_to_participant,
    relations_to_room,
    relations_to_unit,
)

TREE = UnitTree({"vn": None, "tinh": "vn", "xa-1": "tinh", "xa-2": "tinh", "khac": "vn"})
ROOM = Room("xa-1-a", "xa-1")


def test_every_action_has_a_row_for_every_role() -> None:
    assert set(RIGHTS) == set(Action)
    for row in RIGHTS.values():
        assert list(row) == ["admin", "operator", "technician", "observer", "bridge"]


@pytest.mark.parametrize(
    ("role", "action"),
    [
        ("operator", Action.MANAGE_TOKENS),
        ("technician", Action.CONTROL_CONFERENCES),
        ("technician", Action.WRITE_UNITS),
        ("observer", Action.MUTE_PARTICIPANT),
        ("observer", Action.JOIN),
        ("bridge", Action.READ_UNITS),
        ("bridge", Action.SEE_VIEW),
        ("bridge", Action.READ_METRICS),
        ("bridge", Action.CONTROL_CONFERENCES),
    ],
)
def test_what_a_role_may_never_do(role: Role, action: Action) -> None:
    assert not may_ever(role, action)
    assert not may(role, action, frozenset({"unit", "room", "own"}))


def test_whoever_may_write_may_read() -> None:
    for write, read in (
        (Action.WRITE_UNITS, Action.READ_UNITS),
        (Action.WRITE_BRIDGES, Action.READ_BRIDGES),
        (Action.CONTROL_CONFERENCES, Action.READ_CONFERENCES),
        (Action.CHANGE_LEG, Action.READ_LEG),
    ):
        for role, relations in RIGHTS[write].items():
            assert relations <= RIGHTS[read][role], (write, role)


def test_the_tree() -> None:
    assert TREE.is_within("xa-1", "xa-1")
    assert TREE.is_within("xa-1", "vn")
    assert not TREE.is_within("tinh", "xa-1")
    assert not TREE.is_within("khac", "tinh")
    assert not TREE.is_within(None, "vn")
    assert TREE.is_within(None, None)
    assert TREE.subtree("tinh") == {"tinh", "xa-1", "xa-2"}


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.none() | st.sampled_from("abcdefg"), min_size=1),
    st.sampled_from("abcdefg"),
    st.sampled_from("abcdefg"),
)
def test_a_tree_with_circles_is_answered_too(
    parents: dict[str, str | None], unit: str, ancestor: str
) -> None:
    tree = UnitTree(parents)
    assert tree.is_within(unit, ancestor) in (True, False)
    assert tree.is_within(unit, unit)
    assert unit not in parents or unit in tree.subtree(unit)


def test_an_operator_stands_to_its_subtree_only() -> None:
    operator = Holder("operator", "tinh")
    assert relations_to_unit(operator, "xa-1", TREE) == {"unit"}
    assert relations_to_unit(operator, "vn", TREE) == set()
    assert relations_to_conference(operator, "c", "vn", [ROOM], TREE) == set()
    assert relations_to_room(operator, ROOM, TREE) == {"unit"}


def test_a_technician_stands_to_rooms_in_conferences_from_above() -> None:
    technician = Holder("technician", "xa-1")
    assert relations_to_conference(technician, "c", "tinh", [ROOM], TREE) == {"room"}
    assert relations_to_conference(technician, "c", "tinh", [], TREE) == set()
    assert relations_to_participant(technician, "c", "tinh", ROOM, TREE) == {"room"}
    assert relations_to_participant(technician, "c", "tinh", Room("x", "xa-2"), TREE) == set()
    assert relations_to_participant(technician, "c", "tinh", None, TREE) == set()


@pytest.mark.parametrize("role", ["admin", "operator"])
def test_people_of_an_invited_room_stand_to_it_in_that_conference_alone(role: Role) -> None:
    holder, invited = Holder(role, "xa-1"), Room("xa-1-a", "xa-1", invited=True)
    assert relations_to_conference(holder, "c", "khac", [invited], TREE) == {"room"}
    assert relations_to_participant(holder, "c", "khac", invited, TREE) == {"room"}
    assert relations_to_participant(holder, "c", "khac", ROOM, TREE) == set()
    elsewhere = Room("xa-2-a", "xa-2", invited=True)
    assert relations_to_conference(holder, "c", "khac", [elsewhere, ROOM], TREE) == set()
    for action in (Action.CONTROL_CONFERENCES, Action.SEE_VIEW, Action.RECORD, Action.WATCH):
        assert not may(role, action, frozenset({"room"}))
    observer = Holder("observer", "xa-1")
    assert relations_to_conference(observer, "c", "khac", [invited], TREE) == set()


def test_a_bridge_stands_to_itself_only() -> None:
    bridge = Holder("bridge", bridge="xa-1-a")
    assert relations_to_unit(bridge, "xa-1", TREE) == set()
    assert relations_to_room(bridge, ROOM, TREE) == {"room"}
    assert relations_to_room(bridge, Room("xa-1-b", "xa-1"), TREE) == set()
    assert relations_to_conference(bridge, "c", "tinh", [ROOM], TREE) == {"room"}


def test_a_token_for_one_conference_stands_to_nothing_else() -> None:
    admin = Holder("admin", conference="c")
    assert relations_to_conference(admin, "c", "tinh", [], TREE) == {"unit"}
    assert relations_to_conference(admin, "d", "tinh", [], TREE) == set()
    assert relations_to_participant(admin, "d", "tinh", ROOM, TREE) == set()
    assert relations_to_unit(admin, "tinh", TREE) == set()
    assert relations_to_room(admin, ROOM, TREE) == set()
    bridge = Holder("bridge", bridge="xa-1-a", conference="c")
    assert relations_to_conference(bridge, "c", "tinh", [ROOM], TREE) == {"room"}
    assert relations_to_conference(bridge, "d", "tinh", [ROOM], TREE) == set()
